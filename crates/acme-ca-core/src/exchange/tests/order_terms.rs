//! newOrder: validity, profile, rate limit.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Client, dns};
use super::world::Ca;
use crate::policy::Rate;

const NEW: &str = "/acme/new-order";

#[test]
fn a_validity_is_had_as_asked_for_or_not_at_all() {
    let order = |extra: Value| {
        let mut order = json!({ "identifiers": dns(&["example.com"]) });
        order
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        order
    };
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    // The clock stands at 2026-11-24T12:00:00Z.
    for (extra, kind, status) in [
        // H091
        (json!({ "notBefore": "x" }), "malformed", 400),
        (json!({ "notBefore": null }), "malformed", 400),
        (
            json!({ "notAfter": "2026-13-01T00:00:00Z" }),
            "malformed",
            400,
        ),
        (
            json!({ "notAfter": "2026-11-24T11:00:00Z" }),
            "malformed",
            400,
        ),
        (
            json!({ "notAfter": "0000-01-01T00:00:00Z" }),
            "malformed",
            400,
        ),
        (
            json!({ "notAfter": "9999-01-01T00:00:00Z" }),
            "malformed",
            400,
        ),
        (
            json!({ "notBefore": "2026-11-25T00:00:00Z", "notAfter": "2026-11-25T00:00:00Z" }),
            "malformed",
            400,
        ),
        (
            json!({ "notBefore": "2026-11-01T00:00:00Z" }),
            "malformed",
            400,
        ),
        (
            json!({ "notBefore": "2026-12-24T00:00:00Z" }),
            "malformed",
            400,
        ),
        (
            json!({ "notBefore": "2026-11-25T00:00:00Z", "notAfter": "2026-12-01T01:00:00+01:00" }),
            "",
            201,
        ),
    ] {
        client
            .post(&mut ca, NEW, &order(extra.clone()))
            .is(kind, status, &extra.to_string());
    }
    let echoed = client.post(
        &mut ca,
        NEW,
        &order(json!({ "notAfter": "2026-12-01T01:00:00+01:00" })),
    );
    assert_eq!(echoed.json()["notAfter"], "2026-12-01T00:00:00Z");
    let mut ca = Ca::adjust(|policy| policy.orders.requested_validity = false);
    let client = Client::registered(&mut ca, 1);
    let asked = order(json!({ "notAfter": "2026-12-01T00:00:00Z" }));
    client
        .post(&mut ca, NEW, &asked)
        .is("malformed", 400, "not accepted");
}

#[test]
fn a_profile_is_one_of_the_directory() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let directory = ca.get("/directory").json();
    let profiles = directory["meta"]["profiles"].as_object().unwrap();
    let name = profiles.keys().next().unwrap();
    let mut order = json!({ "identifiers": dns(&["example.com"]), "profile": name });
    let got = client.post(&mut ca, NEW, &order);
    got.is("", 201, name);
    assert_eq!(got.json()["profile"], *name);
    // H092
    order["profile"] = json!("nothing");
    client
        .post(&mut ca, NEW, &order)
        .is("invalidProfile", 400, "H092");
    order["profile"] = json!(null);
    client
        .post(&mut ca, NEW, &order)
        .is("malformed", 400, "null");
}

#[test]
fn a_busy_account_is_told_to_wait() {
    let mut ca = Ca::adjust(|policy| {
        policy.orders.new_orders = Some(Rate {
            count: 3,
            period: Duration::from_secs(30),
        });
    });
    let client = Client::registered(&mut ca, 1);
    for _ in 0..3 {
        client.order(&mut ca, &["example.com"]);
    }
    // H093
    let rows = ca.store.rows().count();
    let payload = json!({ "identifiers": dns(&["example.com"]) });
    let got = client.post(&mut ca, NEW, &payload);
    got.is("rateLimited", 429, "H093");
    assert_eq!(got.header("retry-after"), Some("10"));
    assert_eq!(ca.store.rows().count(), rows);
    Client::registered(&mut ca, 2).order(&mut ca, &["example.com"]);
    ca.pass(Duration::from_secs(10));
    client.order(&mut ca, &["example.com"]);
}
