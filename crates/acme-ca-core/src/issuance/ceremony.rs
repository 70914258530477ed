//! How a CA of one's own comes to be: a self-signed root and an intermediate under it, each
//! drafted here, signed wherever its key is, and attached here (BR §7.1.2.1, §7.1.2.6).

use acme_crypto::{Provider, PublicKey, SignatureAlgorithm};
use acme_types::{Timestamp, Url};
use der::asn1::{Any, AnyRef, OctetString, PrintableStringRef, UintRef};
use der::{Encode, Sequence};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::certpolicy::PolicyInformation;
use x509_cert::ext::pkix::{
    BasicConstraints, CertificatePolicies, ExtendedKeyUsage, KeyUsage, KeyUsages,
    SubjectKeyIdentifier,
};

use super::encode::{self, NotEncodable, Rdns, Times};
use super::issuer::key_identifier;
use super::oid;
use super::tbs::{authority_information_access, authority_key_identifier, crl_distribution_points};
use super::tlv::{self, Tlv};
use super::x509::{SignedView, TbsView};
use crate::schema::Serial;

/// RFC 5280 appendix A: ub-common-name and ub-organization-name.
const NAME_LEN_MAX: usize = 64;

/// The name of a CA: BR §7.1.2.10.2 asks for all three parts, a private CA needs the first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaName {
    country: Option<String>,
    organization: Option<String>,
    common_name: String,
}

/// Why there is no certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// The commonName is empty or has more than 64 characters.
    #[error("the common name is empty or too long")]
    CommonName,
    /// The organizationName is empty or has more than 64 characters.
    #[error("the organization is empty or too long")]
    Organization,
    /// The countryName isn't two upper-case letters.
    #[error("the country is not two upper-case letters")]
    Country,
    /// It ends before it begins, or isn't within its issuer's.
    #[error("the validity ends before it begins, or is not within the issuer's")]
    Validity,
    /// The certificate of the root doesn't read, or isn't a CA's.
    #[error("the root's certificate is not one")]
    Root,
    /// A certificate is published over plain http.
    #[error("a URL in a certificate must be http")]
    Url,
    /// A value has no DER, or the signature isn't of its algorithm's form.
    #[error("a value can't be written")]
    Encoding,
}

impl From<NotEncodable> for CeremonyError {
    fn from(_: NotEncodable) -> Self {
        Self::Encoding
    }
}

impl CaName {
    /// A name.
    ///
    /// # Errors
    /// `CommonName`, `Organization` or `Country` of [`CeremonyError`].
    pub fn new(
        common_name: &str,
        organization: Option<&str>,
        country: Option<&str>,
    ) -> Result<Self, CeremonyError> {
        let fits = |text: &str| (1..=NAME_LEN_MAX).contains(&text.chars().count());
        if !fits(common_name) {
            return Err(CeremonyError::CommonName);
        }
        if organization.is_some_and(|text| !fits(text)) {
            return Err(CeremonyError::Organization);
        }
        let is_code = |c: &str| c.len() == 2 && c.bytes().all(|byte| byte.is_ascii_uppercase());
        if country.is_some_and(|code| !is_code(code)) {
            return Err(CeremonyError::Country);
        }
        Ok(Self {
            country: country.map(str::to_owned),
            organization: organization.map(str::to_owned),
            common_name: common_name.to_owned(),
        })
    }

    /// In the order of BR §7.1.4.2, each in an RDN of its own.
    fn rdns(&self) -> Result<Rdns, NotEncodable> {
        let mut rdns = Vec::new();
        if let Some(country) = &self.country {
            let text = PrintableStringRef::new(country)?;
            rdns.push(encode::attribute(oid::COUNTRY, Any::encode_from(&text)?)?);
        }
        if let Some(organization) = &self.organization {
            rdns.push(encode::attribute(
                oid::ORGANIZATION,
                encode::utf8(organization)?,
            )?);
        }
        rdns.push(encode::attribute(
            oid::COMMON_NAME,
            encode::utf8(&self.common_name)?,
        )?);
        Ok(rdns)
    }
}

/// A CA certificate whose signature is missing.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Draft {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

impl Draft {
    fn attach(&self, signature: &[u8]) -> Result<Vec<u8>, CeremonyError> {
        Ok(encode::attach(&self.tbs, self.algorithm, signature)?)
    }
}

/// `TBSCertificate` of a CA.
#[derive(Sequence)]
struct CaTbs<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: u8,
    serial: UintRef<'a>,
    signature: AnyRef<'a>,
    issuer: AnyRef<'a>,
    validity: Times,
    subject: AnyRef<'a>,
    spki: AnyRef<'a>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

/// A self-signed root, to be signed with its own key (BR §7.1.2.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RootDraft(Draft);

impl RootDraft {
    /// Drafts a root that holds from `not_before` through `not_after`.
    ///
    /// # Errors
    /// [`CeremonyError`].
    pub fn new(
        name: &CaName,
        key: &PublicKey,
        serial: Serial,
        (not_before, not_after): (Timestamp, Timestamp),
        provider: &dyn Provider,
    ) -> Result<Self, CeremonyError> {
        if not_after <= not_before {
            return Err(CeremonyError::Validity);
        }
        let identifier = key_identifier(key, provider);
        let extensions = vec![
            authority(None)?,
            key_usage()?,
            subject_key_identifier(&identifier)?,
            authority_key_identifier(&identifier)?,
        ];
        let subject = name.rdns()?.to_der().map_err(NotEncodable::from)?;
        let algorithm = key.default_algorithm();
        let spki = key.to_spki_der();
        let tbs = CaTbs {
            version: 2,
            serial: UintRef::new(serial.as_bytes()).map_err(NotEncodable::from)?,
            signature: encode::any(algorithm.algorithm_identifier_der())?,
            issuer: encode::any(&subject)?,
            validity: times(not_before, not_after)?,
            subject: encode::any(&subject)?,
            spki: encode::any(&spki)?,
            extensions,
        };
        let tbs = tbs.to_der().map_err(NotEncodable::from)?;
        Ok(Self(Draft { tbs, algorithm }))
    }

    /// What the root's own key signs.
    pub fn message(&self) -> &[u8] {
        &self.0.tbs
    }

    /// What it signs with.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm
    }

    /// The root's certificate, DER.
    ///
    /// # Errors
    /// [`CeremonyError::Encoding`] if the signature isn't of its algorithm's form. Whether it
    /// verifies is checked when an issuer is made of the chain.
    pub fn attach(&self, signature: &[u8]) -> Result<Vec<u8>, CeremonyError> {
        self.0.attach(signature)
    }
}

/// An intermediate that issues to subscribers and to no other CA, to be signed with the root's
/// key (BR §7.1.2.6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IntermediateDraft(Draft);

impl IntermediateDraft {
    /// Drafts an intermediate under a root. `root_url` is where the root's certificate is
    /// published, `root_crl` where its CRL is: the Web PKI asks for both, a private CA may have
    /// neither.
    ///
    /// # Errors
    /// [`CeremonyError`].
    #[expect(
        clippy::too_many_arguments,
        reason = "a certificate has that many parts"
    )]
    pub fn new(
        root: &[u8],
        name: &CaName,
        key: &PublicKey,
        serial: Serial,
        (not_before, not_after): (Timestamp, Timestamp),
        root_url: Option<&Url>,
        root_crl: Option<&Url>,
        provider: &dyn Provider,
    ) -> Result<Self, CeremonyError> {
        let signed = SignedView::parse(root).map_err(|_| CeremonyError::Root)?;
        let parent = TbsView::parse(signed.tbs).map_err(|_| CeremonyError::Root)?;
        let parent_key = PublicKey::from_spki_der(parent.spki).map_err(|_| CeremonyError::Root)?;
        let parent_identifier = parent
            .extension(oid::SUBJECT_KEY_IDENTIFIER)
            .and_then(|extension| Tlv::only_of(extension.value, tlv::OCTET_STRING).ok())
            .ok_or(CeremonyError::Root)?;
        // What is written has whole seconds.
        let (not_before, not_after) = (not_before.truncate_to_secs(), not_after.truncate_to_secs());
        let within = not_before >= parent.not_before && not_after <= parent.not_after;
        if not_after <= not_before || !within {
            return Err(CeremonyError::Validity);
        }
        let extensions = intermediate_extensions(
            &key_identifier(key, provider),
            parent_identifier.value,
            root_url,
            root_crl,
        )?;
        let algorithm = parent_key.default_algorithm();
        let spki = key.to_spki_der();
        let subject = name.rdns()?.to_der().map_err(NotEncodable::from)?;
        let tbs = CaTbs {
            version: 2,
            serial: UintRef::new(serial.as_bytes()).map_err(NotEncodable::from)?,
            signature: encode::any(algorithm.algorithm_identifier_der())?,
            issuer: encode::any(parent.subject)?,
            validity: times(not_before, not_after)?,
            subject: encode::any(&subject)?,
            spki: encode::any(&spki)?,
            extensions,
        };
        let tbs = tbs.to_der().map_err(NotEncodable::from)?;
        Ok(Self(Draft { tbs, algorithm }))
    }

    /// What the root's key signs.
    pub fn message(&self) -> &[u8] {
        &self.0.tbs
    }

    /// What it signs with.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm
    }

    /// The intermediate's certificate, DER.
    ///
    /// # Errors
    /// As [`RootDraft::attach`].
    pub fn attach(&self, signature: &[u8]) -> Result<Vec<u8>, CeremonyError> {
        self.0.attach(signature)
    }
}

fn intermediate_extensions(
    own: &[u8],
    parent: &[u8],
    root_url: Option<&Url>,
    root_crl: Option<&Url>,
) -> Result<Vec<Extension>, CeremonyError> {
    // No restriction: which policies hold is said in the subscriber's certificate, and the
    // intermediate is the root's own (BR §7.1.2.10.5).
    let any = PolicyInformation {
        policy_identifier: oid::ANY_POLICY,
        policy_qualifiers: None,
    };
    let mut extensions = vec![
        // RFC 5280 §4.2.1.9: with 0, no CA follows.
        authority(Some(0))?,
        key_usage()?,
        encode::extension(
            oid::EXTENDED_KEY_USAGE,
            false,
            &ExtendedKeyUsage(vec![oid::SERVER_AUTH]),
        )?,
        subject_key_identifier(own)?,
        authority_key_identifier(parent)?,
    ];
    if let Some(url) = root_url {
        extensions.push(authority_information_access(http(url)?)?);
    }
    extensions.push(encode::extension(
        oid::CERTIFICATE_POLICIES,
        false,
        &CertificatePolicies(vec![any]),
    )?);
    if let Some(url) = root_crl {
        extensions.push(crl_distribution_points(http(url)?)?);
    }
    Ok(extensions)
}

fn http(url: &Url) -> Result<&str, CeremonyError> {
    let text = url.as_str();
    if text.starts_with("http://") {
        Ok(text)
    } else {
        Err(CeremonyError::Url)
    }
}

fn times(not_before: Timestamp, not_after: Timestamp) -> Result<Times, NotEncodable> {
    Ok(Times {
        not_before: encode::time(not_before)?,
        not_after: encode::time(not_after)?,
    })
}

fn authority(path_len_constraint: Option<u8>) -> Result<Extension, NotEncodable> {
    let value = BasicConstraints {
        ca: true,
        path_len_constraint,
    };
    encode::extension(oid::BASIC_CONSTRAINTS, true, &value)
}

/// keyCertSign and cRLSign, no more (BR §7.1.2.10.7).
fn key_usage() -> Result<Extension, NotEncodable> {
    let value = KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign);
    encode::extension(oid::KEY_USAGE, true, &value)
}

fn subject_key_identifier(identifier: &[u8]) -> Result<Extension, NotEncodable> {
    let value = SubjectKeyIdentifier(OctetString::new(identifier).map_err(NotEncodable::from)?);
    encode::extension(oid::SUBJECT_KEY_IDENTIFIER, false, &value)
}
