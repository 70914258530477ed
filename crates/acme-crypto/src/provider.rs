use std::fmt::Debug;

use pkcs8::{LineEnding, SecretDocument};
use zeroize::Zeroizing;

use crate::{CryptoError, HashAlgorithm, KeyAlgorithm, PublicKey, SignatureAlgorithm};

/// The label of a PKCS#8 key in PEM (RFC 7468 §10).
const PEM_LABEL: &str = "PRIVATE KEY";

/// A cryptographic back end: hash, MAC and verify, and key pairs for whoever performs the
/// signing effect.
///
/// Verification is strict and the same in all back ends of this crate: ECDSA halves in `1..n`
/// at fixed width; Ed25519 canonical and without points of low order (RFC 8032 §5.1.7, not
/// cofactored); RSASSA-PKCS1-v1_5 with exactly one encoding (RFC 8017 §8.2.2).
pub trait Provider: Send + Sync + Debug + 'static {
    /// The hash of `message`, [`HashAlgorithm::output_len`] bytes.
    fn hash(&self, algorithm: HashAlgorithm, message: &[u8]) -> Vec<u8>;

    /// SHA-256 of `message`.
    fn sha256(&self, message: &[u8]) -> [u8; 32];

    /// HMAC (RFC 2104) of `message` under `key`, which may have any length.
    fn mac(&self, algorithm: HashAlgorithm, key: &[u8], message: &[u8]) -> Vec<u8>;

    /// Whether `tag` is the full HMAC of `message` under `key`; compared in constant time.
    fn verify_mac(
        &self,
        algorithm: HashAlgorithm,
        key: &[u8],
        message: &[u8],
        tag: &[u8],
    ) -> Result<(), CryptoError>;

    /// Whether `signature` was made by `key` over `message`.
    ///
    /// [`CryptoError::AlgorithmMismatch`] if the algorithm doesn't fit the key,
    /// [`CryptoError::BadSignature`] for every other reason.
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError>;

    /// A key pair that is a function of `entropy`, the same in all back ends. So 32 bytes from a
    /// good random source are used for one key pair only, and are as secret as the key.
    fn generate(
        &self,
        algorithm: KeyAlgorithm,
        entropy: &[u8; 32],
    ) -> Result<Box<dyn KeyPair>, CryptoError>;

    /// Reads a private key from the DER of PKCS#8 (RFC 5958), of a type and size that
    /// [`PublicKey`] accepts. A public key beside it must be its own.
    fn key_from_pkcs8_der(&self, der: &[u8]) -> Result<Box<dyn KeyPair>, CryptoError>;

    /// Reads a private key from PEM, label `PRIVATE KEY` (RFC 7468 §10).
    fn key_from_pkcs8_pem(&self, pem: &str) -> Result<Box<dyn KeyPair>, CryptoError> {
        let (label, document) = SecretDocument::from_pem(pem).map_err(|_| CryptoError::Pem)?;
        if label != PEM_LABEL {
            return Err(CryptoError::Pem);
        }
        self.key_from_pkcs8_der(document.as_bytes())
    }
}

/// A private key in memory, with its public key. `Debug` shows only the latter; the private
/// part is wiped when it is dropped.
pub trait KeyPair: Send + Sync + Debug + 'static {
    /// The public key.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message`. ECDSA signatures come as `r || s` (RFC 7518 §3.4).
    ///
    /// [`CryptoError::AlgorithmMismatch`] if the algorithm doesn't fit the key, or isn't in
    /// [`SignatureAlgorithm::ALL`].
    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// The private key as the DER of PKCS#8, in the first version, which everyone reads.
    fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>>;

    /// The private key as PEM, label `PRIVATE KEY`, lines ended by LF.
    fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        let der = self.to_pkcs8_der();
        // Both steps only fail beyond a length of 256 MiB, which no key has.
        SecretDocument::try_from(der.as_slice())
            .and_then(|document| document.to_pem(PEM_LABEL, LineEnding::LF))
            .unwrap_or_default()
    }
}
