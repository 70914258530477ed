//! Making, finding and losing accounts.

mod world;

use acme_client_core::*;
use acme_types::Url;
use std::collections::BTreeSet;
use std::time::Duration;
use world::{Faults, Policy, World, ca, config};

fn bare(policy: Policy, intent: impl FnOnce(AccountIntent) -> AccountIntent) -> World {
    World::with(1, policy, config(), intent)
}

#[test]
fn an_account_is_made_without_a_job_and_its_url_is_told() {
    let mut world = bare(Policy::default(), |intent| intent);
    world.client.open_account(world.now);
    world.run();
    let url = Url::parse(&format!("{}/account/0", ca::BASE)).expect("a URL");
    assert_eq!(
        world.events,
        [(JobId::ACCOUNT, Event::AccountReady(url.clone()))]
    );
    assert_eq!(world.client.account_url(), Some(&url));
    assert_eq!(world.ca.count("/new-account"), 1);
}

#[test]
fn a_known_account_is_neither_made_nor_looked_for() {
    let mut first = World::new(1, Policy::default());
    first.client.open_account(first.now);
    first.run();
    let url = first.client.account_url().expect("made").clone();
    let mut world = bare(Policy::default(), |intent| intent.at(url));
    world.ca = first.ca;
    world.issue(1, &["example.com"]);
    world.run();
    world.issued(1);
    assert_eq!(world.ca.count("/new-account"), 1);
}

#[test]
fn terms_that_were_not_agreed_to_need_somebody() {
    let policy = Policy {
        needs_terms: true,
        ..Policy::default()
    };
    let mut world = bare(policy, |intent| intent);
    world.issue(1, &["example.com"]);
    world.run_until(world.now.after(Duration::from_secs(30)));
    let [(JobId::ACCOUNT, Event::ActionNeeded(notice))] = world.events.as_slice() else {
        panic!("{:?}", world.events)
    };
    assert_eq!(notice.action, Action::AgreeToTerms);
    assert_eq!(
        notice.url.as_ref().map(Url::as_str),
        Some("https://ca.test/terms")
    );
    assert_eq!(world.client.status(JobId(1)), Some(JobStatus::Queued));
    world.ca.policy.needs_terms = false;
    world.client.wake(JobId::ACCOUNT, world.now);
    world.run();
    world.issued(1);
}

#[test]
fn an_account_is_bound_to_one_outside() {
    let policy = Policy {
        needs_binding: true,
        ..Policy::default()
    };
    let mut world = bare(policy.clone(), |intent| {
        intent.bind(ExternalAccount {
            kid: "kid-1".to_owned(),
        })
    });
    world.faults = Faults {
        reply_lost: 20,
        sign_failed: 20,
        crash: 5,
        ..Faults::default()
    };
    world.healed_at = world.now.after(Duration::from_secs(60));
    world.issue(1, &["example.com"]);
    world.run();
    world.issued(1);

    let mut world = bare(policy, |intent| intent);
    world.client.open_account(world.now);
    world.run_until(world.now.after(Duration::from_secs(30)));
    let [(JobId::ACCOUNT, Event::ActionNeeded(notice))] = world.events.as_slice() else {
        panic!("{:?}", world.events)
    };
    assert_eq!(notice.action, Action::BindExternalAccount);
}

#[test]
fn an_account_that_must_exist_is_not_made() {
    let mut world = bare(Policy::default(), AccountIntent::only_existing);
    world.client.open_account(world.now);
    world.run_until(world.now.after(Duration::from_secs(30)));
    let [(JobId::ACCOUNT, Event::ActionNeeded(notice))] = world.events.as_slice() else {
        panic!("{:?}", world.events)
    };
    assert_eq!(notice.action, Action::CheckAccount);
    assert!(world.ca.accounts.is_empty());
}

#[test]
fn an_account_is_found_again_after_its_reply_was_lost() {
    let mut world = World::new(1, Policy::default());
    let mut seen = false;
    world.instead = Some(Box::new(move |request, ca| {
        let first = request.uri().path() == "/new-account" && !std::mem::replace(&mut seen, true);
        first.then(|| {
            ca.handle(request, &BTreeSet::new(), world::START);
            HttpOutcome::Unknown
        })
    }));
    world.client.open_account(world.now);
    world.run();
    assert_eq!(world.ca.accounts.len(), 1);
    assert_eq!(world.ca.count("/new-account"), 2);
    assert!(world.client.account_url().is_some());
}

#[test]
fn a_missing_location_is_made_good_by_a_lookup() {
    let mut world = World::new(1, Policy::default());
    let mut first = true;
    world.edit = Some(Box::new(move |request, response| {
        if request.uri().path() == "/new-account" && std::mem::replace(&mut first, false) {
            response.headers_mut().remove("location");
            response.body_mut().clear();
        }
    }));
    world.issue(1, &["example.com"]);
    world.run();
    world.issued(1);
    assert_eq!(world.ca.count("/new-account"), 2);
}

#[test]
fn a_deactivated_account_is_not_replaced_silently() {
    let mut world = World::new(1, Policy::default());
    world.edit = Some(Box::new(|request, response| {
        if request.uri().path() == "/new-account" {
            *response.body_mut() = br#"{"status":"deactivated"}"#.to_vec();
        }
    }));
    world.issue(1, &["example.com"]);
    world.run_until(world.now.after(Duration::from_secs(30)));
    let [(JobId::ACCOUNT, Event::ActionNeeded(notice))] = world.events.as_slice() else {
        panic!("{:?}", world.events)
    };
    assert_eq!(notice.action, Action::CheckAccount);
    assert_eq!(world.ca.count("/new-order"), 0);
}

#[test]
fn an_unreachable_ca_is_told_and_asked_again() {
    let mut world = World::new(1, Policy::default());
    world.faults = Faults {
        not_sent: 100,
        ..Faults::default()
    };
    world.healed_at = world.now.after(Duration::from_secs(120));
    world.issue(1, &["example.com"]);
    world.run();
    let delay = world.delayed(JobId::ACCOUNT);
    assert_eq!(delay.failure.fault, Fault::Unreachable);
    assert_eq!(delay.failure.operation, Operation::Directory);
    world.issued(1);
}
