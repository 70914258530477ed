//! newOrder, orders, authorizations, challenges: hostile inputs D and E.

use acme_types::DnsName;
use serde_json::json;

use super::client::{Client, challenges, dns, path_of};
use super::world::{BASE, Ca};
use crate::policy::IdentifierPolicy;

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
