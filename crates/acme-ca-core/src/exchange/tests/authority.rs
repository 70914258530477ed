//! An authority with keys that the tests hold: a root, an intermediate, two profiles.

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_types::Timestamp;

use crate::crl::CrlTiming;
use crate::issuance::{
    Authority, CaName, IntermediateDraft, Issuer, LogList, Profile, ProfileParts, RootDraft,
};
use crate::schema::Serial;

pub(super) const ISSUER: &str = "e1";

fn key(seed: u8) -> Box<dyn KeyPair> {
    RustCrypto
        .generate(KeyAlgorithm::EcP256, &[seed; 32])
        .unwrap()
}

/// The key that signs for [`ISSUER`].
pub(super) fn issuer_key() -> Box<dyn KeyPair> {
    key(0xf1)
}

pub(super) fn authority(now: Timestamp) -> Authority {
    let year = |count: u32| now.after(std::time::Duration::from_secs(365 * 86_400) * count);
    let (root_key, issuer_key) = (key(0xf0), issuer_key());
    let draft = RootDraft::new(
        &CaName::new("Test Root", None, None).unwrap(),
        root_key.public_key(),
        Serial::new(&[0xf0; 32]),
        (now.before(std::time::Duration::from_secs(86_400)), year(20)),
        &RustCrypto,
    )
    .unwrap();
    let root = draft
        .attach(&root_key.sign(draft.algorithm(), draft.message()).unwrap())
        .unwrap();
    let draft = IntermediateDraft::new(
        &root,
        &CaName::new("Test E1", None, None).unwrap(),
        issuer_key.public_key(),
        Serial::new(&[0xf1; 32]),
        (now.before(std::time::Duration::from_secs(86_400)), year(10)),
        None,
        None,
        &RustCrypto,
    )
    .unwrap();
    let der = draft
        .attach(&root_key.sign(draft.algorithm(), draft.message()).unwrap())
        .unwrap();
    let issuer = Issuer::new(ISSUER, &der, &[root], 0..=3, &RustCrypto).unwrap();
    let small = ProfileParts {
        name: "small".into(),
        names_max: 2,
        ..ProfileParts::private()
    };
    let profiles = vec![Profile::private(), Profile::try_from(small).unwrap()];
    Authority::new(
        vec![issuer],
        profiles,
        LogList::default(),
        CrlTiming::default(),
    )
    .unwrap()
}
