//! As much of DER (X.690) as certificates need, on raw bytes: what is not changed stays byte for
//! byte what it was, which signatures depend on.

/// `BOOLEAN`.
pub(crate) const BOOLEAN: u8 = 0x01;
/// `INTEGER`.
pub(crate) const INTEGER: u8 = 0x02;
/// `BIT STRING`.
pub(crate) const BIT_STRING: u8 = 0x03;
/// `OCTET STRING`.
pub(crate) const OCTET_STRING: u8 = 0x04;
/// `OBJECT IDENTIFIER`.
pub(crate) const OID: u8 = 0x06;
/// `UTF8String`.
pub(crate) const UTF8_STRING: u8 = 0x0c;
/// `SEQUENCE`.
pub(crate) const SEQUENCE: u8 = 0x30;
/// `SET`.
pub(crate) const SET: u8 = 0x31;

/// The most bytes of one element that is read: three octets of length, as TLS's certificates.
const LENGTH_OCTETS_MAX: usize = 3;

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// With tag and length.
    pub(crate) whole: &'a [u8],
}

/// Takes the first element off the input. `None` for what is no DER: lengths that are indefinite
/// or longer than needed, tags of more than one octet.
pub(crate) fn take<'a>(input: &mut &'a [u8]) -> Option<Element<'a>> {
    let (&tag, rest) = input.split_first()?;
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match usize::from(first) {
        short @ 0..=0x7f => (short, rest),
        long => {
            let octets = long & 0x7f;
            if octets == 0 || octets > LENGTH_OCTETS_MAX {
                return None;
            }
            let (octets, rest) = rest.split_at_checked(octets)?;
            let len = octets
                .iter()
                .fold(0, |len, octet| len << 8 | usize::from(*octet));
            // The shortest form is the only one (X.690 §10.1).
            if len < 0x80 || octets.first() == Some(&0) {
                return None;
            }
            (len, rest)
        }
    };
    let (content, rest) = rest.split_at_checked(len)?;
    let (whole, _) = input.split_at_checked(input.len() - rest.len())?;
    *input = rest;
    Some(Element {
        tag,
        content,
        whole,
    })
}

/// The same, for one tag; nothing is taken when there is another.
pub(crate) fn take_tag<'a>(input: &mut &'a [u8], tag: u8) -> Option<Element<'a>> {
    if input.first() != Some(&tag) {
        return None;
    }
    take(input)
}

/// The only element of this input, with this tag.
pub(crate) fn only(mut input: &[u8], tag: u8) -> Option<Element<'_>> {
    let element = take_tag(&mut input, tag)?;
    input.is_empty().then_some(element)
}

/// An element of these parts.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short @ 0..=0x7f) => bytes.push(short),
        _ => {
            let octets = content.len().to_be_bytes();
            let zeros = octets.iter().take_while(|octet| **octet == 0).count();
            let octets = octets.get(zeros..).unwrap_or_default();
            bytes.push(0x80 | octets.len() as u8);
            bytes.extend_from_slice(octets);
        }
    }
    bytes.extend_from_slice(&content);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_one_form() {
        for len in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let content = vec![7; len];
            let bytes = element(OCTET_STRING, &[&content]);
            assert_eq!(
                only(&bytes, OCTET_STRING).map(|read| read.content),
                Some(&content[..])
            );
        }
        for bad in [
            &[0x04, 0x81, 0x01, 0x00][..],
            &[0x04, 0x80, 0x00, 0x00],
            &[0x04, 0x82, 0x00, 0x80],
            &[0x04, 0x02, 0x00],
            &[0x1f, 0x01, 0x00],
            &[0x04],
            &[],
        ] {
            assert_eq!(take(&mut &bad[..]), None, "{bad:?}");
        }
    }

    #[test]
    fn what_follows_is_left() {
        let mut input = &[0x02, 0x01, 0x05, 0x01, 0x01, 0xff][..];
        assert_eq!(take_tag(&mut input, BOOLEAN), None);
        assert_eq!(take(&mut input).unwrap().whole, [0x02, 0x01, 0x05]);
        assert_eq!(take_tag(&mut input, BOOLEAN).unwrap().content, [0xff]);
        assert!(input.is_empty());
        assert_eq!(only(&[0x02, 0x01, 0x05, 0x00], INTEGER), None);
    }
}
