//! The back end over AWS-LC: several times faster, needs a C compiler to build.
//!
//! ECDSA signatures are randomised. Private keys are derived, read and checked by the same
//! code as in the other back end, then imported.

use std::fmt;

use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P256_SHA384_ASN1,
    ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P384_SHA512_ASN1, ED25519, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaEncoding,
    RsaKeyPair, VerificationAlgorithm,
};
use aws_lc_rs::{digest, hmac};
use zeroize::Zeroizing;

use crate::private_key::PrivateKey;
use crate::signature::check_signature_syntax;
use crate::{
    CryptoError, HashAlgorithm, KeyAlgorithm, KeyKind, KeyPair, Provider, PublicKey,
    SignatureAlgorithm, x509_signature_bytes,
};

/// The AWS-LC back end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AwsLc;

impl Provider for AwsLc {
    fn hash(&self, algorithm: HashAlgorithm, message: &[u8]) -> Vec<u8> {
        let algorithm = match algorithm {
            HashAlgorithm::Sha256 => &digest::SHA256,
            HashAlgorithm::Sha384 => &digest::SHA384,
            HashAlgorithm::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, message).as_ref().to_vec()
    }

    fn sha256(&self, message: &[u8]) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, message).as_ref());
        hash
    }

    fn mac(&self, algorithm: HashAlgorithm, key: &[u8], message: &[u8]) -> Vec<u8> {
        hmac::sign(&mac_key(algorithm, key), message)
            .as_ref()
            .to_vec()
    }

    fn verify_mac(
        &self,
        algorithm: HashAlgorithm,
        key: &[u8],
        message: &[u8],
        tag: &[u8],
    ) -> Result<(), CryptoError> {
        hmac::verify(&mac_key(algorithm, key), message, tag).map_err(|_| CryptoError::BadMac)
    }

    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        check_signature_syntax(algorithm, key, signature)?;
        let verifier: &dyn VerificationAlgorithm = match algorithm {
            SignatureAlgorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
            SignatureAlgorithm::Es384 => &ECDSA_P384_SHA384_FIXED,
            SignatureAlgorithm::EdDsa => &ED25519,
            SignatureAlgorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            SignatureAlgorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            SignatureAlgorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
            // These exist for DER only.
            SignatureAlgorithm::EcdsaP256Sha384 => &ECDSA_P256_SHA384_ASN1,
            SignatureAlgorithm::EcdsaP256Sha512 => &ECDSA_P256_SHA512_ASN1,
            SignatureAlgorithm::EcdsaP384Sha256 => &ECDSA_P384_SHA256_ASN1,
            SignatureAlgorithm::EcdsaP384Sha512 => &ECDSA_P384_SHA512_ASN1,
        };
        let der = match SignatureAlgorithm::ONLY_X509.contains(&algorithm) {
            true => Some(x509_signature_bytes(algorithm, signature)?),
            false => None,
        };
        let signature = der.as_deref().unwrap_or(signature);
        let bytes = key.spki_key_bytes();
        verifier
            .verify_sig(&bytes, message, signature)
            .map_err(|_| CryptoError::BadSignature)
    }

    fn generate(
        &self,
        algorithm: KeyAlgorithm,
        entropy: &[u8; 32],
    ) -> Result<Box<dyn KeyPair>, CryptoError> {
        import(PrivateKey::derive(algorithm, entropy)?)
    }

    fn key_from_pkcs8_der(&self, der: &[u8]) -> Result<Box<dyn KeyPair>, CryptoError> {
        import(PrivateKey::from_pkcs8_der(der)?)
    }
}

fn mac_key(algorithm: HashAlgorithm, key: &[u8]) -> hmac::Key {
    let algorithm = match algorithm {
        HashAlgorithm::Sha256 => hmac::HMAC_SHA256,
        HashAlgorithm::Sha384 => hmac::HMAC_SHA384,
        HashAlgorithm::Sha512 => hmac::HMAC_SHA512,
    };
    hmac::Key::new(algorithm, key)
}

struct AwsLcKeyPair {
    signer: Signing,
    public_key: PublicKey,
    pkcs8: Zeroizing<Vec<u8>>,
}

enum Signing {
    /// The key pair knows its curve and hash.
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

fn import(key: PrivateKey) -> Result<Box<dyn KeyPair>, CryptoError> {
    let public_key = key.public_key()?;
    let pkcs8 = key.to_pkcs8_der()?;
    let signer = match public_key.kind() {
        KeyKind::EcP256 => import_ec(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8),
        KeyKind::EcP384 => import_ec(&ECDSA_P384_SHA384_FIXED_SIGNING, &pkcs8),
        // "Maybe unchecked": the first version of PKCS#8 has no public key to compare with, and
        // the one above was derived from this very private key.
        KeyKind::Ed25519 => {
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).map(Signing::Ed25519)
        }
        KeyKind::Rsa => RsaKeyPair::from_pkcs8(&pkcs8).map(Signing::Rsa),
    }
    .map_err(|_| CryptoError::MalformedPrivateKey)?;
    Ok(Box::new(AwsLcKeyPair {
        signer,
        public_key,
        pkcs8,
    }))
}

fn import_ec(
    algorithm: &'static EcdsaSigningAlgorithm,
    pkcs8: &[u8],
) -> Result<Signing, KeyRejected> {
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).map(Signing::Ec)
}

impl KeyPair for AwsLcKeyPair {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if !self.public_key.fits(algorithm) || !SignatureAlgorithm::ALL.contains(&algorithm) {
            let key = self.public_key.kind();
            return Err(CryptoError::AlgorithmMismatch { algorithm, key });
        }
        match &self.signer {
            Signing::Ec(key) => key
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec()),
            Signing::Ed25519(key) => key
                .try_sign(message)
                .map(|signature| signature.as_ref().to_vec()),
            Signing::Rsa(key) => sign_rsa(key, algorithm, message),
        }
        .map_err(|_| CryptoError::BackEnd)
    }

    fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        self.pkcs8.clone()
    }
}

fn sign_rsa(
    key: &RsaKeyPair,
    algorithm: SignatureAlgorithm,
    message: &[u8],
) -> Result<Vec<u8>, Unspecified> {
    let encoding: &'static dyn RsaEncoding = match algorithm {
        SignatureAlgorithm::Rs256 => &RSA_PKCS1_SHA256,
        SignatureAlgorithm::Rs384 => &RSA_PKCS1_SHA384,
        SignatureAlgorithm::Rs512 => &RSA_PKCS1_SHA512,
        _ => return Err(Unspecified),
    };
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), message, &mut signature)?;
    Ok(signature)
}

impl fmt::Debug for AwsLcKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsLcKeyPair")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}
