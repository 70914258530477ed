//! Shared set-up of the benches: keys of every kind on both back ends, signed requests, and a CA on
//! the reference store. Everything is made from fixed entropy, so that two runs measure the same.

mod ca;

use std::error::Error;

use acme_crypto::aws_lc::AwsLc;
use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_csr::{Csr, CsrDraft};
use acme_jws::{Draft, Signer};
use acme_types::{Identifier, Nonce, Timestamp, Url};

pub use ca::{BASE, Ca};

/// When everything happens.
pub const NOW: Timestamp = Timestamp::from_secs(1_795_500_000);

/// What goes wrong while a bench is set up.
pub type Failed = Box<dyn Error>;

/// Both back ends, by name.
pub fn providers() -> [(&'static str, &'static dyn Provider); 2] {
    [("rustcrypto", &RustCrypto), ("aws-lc-rs", &AwsLc)]
}

/// The kinds of account keys, by the name of their JWS algorithm.
pub const ACCOUNT_KEYS: [(&str, KeyAlgorithm); 3] = [
    ("ES256", KeyAlgorithm::EcP256),
    ("EdDSA", KeyAlgorithm::Ed25519),
    ("RS256", KeyAlgorithm::Rsa2048),
];

/// The same key in every run and for every back end.
///
/// # Errors
/// The back end can't make it.
pub fn key(algorithm: KeyAlgorithm) -> Result<Box<dyn KeyPair>, Failed> {
    Ok(RustCrypto.generate(algorithm, &[7; 32])?)
}

/// A request body.
///
/// # Errors
/// The key can't sign.
pub fn signed(
    key: &dyn KeyPair,
    signer: &Signer,
    nonce: Nonce,
    url: &Url,
    payload: &[u8],
) -> Result<Vec<u8>, Failed> {
    let algorithm = key.public_key().default_algorithm();
    let draft = Draft::new(algorithm, signer, Some(nonce), url, payload);
    Ok(draft.attach(&key.sign(algorithm, draft.signing_input())?))
}

/// A request for a certificate of so many names.
///
/// # Errors
/// The key can't sign, or there are too many names.
pub fn csr(key: &dyn KeyPair, names: usize) -> Result<Csr, Failed> {
    let names: Result<Vec<_>, _> = (0..names)
        .map(|number| Identifier::dns(&format!("host-{number}.example.com")))
        .collect();
    let algorithm = key.public_key().default_algorithm();
    let draft = CsrDraft::new(&names?, key.public_key(), algorithm)?;
    Ok(draft.attach(&key.sign(algorithm, draft.message())?)?)
}
