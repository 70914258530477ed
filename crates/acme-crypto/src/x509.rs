//! How X.509 and PKCS#10 name signature algorithms and carry signatures.

use crate::{CryptoError, Curve, KeyKind, SignatureAlgorithm, ecdsa_der};

/// ecdsa-with-SHA256 (RFC 5758 §3.2); no parameters.
const ECDSA_SHA256: &[u8] = &[
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
];
/// ecdsa-with-SHA384 (RFC 5758 §3.2); no parameters.
const ECDSA_SHA384: &[u8] = &[
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03,
];
/// ecdsa-with-SHA512 (RFC 5758 §3.2); no parameters.
const ECDSA_SHA512: &[u8] = &[
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04,
];
/// id-Ed25519 (RFC 8410 §3); no parameters.
const ED25519: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
/// sha256WithRSAEncryption, NULL (RFC 4055 §5).
const RSA_SHA256: &[u8] = &[
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00,
];
/// sha384WithRSAEncryption, NULL (RFC 4055 §5).
const RSA_SHA384: &[u8] = &[
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c, 0x05, 0x00,
];
/// sha512WithRSAEncryption, NULL (RFC 4055 §5).
const RSA_SHA512: &[u8] = &[
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d, 0x05, 0x00,
];

impl SignatureAlgorithm {
    /// The DER of its `AlgorithmIdentifier` (RFC 5280 §4.1.1.2), parameters included.
    pub const fn algorithm_identifier_der(self) -> &'static [u8] {
        match self {
            Self::Es256 | Self::EcdsaP384Sha256 => ECDSA_SHA256,
            Self::Es384 | Self::EcdsaP256Sha384 => ECDSA_SHA384,
            Self::EcdsaP256Sha512 | Self::EcdsaP384Sha512 => ECDSA_SHA512,
            Self::EdDsa => ED25519,
            Self::Rs256 => RSA_SHA256,
            Self::Rs384 => RSA_SHA384,
            Self::Rs512 => RSA_SHA512,
        }
    }

    /// The algorithm with a JOSE name whose `AlgorithmIdentifier` has exactly this DER; `None` for
    /// any other, SHA-1, MD5 and RSASSA-PSS among them.
    ///
    /// RFC 4055 §5 lets a reader take RSA without its NULL; CA/Browser Forum BR §7.1.3.2 wants
    /// these bytes exactly, so this does not.
    pub fn from_algorithm_identifier_der(der: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.algorithm_identifier_der() == der)
    }

    /// The algorithm with this `AlgorithmIdentifier` for keys of this type: in X.509 the hash of
    /// an ECDSA signature doesn't depend on the curve. `None` if there is none, so if the
    /// algorithm doesn't fit the key.
    pub fn from_x509(der: &[u8], key: KeyKind) -> Option<Self> {
        Self::ALL
            .into_iter()
            .chain(Self::ONLY_X509)
            .find(|algorithm| {
                algorithm.key_kind() == key && algorithm.algorithm_identifier_der() == der
            })
    }
}

/// The content of an X.509 signature's BIT STRING: DER for ECDSA (RFC 3279 §2.2.3), for the
/// others the signature itself.
pub fn x509_signature_bytes(
    algorithm: SignatureAlgorithm,
    signature: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    match algorithm.key_kind() {
        KeyKind::EcP256 => ecdsa_der::encode(Curve::P256, signature),
        KeyKind::EcP384 => ecdsa_der::encode(Curve::P384, signature),
        KeyKind::Ed25519 | KeyKind::Rsa => Ok(signature.to_vec()),
    }
}

/// The way back from [`x509_signature_bytes`], strict.
pub fn fixed_signature_from_x509(
    algorithm: SignatureAlgorithm,
    bytes: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    match algorithm.key_kind() {
        KeyKind::EcP256 | KeyKind::EcP384 => ecdsa_der::to_fixed(bytes, algorithm),
        KeyKind::Ed25519 | KeyKind::Rsa => Ok(bytes.to_vec()),
    }
}
