//! Reading DER as bytes: each element with its exact encoding, nothing decoded twice, nothing
//! normalised. What is compared byte for byte and what is linted is read here, independently of
//! the encoder that made it.

use const_oid::ObjectIdentifier;
use der::asn1::AnyRef;
use der::{Encode, Tag, TagNumber};

/// Not DER, or not what was expected there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not the DER that was expected")]
pub(crate) struct BadDer;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// `[number] EXPLICIT`, or IMPLICIT over a constructed type.
pub(crate) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// `[number] IMPLICIT` over a primitive type.
pub(crate) const fn primitive(number: u8) -> u8 {
    0x80 | number
}

/// One element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tlv<'a> {
    /// The identifier octet; tags above 30 are refused.
    pub(crate) tag: u8,
    /// The contents octets.
    pub(crate) value: &'a [u8],
    /// All of it, header and contents.
    pub(crate) raw: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// The one element that these bytes are.
    pub(crate) fn only(bytes: &'a [u8]) -> Result<Self, BadDer> {
        let mut reader = Reader::new(bytes);
        let element = reader.next()?;
        reader.end()?;
        Ok(element)
    }

    /// The same, which must have this tag.
    pub(crate) fn only_of(bytes: &'a [u8], tag: u8) -> Result<Self, BadDer> {
        let element = Self::only(bytes)?;
        if element.tag == tag {
            Ok(element)
        } else {
            Err(BadDer)
        }
    }

    /// Its elements, if it is constructed.
    pub(crate) fn inside(&self) -> Reader<'a> {
        Reader::new(self.value)
    }

    /// The contents of a non-negative INTEGER, shortest form, its sign octet included.
    pub(crate) fn unsigned(&self) -> Result<&'a [u8], BadDer> {
        match self.value {
            [0] => Ok(self.value),
            [0, second, ..] if *second < 0x80 => Err(BadDer),
            [first, ..] if *first < 0x80 => Ok(self.value),
            _ => Err(BadDer),
        }
    }

    /// A BOOLEAN: DER has one octet for each value.
    pub(crate) fn boolean(&self) -> Result<bool, BadDer> {
        match self.value {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(BadDer),
        }
    }

    /// The octets of a BIT STRING without unused bits.
    pub(crate) fn whole_bits(&self) -> Result<&'a [u8], BadDer> {
        match self.value.split_first() {
            Some((0, bits)) => Ok(bits),
            _ => Err(BadDer),
        }
    }

    /// An OBJECT IDENTIFIER.
    pub(crate) fn oid(&self) -> Result<ObjectIdentifier, BadDer> {
        ObjectIdentifier::from_bytes(self.value).map_err(|_| BadDer)
    }

    /// ASCII text.
    pub(crate) fn ascii(&self) -> Result<&'a str, BadDer> {
        let text = std::str::from_utf8(self.value).map_err(|_| BadDer)?;
        if text.is_ascii() {
            Ok(text)
        } else {
            Err(BadDer)
        }
    }
}

/// Elements one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes that are left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Nothing is left.
    pub(crate) fn end(&self) -> Result<(), BadDer> {
        if self.is_empty() { Ok(()) } else { Err(BadDer) }
    }

    /// The tag of the next element.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element, whatever it is.
    pub(crate) fn next(&mut self) -> Result<Tlv<'a>, BadDer> {
        let bytes = self.0;
        let (&tag, rest) = bytes.split_first().ok_or(BadDer)?;
        if tag & 0x1f == 0x1f {
            return Err(BadDer);
        }
        let (length, rest) = length(rest)?;
        let (value, after) = rest.split_at_checked(length).ok_or(BadDer)?;
        let raw_len = bytes.len().checked_sub(after.len()).ok_or(BadDer)?;
        let raw = bytes.get(..raw_len).ok_or(BadDer)?;
        self.0 = after;
        Ok(Tlv { tag, value, raw })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Tlv<'a>, BadDer> {
        match self.optional(tag)? {
            Some(element) => Ok(element),
            None => Err(BadDer),
        }
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Tlv<'a>>, BadDer> {
        if self.peek() == Some(tag) {
            self.next().map(Some)
        } else {
            Ok(None)
        }
    }
}

/// A definite length in its shortest form, of at most four octets.
fn length(bytes: &[u8]) -> Result<(usize, &[u8]), BadDer> {
    let (&first, rest) = bytes.split_first().ok_or(BadDer)?;
    if first < 0x80 {
        return Ok((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > 4 {
        return Err(BadDer);
    }
    let (digits, rest) = rest.split_at_checked(count).ok_or(BadDer)?;
    if digits.first() == Some(&0) {
        return Err(BadDer);
    }
    let length = digits
        .iter()
        .fold(0u32, |sum, digit| sum << 8 | u32::from(*digit));
    if length < 0x80 {
        return Err(BadDer);
    }
    Ok((usize::try_from(length).map_err(|_| BadDer)?, rest))
}

/// A SEQUENCE of these contents.
pub(crate) fn sequence(contents: &[u8]) -> Result<Vec<u8>, BadDer> {
    write(Tag::Sequence, contents)
}

/// `[number] EXPLICIT` over these contents.
pub(crate) fn explicit(number: u32, contents: &[u8]) -> Result<Vec<u8>, BadDer> {
    write(
        Tag::ContextSpecific {
            constructed: true,
            number: TagNumber(number),
        },
        contents,
    )
}

fn write(tag: Tag, contents: &[u8]) -> Result<Vec<u8>, BadDer> {
    let element = AnyRef::new(tag, contents).map_err(|_| BadDer)?;
    element.to_der().map_err(|_| BadDer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shortest_definite_lengths_are_der() {
        let check = |bytes: &[u8], ok: bool| {
            assert_eq!(Tlv::only(bytes).is_ok(), ok, "{bytes:02x?}");
        };
        check(&[4, 1, 7], true);
        check(&[4, 0], true);
        check(&[4, 0x81, 1, 7], false); // long form of a short length
        check(&[4, 0x82, 0, 0x80], false); // leading zero
        check(&[4, 0x80, 7, 0, 0], false); // indefinite
        check(&[4, 2, 7], false); // truncated
        check(&[4, 1, 7, 0], false); // something after it
        check(&[0x1f, 0x81, 0x01, 0], false); // high tag number
        check(&[4, 0x84, 0xff, 0xff, 0xff, 0xff], false);
        check(&[], false);
        let mut long = vec![4, 0x81, 0x80];
        long.extend([0; 0x80]);
        check(&long, true);
    }

    #[test]
    fn integers_are_shortest_and_not_negative() {
        let check = |bytes: &[u8], ok: bool| {
            assert_eq!(
                Tlv::only(bytes).unwrap().unsigned().is_ok(),
                ok,
                "{bytes:02x?}"
            );
        };
        check(&[2, 1, 0], true);
        check(&[2, 1, 0x7f], true);
        check(&[2, 2, 0, 0x80], true);
        check(&[2, 2, 0, 0x7f], false);
        check(&[2, 1, 0x80], false);
        check(&[2, 0], false);
    }
}
