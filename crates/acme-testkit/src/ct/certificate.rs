//! Certificates as a log sees them (RFC 5280 §4.1): the parts that chains are checked by, and
//! the surgery on the TBSCertificate.

use acme_crypto::{
    Provider, PublicKey, SignatureAlgorithm, fixed_signature_from_x509, rustcrypto::RustCrypto,
};

use crate::der::{self, Element};
use crate::merkle::Hash;

/// The poison of precertificates, 1.3.6.1.4.1.11129.2.4.3 (RFC 6962 §3.1): the OID's content.
pub const POISON: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x03];
/// The SCTs in certificates, 1.3.6.1.4.1.11129.2.4.2 (RFC 6962 §3.3): the OID's content.
pub const SCT_LIST: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];
/// id-ce-basicConstraints (RFC 5280 §4.2.1.9).
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
/// id-ce-extKeyUsage (RFC 5280 §4.2.1.12).
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
/// The purpose of Precertificate Signing Certificates, 1.3.6.1.4.1.11129.2.4.4 (RFC 6962 §3.1).
const PRECERTIFICATE_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x04];
/// ASN.1 NULL, the poison's value.
const NULL: &[u8] = &[0x05, 0x00];
/// The tag of `extensions` in the TBSCertificate.
const EXTENSIONS: u8 = 0xa3;
/// The most extensions of a certificate that is read; real ones have about ten.
const EXTENSIONS_MAX: usize = 100;

/// Why a certificate is not what it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The bytes are no DER of a certificate.
    #[error("it is no certificate")]
    Malformed,
    /// The two signature algorithms are not the same, or are none that is accepted.
    #[error("its signature algorithm is not accepted")]
    Algorithm,
    /// The extension that has to be there isn't there, or is there twice.
    #[error("the extension is missing or there twice")]
    Extension,
    /// The issuer's key is none that is accepted.
    #[error("the issuer's key is not accepted")]
    Key,
    /// The issuer didn't sign it.
    #[error("the issuer did not sign it")]
    Signature,
}

/// The parts of a certificate; all borrow from its DER.
#[derive(Debug)]
pub(super) struct Certificate<'a> {
    /// With tag and length.
    tbs: &'a [u8],
    /// The content of the TBSCertificate before the extensions.
    before_extensions: &'a [u8],
    extensions: Vec<Extension<'a>>,
    pub(super) issuer: &'a [u8],
    pub(super) subject: &'a [u8],
    pub(super) spki: &'a [u8],
    /// AlgorithmIdentifier in the TBSCertificate, and outside.
    algorithms: [&'a [u8]; 2],
    signature: &'a [u8],
}

#[derive(Debug)]
struct Extension<'a> {
    oid: &'a [u8],
    critical: bool,
    value: &'a [u8],
    whole: &'a [u8],
}

impl<'a> Certificate<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Certificate<'a>, CertificateError> {
        parse(bytes).ok_or(CertificateError::Malformed)
    }

    fn all(&self, oid: &[u8]) -> Vec<&Extension<'a>> {
        self.extensions
            .iter()
            .filter(|extension| extension.oid == oid)
            .collect()
    }

    /// Whether there is any poison, good or bad.
    pub(super) fn is_poisoned(&self) -> bool {
        !self.all(POISON).is_empty()
    }

    /// RFC 6962 §3.1: one, critical, with NULL.
    pub(super) fn has_good_poison(&self) -> bool {
        let all = self.all(POISON);
        matches!(all.as_slice(), [poison] if poison.critical && poison.value == NULL)
    }

    /// Whether there is a list of SCTs.
    pub(super) fn has_sct_list(&self) -> bool {
        !self.all(SCT_LIST).is_empty()
    }

    /// Whether it may sign certificates: basicConstraints with cA TRUE.
    pub(super) fn is_authority(&self) -> bool {
        let [constraints] = self.all(BASIC_CONSTRAINTS)[..] else {
            return false;
        };
        let Some(sequence) = der::only(constraints.value, der::SEQUENCE) else {
            return false;
        };
        let flag = der::take_tag(&mut { sequence.content }, der::BOOLEAN);
        flag.is_some_and(|flag| flag.content == [0xff])
    }

    /// Whether it is a Precertificate Signing Certificate.
    pub(super) fn signs_precertificates(&self) -> bool {
        let purpose = der::element(der::OID, &[PRECERTIFICATE_SIGNING]);
        let usages = self.all(EXTENDED_KEY_USAGE);
        usages.iter().any(|usage| {
            usage
                .value
                .windows(purpose.len())
                .any(|part| part == purpose)
        })
    }

    /// Checks the signature with the issuer's key, and nothing else.
    pub(super) fn verify(&self, issuer: &Certificate<'_>) -> Result<(), CertificateError> {
        let [inner, outer] = self.algorithms;
        let algorithm = SignatureAlgorithm::from_algorithm_identifier_der(outer);
        let algorithm = algorithm
            .filter(|_| inner == outer)
            .ok_or(CertificateError::Algorithm)?;
        let key = PublicKey::from_spki_der(issuer.spki).map_err(|_| CertificateError::Key)?;
        fixed_signature_from_x509(algorithm, self.signature)
            .and_then(|fixed| RustCrypto.verify(algorithm, &key, self.tbs, &fixed))
            .map_err(|_| CertificateError::Signature)
    }

    /// The TBSCertificate without its one extension of this OID; all else stays as it is.
    pub(super) fn tbs_without(&self, oid: &[u8]) -> Result<Vec<u8>, CertificateError> {
        if self.all(oid).len() != 1 {
            return Err(CertificateError::Extension);
        }
        let rest = self
            .extensions
            .iter()
            .filter(|extension| extension.oid != oid);
        let rest: Vec<&[u8]> = rest.map(|extension| extension.whole).collect();
        // RFC 5280 §4.1: `SIZE (1..MAX)`, so without any the field itself goes.
        let extensions = if rest.is_empty() {
            Vec::new()
        } else {
            der::element(EXTENSIONS, &[&der::element(der::SEQUENCE, &rest)])
        };
        Ok(der::element(
            der::SEQUENCE,
            &[self.before_extensions, &extensions],
        ))
    }
}

/// The TBSCertificate of this certificate, without its one extension of this OID.
pub(super) fn tbs_without(certificate: &[u8], oid: &[u8]) -> Result<Vec<u8>, CertificateError> {
    Certificate::parse(certificate)?.tbs_without(oid)
}

/// SHA-256 of this certificate's SubjectPublicKeyInfo.
pub(super) fn key_hash(certificate: &[u8]) -> Result<Hash, CertificateError> {
    Ok(RustCrypto.sha256(Certificate::parse(certificate)?.spki))
}

fn parse(bytes: &[u8]) -> Option<Certificate<'_>> {
    let mut certificate = der::only(bytes, der::SEQUENCE)?.content;
    let tbs = der::take_tag(&mut certificate, der::SEQUENCE)?;
    let outer = der::take_tag(&mut certificate, der::SEQUENCE)?.whole;
    let signature = der::only(certificate, der::BIT_STRING)?.content;
    // The first octet counts unused bits: there are none.
    let (0, signature) = signature.split_first()? else {
        return None;
    };
    let mut rest = tbs.content;
    let _version = der::take_tag(&mut rest, 0xa0);
    let _serial = der::take_tag(&mut rest, der::INTEGER)?;
    let inner = der::take_tag(&mut rest, der::SEQUENCE)?.whole;
    let issuer = der::take_tag(&mut rest, der::SEQUENCE)?.whole;
    let _validity = der::take_tag(&mut rest, der::SEQUENCE)?;
    let subject = der::take_tag(&mut rest, der::SEQUENCE)?.whole;
    let spki = der::take_tag(&mut rest, der::SEQUENCE)?.whole;
    let _issuer_unique_id = der::take_tag(&mut rest, 0x81);
    let _subject_unique_id = der::take_tag(&mut rest, 0x82);
    let before_extensions = tbs.content.get(..tbs.content.len() - rest.len())?;
    let extensions = match der::take_tag(&mut rest, EXTENSIONS) {
        Some(field) => extensions(field)?,
        None => Vec::new(),
    };
    rest.is_empty().then_some(Certificate {
        tbs: tbs.whole,
        before_extensions,
        extensions,
        issuer,
        subject,
        spki,
        algorithms: [inner, outer],
        signature,
    })
}

fn extensions(field: Element<'_>) -> Option<Vec<Extension<'_>>> {
    let mut list = der::only(field.content, der::SEQUENCE)?.content;
    let mut extensions = Vec::new();
    while !list.is_empty() {
        let whole = der::take_tag(&mut list, der::SEQUENCE)?;
        let mut parts = whole.content;
        let oid = der::take_tag(&mut parts, der::OID)?.content;
        let critical = der::take_tag(&mut parts, der::BOOLEAN);
        let value = der::only(parts, der::OCTET_STRING)?.content;
        let critical = critical.is_some_and(|flag| flag.content == [0xff]);
        extensions.push(Extension {
            oid,
            critical,
            value,
            whole: whole.whole,
        });
        if extensions.len() > EXTENSIONS_MAX {
            return None;
        }
    }
    Some(extensions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::{Authority, Entity};

    #[test]
    fn only_the_extension_goes_and_lengths_shrink() {
        let root = Authority::root("root");
        let plain = root.issue(&Entity::new(&["example.com"]));
        let poisoned = root.issue(&Entity::new(&["example.com"]).poisoned());
        let parsed = Certificate::parse(&plain).unwrap();
        assert_eq!(tbs_without(&poisoned, POISON).as_deref(), Ok(parsed.tbs));
        assert_eq!(
            tbs_without(&plain, POISON),
            Err(CertificateError::Extension)
        );
        let twice = root.issue(&Entity::new(&["example.com"]).poisoned().poisoned());
        assert_eq!(
            tbs_without(&twice, POISON),
            Err(CertificateError::Extension)
        );
    }

    #[test]
    fn without_the_last_extension_the_field_goes() {
        let root = Authority::root("root");
        let certificate = root.issue(&Entity::new(&["example.com"]));
        let bare = tbs_without(&certificate, &[0x55, 0x1d, 0x11]).unwrap();
        let before = Certificate::parse(&certificate).unwrap().before_extensions;
        assert_eq!(bare, der::element(der::SEQUENCE, &[before]));
    }

    #[test]
    fn what_is_cut_or_longer_is_no_certificate() {
        let good = Authority::root("root").certificate().to_vec();
        for len in 0..good.len() {
            assert!(Certificate::parse(&good[..len]).is_err(), "{len}");
        }
        let longer = [good.as_slice(), &[0]].concat();
        assert!(Certificate::parse(&longer).is_err());
        assert!(Certificate::parse(&good).is_ok_and(|root| root.verify(&root).is_ok()));
    }
}
