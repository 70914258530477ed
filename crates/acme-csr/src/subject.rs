//! The subject of a request, of which only the common name matters.

use acme_types::DnsName;
use der::asn1::{
    AnyRef, Ia5StringRef, ObjectIdentifier, PrintableStringRef, SetOfVec, Utf8StringRef,
};
use der::{Decode, Sequence, Tag, Tagged, ValueOrd};

use crate::error::CsrError;

/// id-at-commonName.
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// ub-common-name (RFC 5280 §A.1).
const COMMON_NAME_LEN_MAX: usize = 64;

/// `AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY }`
#[derive(Sequence, ValueOrd)]
struct Attribute<'a> {
    oid: ObjectIdentifier,
    value: AnyRef<'a>,
}

/// The common name of `Name ::= SEQUENCE OF SET OF AttributeTypeAndValue`, if there is one. It
/// must be a DNS name: an address in a common name is refused, as is what nobody validates.
pub(crate) fn common_name(subject: &[u8]) -> Result<Option<DnsName>, CsrError> {
    let sets = Vec::<SetOfVec<Attribute<'_>>>::from_der(subject)?;
    let mut found = sets
        .iter()
        .flat_map(SetOfVec::iter)
        .filter(|attribute| attribute.oid == COMMON_NAME);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(attribute), None) => {
            let name = text(attribute.value)?;
            if name.len() > COMMON_NAME_LEN_MAX {
                return Err(CsrError::CommonName);
            }
            DnsName::parse(name)
                .map(Some)
                .map_err(|_| CsrError::CommonName)
        }
        (Some(_), Some(_)) => Err(CsrError::TwoCommonNames),
    }
}

/// RFC 5280 §4.1.2.4 wants UTF8String or PrintableString; some libraries write IA5String.
fn text(value: AnyRef<'_>) -> Result<&str, CsrError> {
    match value.tag() {
        Tag::Utf8String => value
            .decode_as::<Utf8StringRef<'_>>()
            .map(|text| text.as_str()),
        Tag::PrintableString => value
            .decode_as::<PrintableStringRef<'_>>()
            .map(|text| text.as_str()),
        Tag::Ia5String => value
            .decode_as::<Ia5StringRef<'_>>()
            .map(|text| text.as_str()),
        _ => return Err(CsrError::CommonName),
    }
    .map_err(|_| CsrError::CommonName)
}
