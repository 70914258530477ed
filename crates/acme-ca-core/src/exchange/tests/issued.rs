//! What the jobs would do between the requests: validate, issue.

use std::time::Duration;

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyPair, Provider, SignatureAlgorithm};
use acme_csr::CsrDraft;
use acme_types::{AuthorizationStatus, ChallengeType, Identifier, base64url};
use serde_json::{Value, json};

use super::authority::issuer_key;
use super::client::{Client, path_of};
use super::world::Ca;
use crate::schema::{
    AuthorizationRow, CertificateRow, ChallengeState, IntentRow, OrderRow, OrderState, Read, Row,
    Serial,
};

pub(super) fn csr(key: &dyn KeyPair, names: &[&str]) -> Vec<u8> {
    let names: Vec<Identifier> = names
        .iter()
        .map(|name| Identifier::dns(name).unwrap())
        .collect();
    let algorithm = key.public_key().default_algorithm();
    let draft = CsrDraft::new(&names, key.public_key(), algorithm).unwrap();
    draft
        .attach(&key.sign(algorithm, draft.message()).unwrap())
        .unwrap()
        .as_der()
        .to_vec()
}

pub(super) fn payload(csr: &[u8]) -> Value {
    json!({ "csr": base64url::encode(csr) })
}

/// Every authorization of an order becomes valid, as its job would make it.
pub(super) fn validate(ca: &mut Ca, order: &Value) {
    for url in order["authorizations"].as_array().unwrap() {
        authorize(ca, &path_of(url), |_| {});
    }
}

pub(super) fn authorize(ca: &mut Ca, path: &str, change: impl FnOnce(&mut AuthorizationRow)) {
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    let Row::Authorization(mut row) = ca.row(Read::Authorization(id)) else {
        panic!()
    };
    row.status = AuthorizationStatus::Valid;
    row.caa_checked_at = Some(ca.now);
    row.expires = ca.now.after(Duration::from_secs(7 * 3_600));
    for challenge in &mut row.challenges {
        if challenge.kind == ChallengeType::DNS_01 {
            challenge.state = ChallengeState::Valid { validated: ca.now };
        }
    }
    change(&mut row);
    ca.put(vec![Row::Authorization(row)]);
}

/// An order that is ready: its path.
pub(super) fn ready(ca: &mut Ca, client: &Client, names: &[&str]) -> String {
    let (path, order) = client.order(ca, names);
    validate(ca, &order);
    assert_eq!(client.post_as_get(ca, &path).json()["status"], "ready");
    path
}

pub(super) fn order_row(ca: &Ca, path: &str) -> OrderRow {
    match ca.row(Read::Order(
        path.rsplit('/').next().unwrap().parse().unwrap(),
    )) {
        Row::Order(row) => row,
        other => panic!("{other:?}"),
    }
}

fn intent_row(ca: &Ca, serial: Serial) -> IntentRow {
    match ca.row(Read::Intent(serial)) {
        Row::Intent(row) => row,
        other => panic!("{other:?}"),
    }
}

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).unwrap().to_be_bytes();
    let head = match contents.len() {
        0..=0x7f => vec![tag, length[1]],
        0x80..=0xff => vec![tag, 0x81, length[1]],
        _ => vec![tag, 0x82, length[0], length[1]],
    };
    [head.as_slice(), contents].concat()
}

/// What the issuance job does with a profile without CT: the intent is signed and stored.
pub(super) fn issue(ca: &mut Ca, path: &str) -> CertificateRow {
    let order = order_row(ca, path);
    let OrderState::Processing { serial, .. } = order.state else {
        panic!("{:?}", order.state)
    };
    let intent = intent_row(ca, serial);
    let key = issuer_key();
    let fixed = key.sign(SignatureAlgorithm::Es256, &intent.tbs).unwrap();
    let signature = acme_crypto::ecdsa_der::from_fixed(&fixed).unwrap();
    let signature = tlv(0x03, &[&[0], signature.as_slice()].concat());
    let algorithm = SignatureAlgorithm::Es256.algorithm_identifier_der();
    let der = tlv(
        0x30,
        &[intent.tbs.as_slice(), algorithm, &signature].concat(),
    );
    let csr = acme_csr::Csr::parse(&intent.csr).unwrap();
    let row = CertificateRow {
        serial,
        issuer: intent.issuer,
        order: order.id,
        account: order.account,
        identifiers: intent.identifiers,
        der: Some(der),
        precertificate: None,
        spki_sha256: RustCrypto.sha256(&csr.spki_der()),
        not_before: intent.not_before,
        not_after: intent.not_after,
        shard: intent.shard,
    };
    let order = OrderRow {
        state: OrderState::Valid { serial },
        ..order
    };
    ca.put(vec![Row::Certificate(row.clone()), Row::Order(order)]);
    row
}

/// From an order to a certificate.
pub(super) fn certificate(
    ca: &mut Ca,
    client: &Client,
    key: &dyn KeyPair,
    names: &[&str],
) -> CertificateRow {
    let path = ready(ca, client, names);
    let got = client.post(ca, &format!("{path}/finalize"), &payload(&csr(key, names)));
    got.is("", 200, "finalize");
    issue(ca, &path)
}
