//! The self-signed certificate by which a client answers tls-alpn-01 (RFC 8737 §3, RFC 8738 §4).

use std::fmt;
use std::iter::once;

use acme_crypto::{PublicKey, SignatureAlgorithm};
use acme_types::{Identifier, Timestamp};
use der::asn1::{GeneralizedTime, ObjectIdentifier, UtcTime};
use der::{DateTime, Encode, Tag, TagNumber};

use crate::draft::signed;
use crate::encode::{octet_string, sequence, tlv};
use crate::error::CsrError;
use crate::names;

/// The name of the protocol in ALPN (RFC 8737 §6.2).
pub const ALPN_PROTOCOL: &[u8] = b"acme-tls/1";
/// id-pe-acmeIdentifier (RFC 8737 §6.1), in dotted decimal.
pub const ACME_IDENTIFIER: &str = "1.3.6.1.5.5.7.1.31";

const ACME_IDENTIFIER_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap(ACME_IDENTIFIER);
/// `version [0] EXPLICIT INTEGER { v3(2) }`
const VERSION_3: &[u8] = &[0xa0, 0x03, 0x02, 0x01, 0x02];
/// `BOOLEAN TRUE`
const TRUE: &[u8] = &[0x01, 0x01, 0xff];
/// Subject and issuer: CN = "ACME". Not empty, because RFC 5280 §4.1.2.4 wants an issuer.
const NAME: &[u8] = &[
    0x30, 0x0f, 0x31, 0x0d, 0x30, 0x0b, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x04, b'A', b'C', b'M',
    b'E',
];

/// A certificate that waits for the signature of its own key.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateDraft {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

impl CertificateDraft {
    /// For a challenge to `identifier` (a wildcard's can't be answered this way). `digest` is
    /// [`tls_alpn_01_digest`] of the key authorization; `key` is a fresh key, neither the
    /// account's nor the certificate's to come. The top bit of `serial` is dropped, and the next
    /// one set, so that it's positive and has one length.
    ///
    /// [`tls_alpn_01_digest`]: https://www.rfc-editor.org/rfc/rfc8737#section-3
    ///
    /// # Errors
    /// [`CsrError::KeyMismatch`]; [`CsrError::DnsName`] for a wildcard;
    /// [`CsrError::Malformed`] if a time is beyond the year 9999.
    pub fn new(
        identifier: &Identifier,
        digest: [u8; 32],
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        not_before: Timestamp,
        not_after: Timestamp,
        serial: [u8; 16],
    ) -> Result<Self, CsrError> {
        if !key.fits(algorithm) {
            return Err(CsrError::KeyMismatch {
                algorithm,
                key: key.kind(),
            });
        }
        if identifier.is_wildcard() {
            return Err(CsrError::DnsName(acme_types::DnsNameError::Wildcard));
        }
        let validity = sequence([time(not_before)?.as_slice(), &time(not_after)?])?;
        let tbs = sequence([
            VERSION_3,
            &serial_number(serial)?,
            algorithm.algorithm_identifier_der(),
            NAME,
            &validity,
            NAME,
            &key.to_spki_der(),
            &extensions(identifier, digest)?,
        ])?;
        Ok(Self { tbs, algorithm })
    }

    /// What is to be signed: the DER of TBSCertificate (RFC 5280 §4.1.1.1).
    pub fn message(&self) -> &[u8] {
        &self.tbs
    }

    /// The algorithm to sign with.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The DER of the certificate. ECDSA signatures come as `r || s`.
    ///
    /// # Errors
    /// [`CsrError::BadSignature`] if no key can have made it.
    pub fn attach(&self, signature: &[u8]) -> Result<Vec<u8>, CsrError> {
        signed(&self.tbs, self.algorithm, signature)
    }
}

impl fmt::Debug for CertificateDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "CertificateDraft({}, {} bytes)",
            self.algorithm,
            self.tbs.len()
        )
    }
}

fn serial_number(mut serial: [u8; 16]) -> Result<Vec<u8>, CsrError> {
    serial[0] = (serial[0] & 0x7f) | 0x40;
    tlv(Tag::Integer, &serial)
}

/// RFC 5280 §4.1.2.5: UTCTime through the year 2049, GeneralizedTime from 2050.
fn time(at: Timestamp) -> Result<Vec<u8>, CsrError> {
    let duration = at.truncate_to_secs().since(Timestamp::EPOCH);
    let date = DateTime::from_unix_duration(duration)?;
    let encoded = match UtcTime::from_date_time(date) {
        Ok(time) => time.to_der(),
        Err(_) => GeneralizedTime::from_date_time(date).to_der(),
    };
    Ok(encoded?)
}

/// RFC 8737 §3: subjectAltName with the one name, and acmeIdentifier, critical, with
/// "Authorization ::= OCTET STRING (SIZE (32))".
fn extensions(identifier: &Identifier, digest: [u8; 32]) -> Result<Vec<u8>, CsrError> {
    let oid = tlv(Tag::ObjectIdentifier, ACME_IDENTIFIER_OID.as_bytes())?;
    let value = octet_string(&octet_string(&digest)?)?;
    let acme_identifier = sequence([oid.as_slice(), TRUE, &value])?;
    let names = names::extension(once(identifier))?;
    let list = sequence([names.as_slice(), &acme_identifier])?;
    tlv(
        Tag::ContextSpecific {
            constructed: true,
            number: TagNumber(3),
        },
        &list,
    )
}

#[cfg(test)]
mod tests;
