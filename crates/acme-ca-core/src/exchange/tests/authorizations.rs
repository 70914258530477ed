//! Authorizations and challenges: hostile inputs E.

use std::time::Duration;

use acme_types::{AuthorizationStatus, Problem, ProblemType};
use serde_json::{Value, json};

use super::client::{Client, challenges, path_of};
use super::world::{BASE, Ca};
use crate::schema::{
    AuthorizationId, AuthorizationRow, ChallengeState, JobState, OrderRow, OrderState, Read, Row,
};

/// The first authorization of an order, and its http-01 challenge.
fn first(object: &Value) -> (String, String) {
    let authorization = path_of(&object["authorizations"][0]);
    let challenge = authorization.replace("/authorization/", "/challenge/") + "/http-01";
    (authorization, challenge)
}

fn row(ca: &Ca, authorization: &str) -> AuthorizationRow {
    let id: AuthorizationId = authorization.rsplit('/').next().unwrap().parse().unwrap();
    match ca.row(Read::Authorization(id)) {
        Row::Authorization(row) => row,
        other => panic!("{other:?}"),
    }
}

fn change(ca: &mut Ca, authorization: &str, change: impl FnOnce(&mut AuthorizationRow)) {
    let mut row = row(ca, authorization);
    change(&mut row);
    ca.put(vec![Row::Authorization(row)]);
}

#[test]
fn a_response_gives_birth_to_one_validation() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let (_, object) = client.order(&mut ca, &["example.com"]);
    let (authorization, challenge) = first(&object);
    let read = client.post_as_get(&mut ca, &challenge);
    assert_eq!(read.json()["status"], "pending");
    assert!(ca.spawned.is_empty());
    // H095
    for bad in ["null", "[]", "1", "\"x\"", "{"] {
        let request = client.request(&mut ca, &challenge, bad.as_bytes());
        ca.send(&request).is("malformed", 400, bad);
    }
    assert!(ca.spawned.is_empty());
    let got = client.post(&mut ca, &challenge, &json!({ "x": 1 }));
    got.is("", 200, "H095");
    assert_eq!(got.json()["status"], "processing");
    assert_eq!(got.location(), format!("{BASE}{challenge}"));
    assert!(got.headers["link"].contains(&format!("<{BASE}{authorization}>;rel=\"up\"")));
    assert!(got.header("retry-after").is_some());
    let [(job, version)] = ca.spawned[..] else {
        panic!("{:?}", ca.spawned)
    };
    let loaded = ca.store.load(&[Read::Job(job)]).unwrap();
    let (at, Row::Job(row)) = loaded.0[0].1.clone().unwrap() else {
        panic!()
    };
    assert_eq!((at, row.attempt), (version, 1));
    assert!(row.due > ca.now);
    assert!(ca.has(Read::Due(row.due, job)));
    assert!(matches!(row.state, JobState::Validation { .. }));
    // Asked again it is answered, and nothing more happens.
    let again = client.post(&mut ca, &challenge, &json!({}));
    assert_eq!((again.status, again.json()), (200, got.json()));
    let listed = client.post_as_get(&mut ca, &authorization);
    assert_eq!(listed.json()["status"], "pending");
    assert!(listed.header("retry-after").is_some());
    // H097: one at a time.
    let other = challenge.replace("http-01", "dns-01");
    client
        .post(&mut ca, &other, &json!({}))
        .is("malformed", 400, "H097");
    assert_eq!(ca.spawned.len(), 1);
}

#[test]
fn a_failed_attempt_may_be_repeated_until_the_last() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let (_, object) = client.order(&mut ca, &["example.com"]);
    let (authorization, challenge) = first(&object);
    client
        .post(&mut ca, &challenge, &json!({}))
        .is("", 200, "the first");
    let retry_after = ca.now.after(Duration::from_secs(5));
    let place = row(&ca, &authorization)
        .challenges
        .iter()
        .position(|c| c.kind.as_str() == "http-01");
    let place = place.unwrap();
    change(&mut ca, &authorization, |row| {
        let problem = Problem::new(ProblemType::INCORRECT_RESPONSE).with_detail("no");
        row.challenges[place].state = ChallengeState::Retryable { retry_after };
        row.challenges[place].error = Some(problem);
    });
    // RFC 8555 §8.2: still processing, with the error and Retry-After.
    let got = client.post_as_get(&mut ca, &challenge);
    assert_eq!(got.json()["status"], "processing");
    assert_eq!(
        got.json()["error"]["type"],
        "urn:ietf:params:acme:error:incorrectResponse"
    );
    assert_eq!(got.header("retry-after"), Some("5"));
    client
        .post(&mut ca, &challenge, &json!({}))
        .is("", 200, "the second");
    assert_eq!(ca.spawned.len(), 2);
    assert_ne!(ca.spawned[0].0, ca.spawned[1].0);
    assert_eq!(row(&ca, &authorization).challenges[place].attempts, 2);
    change(&mut ca, &authorization, |row| {
        row.challenges[place].state = ChallengeState::Invalid;
        row.status = AuthorizationStatus::Invalid;
    });
    client
        .post(&mut ca, &challenge, &json!({}))
        .is("malformed", 400, "failed");
    let shown = client.post_as_get(&mut ca, &authorization).json();
    assert_eq!(shown["status"], "invalid");
    assert_eq!(challenges(&shown).count(), 1);
}

#[test]
fn a_challenge_that_is_not_on_offer_does_not_exist() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let (_, object) = client.order(&mut ca, &["*.example.com"]);
    let (_, challenge) = first(&object);
    // H099
    client
        .post(&mut ca, &challenge, &json!({}))
        .is("malformed", 404, "H099");
    let alpn = challenge.replace("http-01", "tls-alpn-01");
    client
        .post(&mut ca, &alpn, &json!({}))
        .is("malformed", 404, "H099");
}

#[test]
fn an_authorization_that_is_over_accepts_no_response() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let (order, object) = client.order(&mut ca, &["example.com"]);
    let (authorization, challenge) = first(&object);
    for (status, kind, http) in [
        (AuthorizationStatus::Deactivated, "malformed", 400),
        (AuthorizationStatus::Invalid, "malformed", 400),
        (AuthorizationStatus::Revoked, "malformed", 400),
        (AuthorizationStatus::Valid, "", 200),
        (AuthorizationStatus::Pending, "", 200),
    ] {
        change(&mut ca, &authorization, |row| row.status = status);
        client
            .post(&mut ca, &challenge, &json!({}))
            .is(kind, http, status.as_str());
    }
    let (_, object) = client.order(&mut ca, &["example.com"]);
    let (authorization, challenge) = first(&object);
    ca.pass(ca.config.policy.orders.order_lifetime);
    // H098
    client
        .post(&mut ca, &challenge, &json!({}))
        .is("malformed", 404, "H098");
    assert_eq!(
        client.post_as_get(&mut ca, &authorization).json()["status"],
        "invalid"
    );
    assert_eq!(
        client.post_as_get(&mut ca, &order).json()["status"],
        "invalid"
    );
    assert_eq!(ca.spawned.len(), 1);
}

#[test]
fn an_authorization_can_be_given_up_and_the_order_with_it() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let (order, object) = client.order(&mut ca, &["example.com", "www.example.com"]);
    let (authorization, challenge) = first(&object);
    for bad in [
        json!({}),
        json!({ "status": "valid" }),
        json!({ "status": "x" }),
        json!([]),
    ] {
        client
            .post(&mut ca, &authorization, &bad)
            .is("malformed", 400, &bad.to_string());
    }
    client
        .post(&mut ca, &challenge, &json!({}))
        .is("", 200, "processing");
    // H100
    let deactivated = json!({ "status": "deactivated" });
    let got = client.post(&mut ca, &authorization, &deactivated);
    got.is("", 200, "given up");
    assert_eq!(got.json()["status"], "deactivated");
    client
        .post(&mut ca, &authorization, &deactivated)
        .is("", 200, "again");
    let read = client.post_as_get(&mut ca, &order);
    assert_eq!(read.json()["status"], "invalid");
    let other = path_of(&object["authorizations"][1]);
    assert_eq!(
        client.post_as_get(&mut ca, &other).json()["status"],
        "pending"
    );
}

#[test]
fn an_order_is_what_its_authorizations_make_of_it() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let (path, object) = client.order(&mut ca, &["a.example", "b.example"]);
    let all: Vec<String> = object["authorizations"]
        .as_array()
        .unwrap()
        .iter()
        .map(path_of)
        .collect();
    use AuthorizationStatus as A;
    for (first, second, order) in [
        (A::Pending, A::Pending, "pending"),
        (A::Valid, A::Pending, "pending"),
        (A::Valid, A::Valid, "ready"),
        (A::Invalid, A::Pending, "invalid"),
        (A::Valid, A::Deactivated, "invalid"),
        (A::Revoked, A::Valid, "invalid"),
    ] {
        change(&mut ca, &all[0], |row| row.status = first);
        change(&mut ca, &all[1], |row| row.status = second);
        assert_eq!(client.post_as_get(&mut ca, &path).json()["status"], order);
    }
    // A valid authorization that expires takes the order with it.
    let soon = ca.now.after(Duration::from_secs(60));
    for one in &all {
        change(&mut ca, one, |row| {
            (row.status, row.expires) = (A::Valid, soon)
        });
    }
    let ready = client.post_as_get(&mut ca, &path).json();
    assert_eq!(ready["status"], "ready");
    assert_eq!(ready["expires"], soon.to_rfc3339());
    ca.pass(Duration::from_secs(60));
    assert_eq!(
        client.post_as_get(&mut ca, &path).json()["status"],
        "invalid"
    );
    assert_eq!(
        client.post_as_get(&mut ca, &all[0]).json()["status"],
        "expired"
    );
}

#[test]
fn a_failed_order_shows_why() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let (path_of_order, _) = client.order(&mut ca, &["a.example"]);
    let id = path_of_order.rsplit('/').next().unwrap().parse().unwrap();
    let Row::Order(order) = ca.row(Read::Order(id)) else {
        panic!()
    };
    let problem = Problem::new(ProblemType::SERVER_INTERNAL).with_detail("no signature");
    ca.put(vec![Row::Order(OrderRow {
        state: OrderState::Invalid { problem },
        ..order
    })]);
    let got = client.post_as_get(&mut ca, &path_of_order).json();
    assert_eq!(got["status"], "invalid");
    assert_eq!(
        got["error"]["type"],
        "urn:ietf:params:acme:error:serverInternal"
    );
}
