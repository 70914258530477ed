use acme_crypto::{KeyError, KeyKind, SignatureAlgorithm};
use acme_types::DnsNameError;
use thiserror::Error;

/// Why something isn't a certificate signing request that is accepted, or can't become one.
/// Everything of it is badCSR on the wire (RFC 8555 §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CsrError {
    /// Longer than [`crate::CSR_LEN_MAX`].
    #[error("the CSR is too long")]
    TooLong,
    /// Not the DER of a CertificationRequest (RFC 2986 §4), or something follows it.
    #[error("the CSR is not well-formed DER")]
    Malformed {
        /// At which byte of the part that was read, if that is known.
        position: Option<u32>,
    },
    /// `version` isn't v1 (0).
    #[error("the CSR is of another version than 1")]
    Version,
    /// The public key is refused.
    #[error("the public key of the CSR is refused")]
    PublicKey(#[source] KeyError),
    /// The signature algorithm isn't supported; SHA-1 and MD5 aren't.
    #[error("the signature algorithm of the CSR is not supported")]
    SignatureAlgorithm,
    /// The signature algorithm doesn't fit the key.
    #[error("{algorithm} does not fit a key of type {key}")]
    KeyMismatch {
        /// The algorithm.
        algorithm: SignatureAlgorithm,
        /// The key's type.
        key: KeyKind,
    },
    /// The CSR's own key didn't sign it (RFC 2986 §3 note 2).
    #[error("the signature of the CSR does not verify")]
    BadSignature,
    /// An attribute occurs twice.
    #[error("the CSR has an attribute twice")]
    DuplicateAttribute,
    /// extensionRequest doesn't have exactly one value (RFC 2985 §5.4.2), or too many extensions.
    #[error("the extension request of the CSR is malformed")]
    ExtensionRequest,
    /// An extension occurs twice (RFC 5280 §4.2).
    #[error("the CSR has an extension twice")]
    DuplicateExtension,
    /// subjectAltName is malformed or empty (RFC 5280 §4.2.1.6).
    #[error("the subject alternative name of the CSR is malformed or empty")]
    AlternativeName,
    /// subjectAltName has a name that isn't for ACME.
    #[error("the CSR has a name of a kind that is not certified")]
    NameKind(NameKind),
    /// A dNSName isn't a DNS name.
    #[error("the CSR has a DNS name that is none")]
    DnsName(#[source] DnsNameError),
    /// An iPAddress doesn't have 4 or 16 bytes, or is an IPv4 address mapped into IPv6.
    #[error("the CSR has an IP address that is none")]
    IpAddress,
    /// The subject has more than one common name.
    #[error("the CSR has more than one common name")]
    TwoCommonNames,
    /// The common name is no text, empty, longer than 64 characters, or not a DNS name.
    #[error("the common name of the CSR is not a DNS name")]
    CommonName,
    /// There is no identifier at all.
    #[error("the CSR has no identifier")]
    NoIdentifier,
}

/// A kind of name in subjectAltName that ACME doesn't certify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameKind {
    /// otherName.
    Other,
    /// rfc822Name.
    Email,
    /// x400Address.
    X400,
    /// directoryName.
    Directory,
    /// ediPartyName.
    Edi,
    /// uniformResourceIdentifier.
    Uri,
    /// registeredID.
    RegisteredId,
}

impl From<der::Error> for CsrError {
    fn from(error: der::Error) -> Self {
        Self::Malformed {
            position: error.position().map(u32::from),
        }
    }
}
