//! SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), read strictly and written.

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use der::{Decode, Encode, Sequence};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::KeyError;
use crate::public_key::{Components, Curve, PublicKey};

/// id-ecPublicKey (RFC 5480 §2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// secp256r1 (RFC 5480 §2.1.1.1).
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// secp384r1 (RFC 5480 §2.1.1.1).
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
/// id-Ed25519 (RFC 8410 §3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// rsaEncryption (RFC 3279 §2.3.1).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// RSA with 4096 bits takes 550 bytes; the rest is room for better errors on larger keys.
const SPKI_LEN_MAX: usize = 2_200;

/// `RSAPublicKey` of RFC 8017 §A.1.1.
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    public_exponent: UintRef<'a>,
}

impl PublicKey {
    /// From the DER of a SubjectPublicKeyInfo, with nothing after it. Parameters must be what
    /// RFC 5480 §2.1.1, RFC 8410 §3 and RFC 3279 §2.3.1 say; points must be uncompressed.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        if der.len() > SPKI_LEN_MAX {
            return Err(KeyError::TooLong);
        }
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| KeyError::MalformedDer)?;
        let key = spki
            .subject_public_key
            .as_bytes()
            .ok_or(KeyError::MalformedDer)?;
        let parameters = spki.algorithm.parameters;
        match spki.algorithm.oid {
            EC_PUBLIC_KEY => Self::from_uncompressed(curve_of(parameters)?, key),
            ED25519 if parameters.is_some() => Err(KeyError::Parameters),
            ED25519 => Self::from_ed25519(key),
            RSA_ENCRYPTION if parameters != Some(AnyRef::NULL) => Err(KeyError::Parameters),
            RSA_ENCRYPTION => {
                let key = RsaPublicKey::from_der(key).map_err(|_| KeyError::MalformedDer)?;
                Self::from_rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes())
            }
            _ => Err(KeyError::UnsupportedType),
        }
    }

    /// The DER of its SubjectPublicKeyInfo.
    pub fn to_spki_der(&self) -> Vec<u8> {
        let (oid, parameters) = match self.components() {
            Components::Ec {
                curve: Curve::P256, ..
            } => (EC_PUBLIC_KEY, Some(AnyRef::from(&SECP256R1))),
            Components::Ec {
                curve: Curve::P384, ..
            } => (EC_PUBLIC_KEY, Some(AnyRef::from(&SECP384R1))),
            Components::Ed25519 { .. } => (ED25519, None),
            Components::Rsa { .. } => (RSA_ENCRYPTION, Some(AnyRef::NULL)),
        };
        let key = self.spki_key_bytes();
        let encode = || {
            SubjectPublicKeyInfoRef {
                algorithm: AlgorithmIdentifierRef { oid, parameters },
                subject_public_key: BitStringRef::from_bytes(&key)?,
            }
            .to_der()
        };
        // Encoding only fails beyond a length of 256 MiB, which no checked key has.
        encode().unwrap_or_default()
    }

    /// The content of the BIT STRING in its SubjectPublicKeyInfo, which key identifiers are made
    /// of (RFC 5280 §4.2.1.2): an uncompressed point, an Ed25519 key, or the DER of RSAPublicKey.
    pub fn spki_key_bytes(&self) -> Vec<u8> {
        match (self.point(), self.components()) {
            (Some(point), _) => point.to_vec(),
            (None, Components::Rsa { n, e }) => {
                let encode = || {
                    RsaPublicKey {
                        modulus: UintRef::new(n)?,
                        public_exponent: UintRef::new(e)?,
                    }
                    .to_der()
                };
                encode().unwrap_or_default()
            }
            (None, Components::Ec { .. } | Components::Ed25519 { .. }) => Vec::new(),
        }
    }
}

fn curve_of(parameters: Option<AnyRef<'_>>) -> Result<Curve, KeyError> {
    let parameters = parameters.ok_or(KeyError::Parameters)?;
    // RFC 5480 §2.1.1: "implicitCurve and specifiedCurve MUST NOT be used in PKIX".
    match parameters.decode_as::<ObjectIdentifier>() {
        Ok(SECP256R1) => Ok(Curve::P256),
        Ok(SECP384R1) => Ok(Curve::P384),
        Ok(_) | Err(_) => Err(KeyError::UnsupportedCurve),
    }
}
