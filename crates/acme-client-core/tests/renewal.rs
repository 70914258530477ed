//! Renewal information, revocation, and what follows issuance.

mod world;

use acme_client_core::*;
use acme_types::{RevocationReason, SuggestedWindow, Timestamp};
use std::time::Duration;
use world::{Faults, Policy, START, World, key};

const DAY: Duration = Duration::from_secs(86_400);

fn issued(policy: Policy) -> World {
    let mut world = World::new(1, policy);
    world.issue(1, &["example.com"]);
    world.run();
    world.issued(1);
    world.events.clear();
    world
}

fn renewals(world: &World) -> Vec<Timestamp> {
    let at = |(_, event): &(JobId, Event)| match event {
        Event::RenewAt(renew) => Some(renew.at),
        _ => None,
    };
    world.events.iter().filter_map(at).collect()
}

fn watch(world: &mut World) {
    let job = RenewalJob::new(world_leaf(world).as_slice()).expect("a certificate");
    world
        .client
        .watch(JobId(2), job, world.now)
        .expect("a free name");
}

fn world_leaf(world: &World) -> Vec<u8> {
    acme_types::pem::chain_to_der(world.ca.certificates[0].as_bytes())
        .expect("PEM")
        .remove(0)
}

#[test]
fn the_time_is_chosen_once_in_the_window_and_told_again_when_it_comes() {
    let window = (START.after(DAY * 3), START.after(DAY * 5));
    let mut world = issued(Policy {
        window: Some(window),
        ..Policy::default()
    });
    watch(&mut world);
    world.run_until(START.after(DAY * 10));
    let told = renewals(&world);
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], told[1]);
    assert!(window.0 <= told[0] && told[0] <= window.1);
    assert!(world.now >= told[0] && world.now < told[0].after(DAY));
    assert!(
        world
            .ca
            .asked
            .iter()
            .any(|(path, n)| path.contains("renewal-info") && *n > 8)
    );
    world.check_clean();
}

#[test]
fn a_new_window_changes_the_time() {
    let window = (START.after(DAY * 30), START.after(DAY * 40));
    let mut world = issued(Policy {
        window: Some(window),
        ..Policy::default()
    });
    watch(&mut world);
    world.run_until(START.after(DAY));
    world.ca.policy.window = Some((START.before(DAY), START));
    world.run_until(START.after(DAY * 3));
    let told = renewals(&world);
    assert_eq!(told.len(), 2);
    assert!(told[0] > START.after(DAY * 29) && told[1] <= START);
    world.check_clean();
}

#[test]
fn the_choice_survives_a_restart() {
    let window = (START.after(DAY * 3), START.after(DAY * 30));
    let mut world = issued(Policy {
        window: Some(window),
        ..Policy::default()
    });
    watch(&mut world);
    world.run_until(START.after(DAY));
    for _ in 0..5 {
        world.crash();
        world.run_until(world.now.after(DAY / 3));
    }
    let told = renewals(&world);
    assert!(told.iter().all(|at| *at == told[0]), "{told:?}");
}

#[test]
fn without_advice_a_third_of_the_lifetime_is_left() {
    let lifetime = DAY * 90;
    let mut world = issued(Policy {
        lifetime,
        ..Policy::default()
    });
    watch(&mut world);
    world.run_until(START.after(DAY));
    let [at] = renewals(&world)[..] else {
        panic!("{:?}", world.events)
    };
    assert!(
        at > START.after(DAY * 57) && at <= START.after(DAY * 60),
        "{at}"
    );
}

#[test]
fn advice_is_not_followed_beyond_the_last_twentieth() {
    let window = (START.after(DAY * 300), START.after(DAY * 400));
    let mut world = issued(Policy {
        window: Some(window),
        ..Policy::default()
    });
    watch(&mut world);
    world.run_until(START.after(DAY));
    assert!(renewals(&world)[0] <= START.after(DAY * 86));
}

#[test]
fn a_ca_that_fails_does_not_delay_renewal() {
    let window = (START.after(DAY * 3), START.after(DAY * 5));
    let mut world = issued(Policy {
        window: Some(window),
        ..Policy::default()
    });
    watch(&mut world);
    world.faults = Faults {
        server_error: 100,
        ..Faults::default()
    };
    world.run_until(START.after(DAY * 100));
    let told = renewals(&world);
    assert!(told[0] <= START.after(DAY * 61), "{told:?}");
    world.check_clean();
}

#[test]
fn a_choice_in_a_window_is_uniform_and_in_it() {
    let window = SuggestedWindow {
        start: START,
        end: START.after(Duration::from_millis(9)),
    };
    let mut counts = [0u32; 10];
    for random in 0..1_000 {
        let at = time_in_window(window, random);
        counts[at.since(START).as_millis() as usize] += 1;
    }
    assert_eq!(counts, [100; 10]);
    let point = SuggestedWindow {
        start: START,
        end: START,
    };
    assert_eq!(time_in_window(point, u64::MAX), START);
}

#[test]
fn the_fallback_goes_by_the_lifetime() {
    let check = |days: u32, earliest: u32, latest: u32| {
        for random in [0, 1, u64::MAX, 77_777_777] {
            let at = fallback_time(START, START.after(DAY * days), random);
            assert!(
                at >= START.after(DAY * earliest) && at <= START.after(DAY * latest),
                "{at}"
            );
        }
    };
    check(90, 58, 60);
    check(45, 29, 30);
    check(6, 2, 3);
    check(0, 0, 0);
}

#[test]
fn a_certificate_is_revoked_by_the_account_or_by_its_key() {
    for by_key in [false, true] {
        let mut world = issued(Policy::default());
        let leaf = world_leaf(&world);
        let certificate_key = key(101);
        world.hold(certificate_key.clone());
        let job = if by_key {
            RevokeJob::by_certificate_key(&leaf, certificate_key.public_key())
        } else {
            RevokeJob::by_account(&leaf)
        };
        let job = job.because(RevocationReason::Superseded);
        world.faults = Faults {
            reply_lost: 40,
            crash: 3,
            forgotten: 10,
            ..Faults::default()
        };
        world.healed_at = world.now.after(Duration::from_secs(20));
        world
            .client
            .revoke(JobId(2), job.clone(), world.now)
            .expect("a free name");
        world.run();
        if !world.store.contains_key(&Record::Job(JobId(2))) {
            world
                .client
                .revoke(JobId(2), job, world.now)
                .expect("a free name");
            world.run();
        }
        assert_eq!(world.ca.revoked, [leaf]);
        assert!(
            world
                .events
                .iter()
                .any(|(_, event)| *event == Event::Revoked)
        );
        world.check_clean();
    }
}

#[test]
fn a_refused_revocation_fails() {
    let mut world = issued(Policy::default());
    let other = key(77);
    world.hold(other.clone());
    let job = RevokeJob::by_certificate_key(&world_leaf(&world), other.public_key());
    world
        .client
        .revoke(JobId(2), job, world.now)
        .expect("a free name");
    world.run();
    assert_eq!(world.failed(2).fault, Fault::ServerRefused);
    assert_eq!(world.failed(2).status, Some(403));
    world.check_clean();
}
