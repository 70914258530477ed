//! The machine itself: races, lost and late answers, outcomes that nobody knows.

use std::time::Duration;

use acme_types::{Misuse, Timestamp};
use serde_json::json;

use super::client::{Client, dns, jws, path_of};
use super::world::{Ca, Fault, Got, post};
use crate::effect::{Redeemed, Unavailable};
use crate::exchange::{
    Exchange, REPLY_RETENTION, Step, World, drive, stale_replies, sweep_replies,
};
use crate::schema::{Commit, Committed, Read, Row};

const ORDER: &str = "/acme/new-order";

/// A request to place an order.
fn order(ca: &mut Ca, client: &Client) -> http::Request<Vec<u8>> {
    let payload = json!({ "identifiers": dns(&["example.com"]) }).to_string();
    client.request(ca, ORDER, payload.as_bytes())
}

/// Runs an exchange until it wants to commit.
pub(super) fn to_commit(
    ca: &mut Ca,
    exchange: &mut Exchange,
) -> (Commit, acme_types::Ticket<crate::effect::Save>) {
    let now = ca.now;
    loop {
        match exchange.poll(now) {
            Step::Redeem(nonce, ticket) => {
                let redeemed = ca.redeem(&nonce);
                exchange.answer(ticket, redeemed, now).unwrap();
            }
            Step::Load(reads, ticket) => {
                let loaded = ca.load(&reads);
                exchange.answer(ticket, loaded, now).unwrap();
            }
            Step::Commit(commit, ticket) => return (commit, ticket),
            step => panic!("{step:?}"),
        }
    }
}

#[test]
fn two_new_accounts_with_one_key_are_one_account() {
    let mut ca = Ca::new();
    let client = Client::new(1);
    let (mut locations, mut open) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let header = client.key_header(&mut ca, "/acme/new-account").to_string();
        let body = jws(client.key.as_ref(), &header, b"{}");
        let mut exchange = ca.exchange(&post("/acme/new-account", body));
        let (commit, ticket) = to_commit(&mut ca, &mut exchange);
        open.push((exchange, commit, ticket));
    }
    for (mut exchange, commit, ticket) in open {
        let committed = ca.commit(&commit);
        let now = ca.now;
        exchange.answer(ticket, committed, now).unwrap();
        let got = Got::of(drive(&mut exchange, &mut ca, now).unwrap());
        locations.push((got.status, got.location()));
    }
    assert_eq!(locations[0].0, 201);
    assert_eq!(locations[1], (200, locations[0].1.clone()));
}

#[test]
fn two_responses_to_one_authorization_begin_one_validation() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let (_, object) = client.order(&mut ca, &["example.com"]);
    let base = path_of(&object["authorizations"][0]).replace("/authorization/", "/challenge/");
    let mut open = Vec::new();
    // H097
    for kind in ["http-01", "http-01", "dns-01"] {
        let request = client.request(&mut ca, &format!("{base}/{kind}"), b"{}");
        let mut exchange = ca.exchange(&request);
        let (commit, ticket) = to_commit(&mut ca, &mut exchange);
        open.push((exchange, commit, ticket));
    }
    let mut outcomes = Vec::new();
    for (mut exchange, commit, ticket) in open {
        let committed = ca.commit(&commit);
        let now = ca.now;
        exchange.answer(ticket, committed, now).unwrap();
        outcomes.push(Got::of(drive(&mut exchange, &mut ca, now).unwrap()).outcome());
    }
    let ok = (String::new(), 200);
    assert_eq!(outcomes, [ok.clone(), ok, ("malformed".to_owned(), 400)]);
    assert_eq!(ca.spawned.len(), 1);
}

#[test]
fn a_conflict_is_decided_again_with_the_same_ids() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let request = order(&mut ca, &client);
    let mut exchange = ca.exchange(&request);
    let now = ca.now;
    let (first, ticket) = to_commit(&mut ca, &mut exchange);
    exchange.answer(ticket, Committed::Conflict, now).unwrap();
    let (second, ticket) = to_commit(&mut ca, &mut exchange);
    let without_reply = |commit: &Commit| commit.writes.clone();
    assert_eq!(without_reply(&first), without_reply(&second));
    let committed = ca.commit(&second);
    exchange.answer(ticket, committed, now).unwrap();
    let got = Got::of(drive(&mut exchange, &mut ca, now).unwrap());
    got.is("", 201, "decided again");
}

#[test]
fn conflicts_without_end_send_the_client_away() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    for fault in [Fault::Conflict, Fault::UnknownLost] {
        ca.faults = [fault; 8].into();
        let request = order(&mut ca, &client);
        let got = ca.send(&request);
        got.is("serverInternal", 500, "contention");
        assert!(got.header("retry-after").is_some());
        assert!(ca.faults.is_empty());
        ca.faults = [fault; 7].into();
        let request = order(&mut ca, &client);
        ca.send(&request).is("", 201, "one less");
    }
}

#[test]
fn an_unknown_commit_is_answered_as_what_it_was() {
    // Everything that a second look would take for somebody else's doing.
    for fault in [Fault::UnknownMade, Fault::UnknownLost] {
        let mut ca = Ca::new();
        let client = Client::registered(&mut ca, 1);
        let commits = ca.commits;
        ca.faults = [fault].into();
        let deactivate = json!({ "status": "deactivated" });
        let got = client.post(&mut ca, client.path(), &deactivate);
        got.is("", 200, "deactivation");
        assert_eq!(got.json()["status"], "deactivated");
        assert_eq!(ca.commits, commits + 1, "{fault:?}");

        let new = Client::new(2);
        ca.faults = [fault].into();
        new.post_as_key(&mut ca, "/acme/new-account", &json!({}))
            .is("", 201, "newAccount");

        let client = Client::registered(&mut ca, 3);
        let (_, object) = client.order(&mut ca, &["example.com"]);
        let challenge = path_of(&object["authorizations"][0]).replace("authorization", "challenge");
        ca.faults = [fault].into();
        let got = client.post(&mut ca, &format!("{challenge}/http-01"), &json!({}));
        got.is("", 200, "challenge");
        // The job starts, with the version of the commit that nobody knew of.
        let [(job, version)] = ca.spawned[..] else {
            panic!("{:?}", ca.spawned)
        };
        let (stored, _) = ca.store.load(&[Read::Job(job)]).unwrap().0[0]
            .1
            .clone()
            .unwrap();
        assert_eq!(stored, version, "{fault:?}");
    }
}

#[test]
fn a_commit_that_becomes_durable_late_happens_once() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let request = order(&mut ca, &client);
    let mut exchange = ca.exchange(&request);
    let now = ca.now;
    let (first, ticket) = to_commit(&mut ca, &mut exchange);
    exchange.answer(ticket, Committed::Unknown, now).unwrap();
    // Nothing is there yet, so it is decided again; only then the first one lands.
    let (second, ticket) = to_commit(&mut ca, &mut exchange);
    assert!(matches!(ca.store.commit(&first), Ok(Committed::Done(_))));
    let committed = ca.commit(&second);
    assert_eq!(committed, Committed::Conflict);
    exchange.answer(ticket, committed, now).unwrap();
    let got = Got::of(drive(&mut exchange, &mut ca, now).unwrap());
    got.is("", 201, "the first one's reply");
    let orders = ca
        .store
        .rows()
        .filter(|row| matches!(row, Ok((_, Row::Order(_)))))
        .count();
    assert_eq!(orders, 1);
}

#[test]
fn a_store_that_is_down_is_said_so() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    ca.unavailable = true;
    let request = order(&mut ca, &client);
    let got = ca.send(&request);
    got.is("serverInternal", 500, "down");
    assert!(got.header("retry-after").is_some());
    assert!(got.header("replay-nonce").is_some());
}

#[test]
fn a_decision_is_made_again_when_the_signer_changed_meanwhile() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let request = order(&mut ca, &client);
    let mut exchange = ca.exchange(&request);
    let now = ca.now;
    let (commit, ticket) = to_commit(&mut ca, &mut exchange);
    client
        .post(&mut ca, client.path(), &json!({ "status": "deactivated" }))
        .is("", 200, "closed");
    let committed = ca.commit(&commit);
    assert_eq!(committed, Committed::Conflict);
    exchange.answer(ticket, committed, now).unwrap();
    let got = Got::of(drive(&mut exchange, &mut ca, now).unwrap());
    got.is("unauthorized", 401, "I30");
}

#[test]
fn answers_that_never_come_are_given_up() {
    let late = Duration::from_secs(10);
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    // The redemption: it counts as refused, and the client comes again.
    let request = order(&mut ca, &client);
    let mut exchange = ca.exchange(&request);
    let Step::Redeem(_, ticket) = exchange.poll(ca.now) else {
        panic!()
    };
    assert!(matches!(exchange.poll(ca.now), Step::Wait(at) if at == ca.now.after(late)));
    ca.pass(late);
    let Step::Reply(reply) = exchange.poll(ca.now) else {
        panic!()
    };
    Got::of(reply).is("badNonce", 400, "never");
    assert_eq!(
        exchange.answer(ticket, Redeemed::Accepted, ca.now),
        Err(Misuse::NotAwaited)
    );
    assert!(matches!(
        exchange.poll(ca.now),
        Step::Wait(Timestamp::NEVER)
    ));
    // A load: asked for again, three times in all.
    let request = order(&mut ca, &client);
    let mut exchange = ca.exchange(&request);
    let Step::Redeem(nonce, ticket) = exchange.poll(ca.now) else {
        panic!()
    };
    let redeemed = ca.redeem(&nonce);
    exchange.answer(ticket, redeemed, ca.now).unwrap();
    for _ in 0..3 {
        let Step::Load(_, ticket) = exchange.poll(ca.now) else {
            panic!()
        };
        ca.pass(late);
        let _ = ticket;
    }
    let Step::Reply(reply) = exchange.poll(ca.now) else {
        panic!()
    };
    Got::of(reply).is("serverInternal", 500, "never");
    // A commit: of unknown outcome.
    let request = order(&mut ca, &client);
    let mut exchange = ca.exchange(&request);
    let (commit, _ticket) = to_commit(&mut ca, &mut exchange);
    ca.commit(&commit);
    ca.pass(late);
    let now = ca.now;
    Got::of(drive(&mut exchange, &mut ca, now).unwrap()).is("", 201, "found");
}

#[test]
fn tickets_of_others_and_answers_of_another_kind_change_nothing() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let (one, two) = (order(&mut ca, &client), order(&mut ca, &client));
    let (mut one, mut two) = (ca.exchange(&one), ca.exchange(&two));
    let now = ca.now;
    let Step::Redeem(nonce, ticket) = one.poll(now) else {
        panic!()
    };
    let Step::Redeem(_, foreign) = two.poll(now) else {
        panic!()
    };
    assert_eq!(
        one.answer(foreign, Redeemed::Accepted, now),
        Err(Misuse::ForeignTicket)
    );
    let redeemed = ca.redeem(&nonce);
    one.answer(ticket, redeemed, now).unwrap();
    let Step::Load(_, ticket) = one.poll(now) else {
        panic!()
    };
    one.answer(ticket, Err(Unavailable), now).unwrap();
    let Step::Reply(reply) = one.poll(now) else {
        panic!()
    };
    Got::of(reply).is("serverInternal", 500, "unavailable");
}

#[test]
fn machines_cross_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Exchange>();
}

#[test]
fn nothing_of_a_request_is_in_debug() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let request = order(&mut ca, &client);
    let exchange = ca.exchange(&request);
    let text = format!("{exchange:?}");
    assert!(
        text.starts_with("Exchange(ExchangeId") || text.starts_with("Exchange("),
        "{text}"
    );
    assert!(!text.contains("example.com"));
}

#[test]
fn a_reply_is_kept_for_a_day_and_no_longer() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    ca.pass(REPLY_RETENTION);
    for _ in 0..3 {
        client.order(&mut ca, &["example.com"]);
    }
    let replies = |ca: &Ca| {
        let is_reply = |row: &Result<_, _>| matches!(row, Ok((_, Row::Reply(_))));
        ca.store.rows().filter(is_reply).count()
    };
    let sweep = |ca: &mut Ca| {
        let found = ca.scan(&stale_replies(ca.now)).unwrap();
        sweep_replies(&found).map(|commit| ca.commit(&commit))
    };
    assert_eq!(replies(&ca), 4);
    assert_eq!(sweep(&mut ca), None, "to the millisecond");
    ca.pass(Duration::from_millis(1));
    assert!(matches!(sweep(&mut ca), Some(Committed::Done(_))));
    assert_eq!((sweep(&mut ca), replies(&ca)), (None, 3));
    let rest = ca.store.rows().count();
    ca.pass(REPLY_RETENTION);
    assert!(matches!(sweep(&mut ca), Some(Committed::Done(_))));
    assert_eq!(
        ca.store.rows().count(),
        rest - 3,
        "replies, and nothing else"
    );
}
