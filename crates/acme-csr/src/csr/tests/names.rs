//! The names in a request.

use super::*;

/// H243.
#[test]
fn names_are_folded_and_taken_once() {
    let two = [raw(0x82, b"WWW.Example.com"), raw(0x82, b"www.example.COM")].concat();
    accept(&with_names(&two), &["www.example.com"]);
    accept(
        &with_names(&raw(0x82, b"*.example.com")),
        &["*.example.com"],
    );
    accept(&with_names(&raw(0x87, &[192, 0, 2, 1])), &["192.0.2.1"]);
    accept(
        &with_common_names(&[(UTF8, b"EXAMPLE.com")]),
        &["example.com"],
    );
    accept(
        &with_common_names(&[(UTF8, b"b.example")]),
        &["b.example", "example.com"],
    );
    let trailing = CsrError::DnsName(DnsNameError::EmptyLabel);
    refuse(&with_names(&raw(0x82, b"example.com.")), trailing);
}

/// RFC 8555 §7.4: "common name portion of the subject name, or ... extensionRequest".
#[test]
fn a_name_in_the_common_name_alone_is_enough() {
    for tag in [UTF8, 0x13, 0x16] {
        let subject = seq(&[&raw(0x31, &seq(&[COMMON_NAME, &raw(tag, b"example.com")]))]);
        let attributes = attributes(&[]);
        accept(
            &Parts {
                subject,
                attributes,
                ..Parts::default()
            }
            .signed(),
            &["example.com"],
        );
    }
    let attributes = attributes(&[]);
    refuse(
        &Parts {
            attributes,
            ..Parts::default()
        }
        .signed(),
        CsrError::NoIdentifier,
    );
}

/// H244.
#[test]
fn a_common_name_is_one_dns_name() {
    let check = |name: &[u8]| refuse(&with_common_names(&[(UTF8, name)]), CsrError::CommonName);
    check(b"192.0.2.1");
    check(b"2001:db8::1");
    check(b"*. example.com");
    check(b" example.com");
    check(b"");
    check(b"My Server");
    check(b"example.com\0.evil.example");
    check("ex\u{e4}mple.com".as_bytes());
    let long = format!("{}.{}.example.com", "a".repeat(40), "b".repeat(12));
    assert_eq!(long.len(), 65);
    check(long.as_bytes());
    accept(
        &with_common_names(&[(UTF8, &long.as_bytes()[1..])]),
        &[&long[1..], "example.com"],
    );
    // TeletexString, BMPString.
    refuse(
        &with_common_names(&[(0x14, b"example.com")]),
        CsrError::CommonName,
    );
    refuse(
        &with_common_names(&[(0x1e, b"\0e\0x")]),
        CsrError::CommonName,
    );
    let two = [(UTF8, &b"example.com"[..]), (UTF8, b"example.com")];
    refuse(&with_common_names(&two), CsrError::TwoCommonNames);
}

/// H245.
#[test]
fn an_alternative_name_is_a_dns_name_or_an_address() {
    let check = |tag: u8, value: &[u8], expected| refuse(&with_names(&raw(tag, value)), expected);
    let email = CsrError::NameKind(NameKind::Email);
    check(0x81, b"a@example.com", email);
    check(
        0x86,
        b"https://example.com",
        CsrError::NameKind(NameKind::Uri),
    );
    check(0xa4, &seq(&[]), CsrError::NameKind(NameKind::Directory));
    check(0xa0, &[], CsrError::NameKind(NameKind::Other));
    check(0xa5, &[], CsrError::NameKind(NameKind::Edi));
    check(0x88, &[0x2a], CsrError::NameKind(NameKind::RegisteredId));
    check(0x89, b"x", CsrError::AlternativeName);
    check(0x0c, b"example.com", CsrError::AlternativeName);
    let character = |position| CsrError::DnsName(DnsNameError::Character { position });
    check(0x82, b"example.com\0", character(11));
    check(0x82, "\u{e4}.example".as_bytes(), character(0));
    check(0x82, b"\xff.example", CsrError::AlternativeName);
    check(0x82, b"", CsrError::DnsName(DnsNameError::Empty));
    for len in [0, 3, 5, 8, 15, 17, 32] {
        check(0x87, &vec![1; len], CsrError::IpAddress);
    }
    let mapped = [&[0; 10][..], &[0xff, 0xff, 192, 0, 2, 1]].concat();
    check(0x87, &mapped, CsrError::IpAddress);
    refuse(&with_names(&[]), CsrError::AlternativeName);
    // A good name beside a bad one doesn't help.
    let both = [raw(0x82, b"example.com"), raw(0x81, b"a@example.com")].concat();
    refuse(&with_names(&both), email);
    refuse(
        &with_extensions(&[&seq(&[SAN, &[4, 0]])]),
        CsrError::AlternativeName,
    );
}
