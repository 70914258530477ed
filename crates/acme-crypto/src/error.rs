use thiserror::Error;

use crate::{KeyKind, SignatureAlgorithm};

/// Why a public key is refused. Never holds the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the DER of a SubjectPublicKeyInfo (RFC 5280 §4.1), or something follows it.
    #[error("the public key is not well-formed DER")]
    MalformedDer,
    /// Longer than any key that is accepted here.
    #[error("the public key is too long")]
    TooLong,
    /// A key type that is not accepted here (DSA, RSASSA-PSS, X25519, Ed448 …).
    #[error("the type of the public key is not supported")]
    UnsupportedType,
    /// A curve that is not accepted here, or explicit curve parameters (RFC 5480 §2.1.1).
    #[error("the curve of the public key is not supported")]
    UnsupportedCurve,
    /// Algorithm parameters where none belong, or none where they do.
    #[error("the algorithm parameters of the public key are wrong")]
    Parameters,
    /// A coordinate or a point of the wrong length, compressed, or the point at infinity.
    #[error("a coordinate of the public key has the wrong length")]
    PointLength,
    /// The point is not on its curve, or a coordinate is not below the field's prime.
    #[error("the public key is not a point of its curve")]
    NotOnCurve,
    /// An Ed25519 key whose encoding isn't the one and only (RFC 8032 §5.1.3).
    #[error("the public key is not encoded canonically")]
    NonCanonical,
    /// An Ed25519 key in the small subgroup: it accepts signatures nobody made.
    #[error("the public key is of low order")]
    LowOrder,
    /// The modulus has leading zero bytes.
    #[error("the modulus has leading zero bytes")]
    LeadingZero,
    /// The modulus has fewer than 2048 or more than 4096 bits, or not a multiple of eight.
    #[error("the modulus has {bits} bits")]
    ModulusSize {
        /// Bits of the modulus.
        bits: usize,
    },
    /// The modulus is even.
    #[error("the modulus is even")]
    EvenModulus,
    /// The public exponent isn't 65537.
    #[error("the public exponent is not 65537")]
    Exponent,
}

/// What can go wrong with hashes, MACs, signatures and keys. Never holds input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// The public key is refused.
    #[error("the public key is refused")]
    PublicKey(#[from] KeyError),
    /// The signature algorithm does not fit the type of the key.
    #[error("{algorithm} does not fit a key of type {key}")]
    AlgorithmMismatch {
        /// The algorithm asked for.
        algorithm: SignatureAlgorithm,
        /// The key's type.
        key: KeyKind,
    },
    /// The signature is not well formed, or was not made by this key over this message.
    #[error("the signature does not verify")]
    BadSignature,
    /// The tag was not made with this key over this message.
    #[error("the message authentication code does not verify")]
    BadMac,
    /// Not a PKCS#8 private key, or one that contradicts itself.
    #[error("the private key is malformed")]
    MalformedPrivateKey,
    /// A well-formed private key of a type, curve or size that is not accepted here.
    #[error("the type of the private key is not supported")]
    UnsupportedPrivateKey,
    /// The PEM text has another label than `PRIVATE KEY`, or isn't PEM.
    #[error("not a PEM block of type PRIVATE KEY")]
    Pem,
    /// The back end failed for a reason of its own (memory, self test, random source).
    #[error("the cryptographic back end failed")]
    BackEnd,
}
