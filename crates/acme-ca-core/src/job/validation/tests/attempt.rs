//! What comes of an attempt.

use std::time::Duration;

use acme_types::{AuthorizationStatus, ChallengeType, Identifier, ProblemType};

use super::world::{ACCOUNT, AUTHORIZATION, Does, METHOD, World, key};
use crate::schema::{ChallengeState, Read};

/// Runs the attempt; the perspectives do this.
fn attempt(does: &[(usize, Does)]) -> World {
    let (mut world, version) = World::new();
    world.does.extend(does.iter().copied());
    let mut job = world.born(version);
    world.run(&mut job);
    assert_eq!(world.job(), None);
    world
}

fn valid(world: &World) {
    let row = world.authorization();
    assert_eq!(row.status, AuthorizationStatus::Valid);
    assert!(matches!(
        world.challenge().state,
        ChallengeState::Valid { .. }
    ));
    assert_eq!(world.challenge().error, None);
}

/// Failed this time: the client may ask for another attempt.
fn failed(world: &World, kind: &ProblemType) {
    let row = world.authorization();
    assert_eq!(row.status, AuthorizationStatus::Pending);
    let challenge = world.challenge();
    let retry_after = world.now.after(world.config.policy.validation.retry_delay);
    assert_eq!(challenge.state, ChallengeState::Retryable { retry_after });
    assert_eq!(challenge.error.unwrap().kind, *kind);
    assert_eq!(
        (row.caa_checked_at, row.challenges[0].state.clone()),
        (None, ChallengeState::Pending)
    );
}

#[test]
fn what_all_perspectives_see_makes_the_authorization_valid() {
    let began = World::new().0.now;
    let world = attempt(&[]);
    valid(&world);
    let row = world.authorization();
    let policy = &world.config.policy.validation;
    assert_eq!(row.expires, world.now.after(policy.valid_lifetime));
    assert_eq!(row.caa_checked_at, Some(began));
    let read = Read::AuthorizationFor(ACCOUNT, Identifier::dns("example.com").unwrap());
    let view = world.view(read);
    let newest = view
        .authorization_for(&ACCOUNT, &row.identifier)
        .unwrap()
        .unwrap();
    assert_eq!(
        (newest.authorization, newest.expires),
        (AUTHORIZATION, row.expires)
    );
    assert_eq!(world.asked.len(), 6);
    let line = format!(
        "authorization {AUTHORIZATION}: attempt 1 at http-01 valid; control 6/6 passed 0(arin) \
         1(ripe) 2(apnic) 3(lacnic) 4(afrinic) 5(arin) failed; caa 6/6 passed 0(arin) 1(ripe) \
         2(apnic) 3(lacnic) 4(afrinic) 5(arin) failed"
    );
    assert_eq!(world.audit(), [line]);
}

#[test]
fn the_perspectives_are_told_what_to_look_for() {
    let world = attempt(&[]);
    let (_, request) = &world.asked[0];
    let thumbprint = key(1).thumbprint(world.config.provider.as_ref());
    assert_eq!(
        request.key_authorization,
        format!("{}.{thumbprint}", request.token)
    );
    assert_eq!(
        request.account.as_str(),
        format!("https://ca.example/acme/account/{ACCOUNT}")
    );
    assert_eq!((&request.method, request.wildcard), (&METHOD, false));
    assert!(world.asked.iter().all(|(_, other)| other == request));
    let ids: Vec<&str> = world.asked.iter().map(|(id, _)| id.0.as_str()).collect();
    assert_eq!(ids, ["0", "1", "2", "3", "4", "5"]);
}

#[test]
fn the_quorum_decides_in_whatever_order_they_answer() {
    use Does::{Fails, Forges, Proves, Refuses, Silent, Stale, Unavailable};
    for backwards in [false, true] {
        let play = |does: &[(usize, Does)]| {
            let (mut world, version) = World::new();
            world.backwards = backwards;
            world.does.extend(does.iter().copied());
            let mut job = world.born(version);
            world.run(&mut job);
            world
        };
        // One remote perspective of five may fail, in whatever way.
        for does in [Fails, Refuses, Stale, Forges, Unavailable, Silent] {
            valid(&play(&[(3, does)]));
            let problem = match does {
                Fails => ProblemType::CONNECTION,
                Refuses => ProblemType::CAA,
                Proves | Stale | Forges | Unavailable | Silent => ProblemType::SERVER_INTERNAL,
            };
            failed(&play(&[(3, does), (5, does)]), &problem);
            let primary = if does == Forges {
                play(&[(0, Stale)])
            } else {
                play(&[(0, does)])
            };
            failed(&primary, &problem);
        }
    }
}

#[test]
fn slow_perspectives_do_not_hold_up_what_is_decided() {
    let began = World::new().0.now;
    let took = |does: &[(usize, Does)]| attempt(does).now.since(began);
    let policy = World::new().0.config.policy.validation;
    assert_eq!(took(&[]), Duration::ZERO);
    assert_eq!(took(&[(4, Does::Silent)]), policy.stragglers);
    assert_eq!(
        took(&[(0, Does::Fails), (4, Does::Silent)]),
        policy.stragglers
    );
    let undecided = took(&[(3, Does::Silent), (4, Does::Silent)]);
    assert!(undecided >= policy.deadline && undecided < policy.lease);
    assert!(took(&[(0, Does::Silent)]) < policy.lease);
}

#[test]
fn without_perspectives_it_is_refused_at_once() {
    let (mut world, version) = World::new();
    world.config.policy.validation.perspectives.clear();
    let mut job = world.born(version);
    world.run(&mut job);
    failed(&world, &ProblemType::SERVER_INTERNAL);
    assert_eq!(world.asked, []);
}

#[test]
fn the_last_attempt_makes_the_authorization_invalid() {
    let (mut world, version) = World::new();
    let attempts_max = world.config.policy.validation.attempts_max;
    world.change_authorization(|row| row.challenges[1].attempts = attempts_max);
    world.does.insert(0, Does::Fails);
    let mut job = world.born(version);
    world.run(&mut job);
    assert_eq!(world.authorization().status, AuthorizationStatus::Invalid);
    assert_eq!(world.challenge().state, ChallengeState::Invalid);
    assert_eq!(
        world.challenge().error.unwrap().kind,
        ProblemType::CONNECTION
    );
    assert!(world.audit()[0].contains("invalid (connection); control 5/6"));
}

#[test]
fn what_can_never_succeed_is_invalid_without_asking() {
    let check = |change: fn(&mut World)| {
        let (mut world, version) = World::new();
        change(&mut world);
        let mut job = world.born(version);
        world.run(&mut job);
        assert_eq!(world.asked, []);
        assert_eq!(world.authorization().status, AuthorizationStatus::Invalid);
        assert_eq!(world.challenge().state, ChallengeState::Invalid);
        assert_eq!(world.job(), None);
    };
    check(|world| world.config.policy.validation.methods = vec![ChallengeType::DNS_01]);
    check(|world| world.change_authorization(|row| row.wildcard = true));
    check(|world| {
        let lifetime = world.config.policy.validation.token_lifetime;
        let made = world.now.before(lifetime);
        world.change_authorization(|row| row.created_at = made);
    });
}

#[test]
fn a_wildcards_authorization_is_found_by_the_wildcard() {
    let (mut world, version) = World::new();
    world.change_authorization(|row| {
        row.wildcard = true;
        row.challenges[1].kind = ChallengeType::DNS_01;
        row.challenges.remove(0);
    });
    let mut row = world.job().unwrap();
    row.state = crate::schema::JobState::Validation {
        authorization: AUTHORIZATION,
        challenge: ChallengeType::DNS_01,
    };
    assert_ne!(version, world.put(crate::job::move_due(row.due, &row)));
    world.now = row.due;
    let mut job = world.due();
    world.run(&mut job);
    let wildcard = Identifier::dns("*.example.com").unwrap();
    let view = world.view(Read::AuthorizationFor(ACCOUNT, wildcard.clone()));
    assert!(
        view.authorization_for(&ACCOUNT, &wildcard)
            .unwrap()
            .is_some()
    );
    assert!(world.asked.iter().all(|(_, request)| request.wildcard));
}
