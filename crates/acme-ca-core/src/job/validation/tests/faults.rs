//! What happens meanwhile: leases taken, rows changed, commits of unknown outcome.

use std::time::Duration;

use acme_types::{AccountStatus, AuthorizationStatus, Misuse, ProblemType, Timestamp};

use super::world::{JOB, Save, World, key, verdict};
use crate::job::{Job, Step};
use crate::schema::{ChallengeState, Read, Version, Write};

fn is_commit(step: &Step) -> bool {
    matches!(step, Step::Commit(..))
}

/// A job that has asked everybody, and is about to commit its verdict.
fn about_to_commit(world: &mut World, mut job: Job) -> (Job, Step) {
    let step = world.run_until(&mut job, is_commit).unwrap();
    (job, step)
}

#[test]
fn a_commit_of_unknown_outcome_is_found_out_about() {
    use Save::{Conflict, SilentLost, SilentMade, UnknownLost, UnknownMade};
    for saves in [
        vec![],
        vec![Conflict],
        vec![UnknownMade],
        vec![UnknownLost],
        vec![SilentMade],
        vec![SilentLost],
        vec![UnknownLost, Conflict, UnknownLost, UnknownMade],
        vec![SilentLost, SilentLost, SilentMade],
    ] {
        let (mut world, version) = World::new();
        world.saves.extend(saves.iter().copied());
        let mut job = world.born(version);
        world.run(&mut job);
        assert_eq!(
            world.authorization().status,
            AuthorizationStatus::Valid,
            "{saves:?}"
        );
        assert_eq!((world.job(), world.commits), (None, 1));
        assert_eq!(world.asked.len(), 6, "nobody is asked twice");
        assert_eq!(world.audit().len(), 1);
    }
}

#[test]
fn a_store_that_stays_away_leaves_the_job_to_others() {
    let (mut world, version) = World::new();
    world.unavailable = usize::MAX;
    let mut job = world.born(version);
    world.run(&mut job);
    assert!(world.job().is_some());
    world.unavailable = 3;
    world.now = world.job().unwrap().due;
    let mut job = world.due();
    world.run(&mut job);
    assert_eq!(world.authorization().status, AuthorizationStatus::Valid);
    // The same with a store that loads and doesn't commit: bounded.
    let (mut world, version) = World::new();
    world.saves.extend([Save::Conflict; 100]);
    let mut job = world.born(version);
    world.run(&mut job);
    assert!(world.job().is_some() && world.saves.len() > 50);
}

#[test]
fn a_verdict_after_the_lease_was_taken_changes_nothing() {
    // The first holder stops at its commit; the second takes the job when it is due.
    let (mut world, version) = World::new();
    let job = world.born(version);
    let (mut late, step) = about_to_commit(&mut world, job);
    let Step::Commit(commit, ticket) = step else {
        panic!()
    };
    world.now = world.job().unwrap().due;
    let taker = world.due();
    let (mut taker, second) = about_to_commit(&mut world, taker);
    // That was the lease's commit. While the second holds it, the first commits too late.
    let Step::Commit(take, taken) = second else {
        panic!()
    };
    let outcome = world.save(&take).unwrap();
    taker.answer(taken, outcome, world.now).unwrap();
    let before = world.authorization();
    let conflict = world.save(&commit).unwrap();
    late.answer(ticket, conflict, world.now).unwrap();
    world.run(&mut late);
    assert_eq!(world.authorization(), before);
    assert_eq!(world.job().unwrap().attempt, 2);
    world.does.insert(0, super::world::Does::Fails);
    world.run(&mut taker);
    assert!(matches!(
        world.challenge().state,
        ChallengeState::Retryable { .. }
    ));
    assert_eq!(world.job(), None);
    // No corroboration of the first attempt counts in the second (BR §3.2.2.9).
    let ids: Vec<_> = world
        .asked
        .iter()
        .map(|(_, request)| request.attempt)
        .collect();
    assert_eq!(ids.len(), 12);
    assert_ne!(ids[0], ids[6]);
}

#[test]
fn a_verdict_after_the_job_is_done_changes_nothing() {
    let (mut world, version) = World::new();
    let job = world.born(version);
    let (mut late, step) = about_to_commit(&mut world, job);
    let Step::Commit(commit, ticket) = step else {
        panic!()
    };
    world.now = world.job().unwrap().due;
    world.does.insert(0, super::world::Does::Fails);
    let mut taker = world.due();
    world.run(&mut taker);
    let before = world.authorization();
    let conflict = world.save(&commit).unwrap();
    late.answer(ticket, conflict, world.now).unwrap();
    world.run(&mut late);
    assert_eq!(world.authorization(), before);
}

#[test]
fn what_is_given_up_meanwhile_stays_given_up() {
    let check = |change: fn(&mut World), status: AuthorizationStatus| {
        // Before the perspectives are asked, and before the verdict is committed.
        for at_commit in [false, true] {
            let (mut world, version) = World::new();
            let mut job = world.born(version);
            if at_commit {
                let (stopped, step) = about_to_commit(&mut world, job);
                job = stopped;
                change(&mut world);
                let Step::Commit(commit, ticket) = step else {
                    panic!()
                };
                let outcome = world.save(&commit).unwrap();
                job.answer(ticket, outcome, world.now).unwrap();
            } else {
                change(&mut world);
            }
            world.run(&mut job);
            assert_eq!(world.asked.is_empty(), !at_commit);
            assert_eq!(world.authorization().status, status);
            assert_eq!(world.challenge().state, ChallengeState::Invalid);
            assert_eq!(world.job(), None);
        }
    };
    check(
        |world| world.change_account(|row| row.status = AccountStatus::Deactivated),
        AuthorizationStatus::Pending,
    );
    check(
        |world| world.change_authorization(|row| row.status = AuthorizationStatus::Deactivated),
        AuthorizationStatus::Deactivated,
    );
    check(
        |world| {
            let now = world.now;
            world.change_authorization(|row| row.expires = now);
        },
        AuthorizationStatus::Pending,
    );
}

#[test]
fn what_changes_without_harm_does_not_disturb_the_verdict() {
    let (mut world, version) = World::new();
    let job = world.born(version);
    let (mut job, step) = about_to_commit(&mut world, job);
    world.change_account(|row| row.contact = vec!["mailto:a@example.com".to_owned()]);
    let Step::Commit(commit, ticket) = step else {
        panic!()
    };
    let conflict = world.save(&commit).unwrap();
    job.answer(ticket, conflict, world.now).unwrap();
    world.run(&mut job);
    assert_eq!(world.authorization().status, AuthorizationStatus::Valid);
}

#[test]
fn a_proof_for_a_key_that_was_changed_meanwhile_does_not_count() {
    let (mut world, version) = World::new();
    let job = world.born(version);
    let (mut job, step) = about_to_commit(&mut world, job);
    world.change_account(|row| row.key = key(2));
    let Step::Commit(commit, ticket) = step else {
        panic!()
    };
    let conflict = world.save(&commit).unwrap();
    job.answer(ticket, conflict, world.now).unwrap();
    world.run(&mut job);
    assert_eq!(world.authorization().status, AuthorizationStatus::Pending);
    assert_eq!(
        world.challenge().error.unwrap().kind,
        ProblemType::UNAUTHORIZED
    );
}

#[test]
fn a_job_that_is_not_there_or_not_due_ends_at_once() {
    let (mut world, version) = World::new();
    let ends = |world: &mut World, mut job: Job| {
        world.run(&mut job);
        assert_eq!((world.asked.len(), world.commits), (0, 0));
    };
    let not_due = world.due();
    ends(&mut world, not_due);
    let taken = world.born(Version(version.0 + 1));
    ends(&mut world, taken);
    let row = world.job().unwrap();
    world.put(crate::job::delete(&row));
    let gone = world.born(version);
    ends(&mut world, gone);
    let gone = world.due();
    ends(&mut world, gone);
}

#[test]
fn a_job_without_a_challenge_is_cleared_away() {
    let check = |change: fn(&mut World)| {
        let (mut world, version) = World::new();
        change(&mut world);
        let mut job = world.born(version);
        world.run(&mut job);
        assert_eq!((world.job(), world.asked.len()), (None, 0));
    };
    check(|world| {
        let row = world.authorization();
        world.put(vec![Write::Delete(Read::Authorization(row.id))]);
    });
    check(|world| world.change_authorization(|row| row.challenges.truncate(1)));
    check(|world| {
        world.change_authorization(|row| row.challenges[1].state = ChallengeState::Pending);
    });
}

#[test]
fn a_job_whose_holders_all_die_fails_in_the_end() {
    let (mut world, version) = World::new();
    let mut job = world.born(version);
    assert!(
        world
            .run_until(&mut job, |step| matches!(step, Step::Probe(..)))
            .is_some()
    );
    for _ in 0..20 {
        drop(job);
        let Some(row) = world.job() else { break };
        world.now = row.due;
        job = world.due();
        if world
            .run_until(&mut job, |step| matches!(step, Step::Probe(..)))
            .is_none()
        {
            break;
        }
    }
    assert_eq!(world.job(), None);
    assert!(matches!(
        world.challenge().state,
        ChallengeState::Retryable { .. }
    ));
    assert_eq!(
        world.challenge().error.unwrap().kind,
        ProblemType::SERVER_INTERNAL
    );
}

#[test]
fn answers_that_are_not_awaited_change_nothing() {
    let (mut world, version) = World::new();
    world
        .does
        .extend((0..6).map(|index| (index, super::world::Does::Silent)));
    let mut job = world.born(version);
    let is_probe = |step: &Step| matches!(step, Step::Probe(..));
    let Some(Step::Probe(id, request, first)) = world.run_until(&mut job, is_probe) else {
        panic!()
    };
    let Some(Step::Probe(_, _, second)) = world.run_until(&mut job, is_probe) else {
        panic!()
    };
    let mut other = world.born(version);
    let Some(Step::Load(_, foreign)) =
        world.run_until(&mut other, |step| matches!(step, Step::Load(..)))
    else {
        panic!()
    };
    let wrong = job.answer(foreign, Err(crate::effect::Unavailable), world.now);
    assert_eq!(wrong, Err(Misuse::ForeignTicket));
    let good = verdict(&id, &request, true, true);
    assert_eq!(job.answer(first, Ok(good.clone()), world.now), Ok(()));
    // The second answers when all is over.
    world.run(&mut job);
    assert_eq!(
        job.answer(second, Ok(good), world.now),
        Err(Misuse::NotAwaited)
    );
    assert!(matches!(
        world.challenge().state,
        ChallengeState::Retryable { .. }
    ));
    assert!(world.now.since(request.deadline) < Duration::from_secs(60));
    assert_eq!(job.id(), JOB);
    assert!(matches!(job.poll(world.now), Step::Wait(Timestamp::NEVER)));
}
