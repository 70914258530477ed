//! What can be said about a signature before any arithmetic. Both back ends ask here first, so
//! they refuse the same ones.

use crate::{Components, CryptoError, Curve, PublicKey, SignatureAlgorithm};

/// The order of P-256, big-endian.
pub(crate) const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
/// The order of P-384, big-endian.
pub(crate) const P384_ORDER: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];
/// The order of the Ed25519 base point, little-endian.
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10,
];

/// For whoever writes a [`crate::Provider`]: refuses an algorithm that doesn't fit the key, and a
/// signature that no key can have made: of another length, ECDSA halves outside `1..n`, an RSA
/// number not below the modulus, an Ed25519 S not below the order (RFC 8032 §5.1.7), or an Ed25519
/// R that isn't a canonical point outside the small subgroup.
pub fn check_signature_syntax(
    algorithm: SignatureAlgorithm,
    key: &PublicKey,
    signature: &[u8],
) -> Result<(), CryptoError> {
    if !key.fits(algorithm) {
        return Err(CryptoError::AlgorithmMismatch {
            algorithm,
            key: key.kind(),
        });
    }
    let possible = match key.components() {
        Components::Ec { curve, .. } => is_possible_ecdsa(curve, signature),
        Components::Ed25519 { .. } => is_possible_ed25519(signature),
        // RFC 8017 §8.2.2 step 1 and §5.2.2 step 1.
        Components::Rsa { n, .. } => signature.len() == n.len() && signature < n,
    };
    if possible {
        Ok(())
    } else {
        Err(CryptoError::BadSignature)
    }
}

/// Whether these are two numbers of fixed width in `1..n` (RFC 7518 §3.4, FIPS 186-5 §6.4.2).
pub(crate) fn is_possible_ecdsa(curve: Curve, signature: &[u8]) -> bool {
    let order: &[u8] = match curve {
        Curve::P256 => &P256_ORDER,
        Curve::P384 => &P384_ORDER,
    };
    let in_range = |number: &[u8]| number < order && number.iter().any(|byte| *byte != 0);
    match signature.split_at_checked(curve.coordinate_len()) {
        Some((r, s)) => s.len() == r.len() && in_range(r) && in_range(s),
        None => false,
    }
}

fn is_possible_ed25519(signature: &[u8]) -> bool {
    match signature.split_at_checked(32) {
        Some((r, s)) => {
            s.len() == 32
                && s.iter().rev().lt(ED25519_ORDER.iter().rev())
                && PublicKey::from_ed25519(r).is_ok()
        }
        None => false,
    }
}
