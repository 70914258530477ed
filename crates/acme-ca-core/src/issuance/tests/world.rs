//! A CA with keys that the tests hold: a root, two issuers, four profiles, four logs.

use std::sync::Arc;
use std::time::Duration;

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_csr::{Csr, CsrDraft};
use acme_types::{Identifier, Timestamp, Url};
use base64ct::{Base64, Encoding};

use crate::Config;
use crate::crl::CrlTiming;
use crate::issuance::correspond::without_poison;
use crate::issuance::log::tests::{log, log_key};
use crate::issuance::{
    Authority, CaName, IntermediateDraft, Issuer, LogKind, LogList, Profile, RootDraft,
};
use crate::policy::Policy;
use crate::schema::{AccountId, AuthorizationId, OrderId, OrderRow, OrderState, Serial};

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

pub(crate) fn now() -> Timestamp {
    Timestamp::from_rfc3339("2026-11-24T12:00:00.250Z").unwrap()
}

pub(crate) fn key(algorithm: KeyAlgorithm, seed: u8) -> Box<dyn KeyPair> {
    RustCrypto.generate(algorithm, &[seed; 32]).unwrap()
}

pub(crate) fn root_key() -> Box<dyn KeyPair> {
    key(KeyAlgorithm::EcP384, 0xf0)
}

/// The key of an issuer: `e1` on P-256, `e2` on P-384.
pub(crate) fn issuer_key(name: &str) -> Box<dyn KeyPair> {
    match name {
        "e1" => key(KeyAlgorithm::EcP256, 0xf1),
        "e2" => key(KeyAlgorithm::EcP384, 0xf2),
        other => panic!("{other}"),
    }
}

pub(crate) fn root() -> Vec<u8> {
    let key = root_key();
    let draft = RootDraft::new(
        &CaName::new("Test Root", Some("Test CA"), Some("DE")).unwrap(),
        key.public_key(),
        Serial::new(&[0xf0; 32]),
        (now().before(DAY), now().after(DAY * 3_650)),
        &RustCrypto,
    )
    .unwrap();
    draft
        .attach(&key.sign(draft.algorithm(), draft.message()).unwrap())
        .unwrap()
}

pub(crate) fn intermediate(name: &str) -> Vec<u8> {
    let (root_key, own_key) = (root_key(), issuer_key(name));
    let url = |path: &str| Url::parse(&format!("http://pub.ca.example.com/{path}")).unwrap();
    let draft = IntermediateDraft::new(
        &root(),
        &CaName::new(&format!("Test {name}"), Some("Test CA"), Some("DE")).unwrap(),
        own_key.public_key(),
        Serial::new(&[0xf3; 32]),
        (now().before(DAY), now().after(DAY * 1_825)),
        Some(&url("root")),
        Some(&url("root.crl")),
        &RustCrypto,
    )
    .unwrap();
    draft
        .attach(&root_key.sign(draft.algorithm(), draft.message()).unwrap())
        .unwrap()
}

pub(crate) fn issuer(name: &str) -> Issuer {
    let shards = if name == "e1" { 0..=3 } else { 4..=7 };
    Issuer::new(name, &intermediate(name), &[root()], shards, &RustCrypto).unwrap()
}

pub(crate) fn logs() -> LogList {
    let logs = vec![
        log("a", LogKind::Tiled, 1),
        log("a", LogKind::Rfc6962, 2),
        log("b", LogKind::Tiled, 3),
        log("b", LogKind::Rfc6962, 4),
    ];
    LogList {
        logs,
        fresh_until: Some(now().after(DAY * 10)),
    }
}

pub(crate) fn config() -> Config {
    let profiles = vec![
        Profile::private(),
        Profile::classic(),
        Profile::tlsserver(),
        Profile::shortlived(),
    ];
    let issuers = vec![issuer("e1"), issuer("e2")];
    Config {
        base: Url::parse("https://ca.example").unwrap(),
        publication_base: Url::parse("http://pub.ca.example.com").unwrap(),
        provider: Arc::new(RustCrypto),
        policy: Policy::private(),
        authority: Authority::new(issuers, profiles, logs(), CrlTiming::default()).unwrap(),
    }
}

pub(crate) fn identifiers(names: &[&str]) -> Vec<Identifier> {
    let read = |name: &&str| match name.parse() {
        Ok(address) => Identifier::ip(address),
        Err(_) => Identifier::dns(name).unwrap(),
    };
    let mut identifiers: Vec<Identifier> = names.iter().map(read).collect();
    identifiers.sort();
    identifiers
}

pub(crate) fn csr(names: &[&str], key: &dyn KeyPair) -> Csr {
    let algorithm = key.public_key().default_algorithm();
    let draft = CsrDraft::new(&identifiers(names), key.public_key(), algorithm).unwrap();
    draft
        .attach(&key.sign(algorithm, draft.message()).unwrap())
        .unwrap()
}

pub(crate) fn order(profile: &str, names: &[&str]) -> OrderRow {
    let identifiers = identifiers(names);
    let ids = 0..u8::try_from(identifiers.len()).unwrap();
    OrderRow {
        id: OrderId::new(now(), &[1; 32]),
        account: AccountId::new(now(), &[2; 32]),
        authorizations: ids
            .map(|id| AuthorizationId::new(now(), &[id; 32]))
            .collect(),
        identifiers,
        not_before: None,
        not_after: None,
        profile: profile.into(),
        profile_requested: true,
        replaces: None,
        created_at: now(),
        expires: now().after(DAY),
        state: OrderState::Open,
    }
}

/// What the log of this seed replies to a precertificate.
pub(crate) fn sct_reply(
    seed: u8,
    issuer: &Issuer,
    precertificate_tbs: &[u8],
    at: Timestamp,
    extensions: &[u8],
) -> Vec<u8> {
    let key = log_key(seed);
    let tbs = without_poison(precertificate_tbs).unwrap();
    let mut message = vec![0, 0];
    message.extend(at.as_millis().to_be_bytes());
    message.extend([0, 1]);
    message.extend(issuer.key_hash());
    message.extend(&u32::try_from(tbs.len()).unwrap().to_be_bytes()[1..]);
    message.extend(&tbs);
    message.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    message.extend(extensions);
    let algorithm = key.public_key().default_algorithm();
    let fixed = key.sign(algorithm, &message).unwrap();
    let der = acme_crypto::x509_signature_bytes(algorithm, &fixed).unwrap();
    let mut signed = vec![4, 3];
    signed.extend(u16::try_from(der.len()).unwrap().to_be_bytes());
    signed.extend(der);
    let id = RustCrypto.sha256(&key.public_key().to_spki_der());
    let encode = |bytes: &[u8]| Base64::encode_string(bytes);
    format!(
        r#"{{"sct_version":0,"id":"{}","timestamp":{},"extensions":"{}","signature":"{}"}}"#,
        encode(&id),
        at.as_millis(),
        encode(extensions),
        encode(&signed)
    )
    .into_bytes()
}
