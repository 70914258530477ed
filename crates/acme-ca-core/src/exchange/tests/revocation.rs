//! revokeCert: hostile inputs E, from H101 on.

use std::time::Duration;

use acme_crypto::KeyPair;
use acme_types::{RevocationReason, base64url};
use serde_json::{Value, json};

use super::client::{Client, key};
use super::issued::certificate;
use super::world::{Ca, Got};
use crate::job::crl_run;
use crate::schema::{CertificateRow, JobId, JobRow, Read, RevocationRow, Row, Version};

const REVOKE: &str = "/acme/revoke-cert";

fn payload(row: &CertificateRow, reason: Option<Value>) -> Value {
    let der = row.der.as_deref().unwrap();
    let mut payload = json!({ "certificate": base64url::encode(der) });
    if let Some(reason) = reason {
        payload["reason"] = reason;
    }
    payload
}

fn revocation(ca: &Ca, row: &CertificateRow) -> RevocationRow {
    match ca.row(Read::Revocation(row.shard, row.serial)) {
        Row::Revocation(row) => row,
        other => panic!("{other:?}"),
    }
}

/// Signed by a certificate's key.
fn by_key(ca: &mut Ca, key: Box<dyn KeyPair>, payload: &Value) -> Got {
    let client = Client {
        key,
        kid: String::new(),
    };
    client.post_as_key(ca, REVOKE, payload)
}

#[test]
fn the_owner_revokes_for_the_reason_that_it_gives() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    // H104
    for (reason, recorded) in [
        (None, RevocationReason::Unspecified),
        (Some(json!(0)), RevocationReason::Unspecified),
        (Some(json!(1)), RevocationReason::KeyCompromise),
        (Some(json!(3)), RevocationReason::AffiliationChanged),
        (Some(json!(4)), RevocationReason::Superseded),
        (Some(json!(5)), RevocationReason::CessationOfOperation),
        (Some(json!(9)), RevocationReason::PrivilegeWithdrawn),
    ] {
        let row = certificate(&mut ca, &client, key(9).as_ref(), &["a.example"]);
        // Longer than a CRL run has its shard.
        ca.pass(Duration::from_millis(120_500));
        let got = client.post(&mut ca, REVOKE, &payload(&row, reason));
        got.is("", 200, recorded_name(recorded));
        assert!(got.body.is_empty());
        let revocation = revocation(&ca, &row);
        assert_eq!(
            (revocation.reason, revocation.not_after),
            (recorded, row.not_after)
        );
        assert_eq!(revocation.revoked_at, ca.now.truncate_to_secs());
        // Not proved, so not blocked.
        assert!(!ca.has(Read::BlockedKey(row.spki_sha256)));
        // Its shard's CRL is made at once.
        let (job, version) = *ca.spawned.last().unwrap();
        let (stored, row) = ca.store.load(&[Read::Job(job)]).unwrap().0[0]
            .1
            .clone()
            .unwrap();
        assert_eq!(stored, version);
        let Row::Job(job) = row else { panic!() };
        assert!(ca.has(Read::Due(job.due, job.id)));
    }
    // One due row for each job, however often it was moved.
    let rows: Vec<Row> = ca.store.rows().map(|row| row.unwrap().1).collect();
    let due = |job| {
        rows.iter()
            .filter(|row| matches!(row, Row::Due(d) if d.job == job))
            .count()
    };
    for row in &rows {
        if let Row::Job(job) = row {
            assert_eq!(due(job.id), 1);
        }
    }
}

#[test]
fn a_crl_run_under_way_is_told_to_look_again() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let mut begun: Vec<(JobId, Version, JobRow)> = Vec::new();
    // Four shards: of five certificates two share one.
    for _ in 0..5 {
        let row = certificate(&mut ca, &client, key(9).as_ref(), &["a.example"]);
        let spawned = ca.spawned.len();
        client
            .post(&mut ca, REVOKE, &payload(&row, None))
            .is("", 200, "revoked");
        let id = crl_run::job_id(row.shard);
        let loaded = ca.store.load(&[Read::Job(id)]).unwrap();
        let Some((version, Row::Job(job))) = loaded.0[0].1.clone() else {
            panic!()
        };
        let earlier = begun.iter().rev().find(|(begun, ..)| *begun == id);
        match earlier {
            None => assert_eq!(ca.spawned[spawned..], [(id, version)]),
            Some((_, before, row)) => {
                assert_eq!(ca.spawned.len(), spawned);
                assert_eq!(&job, row);
                assert!(version > *before);
            }
        }
        begun.push((id, version, job));
    }
}

fn recorded_name(reason: RevocationReason) -> &'static str {
    match reason {
        RevocationReason::Unspecified => "unspecified",
        _ => "a reason",
    }
}

#[test]
fn a_revocation_names_a_certificate_of_this_ca_and_a_reason_of_the_list() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let row = certificate(&mut ca, &client, key(9).as_ref(), &["a.example"]);
    let der = row.der.clone().unwrap();
    let encoded = |bytes: &[u8]| json!({ "certificate": base64url::encode(bytes) });
    let mut altered = der.clone();
    *altered.last_mut().unwrap() ^= 1;
    let issuer = ca
        .config
        .authority
        .issuer(super::authority::ISSUER)
        .unwrap();
    let issuer = issuer.certificate_der().to_vec();
    for (what, payload, status) in [
        // H101
        ("absent", json!({}), 400),
        ("padding", json!({ "certificate": "AAA=" }), 400),
        ("0 bytes", encoded(b""), 400),
        ("PEM", encoded(b"-----BEGIN CERTIFICATE-----"), 400),
        ("trailing", encoded(&[der.as_slice(), &[0]].concat()), 400),
        ("cut", encoded(&der[..100]), 400),
        ("not ours", encoded(&altered), 404),
        ("the issuer's", encoded(&issuer), 404),
    ] {
        client
            .post(&mut ca, REVOKE, &payload)
            .is("malformed", status, what);
    }
    for reason in [
        json!(2),
        json!(6),
        json!(7),
        json!(8),
        json!(10),
        json!(-1),
        json!("1"),
        json!(256),
        json!(null),
        json!(1.5),
    ] {
        let got = client.post(&mut ca, REVOKE, &payload(&row, Some(reason.clone())));
        got.is("badRevocationReason", 400, &reason.to_string());
        assert!(
            got.json()["detail"]
                .as_str()
                .unwrap()
                .contains("[0, 1, 3, 4, 5, 9]")
        );
    }
    assert!(!ca.has(Read::Revocation(row.shard, row.serial)));
    ca.pass(Duration::from_secs(400 * 86_400));
    // H105
    let got = client.post(&mut ca, REVOKE, &payload(&row, None));
    got.is("unauthorized", 403, "expired");
}

#[test]
fn nobody_else_revokes() {
    let mut ca = Ca::new();
    let (client, eve) = (
        Client::registered(&mut ca, 1),
        Client::registered(&mut ca, 2),
    );
    let row = certificate(
        &mut ca,
        &client,
        key(9).as_ref(),
        &["a.example", "b.example"],
    );
    let revoke = payload(&row, None);
    eve.post(&mut ca, REVOKE, &revoke)
        .is("unauthorized", 403, "another account");
    by_key(&mut ca, key(10), &revoke).is("unauthorized", 403, "another key");
    by_key(&mut ca, key(1), &revoke).is("unauthorized", 403, "the account's key, as a key");
    // H103: authorizations for all names, and no less.
    authorize(&mut ca, &eve, "a.example");
    eve.post(&mut ca, REVOKE, &revoke)
        .is("unauthorized", 403, "for one name");
    authorize(&mut ca, &eve, "b.example");
    let now = ca.now;
    ca.pass(Duration::from_secs(8 * 3_600));
    eve.post(&mut ca, REVOKE, &revoke)
        .is("unauthorized", 403, "expired");
    ca.now = now;
    let named = payload(&row, Some(json!(1)));
    eve.post(&mut ca, REVOKE, &named)
        .is("", 200, "for all names");
    assert_eq!(
        revocation(&ca, &row).reason,
        RevocationReason::CessationOfOperation
    );
}

/// The account proves control of the name.
fn authorize(ca: &mut Ca, client: &Client, name: &str) {
    let (_, order) = client.order(ca, &[name]);
    super::issued::validate(ca, client, &order);
}

#[test]
fn the_holder_of_the_key_proves_that_it_is_compromised() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let row = certificate(&mut ca, &client, key(9).as_ref(), &["a.example"]);
    let got = by_key(&mut ca, key(9), &payload(&row, Some(json!(4))));
    got.is("", 200, "by its key");
    assert_eq!(
        revocation(&ca, &row).reason,
        RevocationReason::KeyCompromise
    );
    assert!(ca.has(Read::BlockedKey(row.spki_sha256)));
    // The key is never certified again, and makes no account.
    let (path, order) = client.order(&mut ca, &["a.example"]);
    super::issued::validate(&mut ca, &client, &order);
    let csr = super::issued::csr(key(9).as_ref(), &["a.example"]);
    let csr = json!({ "csr": base64url::encode(&csr) });
    client
        .post(&mut ca, &format!("{path}/finalize"), &csr)
        .is("badCSR", 400, "blocked");
}

#[test]
fn a_revocation_happens_once_and_is_upgraded_once() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let row = certificate(&mut ca, &client, key(9).as_ref(), &["a.example"]);
    let revoke = payload(&row, Some(json!(4)));
    client.post(&mut ca, REVOKE, &revoke).is("", 200, "once");
    let at = revocation(&ca, &row).revoked_at;
    ca.pass(Duration::from_secs(60));
    // H105
    client
        .post(&mut ca, REVOKE, &revoke)
        .is("alreadyRevoked", 400, "twice");
    let compromised = payload(&row, Some(json!(1)));
    client
        .post(&mut ca, REVOKE, &compromised)
        .is("alreadyRevoked", 400, "not proved");
    by_key(&mut ca, key(9), &compromised).is("", 200, "upgraded");
    let upgraded = revocation(&ca, &row);
    assert_eq!(
        (upgraded.reason, upgraded.revoked_at),
        (RevocationReason::KeyCompromise, at)
    );
    by_key(&mut ca, key(9), &compromised).is("alreadyRevoked", 400, "upgraded twice");
}

#[test]
fn a_reason_that_no_crl_may_have_is_refused_whatever_the_policy_says() {
    let mut ca = Ca::adjust(|policy| policy.orders.revocation_reasons = (0..=10).collect());
    let client = Client::registered(&mut ca, 1);
    let row = certificate(&mut ca, &client, key(9).as_ref(), &["a.example"]);
    for reason in [2, 6, 8, 10] {
        let got = client.post(&mut ca, REVOKE, &payload(&row, Some(json!(reason))));
        got.is("badRevocationReason", 400, &reason.to_string());
        let detail = got.json()["detail"].to_string();
        assert!(detail.contains("[0, 1, 3, 4, 5, 9]"), "{detail}");
    }
    client
        .post(&mut ca, REVOKE, &payload(&row, Some(json!(9))))
        .is("", 200, "one that a CRL may have");
}

#[test]
fn a_key_that_its_owner_called_compromised_is_blocked_when_it_is_proved() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let row = certificate(&mut ca, &client, key(9).as_ref(), &["a.example"]);
    let compromised = payload(&row, Some(json!(1)));
    client
        .post(&mut ca, REVOKE, &compromised)
        .is("", 200, "by its owner");
    let first = revocation(&ca, &row);
    assert!(!ca.has(Read::BlockedKey(row.spki_sha256)));
    ca.pass(Duration::from_secs(60));
    by_key(&mut ca, key(9), &compromised).is("", 200, "proved");
    assert!(ca.has(Read::BlockedKey(row.spki_sha256)));
    assert_eq!(revocation(&ca, &row), first);
    by_key(&mut ca, key(9), &compromised).is("alreadyRevoked", 400, "proved twice");
}
