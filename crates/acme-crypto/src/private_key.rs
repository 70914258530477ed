//! Private keys, read, derived and written in one place for all back ends, so that they accept
//! the same keys and make the same ones of the same entropy.

use ed25519_dalek::SigningKey as Ed25519Key;
use p256::elliptic_curve::sec1::ToSec1Point;
use pkcs8::{DecodePrivateKey, EncodePrivateKey, ObjectIdentifier, PrivateKeyInfoRef};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use rsa::traits::PublicKeyParts;
use sha2::{Digest, Sha256, Sha384};
use zeroize::Zeroizing;

use crate::{CryptoError, Curve, KeyAlgorithm, PublicKey};

/// id-ecPublicKey (RFC 5480 §2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// secp256r1 (RFC 5480 §2.1.1.1).
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// secp384r1 (RFC 5480 §2.1.1.1).
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
/// id-Ed25519 (RFC 8410 §3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// rsaEncryption (RFC 8017 §A.1).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// A key with 4096 bits takes 2,375 bytes; attributes beside it (RFC 5958 §2) need some room.
const PKCS8_LEN_MAX: usize = 4_096;
/// A hash is no scalar with a chance below 2^-32 on P-256 (2^-190 on P-384), so four misses in
/// a row don't happen.
const SCALAR_TRIES_MAX: u8 = 4;
/// Sets these hashes apart from every other use of the same entropy.
const DERIVATION_LABEL: &[u8] = b"acme-crypto key derivation 1";

/// A private key of an accepted type. Wiped when dropped. Has no `Debug` on purpose.
pub(crate) enum PrivateKey {
    EcP256(Box<p256::SecretKey>),
    EcP384(Box<p384::SecretKey>),
    Ed25519(Box<Ed25519Key>),
    Rsa(Box<rsa::PrivateKey>),
}

impl PrivateKey {
    /// Reads PKCS#8, and checks that public and private part belong together.
    pub(crate) fn from_pkcs8_der(der: &[u8]) -> Result<Self, CryptoError> {
        if der.len() > PKCS8_LEN_MAX {
            return Err(CryptoError::MalformedPrivateKey);
        }
        let info =
            PrivateKeyInfoRef::try_from(der).map_err(|_| CryptoError::MalformedPrivateKey)?;
        match info.algorithm.oid {
            EC_PUBLIC_KEY => match info.algorithm.parameters_oid() {
                Ok(SECP256R1) => boxed(p256::SecretKey::from_pkcs8_der(der), Self::EcP256),
                Ok(SECP384R1) => boxed(p384::SecretKey::from_pkcs8_der(der), Self::EcP384),
                Ok(_) | Err(_) => Err(CryptoError::UnsupportedPrivateKey),
            },
            ED25519 => boxed(Ed25519Key::from_pkcs8_der(der), Self::Ed25519),
            RSA_ENCRYPTION => boxed(rsa::PrivateKey::from_pkcs8_der(der), Self::Rsa),
            _ => Err(CryptoError::UnsupportedPrivateKey),
        }
    }

    /// The key that `entropy` stands for.
    pub(crate) fn derive(algorithm: KeyAlgorithm, entropy: &[u8; 32]) -> Result<Self, CryptoError> {
        match algorithm {
            KeyAlgorithm::EcP256 => derive_scalar(|attempt| {
                let scalar = expand::<Sha256>(b"P-256", attempt, entropy);
                p256::SecretKey::from_slice(&scalar).ok()
            })
            .map(|key| Self::EcP256(Box::new(key))),
            KeyAlgorithm::EcP384 => derive_scalar(|attempt| {
                let scalar = expand::<Sha384>(b"P-384", attempt, entropy);
                p384::SecretKey::from_slice(&scalar).ok()
            })
            .map(|key| Self::EcP384(Box::new(key))),
            KeyAlgorithm::Ed25519 => {
                let seed = seed(b"Ed25519", entropy)?;
                Ok(Self::Ed25519(Box::new(Ed25519Key::from_bytes(&seed))))
            }
            KeyAlgorithm::Rsa2048 => derive_rsa(2048, entropy),
            KeyAlgorithm::Rsa3072 => derive_rsa(3072, entropy),
            KeyAlgorithm::Rsa4096 => derive_rsa(4096, entropy),
        }
    }

    /// The public key, with all its checks; a private key whose public key is refused is
    /// refused too.
    pub(crate) fn public_key(&self) -> Result<PublicKey, CryptoError> {
        let key = match self {
            Self::EcP256(key) => {
                let point = key.public_key().to_sec1_point(false);
                PublicKey::from_uncompressed(Curve::P256, point.as_bytes())
            }
            Self::EcP384(key) => {
                let point = key.public_key().to_sec1_point(false);
                PublicKey::from_uncompressed(Curve::P384, point.as_bytes())
            }
            Self::Ed25519(key) => PublicKey::from_ed25519(key.verifying_key().as_bytes()),
            Self::Rsa(key) => PublicKey::from_rsa(&key.n_bytes(), &key.e_bytes()),
        };
        Ok(key?)
    }

    /// PKCS#8, first version.
    pub(crate) fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let document = match self {
            Self::EcP256(key) => key.to_pkcs8_der(),
            Self::EcP384(key) => key.to_pkcs8_der(),
            Self::Ed25519(key) => ed25519_pkcs8(key),
            Self::Rsa(key) => key.to_pkcs8_der(),
        };
        document
            .map(|document| document.to_bytes())
            .map_err(|_| CryptoError::BackEnd)
    }
}

fn boxed<K>(
    read: pkcs8::Result<K>,
    wrap: fn(Box<K>) -> PrivateKey,
) -> Result<PrivateKey, CryptoError> {
    read.map(|key| wrap(Box::new(key)))
        .map_err(|_| CryptoError::MalformedPrivateKey)
}

/// The first hash that is a scalar in `1..n`: rejection, so that there is no bias.
fn derive_scalar<K>(mut candidate: impl FnMut(u8) -> Option<K>) -> Result<K, CryptoError> {
    (0..SCALAR_TRIES_MAX)
        .find_map(&mut candidate)
        .ok_or(CryptoError::BackEnd)
}

fn derive_rsa(bits: usize, entropy: &[u8; 32]) -> Result<PrivateKey, CryptoError> {
    // The size is part of the purpose: keys of two sizes share no prime candidate.
    let purpose = [b"RSA ".as_slice(), bits.to_string().as_bytes()].concat();
    let mut rng = ChaCha20Rng::from_seed(*seed(&purpose, entropy)?);
    let key = rsa::PrivateKey::new(&mut rng, bits).map_err(|_| CryptoError::BackEnd)?;
    Ok(PrivateKey::Rsa(Box::new(key)))
}

fn seed(purpose: &[u8], entropy: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
    let hash = expand::<Sha256>(purpose, 0, entropy);
    hash.as_slice()
        .try_into()
        .map(Zeroizing::new)
        .map_err(|_| CryptoError::BackEnd)
}

/// Each part but the last has a fixed length or is followed by a zero byte, which no purpose
/// contains: two purposes never hash the same input.
fn expand<D: Digest>(purpose: &[u8], attempt: u8, entropy: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    let mut hash = D::new();
    hash.update(DERIVATION_LABEL);
    hash.update(purpose);
    hash.update([0, attempt]);
    hash.update(entropy);
    Zeroizing::new(hash.finalize().to_vec())
}

/// Without the public key, which only the second version of PKCS#8 can hold.
fn ed25519_pkcs8(key: &Ed25519Key) -> pkcs8::Result<pkcs8::SecretDocument> {
    let pair = ed25519_dalek::pkcs8::KeypairBytes {
        secret_key: key.to_bytes(),
        public_key: None,
    };
    pair.to_pkcs8_der()
}
