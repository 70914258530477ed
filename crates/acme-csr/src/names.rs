//! subjectAltName (RFC 5280 §4.2.1.6), read and written.

use std::collections::BTreeSet;
use std::net::IpAddr;

use acme_types::{DnsName, Identifier};
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Tag, TagNumber, Tagged};

use crate::encode::{octet_string, sequence, tlv};
use crate::error::{CsrError, NameKind};
use crate::extension::Extension;

/// id-ce-subjectAltName.
pub(crate) const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const DNS_NAME: Tag = Tag::ContextSpecific {
    constructed: false,
    number: TagNumber(2),
};
const IP_ADDRESS: Tag = Tag::ContextSpecific {
    constructed: false,
    number: TagNumber(7),
};

/// The identifiers in subjectAltName; none if there is no such extension.
pub(crate) fn alternative_names(
    extensions: &[Extension],
) -> Result<BTreeSet<Identifier>, CsrError> {
    let found = extensions
        .iter()
        .find(|extension| extension.has_oid(SUBJECT_ALT_NAME));
    let Some(extension) = found else {
        return Ok(BTreeSet::new());
    };
    let names =
        Vec::<AnyRef<'_>>::from_der(extension.value()).map_err(|_| CsrError::AlternativeName)?;
    // "GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName"
    if names.is_empty() {
        return Err(CsrError::AlternativeName);
    }
    names.into_iter().map(identifier).collect()
}

/// Of one GeneralName. "iPAddress ... MUST contain exactly four octets ... sixteen octets".
fn identifier(name: AnyRef<'_>) -> Result<Identifier, CsrError> {
    match name.tag() {
        DNS_NAME => {
            // What isn't ASCII isn't an IA5String; the reader of names refuses it and NUL.
            let text = str::from_utf8(name.value()).map_err(|_| CsrError::AlternativeName)?;
            DnsName::parse(text)
                .map(Identifier::Dns)
                .map_err(CsrError::DnsName)
        }
        IP_ADDRESS => ip_address(name.value()),
        Tag::ContextSpecific { number, .. } => Err(kind(number)),
        _ => Err(CsrError::AlternativeName),
    }
}

fn ip_address(bytes: &[u8]) -> Result<Identifier, CsrError> {
    let address = match (<[u8; 4]>::try_from(bytes), <[u8; 16]>::try_from(bytes)) {
        (Ok(v4), _) => IpAddr::from(v4),
        (_, Ok(v6)) => IpAddr::from(v6),
        (Err(_), Err(_)) => return Err(CsrError::IpAddress),
    };
    // Would be certified as another address than the one that was asked for.
    if address != address.to_canonical() {
        return Err(CsrError::IpAddress);
    }
    Ok(Identifier::ip(address))
}

fn kind(number: TagNumber) -> CsrError {
    match number.value() {
        0 => CsrError::NameKind(NameKind::Other),
        1 => CsrError::NameKind(NameKind::Email),
        3 => CsrError::NameKind(NameKind::X400),
        4 => CsrError::NameKind(NameKind::Directory),
        5 => CsrError::NameKind(NameKind::Edi),
        6 => CsrError::NameKind(NameKind::Uri),
        8 => CsrError::NameKind(NameKind::RegisteredId),
        _ => CsrError::AlternativeName,
    }
}

/// The Extension with these names, not critical.
pub(crate) fn extension<'a>(
    names: impl Iterator<Item = &'a Identifier>,
) -> Result<Vec<u8>, CsrError> {
    let names: Vec<Vec<u8>> = names.map(general_name).collect::<Result<_, _>>()?;
    let value = sequence(names.iter().map(Vec::as_slice))?;
    let oid = tlv(Tag::ObjectIdentifier, SUBJECT_ALT_NAME.as_bytes())?;
    sequence([oid.as_slice(), &octet_string(&value)?])
}

fn general_name(name: &Identifier) -> Result<Vec<u8>, CsrError> {
    match name {
        Identifier::Dns(name) => tlv(DNS_NAME, name.as_str().as_bytes()),
        Identifier::Ip(IpAddr::V4(address)) => tlv(IP_ADDRESS, &address.octets()),
        Identifier::Ip(IpAddr::V6(address)) => tlv(IP_ADDRESS, &address.octets()),
        // A later type of identifier has its own name here; none can be made until then.
        _ => Err(CsrError::AlternativeName),
    }
}
