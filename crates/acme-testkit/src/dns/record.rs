//! What a name can have, and its wire form.

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::rdata::NULL;
use hickory_proto::rr::{Name, RData};

/// The most bytes of one character string of a TXT record: its length is one octet
/// (RFC 1035 §3.3).
const CHARACTER_STRING_LEN_MAX: usize = 255;

/// A record type, by its number. Unknown ones are as good as known ones (RFC 3597).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordType(pub u16);

impl RecordType {
    /// An IPv4 address.
    pub const A: Self = Self(1);
    /// A name server.
    pub const NS: Self = Self(2);
    /// An alias.
    pub const CNAME: Self = Self(5);
    /// The start of a zone.
    pub const SOA: Self = Self(6);
    /// Text.
    pub const TXT: Self = Self(16);
    /// An IPv6 address.
    pub const AAAA: Self = Self(28);
    /// Who may issue (RFC 8659).
    pub const CAA: Self = Self(257);
    /// A question for all types.
    pub const ANY: Self = Self(255);
}

/// A record's value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// Text, cut into character strings of at most 255 bytes.
    Txt(Vec<u8>),
    /// Text whose cuts are given: one item per character string, each of at most 255 bytes.
    TxtStrings(Vec<Vec<u8>>),
    /// Who may issue (RFC 8659 §4.1); nothing is checked.
    Caa {
        /// 128 is "critical".
        flags: u8,
        /// `issue`, `issuewild`, `iodef`, or anything.
        tag: String,
        /// The issuer's domain name and parameters, or anything.
        value: Vec<u8>,
    },
    /// An alias of another name.
    Cname(String),
    /// Any type and any bytes, for answers that break the rules.
    Raw(RecordType, Vec<u8>),
}

impl Record {
    /// A TXT record.
    pub fn txt(text: impl AsRef<str>) -> Record {
        Record::Txt(text.as_ref().as_bytes().to_vec())
    }

    /// A CAA record that isn't critical.
    pub fn caa(tag: &str, value: &str) -> Record {
        Record::Caa {
            flags: 0,
            tag: tag.to_owned(),
            value: value.as_bytes().to_vec(),
        }
    }

    /// Its type.
    pub fn record_type(&self) -> RecordType {
        match self {
            Record::A(_) => RecordType::A,
            Record::Aaaa(_) => RecordType::AAAA,
            Record::Txt(_) | Record::TxtStrings(_) => RecordType::TXT,
            Record::Caa { .. } => RecordType::CAA,
            Record::Cname(_) => RecordType::CNAME,
            Record::Raw(record_type, _) => *record_type,
        }
    }

    /// The RDATA; `None` for what has no wire form (an alias of an impossible name).
    pub(super) fn data(&self) -> Option<RData> {
        let bytes = match self {
            Record::A(address) => address.octets().to_vec(),
            Record::Aaaa(address) => address.octets().to_vec(),
            Record::Txt(text) if text.is_empty() => vec![0],
            Record::Txt(text) => character_strings(text.chunks(CHARACTER_STRING_LEN_MAX))?,
            Record::TxtStrings(strings) => character_strings(strings.iter().map(Vec::as_slice))?,
            Record::Caa { flags, tag, value } => {
                let tag_len = u8::try_from(tag.len()).ok()?;
                [&[*flags, tag_len], tag.as_bytes(), value].concat()
            }
            Record::Cname(target) => {
                return Some(RData::CNAME(hickory_proto::rr::rdata::CNAME(wire_name(
                    target,
                )?)));
            }
            Record::Raw(_, bytes) => bytes.clone(),
        };
        let code = self.record_type().0.into();
        // An empty RDATA is only possible for raw records; hickory's NULL refuses to hold it.
        (!bytes.is_empty()).then(|| RData::Unknown {
            code,
            rdata: NULL::with(bytes),
        })
    }
}

/// Lower-case, without the last dot: the key of everything.
pub(super) fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// The absolute name, if DNS can carry it.
pub(super) fn wire_name(name: &str) -> Option<Name> {
    let mut name = Name::from_ascii(name).ok()?;
    name.set_fqdn(true);
    Some(name)
}

fn character_strings<'a>(strings: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for string in strings {
        bytes.push(u8::try_from(string.len()).ok()?);
        bytes.extend_from_slice(string);
    }
    Some(bytes)
}
