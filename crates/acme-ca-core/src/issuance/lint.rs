//! Lints: what is about to be signed, and what was, is read back byte by byte and held against
//! what was meant and what RFC 5280 and the Baseline Requirements say. The reader shares no code
//! with the writer.

mod extensions;

pub(crate) use extensions::is_key_identifier;

use std::time::Duration;

use acme_crypto::PublicKey;
use acme_types::Timestamp;

use super::issuer::verify_signed;
use super::oid;
use super::tbs::{COMMON_NAME_LEN_MAX, Mark, Template};
use super::tlv::{self, BadDer, Tlv};
use super::validity::{Validity, web_pki_max};
use super::x509::{SignedView, TbsView};
use crate::Config;

/// BR §7.1.2.7: notBefore is "a value within 48 hours of the certificate signing operation".
const NOT_BEFORE_SPAN: Duration = Duration::from_secs(48 * 3_600);
/// BR §7.1: "at least 64 bits of output from a CSPRNG".
const SERIAL_LEN_MIN: usize = 8;
/// RFC 5280 §4.1.2.2: "CAs MUST NOT use serialNumber values longer than 20 octets".
const SERIAL_LEN_MAX: usize = 20;

/// What a lint found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// Not DER, or not a certificate.
    #[error("not the DER of a certificate")]
    Malformed,
    /// RFC 5280 §4.1.2.1: with extensions, v3.
    #[error("not version 3")]
    Version,
    /// BR §7.1: positive, of at least 64 bits, at most 20 octets, and the intent's own.
    #[error("the serial number is not the intended one, too short or too long")]
    Serial,
    /// BR §7.1.3.2: exactly the bytes for the issuer's key, inside and outside.
    #[error("the signature algorithm is not the issuer's")]
    SignatureAlgorithm,
    /// BR §7.1.2.7: byte for byte the issuer's subject.
    #[error("the issuer is not byte for byte the issuer's subject")]
    Issuer,
    /// The validity isn't the intended one.
    #[error("the validity is not the intended one")]
    Validity,
    /// BR §7.1.2.7.
    #[error("notBefore is not within 48 hours of the signature")]
    NotBefore,
    /// Longer than the profile has it.
    #[error("the validity is longer than the profile's")]
    ValidityOfProfile,
    /// BR §6.3.2.
    #[error("the validity is longer than the Web PKI allows")]
    ValidityOfWebPki,
    /// Invariant I17.
    #[error("the validity is not within the issuer's")]
    ValidityOfIssuer,
    /// BR §7.1.2.7.2: empty, or one commonName.
    #[error("the subject is not what the profile says")]
    Subject,
    /// BR §7.1.4.3: one of the names, of at most 64 characters.
    #[error("the common name is not one of the names, or too long")]
    CommonName,
    /// Not the CSR's key, or one that is refused.
    #[error("the key is not the one that was asked for")]
    Key,
    /// Not a kind that the profile certifies.
    #[error("the profile does not certify keys of this kind")]
    KeyKind,
    /// Invariant I19.
    #[error("the key is the issuer's own")]
    IssuerKey,
    /// BR §7.1.2.7.
    #[error("there is a unique identifier")]
    UniqueIdentifier,
    /// RFC 5280 §4.2: "A certificate MUST NOT include more than one instance of a particular
    /// extension".
    #[error("an extension is there twice")]
    ExtensionTwice,
    /// Exactly those of the profile, in their order.
    #[error("the extensions are not exactly those of the profile")]
    Extensions,
    /// BR §7.1.2.7.6.
    #[error("an extension is critical that must not be, or the other way round")]
    Criticality,
    /// BR §7.1.2.7.11.
    #[error("the key usage does not fit the key")]
    KeyUsage,
    /// BR §7.1.2.7.10.
    #[error("the extended key usage is not serverAuth alone")]
    ExtendedKeyUsage,
    /// BR §7.1.2.7.8.
    #[error("the basic constraints are not those of a subscriber")]
    BasicConstraints,
    /// RFC 5280 §4.2.1.2.
    #[error("the subject key identifier is not the key's")]
    SubjectKeyIdentifier,
    /// BR §7.1.2.11.1.
    #[error("the authority key identifier is not the issuer's, or not alone")]
    AuthorityKeyIdentifier,
    /// BR §7.1.2.7.7.
    #[error("the authority information access is not one http URL of the issuer")]
    AuthorityInformationAccess,
    /// Invariant I8, BR §7.1.2.7.12.
    #[error("the names are not exactly those of the order")]
    SubjectAltName,
    /// BR §7.1.2.7.9.
    #[error("the certificate policies are not those of the profile")]
    Policies,
    /// BR §7.1.2.11.2.
    #[error("the CRL distribution point is not one http URL of the shard")]
    CrlDistributionPoints,
    /// RFC 6962 §3.1, invariant I15.
    #[error("the poison is not where it belongs, or not NULL")]
    Poison,
    /// RFC 6962 §3.3, invariants I13 and I15.
    #[error("the SCT list is not where it belongs, or does not meet the profile")]
    SctList,
    /// The signature isn't the issuer's over these bytes.
    #[error("the signature does not verify under the issuer's key")]
    Signature,
}

impl From<BadDer> for Finding {
    fn from(_: BadDer) -> Self {
        Self::Malformed
    }
}

/// What was meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'a> {
    /// The parts.
    pub(crate) template: &'a Template<'a>,
    /// Which of the certificates that are made of them.
    pub(crate) stage: Stage,
    /// When it is signed.
    pub(crate) at: Timestamp,
}

/// Which certificate it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// Of a profile without Certificate Transparency.
    Plain,
    /// With poison.
    Precertificate,
    /// With SCTs.
    Final,
}

impl From<Mark<'_>> for Stage {
    fn from(mark: Mark<'_>) -> Self {
        match mark {
            Mark::None => Self::Plain,
            Mark::Poison => Self::Precertificate,
            Mark::Scts(_) => Self::Final,
        }
    }
}

/// Lints a certificate: its frame, its signature, its TBSCertificate.
pub(crate) fn certificate(
    config: &Config,
    expected: &Expected<'_>,
    der: &[u8],
) -> Result<(), Finding> {
    let signed = SignedView::parse(der)?;
    let issuer = expected.template.issuer;
    if signed.algorithm != issuer.algorithm().algorithm_identifier_der() {
        return Err(Finding::SignatureAlgorithm);
    }
    verify_signed(&signed, issuer.public_key(), config.provider.as_ref())
        .map_err(|_| Finding::Signature)?;
    tbs(config, expected, signed.tbs)
}

/// Lints a TBSCertificate. The first finding is enough: nothing is signed then.
pub(crate) fn tbs(config: &Config, expected: &Expected<'_>, der: &[u8]) -> Result<(), Finding> {
    let view = TbsView::parse(der)?;
    let template = expected.template;
    if view.version != 2 {
        return Err(Finding::Version);
    }
    let fits = (SERIAL_LEN_MIN..=SERIAL_LEN_MAX).contains(&view.serial.len());
    if !fits || view.serial != template.serial.as_bytes() {
        return Err(Finding::Serial);
    }
    if view.signature != template.issuer.algorithm().algorithm_identifier_der() {
        return Err(Finding::SignatureAlgorithm);
    }
    if view.issuer != template.issuer.subject() {
        return Err(Finding::Issuer);
    }
    validity(expected, &view)?;
    subject(template, &view)?;
    key(template, &view)?;
    if view.unique_ids {
        return Err(Finding::UniqueIdentifier);
    }
    extensions::check(config, expected, &view)
}

fn validity(expected: &Expected<'_>, view: &TbsView<'_>) -> Result<(), Finding> {
    let template = expected.template;
    let found = Validity {
        not_before: view.not_before,
        not_after: view.not_after,
    };
    if found != template.validity || found.not_after < found.not_before {
        return Err(Finding::Validity);
    }
    if found.period() > template.profile.parts().validity {
        return Err(Finding::ValidityOfProfile);
    }
    if !found.is_within(template.issuer) {
        return Err(Finding::ValidityOfIssuer);
    }
    let early = expected.at.since(found.not_before) > NOT_BEFORE_SPAN;
    let late = found.not_before.since(expected.at) > NOT_BEFORE_SPAN;
    if early || late {
        return Err(Finding::NotBefore);
    }
    // Looked up by the earlier of the two, so that a notBefore in the past gains nothing; the
    // limits only ever fall.
    let web_pki = template.profile.parts().web_pki;
    if web_pki && found.period() > web_pki_max(expected.at) {
        return Err(Finding::ValidityOfWebPki);
    }
    Ok(())
}

fn subject(template: &Template<'_>, view: &TbsView<'_>) -> Result<(), Finding> {
    let mut rdns = Tlv::only_of(view.subject, tlv::SEQUENCE)?.inside();
    let Some(expected) = template.common_name() else {
        return rdns.end().map_err(|_| Finding::Subject);
    };
    let rdn = rdns.expect(tlv::SET).map_err(|_| Finding::Subject)?;
    rdns.end().map_err(|_| Finding::Subject)?;
    let mut attributes = rdn.inside();
    let mut attribute = attributes.expect(tlv::SEQUENCE)?.inside();
    attributes.end().map_err(|_| Finding::Subject)?;
    if attribute.expect(tlv::OID)?.oid()? != oid::COMMON_NAME {
        return Err(Finding::Subject);
    }
    let name = attribute
        .expect(tlv::UTF8_STRING)
        .map_err(|_| Finding::Subject)?
        .ascii()?;
    attribute.end()?;
    // That the names are the order's is checked at the SAN; here that this is one of them.
    let is_name = template
        .identifiers
        .iter()
        .any(|identifier| identifier.to_string() == name);
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    if name != expected || !is_name || is_address || name.len() > COMMON_NAME_LEN_MAX {
        return Err(Finding::CommonName);
    }
    Ok(())
}

fn key(template: &Template<'_>, view: &TbsView<'_>) -> Result<(), Finding> {
    let key = PublicKey::from_spki_der(view.spki).map_err(|_| Finding::Key)?;
    if key != *template.key || view.spki != template.key.to_spki_der() {
        return Err(Finding::Key);
    }
    if !template.profile.parts().keys.contains(&key.kind()) {
        return Err(Finding::KeyKind);
    }
    if view.spki == template.issuer.spki() {
        return Err(Finding::IssuerKey);
    }
    Ok(())
}
