//! A public key that was checked when it was read, so that no back end meets a bad one.

use std::fmt;

use ed25519_dalek::VerifyingKey;

use crate::{KeyError, KeyKind, SignatureAlgorithm};

/// Smallest RSA modulus: what CA/Browser Forum BR §6.1.5 and RFC 7518 §3.3 ask for.
pub(crate) const RSA_BITS_MIN: usize = 2048;
/// Largest RSA modulus: beyond it a verification costs more than a request should.
pub(crate) const RSA_BITS_MAX: usize = 4096;
/// 65537, big-endian. Other exponents are legal, but nobody needs them, and some are attacks.
pub(crate) const RSA_EXPONENT: [u8; 3] = [0x01, 0x00, 0x01];
/// The first byte of an uncompressed point (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 0x04;
const BITS_PER_BYTE: usize = 8;
/// 2^255 - 19, little-endian: y of a canonical Ed25519 key is below it (RFC 8032 §5.1.3).
const ED25519_PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

/// A public key that is safe to verify with. There is no other way to get one than through its
/// checks:
/// - P-256, P-384: a point of the curve, not the one at infinity, coordinates below the prime.
///   The cofactor is 1, so such a point has the full order.
/// - Ed25519: canonical (RFC 8032 §5.1.3) and not of low order.
/// - RSA: an odd modulus of 2048 to 4096 bits, a multiple of eight, and the exponent 65537.
///
/// Keys compare by their value. `Debug` shows only the type.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(Inner);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Inner {
    /// The uncompressed point: `04 || x || y`.
    EcP256([u8; 65]),
    EcP384([u8; 97]),
    Ed25519([u8; 32]),
    /// The modulus, big-endian, without leading zeros.
    Rsa(Box<[u8]>),
}

/// A curve of NIST (FIPS 186-5), by its JOSE name (RFC 7518 §6.2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Curve {
    /// `P-256`, secp256r1.
    P256,
    /// `P-384`, secp384r1.
    P384,
}

impl Curve {
    /// The JOSE name: `P-256` or `P-384`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    /// Length of a coordinate, and of half a signature, in bytes.
    pub const fn coordinate_len(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

/// What a public key consists of, borrowed: big-endian numbers, as JWK wants them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Components<'a> {
    /// A point; both coordinates have the full length of the curve.
    Ec {
        /// The curve.
        curve: Curve,
        /// The first coordinate.
        x: &'a [u8],
        /// The second coordinate.
        y: &'a [u8],
    },
    /// An Ed25519 key as RFC 8032 §5.1.5 writes it.
    Ed25519 {
        /// 32 bytes.
        x: &'a [u8],
    },
    /// An RSA key; no leading zeros.
    Rsa {
        /// The modulus.
        n: &'a [u8],
        /// The public exponent.
        e: &'a [u8],
    },
}

impl PublicKey {
    /// From the coordinates of a point, each exactly as long as the curve's prime.
    pub fn from_ec_point(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        if x.len() != curve.coordinate_len() || y.len() != curve.coordinate_len() {
            return Err(KeyError::PointLength);
        }
        Self::from_uncompressed(curve, &[&[UNCOMPRESSED], x, y].concat())
    }

    /// From an uncompressed point `04 || x || y`. Compressed and hybrid points are refused.
    pub(crate) fn from_uncompressed(curve: Curve, point: &[u8]) -> Result<Self, KeyError> {
        if point.first() != Some(&UNCOMPRESSED) {
            return Err(KeyError::PointLength);
        }
        let inner = match curve {
            Curve::P256 => Inner::EcP256(point.try_into().map_err(|_| KeyError::PointLength)?),
            Curve::P384 => Inner::EcP384(point.try_into().map_err(|_| KeyError::PointLength)?),
        };
        // Both readers refuse coordinates that aren't below the prime, and points off the curve.
        match curve {
            Curve::P256 => p256::PublicKey::from_sec1_bytes(point).map(drop),
            Curve::P384 => p384::PublicKey::from_sec1_bytes(point).map(drop),
        }
        .map_err(|_| KeyError::NotOnCurve)?;
        Ok(Self(inner))
    }

    /// From the 32 bytes of an Ed25519 key (RFC 8032 §5.1.5).
    pub fn from_ed25519(key: &[u8]) -> Result<Self, KeyError> {
        let key: [u8; 32] = key.try_into().map_err(|_| KeyError::PointLength)?;
        if !is_canonical_ed25519_y(&key) {
            return Err(KeyError::NonCanonical);
        }
        let point = VerifyingKey::from_bytes(&key).map_err(|_| KeyError::NotOnCurve)?;
        // The two points with x = 0 have a second encoding, with the sign set; both are of low
        // order, so this refuses them as well.
        if point.is_weak() {
            return Err(KeyError::LowOrder);
        }
        Ok(Self(Inner::Ed25519(key)))
    }

    /// From modulus and public exponent, big-endian, without leading zeros (RFC 7518 §6.3.1).
    /// Cheap: no arithmetic on the modulus.
    pub fn from_rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let (Some(first), Some(last)) = (n.first(), n.last()) else {
            return Err(KeyError::ModulusSize { bits: 0 });
        };
        if *first == 0 {
            return Err(KeyError::LeadingZero);
        }
        let bits = n
            .len()
            .saturating_mul(BITS_PER_BYTE)
            .saturating_sub(first.leading_zeros() as usize);
        if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits) || !bits.is_multiple_of(BITS_PER_BYTE) {
            return Err(KeyError::ModulusSize { bits });
        }
        if last & 1 == 0 {
            return Err(KeyError::EvenModulus);
        }
        if e != RSA_EXPONENT {
            return Err(KeyError::Exponent);
        }
        Ok(Self(Inner::Rsa(n.into())))
    }

    /// The type of the key.
    pub const fn kind(&self) -> KeyKind {
        match self.0 {
            Inner::EcP256(_) => KeyKind::EcP256,
            Inner::EcP384(_) => KeyKind::EcP384,
            Inner::Ed25519(_) => KeyKind::Ed25519,
            Inner::Rsa(_) => KeyKind::Rsa,
        }
    }

    /// Size of the key in bits: of the field, or of the modulus.
    pub const fn bits(&self) -> usize {
        match &self.0 {
            Inner::EcP256(_) | Inner::Ed25519(_) => 256,
            Inner::EcP384(_) => 384,
            Inner::Rsa(n) => n.len().saturating_mul(BITS_PER_BYTE),
        }
    }

    /// The algorithm this key signs with, unless there is a reason for another.
    pub const fn default_algorithm(&self) -> SignatureAlgorithm {
        self.kind().default_algorithm()
    }

    /// Whether signatures of this algorithm can be this key's.
    pub fn fits(&self, algorithm: SignatureAlgorithm) -> bool {
        algorithm.key_kind() == self.kind()
    }

    /// What the key consists of.
    pub fn components(&self) -> Components<'_> {
        match &self.0 {
            Inner::EcP256(point) => ec_components(Curve::P256, point),
            Inner::EcP384(point) => ec_components(Curve::P384, point),
            Inner::Ed25519(x) => Components::Ed25519 { x },
            Inner::Rsa(n) => Components::Rsa {
                n,
                e: &RSA_EXPONENT,
            },
        }
    }

    /// The uncompressed point, or the Ed25519 key; `None` for RSA.
    pub(crate) fn point(&self) -> Option<&[u8]> {
        match &self.0 {
            Inner::EcP256(point) => Some(point),
            Inner::EcP384(point) => Some(point),
            Inner::Ed25519(key) => Some(key),
            Inner::Rsa(_) => None,
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, {} bits)", self.kind(), self.bits())
    }
}

fn ec_components(curve: Curve, point: &[u8]) -> Components<'_> {
    let coordinates = point.get(1..).unwrap_or_default();
    let (x, y) = coordinates
        .split_at_checked(curve.coordinate_len())
        .unwrap_or_default();
    Components::Ec { curve, x, y }
}

fn is_canonical_ed25519_y(encoded: &[u8; 32]) -> bool {
    let mut y = *encoded;
    y[31] &= 0x7f; // The top bit is the sign of x.
    y.iter().rev().lt(ED25519_PRIME.iter().rev())
}

#[cfg(test)]
mod tests;
