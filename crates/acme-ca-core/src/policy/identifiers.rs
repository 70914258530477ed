use std::collections::BTreeSet;
use std::net::IpAddr;

use acme_types::{DnsName, Identifier};

use crate::validation::AddressPolicy;

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
    /// Names that are never certified, and no name below them: the CA's own host among them. A
    /// wildcard that covers one isn't either.
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
        let below = |suffix: &DnsName| is_below(&base, suffix) || covered(suffix);
        let blocked =
            self.blocked_names.iter().any(covered) || self.blocked_suffixes.iter().any(below);
        if blocked {
            Err(IdentifierRefusal::Blocked)
        } else {
            Ok(())
        }
    }

    /// What may be certified is what may be contacted: one list of what is special.
    fn check_address(&self, address: IpAddr) -> Result<(), IdentifierRefusal> {
        let hosts = match self.addresses {
            AddressRules::None => return Err(IdentifierRefusal::Address),
            AddressRules::Public => AddressPolicy::Public,
            AddressRules::Any => AddressPolicy::Any,
        };
        let is_host = hosts.target(address, ANY_PORT).is_some();
        if is_host {
            Ok(())
        } else {
            Err(IdentifierRefusal::ReservedAddress)
        }
    }
}

/// Which port doesn't matter to the question whether an address is a host's.
const ANY_PORT: u16 = 0;

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

#[cfg(test)]
mod tests;
