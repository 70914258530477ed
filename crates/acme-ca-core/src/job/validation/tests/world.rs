//! A shell for validations: the reference store, perspectives that do as they are told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use acme_crypto::KeyAlgorithm;
use acme_jws::Jwk;
use acme_types::{
    AccountStatus, Answer, AuthorizationStatus, ChallengeType, Identifier, Problem, ProblemType,
    Ticket, Timestamp, Token,
};

use crate::effect::{Outcome, Perspective as Asked, Unavailable};
use crate::issuance::tests::world;
use crate::job::{Job, Step, move_due};
use crate::schema::{
    AccountId, AccountRow, AuthorizationId, AuthorizationRow, ChallengeRow, ChallengeState, Commit,
    Committed, JobId, JobRow, JobState, Read, Row, Version, View, Write,
};
use crate::store::Memory;
use crate::validation::{
    AttemptId, Perspective, PerspectiveId, ProbeRequest, Quorum, Region, Verdict,
};
use crate::{Config, Entropy, JobArrival};

/// What a perspective does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Does {
    Proves,
    /// Finds nothing there.
    Fails,
    /// Proves control, and CAA refuses.
    Refuses,
    /// Answers about another attempt.
    Stale,
    /// Answers in the primary's name.
    Forges,
    Unavailable,
    /// Never answers.
    Silent,
}

/// What a commit does next; after the last it commits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Save {
    Conflict,
    UnknownMade,
    UnknownLost,
    /// Made, and no answer.
    SilentMade,
    /// Not made, and no answer.
    SilentLost,
}

pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) store: Memory,
    pub(crate) now: Timestamp,
    pub(crate) does: BTreeMap<usize, Does>,
    /// Answers come in the other order.
    pub(crate) backwards: bool,
    pub(crate) saves: VecDeque<Save>,
    /// So many loads fail.
    pub(crate) unavailable: usize,
    pub(crate) asked: Vec<(PerspectiveId, ProbeRequest)>,
    pub(crate) commits: usize,
    starts: u8,
}

pub(crate) const JOB: JobId = JobId::from_bytes([1; 16]);
pub(crate) const AUTHORIZATION: AuthorizationId = AuthorizationId::from_bytes([2; 16]);
pub(crate) const ACCOUNT: AccountId = AccountId::from_bytes([3; 16]);
pub(crate) const METHOD: ChallengeType = ChallengeType::HTTP_01;
const REGIONS: [Region; 5] = [
    Region::Arin,
    Region::Ripe,
    Region::Apnic,
    Region::Lacnic,
    Region::Afrinic,
];
const STEPS_MAX: usize = 2_000;

pub(crate) fn key(seed: u8) -> Jwk {
    Jwk::from_public_key(world::key(KeyAlgorithm::EcP256, seed).public_key().clone())
}

impl World {
    /// A primary and five remote perspectives, and a challenge that was just responded to.
    pub(crate) fn new() -> (Self, Version) {
        static BASE: OnceLock<Config> = OnceLock::new();
        let mut config = BASE.get_or_init(world::config).clone();
        let perspective = |index: usize| Perspective {
            id: PerspectiveId(index.to_string()),
            region: *REGIONS.get(index % 5).unwrap(),
            is_primary: index == 0,
        };
        config.policy.validation.perspectives = (0..6).map(perspective).collect();
        config.policy.validation.quorum = Quorum::Dated;
        let mut world = Self {
            config,
            store: Memory::new(),
            now: world::now(),
            does: BTreeMap::new(),
            backwards: false,
            saves: VecDeque::new(),
            unavailable: 0,
            asked: Vec::new(),
            commits: 0,
            starts: 0,
        };
        let version = world.respond();
        (world, version)
    }

    /// As the exchange that takes the client's response commits it.
    fn respond(&mut self) -> Version {
        let (lifetime, lease) = (
            Duration::from_secs(3_600),
            self.config.policy.validation.lease,
        );
        let challenge = |kind: ChallengeType, state, attempts| ChallengeRow {
            kind,
            token: Token::from_entropy(&[9; 32]),
            state,
            attempts,
            error: None,
        };
        let authorization = AuthorizationRow {
            id: AUTHORIZATION,
            account: ACCOUNT,
            order: None,
            identifier: Identifier::dns("example.com").unwrap(),
            wildcard: false,
            status: AuthorizationStatus::Pending,
            created_at: self.now,
            expires: self.now.after(lifetime),
            challenges: vec![
                challenge(ChallengeType::DNS_01, ChallengeState::Pending, 0),
                challenge(METHOD, ChallengeState::Processing { job: JOB }, 1),
            ],
            caa_checked_at: None,
        };
        let account = AccountRow {
            id: ACCOUNT,
            key: key(1),
            status: AccountStatus::Valid,
            contact: Vec::new(),
            terms_of_service_agreed: false,
            created_at: self.now,
            external_account: None,
        };
        let state = JobState::Validation {
            authorization: AUTHORIZATION,
            challenge: METHOD,
        };
        let job = JobRow {
            id: JOB,
            due: self.now.after(lease),
            attempt: 1,
            state,
        };
        let mut writes = move_due(job.due, &job);
        writes.push(Write::Put(Row::Authorization(authorization)));
        writes.push(Write::Put(Row::Account(account)));
        self.put(writes)
    }

    pub(crate) fn put(&mut self, writes: Vec<Write>) -> Version {
        let commit = Commit {
            writes,
            ..Commit::default()
        };
        match self.store.commit(&commit) {
            Ok(Committed::Done(version)) => version,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn view(&self, read: Read) -> View {
        let mut view = View::new();
        view.extend(self.store.load(&[read]).unwrap());
        view
    }

    pub(crate) fn authorization(&self) -> AuthorizationRow {
        let view = self.view(Read::Authorization(AUTHORIZATION));
        view.authorization(&AUTHORIZATION).unwrap().unwrap().clone()
    }

    pub(crate) fn change_authorization(&mut self, change: impl FnOnce(&mut AuthorizationRow)) {
        let mut row = self.authorization();
        change(&mut row);
        self.put(vec![Write::Put(Row::Authorization(row))]);
    }

    pub(crate) fn change_account(&mut self, change: impl FnOnce(&mut AccountRow)) {
        let mut row = self
            .view(Read::Account(ACCOUNT))
            .account(&ACCOUNT)
            .unwrap()
            .unwrap()
            .clone();
        change(&mut row);
        self.put(vec![Write::Put(Row::Account(row))]);
    }

    pub(crate) fn challenge(&self) -> ChallengeRow {
        let row = self.authorization();
        row.challenges
            .into_iter()
            .find(|challenge| challenge.kind == METHOD)
            .unwrap()
    }

    pub(crate) fn job(&self) -> Option<JobRow> {
        self.view(Read::Job(JOB)).job(&JOB).unwrap().cloned()
    }

    /// All audit lines.
    pub(crate) fn audit(&self) -> Vec<String> {
        let line = |row| match row {
            Row::Audit(audit) => Some(audit.event),
            _ => None,
        };
        self.store
            .rows()
            .filter_map(|row| line(row.unwrap().1))
            .collect()
    }

    fn arrival(&mut self) -> JobArrival {
        self.starts += 1;
        JobArrival {
            at: self.now,
            entropy: Entropy::new([self.starts; 32]),
            ticket_seed: self.starts.into(),
        }
    }

    pub(crate) fn born(&mut self, version: Version) -> Job {
        Job::born(Arc::new(self.config.clone()), self.arrival(), JOB, version)
    }

    pub(crate) fn due(&mut self) -> Job {
        Job::due(Arc::new(self.config.clone()), self.arrival(), JOB)
    }

    /// Runs a job to its end.
    pub(crate) fn run(&mut self, job: &mut Job) {
        self.run_until(job, |_| false);
        assert!(matches!(job.poll(self.now), Step::Wait(Timestamp::NEVER)));
    }

    /// Runs a job to its end, or until it has asked for the effect that `stop` knows; that one
    /// is the caller's.
    pub(crate) fn run_until(
        &mut self,
        job: &mut Job,
        stop: impl Fn(&Step) -> bool,
    ) -> Option<Step> {
        let mut out: Vec<Option<Answer<Outcome>>> = Vec::new();
        for _ in 0..STEPS_MAX {
            let step = job.poll(self.now);
            if stop(&step) {
                return Some(step);
            }
            match step {
                Step::Load(reads, ticket) => {
                    let loaded = match self.unavailable.checked_sub(1) {
                        Some(left) => {
                            self.unavailable = left;
                            Err(Unavailable)
                        }
                        None => Ok(self.store.load(&reads).unwrap()),
                    };
                    job.answer(ticket, loaded, self.now).unwrap();
                }
                Step::Commit(commit, ticket) => {
                    if let Some(committed) = self.save(&commit) {
                        job.answer(ticket, committed, self.now).unwrap();
                    }
                }
                Step::Probe(perspective, request, ticket) => {
                    out.push(self.answer(&perspective, &request, ticket));
                    self.asked.push((perspective, request));
                }
                Step::Wait(Timestamp::NEVER) => return None,
                Step::Wait(until) => {
                    let next = match self.backwards {
                        false => out.iter_mut().find_map(Option::take),
                        true => out.iter_mut().rev().find_map(Option::take),
                    };
                    match next {
                        Some(answer) => job.accept(answer, self.now).unwrap(),
                        None => {
                            assert!(until > self.now, "a busy loop");
                            self.now = until;
                        }
                    }
                }
                other => panic!("{other:?}"),
            }
        }
        panic!("the job never ends");
    }

    /// Commits, or doesn't; `None` if nobody hears of it.
    pub(crate) fn save(&mut self, commit: &Commit) -> Option<Committed> {
        let next = self.saves.pop_front();
        let made = match next {
            None | Some(Save::UnknownMade | Save::SilentMade) => {
                Some(self.store.commit(commit).unwrap())
            }
            Some(Save::Conflict | Save::UnknownLost | Save::SilentLost) => None,
        };
        self.commits += usize::from(matches!(made, Some(Committed::Done(_))));
        match next {
            None => made,
            Some(Save::Conflict) => Some(Committed::Conflict),
            Some(Save::UnknownMade | Save::UnknownLost) => Some(Committed::Unknown),
            Some(Save::SilentMade | Save::SilentLost) => None,
        }
    }

    fn answer(
        &self,
        perspective: &PerspectiveId,
        request: &ProbeRequest,
        ticket: Ticket<Asked>,
    ) -> Option<Answer<Outcome>> {
        let does = self.does.get(&perspective.0.parse().unwrap()).copied();
        Some(ticket.with(match does.unwrap_or(Does::Proves) {
            Does::Proves => Ok(verdict(perspective, request, true, true)),
            Does::Fails => Ok(verdict(perspective, request, false, false)),
            Does::Refuses => Ok(verdict(perspective, request, true, false)),
            Does::Stale => {
                let verdict = verdict(perspective, request, true, true);
                Ok(Verdict {
                    attempt: AttemptId([0; 16]),
                    ..verdict
                })
            }
            Does::Forges => Ok(verdict(&PerspectiveId("0".to_owned()), request, true, true)),
            Does::Unavailable => Err(Unavailable),
            Does::Silent => return None,
        }))
    }
}

pub(crate) fn verdict(
    perspective: &PerspectiveId,
    request: &ProbeRequest,
    control: bool,
    caa: bool,
) -> Verdict {
    let problem = |kind: ProblemType| Problem::new(kind).with_detail("so it is");
    let refused = (!control).then(|| problem(ProblemType::CONNECTION));
    let forbidden = (!caa).then(|| problem(ProblemType::CAA));
    Verdict {
        perspective: perspective.clone(),
        attempt: request.attempt,
        caa: match (&refused, forbidden) {
            (Some(_), _) => None,
            (None, forbidden) => Some(forbidden.map_or(Ok(()), Err)),
        },
        control: refused.map_or(Ok(()), Err),
    }
}
