//! Multi-perspective issuance corroboration (BR §3.2.2.9) as a pure function of the verdicts.
//!
//! The primary perspective must prove control and find CAA permitting; then enough of the remote
//! ones must have found the same, for control and for CAA each. Who didn't answer, answered twice,
//! for somebody else or about another attempt has not corroborated.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use acme_types::{Problem, ProblemType, Timestamp};

use super::{AttemptId, PerspectiveId, Verdict};
use crate::policy::ValidationPolicy;

/// A place on the Internet from which validation looks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Perspective {
    /// Its name.
    pub id: PerspectiveId,
    /// In which registry's region it stands.
    pub region: Region,
    /// Whether it is the primary one.
    pub is_primary: bool,
}

/// The service region of a Regional Internet Registry. There are five.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the names of the registries")]
pub enum Region {
    Afrinic,
    Apnic,
    Arin,
    Lacnic,
    Ripe,
}

/// The text is not a registry's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not one of afrinic, apnic, arin, lacnic, ripe")]
pub struct RegionError;

impl FromStr for Region {
    type Err = RegionError;

    fn from_str(text: &str) -> Result<Self, RegionError> {
        let all = [
            Self::Afrinic,
            Self::Apnic,
            Self::Arin,
            Self::Lacnic,
            Self::Ripe,
        ];
        let named = |region: &Self| region.name().eq_ignore_ascii_case(text);
        all.into_iter().find(named).ok_or(RegionError)
    }
}

impl Region {
    fn name(self) -> &'static str {
        match self {
            Self::Afrinic => "afrinic",
            Self::Apnic => "apnic",
            Self::Arin => "arin",
            Self::Lacnic => "lacnic",
            Self::Ripe => "ripe",
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many perspectives must agree with the primary one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Quorum {
    /// The table and the timeline of BR §3.2.2.9.
    Dated,
    /// A CA of one's own decides for itself.
    Fixed {
        /// The fewest remote perspectives.
        remotes_min: usize,
        /// The most of them that may fail to corroborate.
        failures_max: usize,
        /// From how many regions those that corroborate must come.
        regions_min: usize,
    },
}

/// What is asked of so many remote perspectives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Requirement {
    failures_max: usize,
    regions_min: usize,
}

/// One line of the timeline: since when, the fewest remote perspectives, the fewest regions.
struct Phase(Timestamp, usize, usize);

/// BR §3.2.2.9, "Phased Implementation Timeline". What stood before the first line, or only as
/// MAY, is held as strictly as the first line.
const TIMELINE: &[Phase] = &[
    Phase(Timestamp::from_secs(1_741_996_800), 2, 0), // 2025-03-15
    Phase(Timestamp::from_secs(1_757_894_400), 2, 0), // 2025-09-15
    Phase(Timestamp::from_secs(1_773_532_800), 3, 2), // 2026-03-15
    Phase(Timestamp::from_secs(1_781_481_600), 4, 2), // 2026-06-15
    Phase(Timestamp::from_secs(1_797_292_800), 5, 2), // 2026-12-15
];

impl Quorum {
    /// What is asked of `remotes` remote perspectives now; `None` if they are too few.
    fn requirement(self, now: Timestamp, remotes: usize) -> Option<Requirement> {
        let (remotes_min, failures_max, regions_min) = match self {
            Self::Fixed {
                remotes_min,
                failures_max,
                regions_min,
            } => (remotes_min, failures_max, regions_min),
            Self::Dated => {
                let begun = TIMELINE.iter().rev().find(|Phase(since, ..)| *since <= now);
                let Phase(_, remotes_min, regions_min) = begun.or(TIMELINE.first())?;
                // BR §3.2.2.9, "Quorum Requirements".
                (*remotes_min, if remotes >= 6 { 2 } else { 1 }, *regions_min)
            }
        };
        (remotes >= remotes_min).then_some(Requirement {
            failures_max,
            regions_min,
        })
    }
}

/// What the perspectives have found together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Corroboration {
    /// Whether control is proved and CAA permits, or what the client is told instead.
    pub outcome: Result<(), Problem>,
    /// Who proved control.
    pub control: Tally,
    /// Whom CAA permits.
    pub caa: Tally,
}

/// Who corroborated one of the two, for the audit log (BR §5.4.1).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Perspectives that did, with their regions; the primary first.
    pub passed: Vec<(PerspectiveId, Region)>,
    /// Perspectives that didn't.
    pub failed: Vec<(PerspectiveId, Region)>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.passed.len().saturating_add(self.failed.len());
        write!(f, "{}/{all}", self.passed.len())?;
        let list = |f: &mut fmt::Formatter<'_>, which: &str, list: &[(PerspectiveId, Region)]| {
            write!(f, " {which}")?;
            list.iter()
                .try_for_each(|(id, region)| write!(f, " {}({region})", id.0))
        };
        list(f, "passed", &self.passed)?;
        list(f, "failed", &self.failed)
    }
}

/// Decides. `answers`: who was asked, in any order, and the verdict that came on that
/// perspective's own authenticated channel; `None` if none came.
pub fn corroborate(
    policy: &ValidationPolicy,
    now: Timestamp,
    attempt: &AttemptId,
    answers: &[(PerspectiveId, Option<Verdict>)],
) -> Corroboration {
    let nothing = |problem| Corroboration {
        outcome: Err(problem),
        control: Tally::default(),
        caa: Tally::default(),
    };
    let Some((primary, remotes)) = roles(&policy.perspectives) else {
        return nothing(internal(
            "no primary perspective is configured, or one twice",
        ));
    };
    let Some(requirement) = policy.quorum.requirement(now, remotes.len()) else {
        return nothing(internal("too few remote perspectives are configured"));
    };
    let heard = Heard { attempt, answers };
    let (control, controlled) = heard.judge(primary, &remotes, requirement, control_of);
    let (caa, permitted) = heard.judge(primary, &remotes, requirement, caa_of);
    Corroboration {
        outcome: controlled.and(permitted),
        control,
        caa,
    }
}

fn internal(detail: &str) -> Problem {
    Problem::new(ProblemType::SERVER_INTERNAL).with_detail(detail)
}

/// The primary perspective and the remote ones, if there is one of the first and all differ.
fn roles(perspectives: &[Perspective]) -> Option<(&Perspective, Vec<&Perspective>)> {
    let ids: BTreeSet<&PerspectiveId> = perspectives.iter().map(|one| &one.id).collect();
    let (primaries, remotes): (Vec<_>, Vec<_>) = perspectives
        .iter()
        .partition(|perspective| perspective.is_primary);
    match primaries.as_slice() {
        [primary] if ids.len() == perspectives.len() => Some((primary, remotes)),
        _ => None,
    }
}

/// What one verdict says of one of the two questions; `None`: it doesn't speak of it.
type Finding = fn(&Verdict) -> Option<&Result<(), Problem>>;

fn control_of(verdict: &Verdict) -> Option<&Result<(), Problem>> {
    Some(&verdict.control)
}

/// Without control CAA isn't looked at, and what isn't looked at isn't permitted.
fn caa_of(verdict: &Verdict) -> Option<&Result<(), Problem>> {
    match verdict.control {
        Ok(()) => verdict.caa.as_ref(),
        Err(_) => Some(&verdict.control),
    }
}

/// What was heard of one attempt.
struct Heard<'a> {
    attempt: &'a AttemptId,
    answers: &'a [(PerspectiveId, Option<Verdict>)],
}

impl<'a> Heard<'a> {
    fn judge(
        &self,
        primary: &Perspective,
        remotes: &[&Perspective],
        requirement: Requirement,
        finding: Finding,
    ) -> (Tally, Result<(), Problem>) {
        let mut tally = Tally::default();
        let (mut first, mut regions, mut passed) = (None, BTreeSet::new(), 0usize);
        let place = |one: &Perspective| (one.id.clone(), one.region);
        let at_primary = self.of(primary).and_then(finding);
        match at_primary {
            Some(Ok(())) => tally.passed.push(place(primary)),
            Some(Err(_)) | None => tally.failed.push(place(primary)),
        }
        for remote in remotes {
            match self.of(remote).and_then(finding) {
                Some(Ok(())) => {
                    passed = passed.saturating_add(1);
                    regions.insert(remote.region);
                    tally.passed.push(place(remote));
                }
                refused => {
                    first = first.or(refused.and_then(|result| result.as_ref().err()));
                    tally.failed.push(place(remote));
                }
            }
        }
        let failures = remotes
            .len()
            .saturating_sub(passed)
            .saturating_add(self.strangers(primary, remotes));
        let is_quorum =
            failures <= requirement.failures_max && regions.len() >= requirement.regions_min;
        let result = match at_primary {
            Some(Ok(())) if is_quorum => Ok(()),
            Some(Ok(())) => Err(secondary(first, passed, remotes.len())),
            Some(Err(problem)) => Err(problem.clone()),
            None => Err(internal("the primary perspective has not answered")),
        };
        (tally, result)
    }

    /// The verdict of this perspective, if exactly one came, its own, about this attempt.
    fn of(&self, perspective: &Perspective) -> Option<&'a Verdict> {
        let mut its = self.answers.iter().filter(|(id, _)| *id == perspective.id);
        match (its.next(), its.next()) {
            (Some((_, Some(verdict))), None)
                if verdict.perspective == perspective.id && verdict.attempt == *self.attempt =>
            {
                Some(verdict)
            }
            _ => None,
        }
    }

    /// How many answers came from nobody who is configured: each counts as a failure.
    fn strangers(&self, primary: &Perspective, remotes: &[&Perspective]) -> usize {
        let known =
            |id: &PerspectiveId| *id == primary.id || remotes.iter().any(|remote| remote.id == *id);
        self.answers.iter().filter(|(id, _)| !known(id)).count()
    }
}

/// The primary perspective found it, and too few others: what the first of those that said why
/// has said.
fn secondary(first: Option<&Problem>, passed: usize, remotes: usize) -> Problem {
    let seen = format!("{passed} of {remotes} remote perspectives confirmed what the primary saw");
    match first {
        Some(problem) => {
            let detail = problem.detail.as_deref().unwrap_or("no detail");
            Problem::new(problem.kind.clone()).with_detail(format!("{seen}; another: {detail}"))
        }
        None => internal(&seen),
    }
}

#[cfg(test)]
mod tests;
