//! DER from parts that are DER already.

use der::asn1::AnyRef;
use der::{Encode, Tag};

use crate::error::CsrError;

/// Fails only beyond a length of 256 MiB.
pub(crate) fn tlv(tag: Tag, value: &[u8]) -> Result<Vec<u8>, CsrError> {
    Ok(AnyRef::new(tag, value)?.to_der()?)
}

pub(crate) fn sequence<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, CsrError> {
    tlv(
        Tag::Sequence,
        &parts.into_iter().collect::<Vec<_>>().concat(),
    )
}

pub(crate) fn octet_string(value: &[u8]) -> Result<Vec<u8>, CsrError> {
    tlv(Tag::OctetString, value)
}

/// A BIT STRING of whole bytes.
pub(crate) fn bit_string(value: &[u8]) -> Result<Vec<u8>, CsrError> {
    tlv(Tag::BitString, &[&[0], value].concat())
}
