use std::collections::BTreeSet;
use std::fmt;

use acme_crypto::{Provider, PublicKey, SignatureAlgorithm, fixed_signature_from_x509};
use acme_types::Identifier;
use der::asn1::BitStringRef;
use der::{Decode, Reader, SliceReader};

use crate::error::CsrError;
use crate::extension::Extension;
use crate::{attributes, names, subject};

/// The longest request that is read, in bytes. A hundred names of 253 bytes, the subject and an
/// RSA key of 4096 bits fit.
pub const CSR_LEN_MAX: usize = 32 * 1_024;

/// A certificate signing request that is well formed (PKCS#10, RFC 2986): its key is one that is
/// accepted, and every name in it is an identifier. That the key signed it is not known until
/// [`Csr::verify`] says so.
///
/// `Debug` shows key and identifiers only.
#[derive(Clone, PartialEq, Eq)]
pub struct Csr {
    der: Vec<u8>,
    info: Vec<u8>,
    public_key: PublicKey,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    identifiers: BTreeSet<Identifier>,
    extensions: Vec<Extension>,
}

impl Csr {
    /// Reads the DER of a request, with nothing after it.
    ///
    /// Identifiers are the names in subjectAltName and the common name, if there is one (RFC 8555
    /// §7.4), in lower case, each once. Everything else in the subject is ignored, and so are
    /// attributes other than extensionRequest.
    ///
    /// # Errors
    /// Every [`CsrError`] but [`CsrError::BadSignature`].
    pub fn parse(der: &[u8]) -> Result<Self, CsrError> {
        if der.len() > CSR_LEN_MAX {
            return Err(CsrError::TooLong);
        }
        let outer = Outer::read(der)?;
        let inner = Inner::read(outer.info)?;
        let public_key = PublicKey::from_spki_der(inner.spki).map_err(CsrError::PublicKey)?;
        let algorithm = algorithm(outer.algorithm, &public_key)?;
        let extensions = attributes::requested_extensions(inner.attributes)?;
        let mut identifiers = names::alternative_names(&extensions)?;
        identifiers.extend(subject::common_name(inner.subject)?.map(Identifier::Dns));
        if identifiers.is_empty() {
            return Err(CsrError::NoIdentifier);
        }
        Ok(Self {
            der: der.to_vec(),
            info: outer.info.to_vec(),
            public_key,
            algorithm,
            signature: outer.signature.to_vec(),
            identifiers,
            extensions,
        })
    }

    /// The request, as it came.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The key that is to be certified.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The DER of its SubjectPublicKeyInfo. An accepted key has only one, so this is what stands
    /// in the request.
    pub fn spki_der(&self) -> Vec<u8> {
        self.public_key.to_spki_der()
    }

    /// The algorithm of the signature.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// What is asked for; never empty.
    pub const fn identifiers(&self) -> &BTreeSet<Identifier> {
        &self.identifiers
    }

    /// The extensions that are asked for, subjectAltName among them, in their order.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// Whether the request's own key signed it.
    ///
    /// # Errors
    /// [`CsrError::BadSignature`].
    pub fn verify(&self, provider: &dyn Provider) -> Result<(), CsrError> {
        let signature = fixed_signature_from_x509(self.algorithm, &self.signature)
            .map_err(|_| CsrError::BadSignature)?;
        provider
            .verify(self.algorithm, &self.public_key, &self.info, &signature)
            .map_err(|_| CsrError::BadSignature)
    }
}

impl fmt::Debug for Csr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Csr")
            .field("public_key", &self.public_key)
            .field("identifiers", &self.identifiers)
            .finish_non_exhaustive()
    }
}

fn algorithm(der: &[u8], key: &PublicKey) -> Result<SignatureAlgorithm, CsrError> {
    if let Some(algorithm) = SignatureAlgorithm::from_x509(der, key.kind()) {
        return Ok(algorithm);
    }
    match SignatureAlgorithm::from_algorithm_identifier_der(der) {
        Some(algorithm) => Err(CsrError::KeyMismatch {
            algorithm,
            key: key.kind(),
        }),
        None => Err(CsrError::SignatureAlgorithm),
    }
}

/// ```text
/// CertificationRequest ::= SEQUENCE {
///     certificationRequestInfo CertificationRequestInfo,
///     signatureAlgorithm       AlgorithmIdentifier,
///     signature                BIT STRING }
/// ```
struct Outer<'a> {
    info: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Outer<'a> {
    fn read(der: &'a [u8]) -> Result<Self, CsrError> {
        let mut reader = SliceReader::new(der)?;
        let (info, algorithm, signature) = reader.sequence(|reader| {
            let parts = (
                reader.tlv_bytes()?,
                reader.tlv_bytes()?,
                BitStringRef::decode(reader)?,
            );
            Ok::<_, der::Error>(parts)
        })?;
        reader.finish()?;
        let signature = signature
            .as_bytes()
            .ok_or(CsrError::Malformed { position: None })?;
        Ok(Self {
            info,
            algorithm,
            signature,
        })
    }
}

/// ```text
/// CertificationRequestInfo ::= SEQUENCE {
///     version       INTEGER { v1(0) },
///     subject       Name,
///     subjectPKInfo SubjectPublicKeyInfo,
///     attributes    [0] IMPLICIT SET OF Attribute }
/// ```
struct Inner<'a> {
    subject: &'a [u8],
    spki: &'a [u8],
    attributes: &'a [u8],
}

impl<'a> Inner<'a> {
    fn read(info: &'a [u8]) -> Result<Self, CsrError> {
        let mut reader = SliceReader::new(info)?;
        let (version, subject, spki, attributes) = reader.sequence(|reader| {
            let version = u8::decode(reader)?;
            let parts = (
                reader.tlv_bytes()?,
                reader.tlv_bytes()?,
                reader.tlv_bytes()?,
            );
            Ok::<_, der::Error>((version, parts.0, parts.1, parts.2))
        })?;
        reader.finish()?;
        if version != 0 {
            return Err(CsrError::Version);
        }
        Ok(Self {
            subject,
            spki,
            attributes,
        })
    }
}

#[cfg(test)]
mod tests;
