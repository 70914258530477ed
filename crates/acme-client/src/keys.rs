//! The keys that requests are signed with. They never enter the machine, which names them by
//! their thumbprint.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use acme_client_core::{KeyRef, SignOutcome, SigningAlgorithm, SigningInput};
use acme_crypto::aws_lc::AwsLc;
use acme_crypto::{CryptoError, KeyAlgorithm, KeyPair, Provider, PublicKey};
use acme_csr::{Csr, CsrDraft, CsrError};
use acme_jws::{Jwk, Thumbprint};
use acme_types::Identifier;
use zeroize::Zeroizing;

use crate::BoxFuture;

/// Performs [`acme_client_core::Step::Sign`]: a key in memory, in a device, at a service.
pub trait Signer: Send + Sync + 'static {
    /// A signature by this key, or a MAC.
    fn sign<'a>(&'a self, key: &'a KeyRef, input: &'a SigningInput) -> BoxFuture<'a, SignOutcome>;
}

/// Keys in memory. Cheap to clone: clones share them.
#[derive(Clone, Default)]
pub struct KeyRing {
    shared: Arc<RwLock<Keys>>,
}

#[derive(Default)]
struct Keys {
    pairs: BTreeMap<Thumbprint, Arc<dyn KeyPair>>,
    macs: BTreeMap<String, Zeroizing<Vec<u8>>>,
}

impl KeyRing {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Holds this key: an account's, or a certificate's to revoke by it.
    pub fn hold(&self, key: Arc<dyn KeyPair>) {
        let thumbprint = thumbprint(key.public_key());
        let mut keys = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        keys.pairs.insert(thumbprint, key);
    }

    /// Holds the MAC key that the CA gave with this key identifier (RFC 8555 §7.3.4).
    pub fn hold_mac(&self, kid: &str, key: &[u8]) {
        let mut keys = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        keys.macs
            .insert(kid.to_owned(), Zeroizing::new(key.to_vec()));
    }

    fn signed(&self, key: &KeyRef, input: &SigningInput) -> Option<Vec<u8>> {
        let keys = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        match (key, input.algorithm) {
            (
                KeyRef::Account(name) | KeyRef::NextAccount(name) | KeyRef::Certificate(name),
                SigningAlgorithm::Signature(algorithm),
            ) => keys.pairs.get(name)?.sign(algorithm, &input.message).ok(),
            (KeyRef::ExternalAccount(kid), SigningAlgorithm::Mac(hash)) => {
                Some(AwsLc.mac(hash, keys.macs.get(kid)?, &input.message))
            }
            (_, _) => None,
        }
    }
}

impl Signer for KeyRing {
    fn sign<'a>(&'a self, key: &'a KeyRef, input: &'a SigningInput) -> BoxFuture<'a, SignOutcome> {
        let outcome = self
            .signed(key, input)
            .map_or(SignOutcome::Failed, SignOutcome::Signed);
        Box::pin(std::future::ready(outcome))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        write!(
            f,
            "KeyRing({} keys, {} MAC keys)",
            keys.pairs.len(),
            keys.macs.len()
        )
    }
}

/// A key's name: its JWK thumbprint (RFC 7638).
pub fn thumbprint(key: &PublicKey) -> Thumbprint {
    Jwk::from_public_key(key.clone()).thumbprint(&AwsLc)
}

/// A new key pair, from the system's random source.
///
/// # Errors
/// No randomness, or the back end refuses.
pub fn generate_key(algorithm: KeyAlgorithm) -> std::io::Result<Arc<dyn KeyPair>> {
    let entropy = Zeroizing::new(crate::clock::random::<32>()?);
    AwsLc
        .generate(algorithm, &entropy)
        .map(Arc::from)
        .map_err(std::io::Error::other)
}

/// Reads a private key: PEM, PKCS#8 (RFC 7468 §10).
///
/// # Errors
/// Not such a key, or of a kind or size that is not used.
pub fn key_from_pem(pem: &str) -> Result<Arc<dyn KeyPair>, CryptoError> {
    AwsLc.key_from_pkcs8_pem(pem).map(Arc::from)
}

/// A request for a certificate of these identifiers for this key.
///
/// # Errors
/// No identifier.
pub fn certificate_request(identifiers: &[Identifier], key: &dyn KeyPair) -> Result<Csr, CsrError> {
    let algorithm = key.public_key().default_algorithm();
    let draft = CsrDraft::new(identifiers, key.public_key(), algorithm)?;
    let signature = key
        .sign(algorithm, draft.message())
        .map_err(|_| CsrError::BadSignature)?;
    draft.attach(&signature)
}
