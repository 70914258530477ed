use super::*;

fn check(policy: &IdentifierPolicy, value: &str, expected: Result<(), IdentifierRefusal>) {
    let identifier = match value.parse::<IpAddr>() {
        Ok(address) => Identifier::ip(address),
        Err(_) => Identifier::dns(value).unwrap(),
    };
    assert_eq!(policy.check(&identifier), expected, "{value}");
}

#[test]
fn the_web_pki_certifies_names_below_public_suffixes() {
    use IdentifierRefusal as No;
    let policy = IdentifierPolicy::webpki();
    let deep = format!("{}example.com", "a.".repeat(9));
    for (value, expected) in [
        ("example.com", Ok(())),
        ("www.example.co.uk", Ok(())),
        ("*.example.com", Ok(())),
        ("github.io", Ok(())),
        ("someone.github.io", Ok(())),
        ("*.github.io", Ok(())),
        ("com", Err(No::PublicSuffix)),
        ("co.uk", Err(No::PublicSuffix)),
        ("*.co.uk", Err(No::PublicSuffix)),
        ("*.com", Err(No::Wildcard)),
        ("localhost", Err(No::SingleLabel)),
        ("printer.local", Err(No::NoPublicSuffix)),
        ("host.internal", Err(No::NoPublicSuffix)),
        ("a.b.onion", Err(No::SpecialSuffix)),
        ("1.2.0.192.in-addr.arpa", Err(No::SpecialSuffix)),
        ("a.home.arpa", Err(No::SpecialSuffix)),
        (&deep, Err(No::TooManyLabels)),
    ] {
        check(&policy, value, expected);
    }
}

#[test]
fn the_web_pki_certifies_public_addresses() {
    let policy = IdentifierPolicy::webpki();
    for value in ["8.8.8.8", "192.0.1.1", "2606:4700::1111", "2a00:1450::1"] {
        check(&policy, value, Ok(()));
    }
    for value in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fc00::1",
        "fe80::1",
        "ff02::1",
        "64:ff9b::1",
        "100::1",
        "2001:db8::1",
        "2001::1",
        "2002::1",
        "3fff::1",
    ] {
        check(&policy, value, Err(IdentifierRefusal::ReservedAddress));
    }
    let none = IdentifierPolicy {
        addresses: AddressRules::None,
        ..policy
    };
    check(&none, "8.8.8.8", Err(IdentifierRefusal::Address));
}

#[test]
fn a_private_ca_certifies_what_it_is_told_to() {
    use IdentifierRefusal as No;
    let mut policy = IdentifierPolicy::private();
    for value in [
        "example.com",
        "localhost",
        "printer.local",
        "*.a.lan",
        "127.0.0.1",
        "fd00::1",
    ] {
        check(&policy, value, Ok(()));
    }
    check(&policy, "*.lan", Err(No::Wildcard));
    check(&policy, "0.0.0.0", Err(No::ReservedAddress));
    check(&policy, "ff02::1", Err(No::ReservedAddress));
    let zone = DnsName::parse("corp.example").unwrap();
    policy.names = NameRules::Below([zone].into());
    check(&policy, "a.corp.example", Ok(()));
    check(&policy, "corp.example", Ok(()));
    check(&policy, "xcorp.example", Err(No::ForeignSuffix));
    policy.blocked_names = [DnsName::parse("admin.corp.example").unwrap()].into();
    check(&policy, "admin.corp.example", Err(No::Blocked));
    check(&policy, "*.corp.example", Err(No::Blocked));
    check(&policy, "x.admin.corp.example", Ok(()));
    policy.blocked_suffixes = [DnsName::parse("ca.corp.example").unwrap()].into();
    check(&policy, "x.ca.corp.example", Err(No::Blocked));
    policy.blocked_names.clear();
    check(&policy, "*.corp.example", Err(No::Blocked));
    check(&policy, "*.ca.corp.example", Err(No::Blocked));
    check(&policy, "*.b.corp.example", Ok(()));
}
