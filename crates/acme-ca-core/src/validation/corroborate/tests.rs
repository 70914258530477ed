use super::*;

const ATTEMPT: AttemptId = AttemptId([7; 16]);
const REGIONS: [Region; 5] = [
    Region::Arin,
    Region::Ripe,
    Region::Apnic,
    Region::Lacnic,
    Region::Afrinic,
];

fn at(date: &str) -> Timestamp {
    Timestamp::from_rfc3339(&format!("{date}T00:00:00Z")).unwrap()
}

fn id(index: usize) -> PerspectiveId {
    PerspectiveId(format!("p{index}"))
}

/// A primary perspective, and one remote perspective for each region.
fn policy(regions: &[Region]) -> ValidationPolicy {
    let remote = |(index, region): (usize, &Region)| Perspective {
        id: id(index + 1),
        region: *region,
        is_primary: false,
    };
    let primary = Perspective {
        id: id(0),
        region: Region::Arin,
        is_primary: true,
    };
    let remotes = regions.iter().enumerate().map(remote);
    ValidationPolicy {
        perspectives: std::iter::once(primary).chain(remotes).collect(),
        ..ValidationPolicy::webpki()
    }
}

fn refusal() -> Problem {
    Problem::new(ProblemType::CONNECTION).with_detail("refused")
}

fn verdict(index: usize, control: bool, caa: bool) -> Verdict {
    Verdict {
        perspective: id(index),
        attempt: ATTEMPT,
        control: (!control).then(refusal).map_or(Ok(()), Err),
        caa: match (control, caa) {
            (false, _) => None,
            (true, true) => Some(Ok(())),
            (true, false) => Some(Err(refusal())),
        },
    }
}

/// All perspectives answer; bit n of a mask says what perspective n found.
fn answers(count: usize, control: u32, caa: u32) -> Vec<(PerspectiveId, Option<Verdict>)> {
    let found = |mask: u32, index: usize| mask & (1 << index) != 0;
    (0..count)
        .map(|index| {
            (
                id(index),
                Some(verdict(index, found(control, index), found(caa, index))),
            )
        })
        .collect()
}

fn passes(policy: &ValidationPolicy, now: Timestamp, control: u32, caa: u32) -> bool {
    let answers = answers(policy.perspectives.len(), control, caa);
    corroborate(policy, now, &ATTEMPT, &answers).outcome.is_ok()
}

#[test]
fn the_timeline_is_that_of_the_requirements() {
    let check = |date: &str, remotes_min: usize, regions_min: usize| {
        for remotes in 0..9 {
            for now in [
                at(date),
                at(date).after(std::time::Duration::from_secs(86_400)),
            ] {
                let requirement = Quorum::Dated.requirement(now, remotes);
                assert_eq!(
                    requirement.is_some(),
                    remotes >= remotes_min,
                    "{date} {remotes}"
                );
                let regions = requirement.map_or(regions_min, |one| one.regions_min);
                assert_eq!(regions, regions_min, "{date}");
            }
        }
    };
    check("2020-01-01", 2, 0);
    check("2025-03-15", 2, 0);
    check("2025-09-15", 2, 0);
    check("2026-03-13", 2, 0);
    check("2026-03-15", 3, 2);
    check("2026-06-13", 3, 2);
    check("2026-06-15", 4, 2);
    check("2026-12-13", 4, 2);
    check("2026-12-15", 5, 2);
    check("2040-01-01", 5, 2);
    for Phase(since, ..) in TIMELINE {
        assert!(since.to_rfc3339().ends_with("-15T00:00:00Z"));
    }
}

/// Every outcome of 2 to 8 remote perspectives, with regions laid out in several ways, against
/// the table counted anew.
#[test]
fn every_combination_of_findings_follows_the_table() {
    let layouts: [fn(usize) -> Region; 4] = [
        |_| Region::Ripe,
        |index| REGIONS[index % 5],
        |index| REGIONS[index / 3],
        |index| {
            if index == 0 {
                Region::Apnic
            } else {
                Region::Lacnic
            }
        },
    ];
    for date in ["2025-10-01", "2026-04-01", "2026-07-01", "2027-01-01"] {
        let (remotes_min, regions_min) = match date {
            "2025-10-01" => (2, 0),
            "2026-04-01" => (3, 2),
            "2026-07-01" => (4, 2),
            _ => (5, 2),
        };
        for remotes in 2..=8usize {
            let allowed = if remotes <= 5 { 1 } else { 2 };
            for layout in layouts {
                let regions: Vec<Region> = (0..remotes).map(layout).collect();
                let policy = policy(&regions);
                for found in 0..1u32 << (remotes + 1) {
                    let is_primary = found & 1 == 1;
                    let passed: Vec<usize> = (0..remotes)
                        .filter(|index| found & (2 << index) != 0)
                        .collect();
                    let seen: BTreeSet<Region> = passed.iter().map(|one| regions[*one]).collect();
                    let expected = is_primary
                        && remotes >= remotes_min
                        && remotes - passed.len() <= allowed
                        && seen.len() >= regions_min;
                    let now = at(date);
                    let case = format!("{date} {regions:?} {found:b}");
                    assert_eq!(passes(&policy, now, found, u32::MAX), expected, "{case}");
                    assert_eq!(
                        passes(&policy, now, u32::MAX, found),
                        expected,
                        "caa {case}"
                    );
                }
            }
        }
    }
}

#[test]
fn control_and_caa_may_be_corroborated_by_different_perspectives() {
    let policy = policy(&REGIONS);
    let now = at("2027-01-01");
    // Remote 1 doesn't see control (nor, so, CAA): the one failure that is allowed, in both.
    assert!(passes(&policy, now, 0b111101, 0b111111));
    // Remote 2 isn't permitted on top of it: two failures for CAA.
    assert!(!passes(&policy, now, 0b111101, 0b111011));
}

#[test]
fn who_does_not_answer_as_asked_has_not_corroborated() {
    let policy = policy(&REGIONS);
    let now = at("2027-01-01");
    let check = |spoil: fn(&mut Vec<(PerspectiveId, Option<Verdict>)>), expected: bool| {
        // One failure is allowed, so another one decides.
        for before in [0b111111, 0b011111] {
            let mut answers = answers(6, before, u32::MAX);
            spoil(&mut answers);
            let outcome = corroborate(&policy, now, &ATTEMPT, &answers).outcome;
            assert_eq!(outcome.is_ok(), before == 0b111111 || expected);
        }
    };
    check(|_| (), true);
    check(|answers| answers.reverse(), true);
    // Never answered, or nothing to be had.
    check(|answers| drop(answers.remove(1)), false);
    check(|answers| answers[1].1 = None, false);
    // An answer in another's name, twice, about another attempt, from nobody we know.
    check(|answers| answers[1].1 = Some(verdict(2, true, true)), false);
    check(
        |answers| answers.push((id(1), Some(verdict(1, true, true)))),
        false,
    );
    check(|answers| answers.push((id(1), None)), false);
    check(
        |answers| {
            let other = Verdict {
                attempt: AttemptId([8; 16]),
                ..verdict(1, true, true)
            };
            answers[1].1 = Some(other);
        },
        false,
    );
    check(
        |answers| answers.push((id(9), Some(verdict(9, true, true)))),
        false,
    );
    // Control without a word about CAA.
    check(
        |answers| {
            answers[1].1 = Some(Verdict {
                caa: None,
                ..verdict(1, true, true)
            })
        },
        false,
    );
}

#[test]
fn without_a_primary_nothing_is_proved() {
    let now = at("2027-01-01");
    let check = |change: fn(&mut ValidationPolicy)| {
        let mut policy = policy(&REGIONS);
        change(&mut policy);
        let outcome = corroborate(&policy, now, &ATTEMPT, &answers(6, !0, !0)).outcome;
        assert_eq!(outcome.unwrap_err().kind, ProblemType::SERVER_INTERNAL);
    };
    check(|policy| policy.perspectives.clear());
    check(|policy| policy.perspectives[0].is_primary = false);
    check(|policy| policy.perspectives[1].is_primary = true);
    check(|policy| policy.perspectives[2].id = id(1));
    let silent = corroborate(&policy(&REGIONS), now, &ATTEMPT, &[]);
    assert_eq!(
        silent.outcome.unwrap_err().kind,
        ProblemType::SERVER_INTERNAL
    );
    assert_eq!(silent.control.failed.len(), 6);
}

#[test]
fn a_ca_of_ones_own_has_its_own_quorum() {
    let fixed = |remotes_min, failures_max, regions_min, regions: &[Region]| ValidationPolicy {
        quorum: Quorum::Fixed {
            remotes_min,
            failures_max,
            regions_min,
        },
        ..policy(regions)
    };
    let now = at("2027-01-01");
    let alone = fixed(0, 0, 0, &[]);
    assert!(passes(&alone, now, 1, 1));
    assert!(!passes(&alone, now, 0, 1));
    assert!(!passes(&alone, now, 1, 0));
    assert!(!passes(&fixed(1, 0, 0, &[]), now, 1, 1));
    let two = fixed(2, 0, 2, &[Region::Ripe, Region::Apnic]);
    assert!(passes(&two, now, 0b111, 0b111));
    assert!(!passes(&two, now, 0b011, 0b111));
    assert!(!passes(
        &fixed(2, 0, 2, &[Region::Ripe; 2]),
        now,
        0b111,
        0b111
    ));
}

#[test]
fn the_client_learns_what_was_found_and_the_log_by_whom() {
    let policy = policy(&REGIONS);
    let now = at("2027-01-01");
    let of = |control, caa| corroborate(&policy, now, &ATTEMPT, &answers(6, control, caa));
    let primary = of(0b111110, !0);
    assert_eq!(primary.outcome, Err(refusal()));
    let problem = of(0b001111, !0).outcome.unwrap_err();
    assert_eq!(problem.kind, ProblemType::CONNECTION);
    assert_eq!(
        problem.detail.as_deref(),
        Some("3 of 5 remote perspectives confirmed what the primary saw; another: refused")
    );
    assert_eq!(
        of(0b011111, !0).control.to_string(),
        "5/6 passed p0(arin) p1(arin) p2(ripe) p3(apnic) p4(lacnic) failed p5(afrinic)"
    );
}

#[test]
fn regions_are_read_by_name() {
    for region in REGIONS {
        assert_eq!(region.to_string().to_uppercase().parse(), Ok(region));
    }
    assert_eq!("mars".parse::<Region>(), Err(RegionError));
}
