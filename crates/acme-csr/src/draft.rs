use std::collections::BTreeSet;
use std::fmt;

use acme_crypto::{PublicKey, SignatureAlgorithm, x509_signature_bytes};
use acme_types::Identifier;
use der::{Tag, TagNumber};

use crate::attributes::EXTENSION_REQUEST;
use crate::encode::{bit_string, sequence, tlv};
use crate::error::CsrError;
use crate::{Csr, names};

/// `version INTEGER { v1(0) }`
const VERSION_1: &[u8] = &[0x02, 0x01, 0x00];
/// A Name without any attribute.
const EMPTY_NAME: &[u8] = &[0x30, 0x00];

/// A certificate signing request that waits for its signature. Sign [`CsrDraft::message`] with
/// the certificate's key and hand the signature to [`CsrDraft::attach`].
#[derive(Clone, PartialEq, Eq)]
pub struct CsrDraft {
    info: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

impl CsrDraft {
    /// Asks for these identifiers, in subjectAltName, in order, each once. The subject is empty:
    /// common names are obsolete, and too short for many a name.
    ///
    /// # Errors
    /// [`CsrError::NoIdentifier`], [`CsrError::KeyMismatch`].
    pub fn new(
        identifiers: &[Identifier],
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
    ) -> Result<Self, CsrError> {
        if identifiers.is_empty() {
            return Err(CsrError::NoIdentifier);
        }
        if !key.fits(algorithm) {
            return Err(CsrError::KeyMismatch {
                algorithm,
                key: key.kind(),
            });
        }
        let identifiers: BTreeSet<&Identifier> = identifiers.iter().collect();
        let extension = names::extension(identifiers.into_iter())?;
        let extensions = sequence([extension.as_slice()])?;
        let oid = tlv(Tag::ObjectIdentifier, EXTENSION_REQUEST.as_bytes())?;
        let attribute = sequence([oid.as_slice(), &tlv(Tag::Set, &extensions)?])?;
        let tag = Tag::ContextSpecific {
            constructed: true,
            number: TagNumber(0),
        };
        let attributes = tlv(tag, &attribute)?;
        let info = sequence([VERSION_1, EMPTY_NAME, &key.to_spki_der(), &attributes])?;
        Ok(Self { info, algorithm })
    }

    /// What is to be signed: the DER of CertificationRequestInfo (RFC 2986 §4.1).
    pub fn message(&self) -> &[u8] {
        &self.info
    }

    /// The algorithm to sign with.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The request. ECDSA signatures come as `r || s`, as [`acme_crypto::KeyPair::sign`] makes
    /// them; whether it is the key's is not checked.
    ///
    /// # Errors
    /// [`CsrError::BadSignature`] if no key can have made it; [`CsrError::TooLong`].
    pub fn attach(&self, signature: &[u8]) -> Result<Csr, CsrError> {
        Csr::parse(&signed(&self.info, self.algorithm, signature)?)
    }
}

/// `SEQUENCE { message, AlgorithmIdentifier, BIT STRING }`: requests and certificates alike.
pub(crate) fn signed(
    message: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
) -> Result<Vec<u8>, CsrError> {
    let signature =
        x509_signature_bytes(algorithm, signature).map_err(|_| CsrError::BadSignature)?;
    sequence([
        message,
        algorithm.algorithm_identifier_der(),
        &bit_string(&signature)?,
    ])
}

impl fmt::Debug for CsrDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CsrDraft({}, {} bytes)", self.algorithm, self.info.len())
    }
}
