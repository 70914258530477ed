//! What the checks need of an X.509 certificate (RFC 5280).

use std::collections::BTreeSet;
use std::net::IpAddr;

use acme_crypto::SignatureAlgorithm;
use acme_types::{CertificateId, DnsName, Identifier, Timestamp};
use der::asn1::ObjectIdentifier;
use der::{Decode, Encode, Reader, SliceReader};
use x509_cert::Certificate;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, SubjectAltName,
};
use x509_cert::time::Time;

use super::CertificateFacts;
use crate::failure::CertificateFault;

/// The most names a certificate may have: ten times what any public CA gives.
const NAMES_MAX: usize = 1_000;
/// RFC 5280 §4.1.2.2: at most 20 octets.
const SERIAL_LEN_MAX: usize = 20;

const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
/// RFC 6962 §3.1: the poison makes a precertificate unusable.
const POISON: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.3");

pub(super) struct Parsed {
    certificate: Certificate,
    /// The signed bytes as they stand, not as they would be encoded anew.
    tbs: Vec<u8>,
    pub(super) spki: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    pub(super) subject: Vec<u8>,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    authority_key_identifier: Option<Vec<u8>>,
    is_authority: bool,
    usages: Option<Vec<ObjectIdentifier>>,
}

impl Parsed {
    pub(super) fn from_der(der: &[u8]) -> Result<Self, CertificateFault> {
        Self::read(der).ok_or(CertificateFault::Der)
    }

    fn read(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let mut reader = SliceReader::new(der).ok()?;
        let tbs = reader
            .sequence(|inner: &mut SliceReader<'_>| {
                let tbs = inner.tlv_bytes()?.to_vec();
                inner.tlv_bytes()?;
                inner.tlv_bytes()?;
                der::Result::Ok(tbs)
            })
            .ok()?;
        let fields = certificate.tbs_certificate();
        if fields.serial_number().as_bytes().len() > SERIAL_LEN_MAX.saturating_add(1) {
            return None;
        }
        let extension = |found: Option<(bool, AuthorityKeyIdentifier)>| found.map(|(_, it)| it);
        let authority = extension(fields.get_extension().ok()?);
        let constraints: Option<(bool, BasicConstraints)> = fields.get_extension().ok()?;
        let usages: Option<(bool, ExtendedKeyUsage)> = fields.get_extension().ok()?;
        let (spki, issuer, subject, not_before, not_after) = (
            fields.subject_public_key_info().to_der().ok()?,
            fields.issuer().to_der().ok()?,
            fields.subject().to_der().ok()?,
            timestamp(fields.validity().not_before),
            timestamp(fields.validity().not_after),
        );
        Some(Self {
            tbs,
            spki,
            issuer,
            subject,
            not_before,
            not_after,
            authority_key_identifier: authority
                .and_then(|authority| authority.key_identifier)
                .map(|id| id.as_bytes().to_vec()),
            is_authority: constraints.is_some_and(|(_, constraints)| constraints.ca),
            usages: usages.map(|(_, usages)| usages.0),
            certificate,
        })
    }

    pub(super) fn facts(&self) -> CertificateFacts {
        let serial = self
            .certificate
            .tbs_certificate()
            .serial_number()
            .as_bytes();
        CertificateFacts {
            not_before: self.not_before,
            not_after: self.not_after,
            id: self
                .authority_key_identifier
                .as_ref()
                .and_then(|key| CertificateId::new(key.clone(), with_sign_octet(serial)).ok()),
        }
    }

    /// The subject alternative names; `None` if one is of another kind than can be ordered.
    pub(super) fn identifiers(&self) -> Option<BTreeSet<Identifier>> {
        let (_, names): (bool, SubjectAltName) =
            self.certificate.tbs_certificate().get_extension().ok()??;
        if names.0.len() > NAMES_MAX {
            return None;
        }
        names.0.iter().map(identifier).collect()
    }

    /// May an end entity use it to serve or to connect?
    pub(super) fn is_for_end_entity(&self) -> bool {
        let poisoned = self
            .certificate
            .tbs_certificate()
            .extensions()
            .is_some_and(|all| all.iter().any(|extension| extension.extn_id == POISON));
        let usable = self.usages.as_ref().is_none_or(|usages| {
            usages
                .iter()
                .any(|usage| [SERVER_AUTH, CLIENT_AUTH, ANY_USAGE].contains(usage))
        });
        usable && !poisoned && !self.is_authority
    }

    pub(super) fn signed(&self) -> &[u8] {
        &self.tbs
    }

    /// Algorithm and signature; `None` for an algorithm that is not in use (SHA-1, MD5, DSA).
    pub(super) fn signature(&self) -> Option<(SignatureAlgorithm, &[u8])> {
        let outer = self.certificate.signature_algorithm();
        if outer != self.certificate.tbs_certificate().signature() {
            return None;
        }
        let algorithm = SignatureAlgorithm::from_algorithm_identifier_der(&outer.to_der().ok()?)?;
        Some((algorithm, self.certificate.signature().as_bytes()?))
    }
}

fn timestamp(time: Time) -> Timestamp {
    Timestamp::EPOCH.after(time.to_unix_duration())
}

fn identifier(name: &GeneralName) -> Option<Identifier> {
    match name {
        GeneralName::DnsName(name) => DnsName::parse(&name.as_str().to_ascii_lowercase())
            .ok()
            .map(Identifier::Dns),
        GeneralName::IpAddress(octets) => {
            let octets = octets.as_bytes();
            let address = <[u8; 4]>::try_from(octets)
                .map(IpAddr::from)
                .or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from));
            address.ok().map(Identifier::ip)
        }
        _ => None,
    }
}

/// RFC 9773 §4.1 wants the content octets of the DER integer: with the zero that keeps a serial
/// number positive.
fn with_sign_octet(serial: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(serial.len().saturating_add(1));
    if serial.first().is_none_or(|first| first & 0x80 != 0) {
        octets.push(0);
    }
    octets.extend_from_slice(serial);
    octets
}
