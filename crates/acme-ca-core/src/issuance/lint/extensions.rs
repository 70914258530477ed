//! The extensions of a subscriber's certificate (BR §7.1.2.7.6).

use std::collections::BTreeSet;
use std::net::IpAddr;

use acme_crypto::KeyKind;
use acme_types::Identifier;
use const_oid::ObjectIdentifier;

use super::{Expected, Finding, Stage};
use crate::Config;
use crate::issuance::tbs::{Template, crl_url, issuer_url};
use crate::issuance::tlv::{self, BadDer, Tlv};
use crate::issuance::x509::{ExtensionView, TbsView};
use crate::issuance::{Log, oid, sct};

/// A key usage with digitalSignature (bit 0), DER: 7 unused bits.
const DIGITAL_SIGNATURE: &[u8] = &[7, 0x80];
/// The same with keyEncipherment (bit 2): 5 unused bits.
const AND_KEY_ENCIPHERMENT: &[u8] = &[5, 0xa0];
/// NULL (BR §7.1.2.9.3).
const NULL: &[u8] = &[5, 0];

pub(super) fn check(
    config: &Config,
    expected: &Expected<'_>,
    view: &TbsView<'_>,
) -> Result<(), Finding> {
    let distinct: BTreeSet<ObjectIdentifier> = view.extensions.iter().map(|e| e.oid).collect();
    if distinct.len() != view.extensions.len() {
        return Err(Finding::ExtensionTwice);
    }
    misplaced(expected.stage, &distinct)?;
    let wanted = wanted(expected);
    if !view
        .extensions
        .iter()
        .map(|e| e.oid)
        .eq(wanted.iter().map(|(oid, _)| *oid))
    {
        return Err(Finding::Extensions);
    }
    for (extension, (_, critical)) in view.extensions.iter().zip(wanted) {
        if extension.critical != critical {
            return Err(Finding::Criticality);
        }
        let (finding, result) = value(config, expected, extension);
        if result != Ok(true) {
            return Err(finding);
        }
    }
    Ok(())
}

/// Invariant I15, with a finding of its own.
fn misplaced(stage: Stage, found: &BTreeSet<ObjectIdentifier>) -> Result<(), Finding> {
    if found.contains(&oid::POISON) != (stage == Stage::Precertificate) {
        return Err(Finding::Poison);
    }
    if found.contains(&oid::SCT_LIST) != (stage == Stage::Final) {
        return Err(Finding::SctList);
    }
    Ok(())
}

/// Which extensions, in which order, and whether critical.
fn wanted(expected: &Expected<'_>) -> Vec<(ObjectIdentifier, bool)> {
    let template = expected.template;
    let no_subject = template.common_name().is_none();
    let mut wanted = vec![
        (oid::KEY_USAGE, true),
        (oid::EXTENDED_KEY_USAGE, false),
        (oid::BASIC_CONSTRAINTS, true),
    ];
    if template.profile.parts().subject_key_identifier {
        wanted.push((oid::SUBJECT_KEY_IDENTIFIER, false));
    }
    wanted.push((oid::AUTHORITY_KEY_IDENTIFIER, false));
    wanted.push((oid::AUTHORITY_INFORMATION_ACCESS, false));
    wanted.push((oid::SUBJECT_ALT_NAME, no_subject));
    if !template.profile.policies().is_empty() {
        wanted.push((oid::CERTIFICATE_POLICIES, false));
    }
    wanted.push((oid::CRL_DISTRIBUTION_POINTS, false));
    match expected.stage {
        Stage::Plain => {}
        Stage::Precertificate => wanted.push((oid::POISON, true)),
        Stage::Final => wanted.push((oid::SCT_LIST, false)),
    }
    wanted
}

/// Whether the extension says what was meant, and the finding if it doesn't.
fn value(
    config: &Config,
    expected: &Expected<'_>,
    extension: &ExtensionView<'_>,
) -> (Finding, Result<bool, BadDer>) {
    let template = expected.template;
    let value = extension.value;
    match extension.oid {
        oid::KEY_USAGE => (Finding::KeyUsage, key_usage(template, value)),
        oid::EXTENDED_KEY_USAGE => (Finding::ExtendedKeyUsage, server_auth_alone(value)),
        oid::BASIC_CONSTRAINTS => (Finding::BasicConstraints, is_empty_sequence(value)),
        oid::SUBJECT_KEY_IDENTIFIER => (
            Finding::SubjectKeyIdentifier,
            subject_key_identifier(config, template, value),
        ),
        oid::AUTHORITY_KEY_IDENTIFIER => {
            let identifier = template.issuer.authority_key_identifier();
            (
                Finding::AuthorityKeyIdentifier,
                is_key_identifier(value, identifier),
            )
        }
        oid::AUTHORITY_INFORMATION_ACCESS => {
            let url = issuer_url(config, template.issuer);
            (
                Finding::AuthorityInformationAccess,
                is_ca_issuers(value, &url),
            )
        }
        oid::SUBJECT_ALT_NAME => (Finding::SubjectAltName, names(template, value)),
        oid::CERTIFICATE_POLICIES => (Finding::Policies, policies(template, value)),
        oid::CRL_DISTRIBUTION_POINTS => {
            let own = template.issuer.has_shard(template.shard);
            let url = crl_url(config, template.shard);
            let result = is_distribution_point(value, &url).map(|same| same && own);
            (Finding::CrlDistributionPoints, result)
        }
        oid::POISON => (Finding::Poison, Ok(value == NULL)),
        oid::SCT_LIST => (Finding::SctList, scts(config, template, value)),
        _ => (Finding::Extensions, Ok(false)),
    }
}

fn key_usage(template: &Template<'_>, value: &[u8]) -> Result<bool, BadDer> {
    let rsa = template.key.kind() == KeyKind::Rsa;
    let encipherment = rsa && template.profile.parts().rsa_key_encipherment;
    let bits = if encipherment {
        AND_KEY_ENCIPHERMENT
    } else {
        DIGITAL_SIGNATURE
    };
    Ok(Tlv::only_of(value, tlv::BIT_STRING)?.value == bits)
}

fn server_auth_alone(value: &[u8]) -> Result<bool, BadDer> {
    let mut purposes = Tlv::only_of(value, tlv::SEQUENCE)?.inside();
    let purpose = purposes.expect(tlv::OID)?.oid()?;
    Ok(purpose == oid::SERVER_AUTH && purposes.is_empty())
}

fn is_empty_sequence(value: &[u8]) -> Result<bool, BadDer> {
    Ok(Tlv::only_of(value, tlv::SEQUENCE)?.value.is_empty())
}

fn subject_key_identifier(
    config: &Config,
    template: &Template<'_>,
    value: &[u8],
) -> Result<bool, BadDer> {
    let hash = config.provider.sha256(&template.key.spki_key_bytes());
    let found = Tlv::only_of(value, tlv::OCTET_STRING)?.value;
    Ok(found.len() == 20 && hash.starts_with(found))
}

/// keyIdentifier alone (BR §7.1.2.11.1).
pub(crate) fn is_key_identifier(value: &[u8], identifier: &[u8]) -> Result<bool, BadDer> {
    let mut fields = Tlv::only_of(value, tlv::SEQUENCE)?.inside();
    let found = fields.expect(tlv::primitive(0))?.value;
    Ok(found == identifier && fields.is_empty())
}

fn is_ca_issuers(value: &[u8], url: &str) -> Result<bool, BadDer> {
    let mut descriptions = Tlv::only_of(value, tlv::SEQUENCE)?.inside();
    let mut description = descriptions.expect(tlv::SEQUENCE)?.inside();
    descriptions.end()?;
    let method = description.expect(tlv::OID)?.oid()?;
    let location = description.expect(tlv::primitive(6))?.ascii()?;
    description.end()?;
    Ok(method == oid::CA_ISSUERS && is_http(location, url))
}

/// One DistributionPoint with a fullName of one URI, no reasons, no cRLIssuer.
fn is_distribution_point(value: &[u8], url: &str) -> Result<bool, BadDer> {
    let mut points = Tlv::only_of(value, tlv::SEQUENCE)?.inside();
    let mut point = points.expect(tlv::SEQUENCE)?.inside();
    points.end()?;
    let name = point.expect(tlv::constructed(0))?;
    point.end()?;
    let mut names = Tlv::only_of(name.value, tlv::constructed(0))?.inside();
    let location = names.expect(tlv::primitive(6))?.ascii()?;
    Ok(names.is_empty() && is_http(location, url))
}

/// BR §7.1.2.11.2: "the scheme of each MUST be \"http\"": what answers over https needs a
/// certificate, and a circle is closed.
fn is_http(found: &str, expected: &str) -> bool {
    found == expected && found.starts_with("http://")
}

/// The order's names, each once, in its order; dNSName and iPAddress only.
fn names(template: &Template<'_>, value: &[u8]) -> Result<bool, BadDer> {
    let mut names = Tlv::only_of(value, tlv::SEQUENCE)?.inside();
    let mut found = Vec::new();
    while !names.is_empty() {
        let name = names.next()?;
        found.push(if name.tag == tlv::primitive(2) {
            let text = name.ascii()?;
            let identifier = Identifier::dns(text).map_err(|_| BadDer)?;
            // The reader folds case; what is signed is folded already.
            if identifier.to_string() != text {
                return Ok(false);
            }
            identifier
        } else if name.tag == tlv::primitive(7) {
            Identifier::Ip(address(name.value)?)
        } else {
            return Ok(false);
        });
    }
    let distinct: BTreeSet<&Identifier> = found.iter().collect();
    let count = found.len();
    let bounded = (1..=template.profile.names_max()).contains(&count);
    Ok(bounded && distinct.len() == count && found == template.identifiers)
}

fn address(octets: &[u8]) -> Result<IpAddr, BadDer> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Ok(IpAddr::from(octets));
    }
    let octets = <[u8; 16]>::try_from(octets).map_err(|_| BadDer)?;
    Ok(IpAddr::from(octets))
}

/// Exactly the profile's, without qualifiers.
fn policies(template: &Template<'_>, value: &[u8]) -> Result<bool, BadDer> {
    let mut list = Tlv::only_of(value, tlv::SEQUENCE)?.inside();
    let mut found = Vec::new();
    while !list.is_empty() {
        let mut information = list.expect(tlv::SEQUENCE)?.inside();
        found.push(information.expect(tlv::OID)?.oid()?);
        information.end()?;
    }
    Ok(found == template.profile.policies())
}

/// SCTs of different known logs, enough for the profile. That each verifies was checked when it
/// came.
fn scts(config: &Config, template: &Template<'_>, value: &[u8]) -> Result<bool, BadDer> {
    let list = Tlv::only_of(value, tlv::OCTET_STRING)?.value;
    let scts = sct::parse_list(list).map_err(|_| BadDer)?;
    let logs: Option<Vec<&Log>> = scts
        .iter()
        .map(|sct| config.authority.log(sct.log()))
        .collect();
    let (Some(logs), Some(transparency)) = (logs, template.profile.transparency()) else {
        return Ok(false);
    };
    let distinct: BTreeSet<_> = logs.iter().map(|log| log.id()).collect();
    Ok(distinct.len() == logs.len() && transparency.is_met(&logs))
}
