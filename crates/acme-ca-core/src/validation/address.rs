//! Which addresses a probe may contact: no SSRF, no rebinding (RFC 8555 §10.4).
//!
//! A request is made to a [`Target`], and only [`AddressPolicy::target`] makes one, so there is no
//! way around it: every address that comes out of DNS, an identifier or a redirect passes here.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// Which addresses may be contacted. Never an unspecified, multicast or broadcast one, and never
/// an IPv4 address in the clothes of an IPv6 one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AddressPolicy {
    /// Those that no special-purpose registry of IANA's lists.
    Public,
    /// All.
    Any,
    /// Those within one of these ranges.
    Within(Vec<AddressRange>),
}

/// A network: an address and the length of its prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AddressRange {
    network: IpAddr,
    prefix: u8,
}

/// The text isn't an address, a slash and a prefix length, or bits are set after the prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a range of addresses such as 192.0.2.0/24 or 2001:db8::/32")]
pub struct AddressRangeError;

/// An address and a port that policy lets a probe contact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Target(SocketAddr);

impl AddressPolicy {
    /// The target at this address, if it may be contacted.
    pub fn target(&self, address: IpAddr, port: u16) -> Option<Target> {
        self.permits(address)
            .then_some(Target(SocketAddr::new(address, port)))
    }

    fn permits(&self, address: IpAddr) -> bool {
        let is_host = match address {
            IpAddr::V4(v4) => !v4.is_unspecified() && !v4.is_multicast() && !v4.is_broadcast(),
            IpAddr::V6(v6) => {
                !v6.is_unspecified() && !v6.is_multicast() && v6.to_ipv4_mapped().is_none()
            }
        };
        let is_wanted = match self {
            Self::Public => !is_special_purpose(address),
            Self::Any => true,
            Self::Within(ranges) => ranges.iter().any(|range| range.contains(address)),
        };
        is_host && is_wanted
    }
}

impl Target {
    /// Where to connect, exactly.
    pub fn socket_addr(&self) -> SocketAddr {
        self.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl AddressRange {
    const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Self {
        Self {
            network: IpAddr::V4(Ipv4Addr::new(a, b, c, 0)),
            prefix,
        }
    }

    const fn v6(a: u16, b: u16, c: u16, d: u16, prefix: u8) -> Self {
        Self {
            network: IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)),
            prefix,
        }
    }

    /// Whether the address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let (network, address) = (network.to_bits(), address.to_bits());
                same(network.into(), address.into(), 32, self.prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                same(network.to_bits(), address.to_bits(), 128, self.prefix)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Whether two numbers of `width` bits agree in their first `prefix` bits.
fn same(left: u128, right: u128, width: u32, prefix: u8) -> bool {
    let rest = width.saturating_sub(prefix.into());
    (left ^ right).checked_shr(rest).unwrap_or(0) == 0
}

impl FromStr for AddressRange {
    type Err = AddressRangeError;

    fn from_str(text: &str) -> Result<Self, AddressRangeError> {
        let (network, prefix) = text.split_once('/').ok_or(AddressRangeError)?;
        let network: IpAddr = network.parse().map_err(|_| AddressRangeError)?;
        let prefix: u8 = prefix.parse().map_err(|_| AddressRangeError)?;
        let (bits, width): (u128, u32) = match network {
            IpAddr::V4(v4) => (v4.to_bits().into(), 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let rest = width.checked_sub(prefix.into()).ok_or(AddressRangeError)?;
        let host = 1u128
            .checked_shl(rest)
            .map_or(u128::MAX, |bit| bit.wrapping_sub(1));
        if bits & host != 0 {
            return Err(AddressRangeError);
        }
        Ok(Self { network, prefix })
    }
}

/// Whether the address is in one of IANA's special-purpose registries (RFC 6890), or multicast.
///
/// An entry counts whatever its "globally reachable" says: the BR call an address reserved that
/// lies in "the address block of any entry". Of IPv6 only 2000::/3 is handed out; the rest counts
/// as special without being listed.
pub fn is_special_purpose(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => SPECIAL_V4.iter().any(|range| range.contains(address)),
        IpAddr::V6(_) => {
            !GLOBAL_UNICAST.contains(address)
                || SPECIAL_V6.iter().any(|range| range.contains(address))
        }
    }
}

/// The IANA IPv4 Special-Purpose Address Registry, and multicast (RFC 5771).
const SPECIAL_V4: &[AddressRange] = &[
    AddressRange::v4(0, 0, 0, 8),       // this network, RFC 791
    AddressRange::v4(10, 0, 0, 8),      // private use, RFC 1918
    AddressRange::v4(100, 64, 0, 10),   // shared address space, RFC 6598
    AddressRange::v4(127, 0, 0, 8),     // loopback, RFC 1122
    AddressRange::v4(169, 254, 0, 16),  // link local, RFC 3927
    AddressRange::v4(172, 16, 0, 12),   // private use, RFC 1918
    AddressRange::v4(192, 0, 0, 24),    // IETF protocol assignments, RFC 6890
    AddressRange::v4(192, 0, 2, 24),    // documentation, RFC 5737
    AddressRange::v4(192, 31, 196, 24), // AS112-v4, RFC 7535
    AddressRange::v4(192, 52, 193, 24), // AMT, RFC 7450
    AddressRange::v4(192, 88, 99, 24),  // 6to4 relay anycast, RFC 7526
    AddressRange::v4(192, 168, 0, 16),  // private use, RFC 1918
    AddressRange::v4(192, 175, 48, 24), // direct delegation AS112, RFC 7534
    AddressRange::v4(198, 18, 0, 15),   // benchmarking, RFC 2544
    AddressRange::v4(198, 51, 100, 24), // documentation, RFC 5737
    AddressRange::v4(203, 0, 113, 24),  // documentation, RFC 5737
    AddressRange::v4(224, 0, 0, 4),     // multicast, RFC 5771
    AddressRange::v4(240, 0, 0, 4),     // reserved, limited broadcast, RFC 1112
];

/// RFC 4291 §2.4 as IANA hands it out.
const GLOBAL_UNICAST: AddressRange = AddressRange::v6(0x2000, 0, 0, 0, 3);

/// The entries of the IANA IPv6 Special-Purpose Address Registry within 2000::/3.
const SPECIAL_V6: &[AddressRange] = &[
    AddressRange::v6(0x2001, 0, 0, 0, 23), // IETF protocol assignments, Teredo, ORCHID: RFC 2928
    AddressRange::v6(0x2001, 0xdb8, 0, 0, 32), // documentation, RFC 3849
    AddressRange::v6(0x2002, 0, 0, 0, 16), // 6to4, RFC 3056
    AddressRange::v6(0x2620, 0x4f, 0x8000, 0, 48), // direct delegation AS112, RFC 7534
    AddressRange::v6(0x3fff, 0, 0, 0, 20), // documentation, RFC 9637
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: &AddressPolicy, address: &str, expected: bool) {
        let address: IpAddr = address.parse().unwrap();
        let target = policy.target(address, 80);
        assert_eq!(target.is_some(), expected, "{address}");
        if let Some(target) = target {
            assert_eq!(target.socket_addr(), SocketAddr::new(address, 80));
        }
    }

    #[test]
    fn the_web_pki_contacts_public_addresses_only() {
        let check = |address, expected| check(&AddressPolicy::Public, address, expected);
        // H127, and both ends of ranges with their neighbours.
        for special in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.9",
            "192.0.2.1",
            "192.31.196.1",
            "192.52.193.1",
            "192.88.99.1",
            "192.168.1.1",
            "192.175.48.1",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.255",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::8.8.8.8",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:1ff:ffff::",
            "2001:db8::1",
            "2002:808:808::1",
            "2620:4f:8000::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            check(special, false);
        }
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860::8888",
            "2001:db9::1",
            "2003::1",
            "2620:4f:8001::1",
            "2a00::1",
            "3fff:1000::1",
        ] {
            check(public, true);
        }
    }

    #[test]
    fn a_private_ca_contacts_what_is_configured() {
        let any = AddressPolicy::Any;
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.1.1",
            "::1",
            "fd12::1",
            "8.8.8.8",
        ] {
            check(&any, address, true);
        }
        for address in [
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "::ffff:10.0.0.1",
        ] {
            check(&any, address, false);
        }
        let ranges = ["10.0.0.0/8", "fd00::/8", "192.0.2.7/32"].map(|range| range.parse().unwrap());
        let within = AddressPolicy::Within(ranges.to_vec());
        for (address, expected) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("fdff::1", true),
            ("fe80::1", false),
            ("192.0.2.7", true),
            ("192.0.2.6", false),
            ("::ffff:10.0.0.1", false),
        ] {
            check(&within, address, expected);
        }
        check(&AddressPolicy::Within(Vec::new()), "8.8.8.8", false);
    }

    #[test]
    fn a_range_is_a_network_and_nothing_else() {
        let all: AddressRange = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains([255, 255, 255, 255].into()));
        let all: AddressRange = "::/0".parse().unwrap();
        assert!(all.contains(Ipv6Addr::from_bits(u128::MAX).into()));
        assert!(!all.contains([1, 1, 1, 1].into()));
        for bad in [
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "::1/64",
            "x/8",
            "10.0.0.0/",
            "::/129",
        ] {
            assert_eq!(bad.parse::<AddressRange>(), Err(AddressRangeError), "{bad}");
        }
    }
}
