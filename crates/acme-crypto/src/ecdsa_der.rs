//! ECDSA signatures as X.509 carries them (RFC 3279 §2.2.3): the DER of
//! `SEQUENCE { r INTEGER, s INTEGER }`, to and from the fixed width of RFC 7518 §3.4.

use der::asn1::UintRef;
use der::{Decode, Encode, Sequence};

use crate::signature::is_possible_ecdsa;
use crate::{CryptoError, Curve, KeyKind, SignatureAlgorithm};

#[derive(Sequence)]
struct EcdsaSigValue<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// From `r || s`, 64 bytes for P-256 or 96 for P-384. Refused if either number can't be half of
/// a signature: zero, or not below the order of the curve.
pub fn from_fixed(fixed: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let curve = [Curve::P256, Curve::P384]
        .into_iter()
        .find(|curve| curve.coordinate_len().saturating_mul(2) == fixed.len())
        .ok_or(CryptoError::BadSignature)?;
    encode(curve, fixed)
}

/// The same for a known curve, whose signatures have one length.
pub(crate) fn encode(curve: Curve, fixed: &[u8]) -> Result<Vec<u8>, CryptoError> {
    if !is_possible_ecdsa(curve, fixed) {
        return Err(CryptoError::BadSignature);
    }
    let (r, s) = fixed
        .split_at_checked(curve.coordinate_len())
        .ok_or(CryptoError::BadSignature)?;
    let encode = || {
        EcdsaSigValue {
            r: UintRef::new(r)?,
            s: UintRef::new(s)?,
        }
        .to_der()
    };
    encode().map_err(|_| CryptoError::BadSignature)
}

/// To `r || s`. Strict: DER and nothing else, nothing after it, both numbers in `1..n`.
pub fn to_fixed(der: &[u8], algorithm: SignatureAlgorithm) -> Result<Vec<u8>, CryptoError> {
    let curve = match algorithm.key_kind() {
        KeyKind::EcP256 => Curve::P256,
        KeyKind::EcP384 => Curve::P384,
        key @ (KeyKind::Ed25519 | KeyKind::Rsa) => {
            return Err(CryptoError::AlgorithmMismatch { algorithm, key });
        }
    };
    let value = EcdsaSigValue::from_der(der).map_err(|_| CryptoError::BadSignature)?;
    let mut fixed = Vec::with_capacity(curve.coordinate_len().saturating_mul(2));
    for number in [value.r.as_bytes(), value.s.as_bytes()] {
        let padding = curve
            .coordinate_len()
            .checked_sub(number.len())
            .ok_or(CryptoError::BadSignature)?;
        fixed.extend(std::iter::repeat_n(0, padding));
        fixed.extend_from_slice(number);
    }
    if !is_possible_ecdsa(curve, &fixed) {
        return Err(CryptoError::BadSignature);
    }
    Ok(fixed)
}
