use std::fmt;
use std::fmt::Write;
use std::net::{IpAddr, Ipv6Addr};

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{DnsName, DnsNameError, IdentifierType};

/// What an account wants a certificate for (RFC 8555 §7.1.4, RFC 8738 §3).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawIdentifier", into = "RawIdentifier")]
#[non_exhaustive]
pub enum Identifier {
    /// A DNS name, perhaps a wildcard.
    Dns(DnsName),
    /// An IP address; never one mapped from IPv4 into IPv6.
    Ip(IpAddr),
}

/// An identifier as it stands on the wire, checked for shape only. A CA reads it to name each
/// identifier that it refuses (RFC 8555 §6.7.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct RawIdentifier {
    /// `type`: the name of an identifier type.
    #[serde(rename = "type")]
    pub kind: String,
    /// `value`: the identifier itself.
    pub value: String,
}

/// Why a [`RawIdentifier`] isn't an [`Identifier`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentifierError {
    /// Neither `dns` nor `ip`.
    #[error("the identifier is of a type that is not supported")]
    UnsupportedType,
    /// The value of a `dns` identifier isn't a name.
    #[error("the identifier is not a DNS name")]
    Dns(#[source] DnsNameError),
    /// The value of an `ip` identifier isn't the canonical text of an address (RFC 8738 §3).
    #[error("the identifier is not the canonical text of an IP address")]
    Ip,
}

impl Identifier {
    /// A `dns` identifier.
    ///
    /// # Errors
    /// The text isn't a name.
    pub fn dns(name: &str) -> Result<Self, DnsNameError> {
        DnsName::parse(name).map(Self::Dns)
    }

    /// An `ip` identifier; an IPv4 address mapped into IPv6 becomes the IPv4 address it is.
    pub fn ip(address: IpAddr) -> Self {
        Self::Ip(address.to_canonical())
    }

    /// The identifier's type.
    pub fn kind(&self) -> IdentifierType {
        match self {
            Self::Dns(_) => IdentifierType::DNS,
            Self::Ip(_) => IdentifierType::IP,
        }
    }

    /// Whether it is a wildcard name.
    pub fn is_wildcard(&self) -> bool {
        matches!(self, Self::Dns(name) if name.is_wildcard())
    }

    /// What an authorization names (RFC 8555 §7.1.4): a wildcard name without its `*.`.
    pub fn base(&self) -> Self {
        match self {
            Self::Dns(name) => Self::Dns(name.base()),
            Self::Ip(address) => Self::Ip(*address),
        }
    }
}

/// The name that a client is asked for in the handshake of tls-alpn-01: the DNS name itself
/// (RFC 8737 §3), or the address's reverse name (RFC 8738 §6).
pub fn tls_alpn_01_server_name(identifier: &Identifier) -> String {
    match identifier {
        Identifier::Dns(name) => name.base().into(),
        Identifier::Ip(IpAddr::V4(address)) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        Identifier::Ip(IpAddr::V6(address)) => reverse_v6(address),
    }
}

/// RFC 3596 §2.5: nibbles from the last to the first.
fn reverse_v6(address: &Ipv6Addr) -> String {
    let mut name = String::with_capacity(72);
    for octet in address.octets().iter().rev() {
        // Writing to a String can't fail.
        let _ = write!(name, "{:x}.{:x}.", octet & 0x0f, octet >> 4);
    }
    name.push_str("ip6.arpa");
    name
}

/// As serde would have it, which takes `["dns", "example.com"]` for an identifier as well.
#[derive(Deserialize)]
struct Members {
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

/// Insists on an object.
struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identifier object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Members, A::Error> {
        Members::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de> Deserialize<'de> for RawIdentifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Members { kind, value } = if deserializer.is_human_readable() {
            deserializer.deserialize_map(ObjectVisitor)?
        } else {
            Members::deserialize(deserializer)?
        };
        Ok(Self { kind, value })
    }
}

impl TryFrom<&RawIdentifier> for Identifier {
    type Error = IdentifierError;

    fn try_from(raw: &RawIdentifier) -> Result<Self, IdentifierError> {
        match raw.kind.as_str() {
            "dns" => Self::dns(&raw.value).map_err(IdentifierError::Dns),
            "ip" => {
                let address: IpAddr = raw.value.parse().map_err(|_| IdentifierError::Ip)?;
                // RFC 8738 §3: "the textual form of the address as defined in Section 2.1 of
                // [RFC1123] for IPv4 and in Section 4 of [RFC5952] for IPv6".
                let canonical = address.to_string() == raw.value;
                let mapped = address != address.to_canonical();
                if canonical && !mapped {
                    Ok(Self::Ip(address))
                } else {
                    Err(IdentifierError::Ip)
                }
            }
            _ => Err(IdentifierError::UnsupportedType),
        }
    }
}

impl TryFrom<RawIdentifier> for Identifier {
    type Error = IdentifierError;

    fn try_from(raw: RawIdentifier) -> Result<Self, IdentifierError> {
        Self::try_from(&raw)
    }
}

impl From<&Identifier> for RawIdentifier {
    fn from(identifier: &Identifier) -> Self {
        Self {
            kind: identifier.kind().into(),
            value: identifier.to_string(),
        }
    }
}

impl From<Identifier> for RawIdentifier {
    fn from(identifier: Identifier) -> Self {
        Self::from(&identifier)
    }
}

impl From<DnsName> for Identifier {
    fn from(name: DnsName) -> Self {
        Self::Dns(name)
    }
}

impl From<IpAddr> for Identifier {
    fn from(address: IpAddr) -> Self {
        Self::ip(address)
    }
}

/// The value alone, as on the wire.
impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => name.fmt(f),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{self}", self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, value: &str) -> Result<Identifier, IdentifierError> {
        Identifier::try_from(RawIdentifier {
            kind: kind.into(),
            value: value.into(),
        })
    }

    #[test]
    fn identifiers_are_written_as_they_are_read() {
        let check = |kind: &str, value: &str| {
            let json = format!(r#"{{"type":"{kind}","value":"{value}"}}"#);
            let identifier: Identifier = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&identifier).unwrap(), json);
        };
        // RFC 8555 §7.1.3, RFC 8738 §3.
        check("dns", "www.example.org");
        check("dns", "*.example.org");
        check("ip", "192.0.2.1");
        check("ip", "2001:db8::1");
        check("ip", "2001:db8:0:1:1:1:1:1");
    }

    #[test]
    fn only_objects_are_identifiers() {
        assert!(serde_json::from_str::<RawIdentifier>(r#"["dns","example.com"]"#).is_err());
        assert!(serde_json::from_str::<RawIdentifier>(r#"{"type":"dns"}"#).is_err());
        let identifier = read("dns", "*.example.com").unwrap();
        let stored = postcard::to_allocvec(&identifier).unwrap();
        assert_eq!(
            postcard::from_bytes::<Identifier>(&stored).unwrap(),
            identifier
        );
    }

    #[test]
    fn only_canonical_addresses_of_known_types_are_identifiers() {
        // H082, H089.
        for kind in ["email", "DNS", "IP", "dns ", ""] {
            assert_eq!(
                read(kind, "example.com"),
                Err(IdentifierError::UnsupportedType)
            );
        }
        for value in [
            "",
            "192.0.2.01",
            "192.0.2",
            "192.0.2.1/32",
            "fe80::1%1",
            "[2001:db8::1]",
            "::ffff:192.0.2.1",
            "::ffff:c000:201",
            "2001:DB8::1",
            "2001:db8:0:0:0:0:0:1",
            "2001:0db8::1",
            "2001:db8::0:1",
            "example.com",
            "2001:db8::1:1:1:1:1",
        ] {
            assert_eq!(read("ip", value), Err(IdentifierError::Ip), "{value}");
        }
        assert_eq!(
            read("dns", "192.0.2.1"),
            Err(IdentifierError::Dns(DnsNameError::EndsInNumber))
        );
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        assert_eq!(Identifier::ip(mapped).to_string(), "192.0.2.1");
    }

    #[test]
    fn addresses_are_asked_for_by_their_reverse_names() {
        let check = |kind: &str, value: &str, name: &str| {
            assert_eq!(tls_alpn_01_server_name(&read(kind, value).unwrap()), name);
        };
        // RFC 8738 §6 and RFC 3596 §2.5.
        check("ip", "192.0.2.1", "1.2.0.192.in-addr.arpa");
        check(
            "ip",
            "2001:db8::1",
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        );
        check(
            "ip",
            "4321:0:1:2:3:4:567:89ab",
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa",
        );
        check("dns", "example.com", "example.com");
    }
}
