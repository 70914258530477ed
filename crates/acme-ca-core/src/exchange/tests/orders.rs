//! newOrder, orders, authorizations, challenges: hostile inputs D and E.

use std::time::Duration;

use acme_types::{AuthorizationStatus, DnsName, Problem, ProblemType};
use serde_json::{Value, json};

use super::world::{BASE, Ca, Client, dns, path_of};
use crate::policy::{IdentifierPolicy, Rate};
use crate::schema::{
    AuthorizationId, AuthorizationRow, ChallengeState, JobState, OrderRow, OrderState, Read, Row,
};

const NEW: &str = "/acme/new-order";

/// A public CA's names on a private CA's other policies.
fn webpki() -> Ca {
    Ca::adjust(|policy| policy.identifiers = IdentifierPolicy::webpki())
}

#[test]
fn an_order_has_an_authorization_of_its_own_for_each_identifier() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    // H083: folded, and each once.
    let names = [
        "WWW.example.com",
        "www.example.com",
        "*.example.com",
        "example.com",
    ];
    let (order_path, order) = client.order(&mut ca, &names);
    assert_eq!(order["status"], "pending");
    assert_eq!(order["expires"], "2026-12-01T12:00:00Z");
    assert_eq!(
        order["identifiers"],
        dns(&["*.example.com", "example.com", "www.example.com"])
    );
    assert_eq!(order["finalize"], format!("{BASE}{order_path}/finalize"));
    for absent in [
        "notBefore",
        "notAfter",
        "error",
        "certificate",
        "replaces",
        "profile",
    ] {
        assert_eq!(order.get(absent), None);
    }
    let authorizations = order["authorizations"].as_array().unwrap();
    assert_eq!(authorizations.len(), 3);
    let mut tokens = Vec::new();
    for (url, (name, wildcard, methods)) in authorizations.iter().zip([
        ("example.com", true, vec!["dns-01"]),
        (
            "example.com",
            false,
            vec!["http-01", "dns-01", "tls-alpn-01"],
        ),
        (
            "www.example.com",
            false,
            vec!["http-01", "dns-01", "tls-alpn-01"],
        ),
    ]) {
        let got = client.post_as_get(&mut ca, &path_of(url)).json();
        assert_eq!(got["identifier"], json!({ "type": "dns", "value": name }));
        assert_eq!(got["status"], "pending");
        assert_eq!(got["expires"], order["expires"]);
        assert_eq!(got.get("wildcard"), wildcard.then_some(&json!(true)));
        let offered: Vec<&str> = challenges(&got)
            .map(|c| c["type"].as_str().unwrap())
            .collect();
        let mut wanted = methods.clone();
        wanted.retain(|method| offered.contains(method));
        assert_eq!(wanted, methods, "{offered:?}");
        for challenge in challenges(&got) {
            assert_eq!(challenge["status"], "pending");
            tokens.push(challenge["token"].as_str().unwrap().to_owned());
        }
    }
    let count = tokens.len();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), count);
    let read = client.post_as_get(&mut ca, &order_path);
    assert_eq!(read.json(), order);
    // No reuse: neither of the order nor of its authorizations.
    let (again, other) = client.order(&mut ca, &names);
    assert_ne!(again, order_path);
    for url in other["authorizations"].as_array().unwrap() {
        assert!(!authorizations.contains(url));
    }
}

fn challenges(authorization: &Value) -> impl Iterator<Item = &Value> {
    authorization["challenges"].as_array().unwrap().iter()
}

#[test]
fn an_order_names_what_this_ca_certifies() {
    let many: Vec<String> = (0..101).map(|n| format!("a{n}.example.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let one =
        |kind: &str, value: &str| json!({ "identifiers": [{ "type": kind, "value": value }] });
    let long = format!("{}.example.com", "a".repeat(64));
    let deep = format!("{}example.com", "a.".repeat(10));
    let longer = format!("{}.com", "a.".repeat(126));
    let mut cases = vec![
        // H081
        ("absent", json!({}), "malformed"),
        ("empty", json!({ "identifiers": [] }), "malformed"),
        ("101", json!({ "identifiers": dns(&many) }), "malformed"),
        ("no array", json!({ "identifiers": {} }), "malformed"),
        (
            "no type",
            json!({ "identifiers": [{ "value": "example.com" }] }),
            "malformed",
        ),
        (
            "no value",
            json!({ "identifiers": [{ "type": "dns" }] }),
            "malformed",
        ),
        ("null", json!({ "identifiers": null }), "malformed"),
        // H082
        (
            "email",
            one("email", "a@example.com"),
            "unsupportedIdentifier",
        ),
        ("IP", one("IP", "8.8.8.8"), "unsupportedIdentifier"),
        (
            "dns with a blank",
            one("dns ", "example.com"),
            "unsupportedIdentifier",
        ),
    ];
    for value in [
        // H085, H086
        "example.com.",
        "a..example.com",
        "",
        ".",
        &long,
        &longer,
        &deep,
        "a_b.example.com",
        "a b.example.com",
        "a\0.example.com",
        "a\n.example.com",
        "*",
        "*.",
        "*.*.example.com",
        "a*.example.com",
        "x.*.example.com",
        "-a.example.com",
        "a-.example.com",
        "\u{e4}.example.com",
        "xn--a.example.com",
        "8.8.8.8",
        "2001:4860::1",
        "a@example.com",
        "example.com:80",
    ] {
        cases.push((value, one("dns", value), "malformed"));
    }
    for value in [
        // H086, H087, H088
        "*.com",
        "*.co.uk",
        "com",
        "co.uk",
        "localhost",
        "printer.local",
        "a.onion",
        "1.0.0.10.in-addr.arpa",
        "ab--c.example.com",
    ] {
        cases.push((value, one("dns", value), "rejectedIdentifier"));
    }
    // H089
    for value in [
        "8.8.8",
        "08.8.8.8",
        "::ffff:8.8.8.8",
        "2001:4860:0::1",
        "fe80::1%1",
        "example.com",
    ] {
        cases.push((value, one("ip", value), "malformed"));
    }
    for value in [
        "10.0.0.1",
        "127.0.0.1",
        "192.0.2.1",
        "::1",
        "fd00::1",
        "2001:db8::1",
    ] {
        cases.push((value, one("ip", value), "rejectedIdentifier"));
    }
    let mut ca = webpki();
    let client = Client::registered(&mut ca, 1);
    let commits = ca.commits;
    for (what, payload, kind) in &cases {
        client.post(&mut ca, NEW, payload).is(kind, 400, what);
    }
    assert_eq!(ca.commits, commits);
    for payload in [
        one("dns", "example.com"),
        one("dns", "*.example.com"),
        one("ip", "8.8.8.8"),
    ] {
        client
            .post(&mut ca, NEW, &payload)
            .is("", 201, &payload.to_string());
    }
}

#[test]
fn several_bad_identifiers_are_told_each() {
    let mut ca = webpki();
    let client = Client::registered(&mut ca, 1);
    let payload = json!({ "identifiers": [
        { "type": "dns", "value": "example.com" },
        { "type": "dns", "value": "com" },
        { "type": "dns", "value": "a_b.example.com" },
        { "type": "ip", "value": "10.0.0.1" },
    ] });
    let got = client.post(&mut ca, NEW, &payload);
    got.is("compound", 400, "compound");
    let json = got.json();
    let subproblems = json["subproblems"].as_array().unwrap();
    let types: Vec<&str> = subproblems
        .iter()
        .map(|s| s["type"].as_str().unwrap())
        .collect();
    let urn = |kind| format!("urn:ietf:params:acme:error:{kind}");
    assert_eq!(
        types,
        [
            urn("rejectedIdentifier"),
            urn("malformed"),
            urn("rejectedIdentifier")
        ]
    );
    assert_eq!(
        subproblems[0]["identifier"],
        json!({ "type": "dns", "value": "com" })
    );
    assert_eq!(subproblems[1].get("identifier"), None);
    let payload = json!({ "identifiers": dns(&["com", "co.uk"]) });
    client
        .post(&mut ca, NEW, &payload)
        .is("rejectedIdentifier", 400, "of one type");
}

#[test]
fn a_name_that_a_wildcard_covers_is_redundant_if_policy_says_so() {
    let mut ca = webpki();
    let client = Client::registered(&mut ca, 1);
    let redundant = json!({ "identifiers": dns(&["*.example.com", "www.example.com"]) });
    client
        .post(&mut ca, NEW, &redundant)
        .is("malformed", 400, "covered");
    let both = json!({ "identifiers": dns(&["*.example.com", "example.com"]) });
    client
        .post(&mut ca, NEW, &both)
        .is("", 201, "the base isn't covered");
}

#[test]
fn a_private_ca_certifies_private_names_and_addresses() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let payload = json!({ "identifiers": [
        { "type": "dns", "value": "printer" },
        { "type": "ip", "value": "127.0.0.1" },
        { "type": "ip", "value": "fd00::1" },
    ] });
    let got = client.post(&mut ca, NEW, &payload);
    got.is("", 201, "private");
    // RFC 8738 §7: no dns-01 for addresses.
    let url = got.json()["authorizations"][1].clone();
    let authorization = client.post_as_get(&mut ca, &path_of(&url)).json();
    assert!(challenges(&authorization).all(|c| c["type"] != "dns-01"));
    ca = Ca::adjust(|policy| {
        policy.identifiers.blocked_suffixes = [DnsName::parse("ca.example").unwrap()].into();
    });
    let client = Client::registered(&mut ca, 1);
    // H260
    let own = json!({ "identifiers": dns(&["x.ca.example"]) });
    client
        .post(&mut ca, NEW, &own)
        .is("rejectedIdentifier", 400, "the CA's own");
}

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

#[test]
fn what_is_anothers_looks_like_what_is_not() {
    let mut ca = Ca::new();
    let (alice, eve) = (
        Client::registered(&mut ca, 1),
        Client::registered(&mut ca, 2),
    );
    let (order, object) = alice.order(&mut ca, &["example.com"]);
    let authorization = path_of(&object["authorizations"][0]);
    let challenge = authorization.replace("/authorization/", "/challenge/") + "/http-01";
    let nobody = "AAAAAAAAAAAAAAAAAAAAAA";
    // H094: to the byte.
    for (own, none) in [
        (order.clone(), format!("/acme/order/{nobody}")),
        (
            format!("{order}/finalize"),
            format!("/acme/order/{nobody}/finalize"),
        ),
        (authorization, format!("/acme/authorization/{nobody}")),
        (challenge, format!("/acme/challenge/{nobody}/http-01")),
    ] {
        for payload in ["", "{}", r#"{"status":"deactivated"}"#, r#"{"csr":"AAAA"}"#] {
            let request = eve.request(&mut ca, &own, payload.as_bytes());
            let got = ca.send(&request);
            got.is("malformed", 404, &own);
            let request = eve.request(&mut ca, &none, payload.as_bytes());
            assert_eq!(ca.send(&request).body, got.body, "{own}");
        }
    }
}

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
    assert_eq!(client.post_as_get(&mut ca, &path).json()["status"], "ready");
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
