//! `digitally-signed` (RFC 5246 §4.7) with the algorithms of RFC 6962 §2.1.4.

use acme_crypto::{
    CryptoError, KeyPair, Provider, PublicKey, SignatureAlgorithm, fixed_signature_from_x509,
    x509_signature_bytes,
};

use super::tls_encoding::{EncodingError, Reader, put_vector16};

/// `HashAlgorithm.sha256` (RFC 5246 §7.4.1.4.1).
const SHA256: u8 = 4;
/// `SignatureAlgorithm.rsa`.
const RSA: u8 = 1;
/// `SignatureAlgorithm.ecdsa`.
const ECDSA: u8 = 3;

/// Why a signature of a log is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The structure that was signed has no encoding.
    #[error("what was signed has no encoding")]
    Encoding(EncodingError),
    /// The signature was made by another log.
    #[error("another log made it")]
    LogId,
    /// The signature doesn't fit the key or what was signed.
    #[error("the signature is wrong")]
    Signature(CryptoError),
}

/// A signature with its algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigitallySigned {
    algorithm: SignatureAlgorithm,
    /// As in X.509: DER for ECDSA.
    signature: Vec<u8>,
}

impl DigitallySigned {
    /// Signs with a key that a log may have: P-256, or RSA.
    ///
    /// # Errors
    /// When the key can't make such a signature.
    pub fn sign(key: &dyn KeyPair, message: &[u8]) -> Result<DigitallySigned, CryptoError> {
        let default = key.public_key().default_algorithm();
        let algorithm = match default {
            SignatureAlgorithm::Rs256 => SignatureAlgorithm::Rs256,
            _ => SignatureAlgorithm::Es256,
        };
        let fixed = key.sign(algorithm, message)?;
        Ok(DigitallySigned {
            algorithm,
            signature: x509_signature_bytes(algorithm, &fixed)?,
        })
    }

    /// Checks that this key signed the message.
    ///
    /// # Errors
    /// [`SignatureError::Signature`] when it didn't.
    pub fn verify(
        &self,
        provider: &dyn Provider,
        key: &PublicKey,
        message: &[u8],
    ) -> Result<(), SignatureError> {
        let verify = || {
            let fixed = fixed_signature_from_x509(self.algorithm, &self.signature)?;
            provider.verify(self.algorithm, key, message, &fixed)
        };
        verify().map_err(SignatureError::Signature)
    }

    /// Reads the whole of `bytes`.
    ///
    /// # Errors
    /// When they are no such structure, or name an algorithm that logs don't have.
    pub fn decode(bytes: &[u8]) -> Result<DigitallySigned, EncodingError> {
        let mut reader = Reader::new(bytes);
        let signed = DigitallySigned::read(&mut reader)?;
        reader.end()?;
        Ok(signed)
    }

    /// Its bytes.
    ///
    /// # Errors
    /// When the signature is longer than 65535 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, EncodingError> {
        let kind = if self.algorithm == SignatureAlgorithm::Rs256 {
            RSA
        } else {
            ECDSA
        };
        let mut output = vec![SHA256, kind];
        put_vector16(&mut output, &self.signature)?;
        Ok(output)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<DigitallySigned, EncodingError> {
        let algorithm = match (reader.u8()?, reader.u8()?) {
            (SHA256, ECDSA) => SignatureAlgorithm::Es256,
            (SHA256, RSA) => SignatureAlgorithm::Rs256,
            _ => return Err(EncodingError::Unknown),
        };
        Ok(DigitallySigned {
            algorithm,
            signature: reader.vector16()?.to_vec(),
        })
    }
}
