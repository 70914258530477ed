//! What the certificate of tls-alpn-01 must be, byte by byte (RFC 8737 §3).

use std::collections::BTreeSet;
use std::net::IpAddr;

use acme_crypto::{Provider, PublicKey, SignatureAlgorithm, fixed_signature_from_x509};
use acme_types::Identifier;
use const_oid::ObjectIdentifier;
use der::asn1::{AnyRef, OctetString};
use der::{Decode, Encode, Reader, SliceReader};
use x509_cert::certificate::{Certificate, Version};

/// id-pe-acmeIdentifier (RFC 8737 §6.1). Not the one of the drafts, 1.3.6.1.5.5.7.1.30.1.
const ACME_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.31");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
/// The context tags of GeneralName (RFC 5280 §4.2.1.6).
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// What is wrong with a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::validation) enum CertificateFault {
    /// There is none.
    Absent,
    /// Not a certificate in DER, or not of version 3.
    Malformed,
    /// Issuer and subject differ.
    NotSelfIssued,
    /// A key or an algorithm that isn't known.
    Algorithm,
    /// Not signed by its own key.
    Signature,
    /// An extension occurs twice.
    DuplicateExtension,
    /// No subjectAltName.
    NoNames,
    /// The subjectAltName is anything but the one name.
    Names,
    /// No acmeIdentifier.
    NoAcmeIdentifier,
    /// The acmeIdentifier is not critical.
    NotCritical,
    /// The acmeIdentifier is another digest, or none.
    Digest,
}

impl CertificateFault {
    pub(in crate::validation) fn text(self) -> &'static str {
        match self {
            Self::Absent => "is missing",
            Self::Malformed => "is not an X.509 certificate of version 3 in DER",
            Self::NotSelfIssued => "is not self-signed: issuer and subject differ",
            Self::Algorithm => "has a key or a signature algorithm that is not supported",
            Self::Signature => "is not self-signed: the signature is not its key's",
            Self::DuplicateExtension => "has an extension twice",
            Self::NoNames => "has no subjectAltName",
            Self::Names => "has a subjectAltName other than the one identifier",
            Self::NoAcmeIdentifier => "has no acmeIdentifier extension",
            Self::NotCritical => "has an acmeIdentifier extension that is not critical",
            Self::Digest => "has another digest than the key authorization's",
        }
    }
}

/// Whether the certificate proves control of the identifier.
pub(super) fn check(
    der: &[u8],
    identifier: &Identifier,
    digest: &[u8; 32],
    provider: &dyn Provider,
) -> Result<(), CertificateFault> {
    let certificate = Certificate::from_der(der).map_err(malformed)?;
    let tbs = certificate.tbs_certificate();
    if tbs.version() != Version::V3 {
        return Err(CertificateFault::Malformed);
    }
    if tbs.subject() != tbs.issuer() {
        return Err(CertificateFault::NotSelfIssued);
    }
    check_signature(der, &certificate, provider)?;
    let extensions = tbs.extensions().map(Vec::as_slice).unwrap_or_default();
    // RFC 5280 §4.2: "A certificate MUST NOT include more than one instance of a particular
    // extension."
    let mut seen = BTreeSet::new();
    if !extensions
        .iter()
        .all(|extension| seen.insert(extension.extn_id))
    {
        return Err(CertificateFault::DuplicateExtension);
    }
    let of = |oid| extensions.iter().find(|extension| extension.extn_id == oid);
    let names = of(SUBJECT_ALT_NAME).ok_or(CertificateFault::NoNames)?;
    if !is_one_name(names.extn_value.as_bytes(), identifier) {
        return Err(CertificateFault::Names);
    }
    let acme = of(ACME_IDENTIFIER).ok_or(CertificateFault::NoAcmeIdentifier)?;
    // RFC 8737 §3: "The acmeIdentifier extension MUST be critical".
    if !acme.critical {
        return Err(CertificateFault::NotCritical);
    }
    // "Authorization ::= OCTET STRING (SIZE (32))"; strict DER, nothing after it.
    let value = OctetString::from_der(acme.extn_value.as_bytes());
    match value {
        Ok(value) if value.as_bytes() == digest => Ok(()),
        Ok(_) | Err(_) => Err(CertificateFault::Digest),
    }
}

fn malformed(_: der::Error) -> CertificateFault {
    CertificateFault::Malformed
}

/// The signature is checked over the bytes as they came, with the certificate's own key.
fn check_signature(
    der: &[u8],
    certificate: &Certificate,
    provider: &dyn Provider,
) -> Result<(), CertificateFault> {
    let tbs = certificate.tbs_certificate();
    let algorithm = certificate.signature_algorithm();
    if tbs.signature() != algorithm {
        return Err(CertificateFault::Algorithm);
    }
    let spki = tbs.subject_public_key_info().to_der().map_err(malformed)?;
    let key = PublicKey::from_spki_der(&spki).map_err(|_| CertificateFault::Algorithm)?;
    let algorithm = algorithm.to_der().map_err(malformed)?;
    let algorithm =
        SignatureAlgorithm::from_x509(&algorithm, key.kind()).ok_or(CertificateFault::Algorithm)?;
    let bits = certificate
        .signature()
        .as_bytes()
        .ok_or(CertificateFault::Signature)?;
    let signature =
        fixed_signature_from_x509(algorithm, bits).map_err(|_| CertificateFault::Signature)?;
    let signed = tbs_bytes(der).map_err(malformed)?;
    provider
        .verify(algorithm, &key, signed, &signature)
        .map_err(|_| CertificateFault::Signature)
}

/// The first element of the outer SEQUENCE, header included.
fn tbs_bytes(der: &[u8]) -> Result<&[u8], der::Error> {
    let outer = AnyRef::from_der(der)?;
    SliceReader::new(outer.value())?.tlv_bytes()
}

/// "The subjectAltName extension MUST contain a single dNSName entry where the value is the domain
/// name being validated", compared without regard to case (RFC 4343); or "a single iPAddress"
/// (RFC 8738 §6). The DER of that has one form: what is compared is the bytes.
fn is_one_name(value: &[u8], identifier: &Identifier) -> bool {
    let (tag, content) = match identifier {
        Identifier::Dns(name) => (DNS_NAME, name.base().as_str().as_bytes().to_vec()),
        Identifier::Ip(IpAddr::V4(v4)) => (IP_ADDRESS, v4.octets().to_vec()),
        Identifier::Ip(IpAddr::V6(v6)) => (IP_ADDRESS, v6.octets().to_vec()),
        _ => return false,
    };
    let (Some(entry), Some(given)) = (
        header(tag, content.len()),
        value.len().checked_sub(content.len()),
    ) else {
        return false;
    };
    let entry_len = entry.len().saturating_add(content.len());
    let Some(mut expected) = header(0x30, entry_len) else {
        return false;
    };
    expected.extend(entry);
    let Some((head, tail)) = value.split_at_checked(given) else {
        return false;
    };
    let same_content = match identifier {
        Identifier::Dns(_) => tail.eq_ignore_ascii_case(&content),
        _ => tail == content,
    };
    head == expected && same_content
}

/// Tag and length in DER; a name has at most 253 bytes, so two length bytes are enough.
fn header(tag: u8, len: usize) -> Option<Vec<u8>> {
    let [high, low] = u16::try_from(len).ok()?.to_be_bytes();
    Some(match (high, low) {
        (0, 0..=0x7f) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        (_, _) => vec![tag, 0x82, high, low],
    })
}

#[cfg(test)]
mod tests;
