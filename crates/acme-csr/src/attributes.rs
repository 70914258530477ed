//! The attributes of a request (RFC 2986 §4), of which ACME needs one: extensionRequest
//! (RFC 2985 §5.4.2).

use der::asn1::{AnyRef, ObjectIdentifier, SetOfVec};
use der::{Decode, Sequence, TagNumber, ValueOrd};
use der::{FixedTag, Tagged};

use crate::error::CsrError;
use crate::extension::{EXTENSIONS_MAX, Extension, RawExtension};

/// pkcs-9-at-extensionRequest.
pub(crate) const EXTENSION_REQUEST: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");
/// A request has one or two attributes; a few clients of Windows add four.
const ATTRIBUTES_MAX: usize = 16;

/// `Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }`
#[derive(Sequence, ValueOrd)]
struct Attribute<'a> {
    oid: ObjectIdentifier,
    values: SetOfVec<AnyRef<'a>>,
}

/// The extensions that are asked for; none if there is no such attribute. Attributes that aren't
/// understood are ignored, challengePassword among them.
pub(crate) fn requested_extensions(attributes: &[u8]) -> Result<Vec<Extension>, CsrError> {
    let attributes = read(attributes)?;
    if attributes.len() > ATTRIBUTES_MAX {
        return Err(CsrError::Malformed { position: None });
    }
    let mut oids: Vec<_> = attributes.iter().map(|attribute| attribute.oid).collect();
    oids.sort_unstable();
    oids.dedup();
    if oids.len() != attributes.len() {
        return Err(CsrError::DuplicateAttribute);
    }
    match attributes
        .iter()
        .find(|attribute| attribute.oid == EXTENSION_REQUEST)
    {
        Some(attribute) => extensions(attribute.values.as_slice()),
        None => Ok(Vec::new()),
    }
}

/// `[0] IMPLICIT SET OF Attribute`: the tag stands for that of the set, whose content follows.
fn read(attributes: &[u8]) -> Result<Vec<Attribute<'_>>, CsrError> {
    let any = AnyRef::from_der(attributes)?;
    let expected = der::Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(0),
    };
    if any.tag() != expected {
        return Err(CsrError::Malformed { position: None });
    }
    let set = AnyRef::new(SetOfVec::<Attribute<'_>>::TAG, any.value())?;
    Ok(set.decode_as::<SetOfVec<Attribute<'_>>>()?.into_vec())
}

/// RFC 2985 §5.4.2: single-valued; the value is `SEQUENCE SIZE (1..MAX) OF Extension`.
fn extensions(values: &[AnyRef<'_>]) -> Result<Vec<Extension>, CsrError> {
    let [value] = values else {
        return Err(CsrError::ExtensionRequest);
    };
    let raw: Vec<RawExtension<'_>> = value.decode_as()?;
    if raw.is_empty() || raw.len() > EXTENSIONS_MAX {
        return Err(CsrError::ExtensionRequest);
    }
    let mut oids: Vec<_> = raw.iter().map(|extension| extension.oid).collect();
    oids.sort_unstable();
    oids.dedup();
    if oids.len() != raw.len() {
        return Err(CsrError::DuplicateExtension);
    }
    Ok(raw.iter().map(Extension::from).collect())
}
