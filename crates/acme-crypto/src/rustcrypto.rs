//! The back end in pure Rust: p256, p384, ed25519-dalek, rsa, sha2, hmac.
//!
//! Signatures are deterministic (RFC 6979, RFC 8032, RFC 8017), so a run can be replayed.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey as Ed25519Key, VerifyingKey as Ed25519Verifier};
use hmac::{Hmac, KeyInit, Mac};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use rsa::pkcs1::DecodeRsaPublicKey;
use sha2::{Digest, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use crate::private_key::PrivateKey;
use crate::signature::check_signature_syntax;
use crate::{
    CryptoError, HashAlgorithm, KeyAlgorithm, KeyPair, Provider, PublicKey, SignatureAlgorithm,
};

/// The RustCrypto back end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RustCrypto;

impl Provider for RustCrypto {
    fn hash(&self, algorithm: HashAlgorithm, message: &[u8]) -> Vec<u8> {
        match algorithm {
            HashAlgorithm::Sha256 => Sha256::digest(message).to_vec(),
            HashAlgorithm::Sha384 => Sha384::digest(message).to_vec(),
            HashAlgorithm::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    fn sha256(&self, message: &[u8]) -> [u8; 32] {
        Sha256::digest(message).into()
    }

    fn mac(&self, algorithm: HashAlgorithm, key: &[u8], message: &[u8]) -> Vec<u8> {
        match algorithm {
            HashAlgorithm::Sha256 => {
                keyed::<Hmac<Sha256>>(key, message).map(|mac| mac.finalize().into_bytes().to_vec())
            }
            HashAlgorithm::Sha384 => {
                keyed::<Hmac<Sha384>>(key, message).map(|mac| mac.finalize().into_bytes().to_vec())
            }
            HashAlgorithm::Sha512 => {
                keyed::<Hmac<Sha512>>(key, message).map(|mac| mac.finalize().into_bytes().to_vec())
            }
        }
        // HMAC takes keys of every length. An empty tag verifies nowhere.
        .unwrap_or_default()
    }

    fn verify_mac(
        &self,
        algorithm: HashAlgorithm,
        key: &[u8],
        message: &[u8],
        tag: &[u8],
    ) -> Result<(), CryptoError> {
        let verified = match algorithm {
            HashAlgorithm::Sha256 => {
                keyed::<Hmac<Sha256>>(key, message).map(|mac| mac.verify_slice(tag))
            }
            HashAlgorithm::Sha384 => {
                keyed::<Hmac<Sha384>>(key, message).map(|mac| mac.verify_slice(tag))
            }
            HashAlgorithm::Sha512 => {
                keyed::<Hmac<Sha512>>(key, message).map(|mac| mac.verify_slice(tag))
            }
        };
        match verified {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(CryptoError::BadMac),
        }
    }

    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        check_signature_syntax(algorithm, key, signature)?;
        let point = key.point().unwrap_or_default();
        match algorithm {
            SignatureAlgorithm::Es256 => verify_p256(point, &Sha256::digest(message), signature),
            SignatureAlgorithm::EcdsaP256Sha384 => {
                verify_p256(point, &Sha384::digest(message), signature)
            }
            SignatureAlgorithm::EcdsaP256Sha512 => {
                verify_p256(point, &Sha512::digest(message), signature)
            }
            SignatureAlgorithm::Es384 => verify_p384(point, &Sha384::digest(message), signature),
            SignatureAlgorithm::EcdsaP384Sha256 => {
                verify_p384(point, &Sha256::digest(message), signature)
            }
            SignatureAlgorithm::EcdsaP384Sha512 => {
                verify_p384(point, &Sha512::digest(message), signature)
            }
            SignatureAlgorithm::EdDsa => verify_ed25519(point, message, signature),
            SignatureAlgorithm::Rs256 => {
                rsa_key(key).and_then(|key| key.pkcs1v15_verify::<Sha256>(message, signature).ok())
            }
            SignatureAlgorithm::Rs384 => {
                rsa_key(key).and_then(|key| key.pkcs1v15_verify::<Sha384>(message, signature).ok())
            }
            SignatureAlgorithm::Rs512 => {
                rsa_key(key).and_then(|key| key.pkcs1v15_verify::<Sha512>(message, signature).ok())
            }
        }
        .ok_or(CryptoError::BadSignature)
    }

    fn generate(
        &self,
        algorithm: KeyAlgorithm,
        entropy: &[u8; 32],
    ) -> Result<Box<dyn KeyPair>, CryptoError> {
        pair(PrivateKey::derive(algorithm, entropy)?)
    }

    fn key_from_pkcs8_der(&self, der: &[u8]) -> Result<Box<dyn KeyPair>, CryptoError> {
        pair(PrivateKey::from_pkcs8_der(der)?)
    }
}

fn keyed<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Option<M> {
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    mac.update(message);
    Some(mac)
}

fn verify_p256(point: &[u8], hash: &[u8], signature: &[u8]) -> Option<()> {
    use p256::ecdsa::signature::hazmat::PrehashVerifier;
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    let signature = p256::ecdsa::Signature::from_slice(signature).ok()?;
    key.verify_prehash(hash, &signature).ok()
}

fn verify_p384(point: &[u8], hash: &[u8], signature: &[u8]) -> Option<()> {
    use p384::ecdsa::signature::hazmat::PrehashVerifier;
    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    let signature = p384::ecdsa::Signature::from_slice(signature).ok()?;
    key.verify_prehash(hash, &signature).ok()
}

fn verify_ed25519(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let key = Ed25519Verifier::try_from(key).ok()?;
    let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
    key.verify_strict(message, &signature).ok()
}

fn rsa_key(key: &PublicKey) -> Option<rsa::PublicKey> {
    rsa::PublicKey::from_pkcs1_der(&key.spki_key_bytes()).ok()
}

struct RustCryptoKeyPair {
    signer: Signing,
    public_key: PublicKey,
    pkcs8: Zeroizing<Vec<u8>>,
}

enum Signing {
    EcP256(p256::ecdsa::SigningKey),
    EcP384(p384::ecdsa::SigningKey),
    Ed25519(Box<Ed25519Key>),
    Rsa(Box<rsa::PrivateKey>),
}

fn pair(key: PrivateKey) -> Result<Box<dyn KeyPair>, CryptoError> {
    let public_key = key.public_key()?;
    let pkcs8 = key.to_pkcs8_der()?;
    let signer = match key {
        PrivateKey::EcP256(key) => Signing::EcP256((*key).into()),
        PrivateKey::EcP384(key) => Signing::EcP384((*key).into()),
        PrivateKey::Ed25519(key) => Signing::Ed25519(key),
        PrivateKey::Rsa(key) => Signing::Rsa(key),
    };
    Ok(Box::new(RustCryptoKeyPair {
        signer,
        public_key,
        pkcs8,
    }))
}

impl KeyPair for RustCryptoKeyPair {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match (&self.signer, algorithm) {
            (Signing::EcP256(key), SignatureAlgorithm::Es256) => {
                let signature: p256::ecdsa::Signature =
                    key.try_sign(message).map_err(|_| CryptoError::BackEnd)?;
                Ok(signature.to_bytes().to_vec())
            }
            (Signing::EcP384(key), SignatureAlgorithm::Es384) => {
                let signature: p384::ecdsa::Signature =
                    key.try_sign(message).map_err(|_| CryptoError::BackEnd)?;
                Ok(signature.to_bytes().to_vec())
            }
            (Signing::Ed25519(key), SignatureAlgorithm::EdDsa) => key
                .try_sign(message)
                .map(|signature| signature.to_bytes().to_vec())
                .map_err(|_| CryptoError::BackEnd),
            (Signing::Rsa(key), SignatureAlgorithm::Rs256) => {
                let mut rng = self.blinding(message);
                key.pkcs1v15_sign_with_rng::<Sha256, _>(&mut rng, message)
                    .map_err(|_| CryptoError::BackEnd)
            }
            (Signing::Rsa(key), SignatureAlgorithm::Rs384) => {
                let mut rng = self.blinding(message);
                key.pkcs1v15_sign_with_rng::<Sha384, _>(&mut rng, message)
                    .map_err(|_| CryptoError::BackEnd)
            }
            (Signing::Rsa(key), SignatureAlgorithm::Rs512) => {
                let mut rng = self.blinding(message);
                key.pkcs1v15_sign_with_rng::<Sha512, _>(&mut rng, message)
                    .map_err(|_| CryptoError::BackEnd)
            }
            (_, algorithm) => Err(CryptoError::AlgorithmMismatch {
                algorithm,
                key: self.public_key.kind(),
            }),
        }
    }

    fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        self.pkcs8.clone()
    }
}

impl RustCryptoKeyPair {
    /// Blinds the RSA exponentiation against timing. The factor must be unknown to others, not
    /// fresh, and doesn't show in the signature: so it comes from the key and the message.
    fn blinding(&self, message: &[u8]) -> ChaCha20Rng {
        let mut hash = Sha256::new();
        hash.update(b"acme-crypto rsa blinding 1");
        hash.update(Sha256::digest(&*self.pkcs8));
        hash.update(message);
        ChaCha20Rng::from_seed(hash.finalize().into())
    }
}

impl fmt::Debug for RustCryptoKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RustCryptoKeyPair")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}
