use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use acme_types::{DnsName, Identifier};

/// Which identifiers this CA certifies. What is checked here is policy; what is no name or no
/// address at all never becomes an [`Identifier`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentifierPolicy {
    /// Which names.
    pub names: NameRules,
    /// Which addresses.
    pub addresses: AddressRules,
    /// Whether wildcard names are certified at all.
    pub wildcards: bool,
    /// The most labels of a name, `*` not counted.
    pub labels_max: usize,
    /// Whether an order may name `www.example.com` beside `*.example.com`, which covers it.
    pub redundant_names: bool,
    /// Names that are never certified; a wildcard that covers one isn't either.
    pub blocked_names: BTreeSet<DnsName>,
    /// Names that are never certified, and no name below them: the CA's own host among them.
    pub blocked_suffixes: BTreeSet<DnsName>,
}

/// Which names may be certified.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NameRules {
    /// Names below a suffix of the ICANN section of the Public Suffix List, none of them itself a
    /// suffix (BR §3.2.2.6), and nothing below `arpa` or `onion` (BR §4.2.2, RFC 7686).
    Public,
    /// The names of this zone and those below it; the root of everything is [`NameRules::Any`].
    Below(BTreeSet<DnsName>),
    /// Any name, a single label included.
    Any,
}

/// Which addresses may be certified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AddressRules {
    /// None.
    None,
    /// Those that IANA's special-purpose registries don't except (BR §4.2.2).
    Public,
    /// Those of a host, private ones included; none that is unspecified, multicast or broadcast.
    Any,
}

/// Why an identifier isn't certified here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentifierRefusal {
    /// A type that this policy knows nothing of.
    #[error("identifiers of this type are not certified")]
    Type,
    /// More labels than the policy has it.
    #[error("the name has too many labels")]
    TooManyLabels,
    /// A name of a single label.
    #[error("a single label is not certified")]
    SingleLabel,
    /// Not below any public suffix.
    #[error("the name does not end in a public suffix")]
    NoPublicSuffix,
    /// A public suffix itself, or a wildcard right below one.
    #[error("the name is a public suffix, or a wildcard of one")]
    PublicSuffix,
    /// Below a suffix that isn't for public certificates: `arpa`, `onion`.
    #[error("names below this suffix are not certified")]
    SpecialSuffix,
    /// Not below a suffix of this CA.
    #[error("the name is outside the zones that this CA serves")]
    ForeignSuffix,
    /// A wildcard where none is certified.
    #[error("this wildcard is not certified")]
    Wildcard,
    /// On the list of names that are never certified, or covering one.
    #[error("the name is blocked")]
    Blocked,
    /// An address where none is certified.
    #[error("IP addresses are not certified")]
    Address,
    /// An address that isn't a public host's.
    #[error("the address is reserved")]
    ReservedAddress,
}

/// As many as Boulder's: deeper names are generated ones.
const LABELS_MAX_PUBLIC: usize = 10;
/// As many as fit into a name of 253 bytes.
const LABELS_MAX_ANY: usize = 127;
/// A wildcard of a top-level domain is never meant.
const WILDCARD_BASE_LABELS_MIN: usize = 2;

impl IdentifierPolicy {
    /// What the Web PKI asks for.
    pub fn webpki() -> Self {
        Self {
            names: NameRules::Public,
            addresses: AddressRules::Public,
            wildcards: true,
            labels_max: LABELS_MAX_PUBLIC,
            redundant_names: false,
            blocked_names: BTreeSet::new(),
            blocked_suffixes: BTreeSet::new(),
        }
    }

    /// Any name and any host's address, until zones of one's own are set.
    pub fn private() -> Self {
        Self {
            names: NameRules::Any,
            addresses: AddressRules::Any,
            wildcards: true,
            labels_max: LABELS_MAX_ANY,
            redundant_names: true,
            blocked_names: BTreeSet::new(),
            blocked_suffixes: BTreeSet::new(),
        }
    }

    /// Whether the identifier may be certified. Asked at newOrder and again at finalize.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn check(&self, identifier: &Identifier) -> Result<(), IdentifierRefusal> {
        match identifier {
            Identifier::Dns(name) => self.check_name(name),
            Identifier::Ip(address) => self.check_address(*address),
            // A new type of identifier is refused until this policy has a rule for it.
            _ => Err(IdentifierRefusal::Type),
        }
    }

    fn check_name(&self, name: &DnsName) -> Result<(), IdentifierRefusal> {
        let base = name.base();
        let labels = base.labels().count();
        if labels > self.labels_max {
            return Err(IdentifierRefusal::TooManyLabels);
        }
        let wildcard = name.is_wildcard();
        if wildcard && (!self.wildcards || labels < WILDCARD_BASE_LABELS_MIN) {
            return Err(IdentifierRefusal::Wildcard);
        }
        match &self.names {
            NameRules::Public => check_public(&base)?,
            NameRules::Below(zones) => {
                if !zones.iter().any(|zone| is_below(&base, zone)) {
                    return Err(IdentifierRefusal::ForeignSuffix);
                }
            }
            NameRules::Any => {}
        }
        let covered = |blocked: &DnsName| {
            *blocked == base || wildcard && blocked.parent().is_some_and(|parent| parent == base)
        };
        let blocked = self.blocked_names.iter().any(covered)
            || self
                .blocked_suffixes
                .iter()
                .any(|suffix| is_below(&base, suffix));
        if blocked {
            Err(IdentifierRefusal::Blocked)
        } else {
            Ok(())
        }
    }

    fn check_address(&self, address: IpAddr) -> Result<(), IdentifierRefusal> {
        match self.addresses {
            AddressRules::None => Err(IdentifierRefusal::Address),
            AddressRules::Public if is_special_purpose(address) => {
                Err(IdentifierRefusal::ReservedAddress)
            }
            AddressRules::Any if is_no_host(address) => Err(IdentifierRefusal::ReservedAddress),
            AddressRules::Public | AddressRules::Any => Ok(()),
        }
    }
}

fn is_below(name: &DnsName, zone: &DnsName) -> bool {
    let (name, zone) = (name.as_str(), zone.as_str());
    name.strip_suffix(zone)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn check_public(base: &DnsName) -> Result<(), IdentifierRefusal> {
    // A public suffix of one label is refused as the suffix that it is.
    let Some(suffix) = icann_suffix(base.as_str()) else {
        let single = base.parent().is_none();
        return Err(if single {
            IdentifierRefusal::SingleLabel
        } else {
            IdentifierRefusal::NoPublicSuffix
        });
    };
    let top = suffix.rsplit('.').next();
    if top == Some("arpa") || top == Some("onion") {
        return Err(IdentifierRefusal::SpecialSuffix);
    }
    // BR §3.2.2.6 for wildcards; a suffix itself belongs to its registry.
    if suffix == base.as_str() {
        Err(IdentifierRefusal::PublicSuffix)
    } else {
        Ok(())
    }
}

/// The longest suffix of the list's ICANN section. What stands below a suffix of its private
/// section (`github.io`) is somebody's name like any other.
fn icann_suffix(name: &str) -> Option<&str> {
    let mut rest = name;
    loop {
        let suffix = psl::suffix(rest.as_bytes())?;
        match suffix.typ()? {
            psl::Type::Icann => return std::str::from_utf8(suffix.as_bytes()).ok(),
            psl::Type::Private => {
                let text = std::str::from_utf8(suffix.as_bytes()).ok()?;
                rest = name
                    .get(name.len().checked_sub(text.len())?..)?
                    .split_once('.')?
                    .1;
            }
        }
    }
}

fn is_no_host(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    address.is_unspecified() || address.is_multicast() || broadcast
}

/// Whether the address stands in IANA's special-purpose registries, is multicast, or lies outside
/// what is allocated for hosts. Deprecated and protocol-internal blocks are refused whole: a host
/// of the public Internet has none of them.
fn is_special_purpose(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => IPV4_SPECIAL
            .iter()
            .any(|(block, bits)| v4_in(v4, *block, *bits)),
        // Only 2000::/3 is allocated as global unicast.
        IpAddr::V6(v6) => {
            v6.segments()[0] & 0xe000 != 0x2000
                || IPV6_SPECIAL
                    .iter()
                    .any(|(block, bits)| v6_in(v6, *block, *bits))
        }
    }
}

fn v4_in(address: Ipv4Addr, block: Ipv4Addr, bits: u32) -> bool {
    let mask = u32::MAX
        .checked_shl(32u32.saturating_sub(bits))
        .unwrap_or(0);
    u32::from(address) & mask == u32::from(block)
}

fn v6_in(address: Ipv6Addr, block: Ipv6Addr, bits: u32) -> bool {
    let mask = u128::MAX
        .checked_shl(128u32.saturating_sub(bits))
        .unwrap_or(0);
    u128::from(address) & mask == u128::from(block)
}

/// IANA IPv4 Special-Purpose Address Registry, and multicast.
const IPV4_SPECIAL: [(Ipv4Addr, u32); 18] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(192, 175, 48, 0), 24),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The blocks of IANA's IPv6 Special-Purpose Address Registry within 2000::/3.
const IPV6_SPECIAL: [(Ipv6Addr, u32); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

#[cfg(test)]
mod tests;
