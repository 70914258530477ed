//! finalize and what comes of it: hostile inputs L.

use std::time::Duration;

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, Provider};
use acme_types::{ChallengeType, Identifier};
use serde_json::json;

use super::authority::issuer_key;
use super::client::{Client, dns, key, path_of};
use super::issued::{authorize, csr, issue, order_row, payload, ready, run, validate};
use super::machine::to_commit;
use super::world::{BASE, Ca, Got};
use crate::exchange::{World, drive};
use crate::schema::{
    AuthorizationRow, BlockedKeyRow, ChallengeState, OrderState, Read, Row, Serial,
};

#[test]
fn a_ready_order_becomes_a_certificate() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let names = ["*.example.com", "example.com"];
    let path = ready(&mut ca, &client, &names);
    let key = key(9);
    let got = client.post(
        &mut ca,
        &format!("{path}/finalize"),
        &payload(&csr(key.as_ref(), &names)),
    );
    got.is("", 200, "finalize");
    assert_eq!(got.json()["status"], "processing");
    assert_eq!(got.location(), format!("{BASE}{path}"));
    assert!(got.header("retry-after").is_some());
    let OrderState::Processing { serial, job } = order_row(&ca, &path).state else {
        panic!()
    };
    assert_eq!(ca.spawned.last().map(|spawned| spawned.0), Some(job));
    let read = client.post_as_get(&mut ca, &path);
    assert_eq!(
        (read.json(), read.header("retry-after")),
        (got.json(), got.header("retry-after"))
    );
    // The certificate isn't there before it is signed.
    let certificate = format!("/acme/certificate/{serial}");
    client
        .post_as_get(&mut ca, &certificate)
        .is("malformed", 404, "not yet");
    let row = issue(&mut ca, &path);
    let valid = client.post_as_get(&mut ca, &path).json();
    assert_eq!(valid["status"], "valid");
    assert_eq!(valid["certificate"], format!("{BASE}{certificate}"));
    let got = client.post_as_get(&mut ca, &certificate);
    got.is("", 200, "download");
    assert_eq!(
        got.header("content-type"),
        Some("application/pem-certificate-chain")
    );
    let chain = acme_types::pem::chain_to_der(&got.body).unwrap();
    let issuer = ca
        .config
        .authority
        .issuer(super::authority::ISSUER)
        .unwrap();
    assert_eq!(chain, [row.der.unwrap(), issuer.certificate_der().to_vec()]);
    // H002, H050, H094
    ca.get(&certificate).is("malformed", 405, "GET");
    client
        .post(&mut ca, &certificate, &json!({}))
        .is("malformed", 400, "payload");
    let eve = Client::registered(&mut ca, 2);
    let foreign = eve.post_as_get(&mut ca, &certificate);
    foreign.is("malformed", 404, "foreign");
    let nothing = format!("/acme/certificate/{}", Serial::new(&[3; 32]));
    assert_eq!(eve.post_as_get(&mut ca, &nothing).body, foreign.body);
}

#[test]
fn a_csr_is_what_was_ordered_or_nothing_changes() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let other = Client::registered(&mut ca, 2);
    let names = ["a.example", "b.example"];
    let (own, blocked) = (key(9), key(8));
    let own = own.as_ref();
    let spki_sha256 = RustCrypto.sha256(&blocked.public_key().to_spki_der());
    ca.put(vec![Row::BlockedKey(BlockedKeyRow {
        spki_sha256,
        blocked_at: ca.now,
    })]);
    let p384 = RustCrypto.generate(KeyAlgorithm::EcP384, &[3; 32]).unwrap();
    let good = csr(own, &names);
    let mut unsigned = good.clone();
    *unsigned.last_mut().unwrap() ^= 1;
    let issuer = issuer_key();
    let path = ready(&mut ca, &client, &names);
    let finalize = format!("{path}/finalize");
    let spawned = ca.spawned.len();
    for (what, payload, kind) in [
        // H241
        ("absent", json!({}), "malformed"),
        ("null", json!({ "csr": null }), "malformed"),
        ("padded", json!({ "csr": "AAA=" }), "malformed"),
        (
            "PEM",
            json!({ "csr": "-----BEGIN CERTIFICATE REQUEST-----" }),
            "malformed",
        ),
        ("empty", json!({ "csr": "" }), "badCSR"),
        ("no DER", payload(b"hello"), "badCSR"),
        (
            "trailing",
            payload(&[good.as_slice(), &[0]].concat()),
            "badCSR",
        ),
        ("cut", payload(&good[..good.len() - 1]), "badCSR"),
        ("large", payload(&[0; 33_000]), "badCSR"),
        // H242
        ("signature", payload(&unsigned), "badCSR"),
        // H243
        ("subset", payload(&csr(own, &["a.example"])), "badCSR"),
        (
            "superset",
            payload(&csr(own, &["a.example", "b.example", "c.example"])),
            "badCSR",
        ),
        (
            "another",
            payload(&csr(own, &["a.example", "c.example"])),
            "badCSR",
        ),
        (
            "wildcard",
            payload(&csr(own, &["*.a.example", "b.example"])),
            "badCSR",
        ),
        // H248
        (
            "account key",
            payload(&csr(client.key.as_ref(), &names)),
            "badCSR",
        ),
        (
            "another's account key",
            payload(&csr(other.key.as_ref(), &names)),
            "badCSR",
        ),
        ("blocked", payload(&csr(blocked.as_ref(), &names)), "badCSR"),
        (
            "the issuer's",
            payload(&csr(issuer.as_ref(), &names)),
            "badCSR",
        ),
    ] {
        client
            .post(&mut ca, &finalize, &payload)
            .is(kind, 400, what);
        // RFC 8555 §7.4: after badCSR the order stays ready.
        assert_eq!(
            client.post_as_get(&mut ca, &path).json()["status"],
            "ready",
            "{what}"
        );
    }
    assert_eq!(ca.spawned.len(), spawned);
    client
        .post(&mut ca, &finalize, &payload(&csr(p384.as_ref(), &names)))
        .is("", 200, "amended");
}

#[test]
fn only_a_ready_order_is_finalized() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let key = key(9);
    let good = payload(&csr(key.as_ref(), &["a.example"]));
    // H250
    let (path, object) = client.order(&mut ca, &["a.example"]);
    let finalize = format!("{path}/finalize");
    client
        .post(&mut ca, &finalize, &good)
        .is("orderNotReady", 403, "pending");
    validate(&mut ca, &client, &object);
    client.post(&mut ca, &finalize, &good).is("", 200, "ready");
    // H251
    client
        .post(&mut ca, &finalize, &good)
        .is("orderNotReady", 403, "processing");
    let (_, job) = match order_row(&ca, &path).state {
        OrderState::Processing { serial, job } => (serial, job),
        state => panic!("{state:?}"),
    };
    assert_eq!(
        ca.spawned.iter().filter(|spawned| spawned.0 == job).count(),
        1
    );
    issue(&mut ca, &path);
    client
        .post(&mut ca, &finalize, &good)
        .is("orderNotReady", 403, "valid");
    let (path, object) = client.order(&mut ca, &["a.example"]);
    let authorization = path_of(&object["authorizations"][0]);
    client
        .post(&mut ca, &authorization, &json!({ "status": "deactivated" }))
        .is("", 200, "");
    let finalize = format!("{path}/finalize");
    client
        .post(&mut ca, &finalize, &good)
        .is("orderNotReady", 403, "invalid");
    let path = ready(&mut ca, &client, &["a.example"]);
    ca.pass(Duration::from_secs(7 * 3_600));
    let finalize = format!("{path}/finalize");
    client
        .post(&mut ca, &finalize, &good)
        .is("orderNotReady", 403, "authorization expired");
    let (path, _) = client.order(&mut ca, &["a.example"]);
    ca.pass(ca.config.policy.orders.order_lifetime);
    let finalize = format!("{path}/finalize");
    client
        .post(&mut ca, &finalize, &good)
        .is("malformed", 404, "expired");
}

#[test]
fn an_authorization_counts_only_as_it_was_proved() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let key = key(9);
    let good = payload(&csr(key.as_ref(), &["a.example"]));
    let mut check =
        |what: &str, change: &dyn Fn(&mut AuthorizationRow), kind: &str, status: u16| {
            let (path, object) = client.order(&mut ca, &["a.example"]);
            authorize(&mut ca, &path_of(&object["authorizations"][0]), |row| {
                change(row)
            });
            client
                .post(&mut ca, &format!("{path}/finalize"), &good)
                .is(kind, status, what);
        };
    check("good", &|_| {}, "", 200);
    check("CAA never", &|row| row.caa_checked_at = None, "caa", 403);
    check(
        "CAA long ago",
        &|row| {
            row.caa_checked_at = row
                .caa_checked_at
                .map(|at| at.before(Duration::from_secs(8 * 3_600)))
        },
        "caa",
        403,
    );
    let nothing_proved = |row: &mut AuthorizationRow| {
        row.challenges
            .iter_mut()
            .for_each(|c| c.state = ChallengeState::Pending);
    };
    check("nothing proved", &nothing_proved, "rejectedIdentifier", 400);
    let method_off = |row: &mut AuthorizationRow| {
        row.challenges
            .iter_mut()
            .for_each(|c| c.kind = ChallengeType::DNS_PERSIST_01);
    };
    check(
        "a method that is off",
        &method_off,
        "rejectedIdentifier",
        400,
    );
    // Damage is never a certificate.
    check(
        "of no order",
        &|row| row.order = None,
        "serverInternal",
        500,
    );
    let other = Identifier::dns("b.example").unwrap();
    check(
        "for another name",
        &|row| row.identifier = other.clone(),
        "serverInternal",
        500,
    );
    check(
        "for the wildcard",
        &|row| row.wildcard = true,
        "serverInternal",
        500,
    );
}

#[test]
fn a_name_blocked_since_then_is_refused_at_finalize() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let path = ready(&mut ca, &client, &["a.example"]);
    let mut config = ca.config.as_ref().clone();
    let name = acme_types::DnsName::parse("a.example").unwrap();
    config.policy.identifiers.blocked_names = [name].into();
    ca.config = std::sync::Arc::new(config);
    // H260
    let good = payload(&csr(key(9).as_ref(), &["a.example"]));
    let got = client.post(&mut ca, &format!("{path}/finalize"), &good);
    got.is("rejectedIdentifier", 400, "H260");
}

#[test]
fn fifty_finalizations_at_once_are_one() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let path = ready(&mut ca, &client, &["a.example"]);
    let finalize = format!("{path}/finalize");
    let now = ca.now;
    // H251: all of them decide before any commits.
    let mut open = Vec::new();
    for seed in 10..60 {
        let body = payload(&csr(key(seed).as_ref(), &["a.example"])).to_string();
        let request = client.request(&mut ca, &finalize, body.as_bytes());
        let mut exchange = ca.exchange(&request);
        let wanted = to_commit(&mut ca, &mut exchange);
        open.push((exchange, wanted));
    }
    let mut outcomes = Vec::new();
    for (mut exchange, (commit, ticket)) in open {
        let committed = ca.commit(&commit);
        exchange.answer(ticket, committed, now).unwrap();
        let got = Got::of(drive(&mut exchange, &mut ca, now).unwrap());
        outcomes.push(got.outcome());
    }
    let refused = ("orderNotReady".to_owned(), 403);
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.1 == 200).count(),
        1
    );
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == refused)
            .count(),
        49
    );
    let intents = ca
        .store
        .rows()
        .filter(|row| matches!(row, Ok((_, Row::Intent(_)))))
        .count();
    assert_eq!(intents, 1);
}

#[test]
fn an_order_may_ask_for_fewer_days() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let order = json!({ "identifiers": dns(&["a.example"]), "notAfter": "2026-12-01T00:00:00Z" });
    let got = client.post(&mut ca, "/acme/new-order", &order);
    got.is("", 201, "notAfter");
    validate(&mut ca, &client, &got.json());
    let path = path_of(&json!(got.location()));
    let good = payload(&csr(key(9).as_ref(), &["a.example"]));
    client
        .post(&mut ca, &format!("{path}/finalize"), &good)
        .is("", 200, "finalize");
    let row = issue(&mut ca, &path);
    assert_eq!(row.not_after.to_rfc3339(), "2026-12-01T00:00:00Z");
}

#[test]
fn an_address_is_certified_like_a_name() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let order = json!({ "identifiers": [
        { "type": "ip", "value": "10.0.0.1" },
        { "type": "ip", "value": "fd00::1" },
        { "type": "dns", "value": "a.example" },
    ] });
    let got = client.post(&mut ca, "/acme/new-order", &order);
    validate(&mut ca, &client, &got.json());
    let path = path_of(&json!(got.location()));
    let csr = csr(key(9).as_ref(), &["a.example", "10.0.0.1", "fd00::1"]);
    client
        .post(&mut ca, &format!("{path}/finalize"), &payload(&csr))
        .is("", 200, "finalize");
    assert_eq!(issue(&mut ca, &path).identifiers.len(), 3);
}

#[test]
fn an_order_that_lacks_an_authorization_for_one_of_its_names_is_damage() {
    let names = ["a.example", "b.example"];
    for keep in 0..2 {
        let mut ca = Ca::new();
        let client = Client::registered(&mut ca, 1);
        let path = ready(&mut ca, &client, &names);
        let mut row = order_row(&ca, &path);
        row.authorizations.truncate(keep);
        ca.put(vec![Row::Order(row)]);
        let good = payload(&csr(key(9).as_ref(), &names));
        client.post(&mut ca, &format!("{path}/finalize"), &good).is(
            "serverInternal",
            500,
            "damage",
        );
        assert_eq!(order_row(&ca, &path).state, OrderState::Open);
    }
}

#[test]
fn a_key_that_an_account_took_or_somebody_proved_lost_meanwhile_is_not_certified() {
    let proved_lost = |ca: &mut Ca| {
        let spki_sha256 = RustCrypto.sha256(&key(9).public_key().to_spki_der());
        ca.put(vec![Row::BlockedKey(BlockedKeyRow {
            spki_sha256,
            blocked_at: ca.now,
        })]);
    };
    let taken = |ca: &mut Ca| drop(Client::registered(ca, 9));
    let meanwhile: [&dyn Fn(&mut Ca); 2] = [&taken, &proved_lost];
    for happens in meanwhile {
        let mut ca = Ca::new();
        let client = Client::registered(&mut ca, 1);
        let path = ready(&mut ca, &client, &["a.example"]);
        let body = payload(&csr(key(9).as_ref(), &["a.example"])).to_string();
        let request = client.request(&mut ca, &format!("{path}/finalize"), body.as_bytes());
        let mut exchange = ca.exchange(&request);
        let (commit, ticket) = to_commit(&mut ca, &mut exchange);
        // Between the decision and its commit: what is absent can't be guarded.
        happens(&mut ca);
        let (now, committed) = (ca.now, ca.commit(&commit));
        exchange.answer(ticket, committed, now).unwrap();
        Got::of(drive(&mut exchange, &mut ca, now).unwrap()).is("", 200, "finalize");
        let OrderState::Processing { job, serial } = order_row(&ca, &path).state else {
            panic!()
        };
        run(&mut ca, job);
        assert!(!ca.has(Read::Certificate(serial)));
        let read = client.post_as_get(&mut ca, &path).json();
        assert_eq!(read["status"], "invalid");
        assert_eq!(read["error"]["type"], "urn:ietf:params:acme:error:badCSR");
    }
}
