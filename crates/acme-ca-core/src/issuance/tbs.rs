//! The TBSCertificate of a subscriber (RFC 5280 §4.1, BR §7.1.2.7). All of it comes from the
//! profile, the issuer and the order; the CSR contributes its key (invariant I10).

use std::net::IpAddr;

use acme_crypto::{KeyKind, Provider, PublicKey};
use acme_types::Identifier;
use der::asn1::AnyRef;
use der::asn1::{Ia5String, Null, OctetString, UintRef};
use der::{Encode, Sequence};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::certpolicy::PolicyInformation;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AccessDescription, AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints,
    CertificatePolicies, CrlDistributionPoints, ExtendedKeyUsage, KeyUsage, KeyUsages,
    SubjectAltName, SubjectKeyIdentifier,
};

use super::encode::{self, NotEncodable, Rdns, Times};
use super::issuer::{Issuer, key_identifier};
use super::oid;
use super::profile::Profile;
use super::validity::Validity;
use crate::Config;
use crate::schema::{Serial, Shard};

/// The most characters of a commonName (RFC 5280 appendix A, ub-common-name).
pub(crate) const COMMON_NAME_LEN_MAX: usize = 64;

/// All that decides a subscriber's TBSCertificate, but for its last extension.
#[derive(Clone, Debug)]
pub(crate) struct Template<'a> {
    pub(crate) issuer: &'a Issuer,
    pub(crate) profile: &'a Profile,
    pub(crate) serial: Serial,
    pub(crate) identifiers: &'a [Identifier],
    pub(crate) key: &'a PublicKey,
    pub(crate) validity: Validity,
    pub(crate) shard: Shard,
}

/// What stands in the last extension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mark<'a> {
    /// Nothing: a profile without Certificate Transparency.
    None,
    /// The poison of a precertificate (RFC 6962 §3.1).
    Poison,
    /// The SCT list of a final certificate (RFC 6962 §3.3), in its TLS encoding.
    Scts(&'a [u8]),
}

/// `TBSCertificate` (RFC 5280 §4.1).
#[derive(Sequence)]
struct Tbs<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: u8,
    serial: UintRef<'a>,
    signature: AnyRef<'a>,
    issuer: AnyRef<'a>,
    validity: Times,
    subject: Rdns,
    spki: AnyRef<'a>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

/// v3 is written as 2 (RFC 5280 §4.1.2.1).
const VERSION_3: u8 = 2;

/// Where the CRL of a shard is published.
pub(crate) fn crl_url(config: &Config, shard: Shard) -> String {
    format!("{}/crl/{}", publication_base(config), shard.0)
}

/// Where an issuer's certificate is published.
pub(crate) fn issuer_url(config: &Config, issuer: &Issuer) -> String {
    format!("{}/issuer/{}", publication_base(config), issuer.name())
}

fn publication_base(config: &Config) -> &str {
    config.publication_base.as_str().trim_end_matches('/')
}

impl Template<'_> {
    /// The TBSCertificate, DER.
    pub(crate) fn tbs(&self, config: &Config, mark: Mark<'_>) -> Result<Vec<u8>, NotEncodable> {
        let spki = self.key.to_spki_der();
        let tbs = Tbs {
            version: VERSION_3,
            serial: UintRef::new(self.serial.as_bytes())?,
            signature: encode::any(self.issuer.algorithm().algorithm_identifier_der())?,
            issuer: encode::any(self.issuer.subject())?,
            validity: Times {
                not_before: encode::time(self.validity.not_before)?,
                not_after: encode::time(self.validity.not_after)?,
            },
            subject: self.subject()?,
            spki: encode::any(&spki)?,
            extensions: self.extensions(config, mark)?,
        };
        Ok(tbs.to_der()?)
    }

    /// The name that stands in the subject too: the first DNS name that fits, never an address
    /// (clients break on it, and BR §7.1.4.3 doesn't ask for it).
    pub(crate) fn common_name(&self) -> Option<&str> {
        let fitting = |identifier: &'_ Identifier| match identifier {
            Identifier::Dns(name) => name.as_str().len() <= COMMON_NAME_LEN_MAX,
            _ => false,
        };
        let first = self
            .identifiers
            .iter()
            .find(|identifier| fitting(identifier))?;
        match first {
            Identifier::Dns(name) if self.profile.parts().common_name => Some(name.as_str()),
            _ => None,
        }
    }

    fn subject(&self) -> Result<Rdns, NotEncodable> {
        match self.common_name() {
            Some(name) => Ok(vec![encode::attribute(
                oid::COMMON_NAME,
                encode::utf8(name)?,
            )?]),
            None => Ok(Vec::new()),
        }
    }

    /// The extensions, always in this order.
    fn extensions(&self, config: &Config, mark: Mark<'_>) -> Result<Vec<Extension>, NotEncodable> {
        let parts = self.profile.parts();
        let mut extensions = vec![
            encode::extension(oid::KEY_USAGE, true, &self.key_usage())?,
            encode::extension(
                oid::EXTENDED_KEY_USAGE,
                false,
                &ExtendedKeyUsage(vec![oid::SERVER_AUTH]),
            )?,
            encode::extension(oid::BASIC_CONSTRAINTS, true, &NOT_AN_AUTHORITY)?,
        ];
        if parts.subject_key_identifier {
            extensions.push(self.subject_key_identifier(config.provider.as_ref())?);
        }
        extensions.push(authority_key_identifier(
            self.issuer.authority_key_identifier(),
        )?);
        extensions.push(authority_information_access(&issuer_url(
            config,
            self.issuer,
        ))?);
        extensions.push(self.subject_alt_name()?);
        if !self.profile.policies().is_empty() {
            extensions.push(self.policies()?);
        }
        extensions.push(crl_distribution_points(&crl_url(config, self.shard))?);
        match mark {
            Mark::None => {}
            Mark::Poison => extensions.push(encode::extension(oid::POISON, true, &Null)?),
            // RFC 6962 §3.3: the list is an OCTET STRING within that of the extension.
            Mark::Scts(list) => {
                let list = OctetString::new(list)?;
                extensions.push(encode::extension(oid::SCT_LIST, false, &list)?);
            }
        }
        Ok(extensions)
    }

    fn key_usage(&self) -> KeyUsage {
        let rsa = self.key.kind() == KeyKind::Rsa;
        if rsa && self.profile.parts().rsa_key_encipherment {
            KeyUsage(KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment)
        } else {
            KeyUsage(KeyUsages::DigitalSignature.into())
        }
    }

    fn subject_key_identifier(&self, provider: &dyn Provider) -> Result<Extension, NotEncodable> {
        let identifier = OctetString::new(key_identifier(self.key, provider))?;
        encode::extension(
            oid::SUBJECT_KEY_IDENTIFIER,
            false,
            &SubjectKeyIdentifier(identifier),
        )
    }

    fn subject_alt_name(&self) -> Result<Extension, NotEncodable> {
        let names = self
            .identifiers
            .iter()
            .map(general_name)
            .collect::<Result<Vec<_>, _>>()?;
        // RFC 5280 §4.2.1.6: critical exactly if the subject is empty.
        let critical = self.common_name().is_none();
        encode::extension(oid::SUBJECT_ALT_NAME, critical, &SubjectAltName(names))
    }

    fn policies(&self) -> Result<Extension, NotEncodable> {
        let information = |oid: &const_oid::ObjectIdentifier| PolicyInformation {
            policy_identifier: *oid,
            policy_qualifiers: None,
        };
        let policies = self.profile.policies().iter().map(information).collect();
        encode::extension(
            oid::CERTIFICATE_POLICIES,
            false,
            &CertificatePolicies(policies),
        )
    }
}

const NOT_AN_AUTHORITY: BasicConstraints = BasicConstraints {
    ca: false,
    path_len_constraint: None,
};

/// keyIdentifier only (BR §7.1.2.11.1).
pub(crate) fn authority_key_identifier(identifier: &[u8]) -> Result<Extension, NotEncodable> {
    let value = AuthorityKeyIdentifier {
        key_identifier: Some(OctetString::new(identifier)?),
        authority_cert_issuer: None,
        authority_cert_serial_number: None,
    };
    encode::extension(oid::AUTHORITY_KEY_IDENTIFIER, false, &value)
}

/// One caIssuers (BR §7.1.2.7.7).
pub(crate) fn authority_information_access(url: &str) -> Result<Extension, NotEncodable> {
    let access = AccessDescription {
        access_method: oid::CA_ISSUERS,
        access_location: encode::uri(url)?,
    };
    let value = AuthorityInfoAccessSyntax(vec![access]);
    encode::extension(oid::AUTHORITY_INFORMATION_ACCESS, false, &value)
}

/// One distribution point of one URI.
pub(crate) fn crl_distribution_points(url: &str) -> Result<Extension, NotEncodable> {
    let value = CrlDistributionPoints(vec![encode::distribution_point(url)?]);
    encode::extension(oid::CRL_DISTRIBUTION_POINTS, false, &value)
}

/// dNSName or iPAddress, the only two that are allowed (BR §7.1.2.7.12).
fn general_name(identifier: &Identifier) -> Result<GeneralName, NotEncodable> {
    match identifier {
        Identifier::Dns(name) => Ok(GeneralName::DnsName(Ia5String::new(name.as_str())?)),
        Identifier::Ip(IpAddr::V4(address)) => {
            Ok(GeneralName::IpAddress(OctetString::new(address.octets())?))
        }
        Identifier::Ip(IpAddr::V6(address)) => {
            Ok(GeneralName::IpAddress(OctetString::new(address.octets())?))
        }
        _ => Err(NotEncodable),
    }
}
