//! Names, URLs, header values and encodings: one spelling in, the same spelling out.

use acme_types::{
    DNS_NAME_LEN_MAX, DnsName, Identifier, LINKS_MAX, RETRY_AFTER_MAX, RETRY_AFTER_MIN, RetryAfter,
    Timestamp, URL_LEN_MAX, Url, base64url as encoding, http_date, parse_links, pem as pem_text,
    tls_alpn_01_server_name,
};

use crate::{text_of, two_lines};

/// A URL and a reference to be seen from it, one per line.
pub fn url(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let (base, reference) = two_lines(text);
    let Ok(base) = Url::parse(base) else { return };
    assert!(base.as_str().len() <= URL_LEN_MAX);
    assert_eq!(Url::parse(base.as_str()).as_ref(), Ok(&base));
    assert!(["http", "https"].contains(&base.scheme()));
    assert!(!base.host().is_empty() && !base.host().contains(['@', '/', '?', '#']));
    assert!(base.path_and_query().starts_with('/'));
    assert_eq!(base.origin(), base.origin());
    if let Ok(joined) = base.join(reference) {
        assert_eq!(Url::parse(joined.as_str()).as_ref(), Ok(&joined));
        // What http takes for the target of a request must be the same one.
        if let Ok(uri) = joined.as_str().parse::<http::Uri>() {
            assert_eq!(uri.port_u16().unwrap_or(joined.port()), joined.port());
        }
    }
}

/// A DNS name as the CA reads it, and as a person types it.
pub fn dns_name(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    for name in [DnsName::parse(text), DnsName::from_unicode(text)] {
        let Ok(name) = name else { continue };
        assert!(name.as_str().len() <= DNS_NAME_LEN_MAX);
        assert!(name.as_str().is_ascii() && !name.as_str().bytes().any(|b| b.is_ascii_uppercase()));
        assert_eq!(DnsName::parse(name.as_str()).as_ref(), Ok(&name));
        assert!(!name.base().is_wildcard());
        assert_eq!(name.labels().collect::<Vec<_>>().join("."), name.as_str());
        // The climb towards the root ends, as it does for CAA.
        let above = std::iter::successors(Some(name.clone()), DnsName::parent).count();
        assert_eq!(above, name.labels().count());
        assert!(tls_alpn_01_server_name(&Identifier::Dns(name)).is_ascii());
    }
}

/// A PEM file, as a chain and as a single object.
pub fn pem(data: &[u8]) {
    if let Ok(chain) = pem_text::chain_to_der(data) {
        assert!(!chain.is_empty());
        let written = pem_text::chain_from_der(&chain);
        assert_eq!(
            pem_text::chain_to_der(written.as_bytes()).as_ref(),
            Ok(&chain)
        );
    }
    for label in ["CERTIFICATE", "PRIVATE KEY", "CERTIFICATE REQUEST"] {
        if let Ok(der) = pem_text::decode(label, data) {
            let written = pem_text::encode(label, &der);
            assert_eq!(
                pem_text::decode(label, written.as_bytes()).as_ref(),
                Ok(&der)
            );
        }
    }
}

/// A `Link` header's value, and the URL it is seen from.
pub fn link(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let links = parse_links(text);
    assert!(links.len() <= LINKS_MAX);
    let Ok(request) = Url::parse("https://example.com/acme/certificate/1") else {
        return;
    };
    for link in links {
        assert!(!link.relation.is_empty());
        if let Ok(url) = link.resolve(&request) {
            assert_eq!(Url::parse(url.as_str()).as_ref(), Ok(&url));
        }
    }
}

/// A `Retry-After` header's value: never a wait outside of its bounds.
pub fn retry_after(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    for now in [0, 784_111_777, 1_795_500_000, 253_402_300_000] {
        let now = Timestamp::from_secs(now);
        if let Some(retry) = RetryAfter::parse(text, now) {
            let at = retry.at(now);
            assert!(now.after(RETRY_AFTER_MIN) <= at && at <= now.after(RETRY_AFTER_MAX));
        }
        if let Some(date) = http_date::parse(text, now) {
            assert_eq!(
                http_date::parse(&http_date::format(date), now),
                Some(date),
                "a date is written as it is read"
            );
        }
    }
    if let Some(at) = Timestamp::from_rfc3339(text) {
        assert!(Timestamp::from_rfc3339(&at.to_rfc3339()).is_some());
    }
}

/// base64url: what is accepted has one spelling only.
pub fn base64url(data: &[u8]) {
    assert_eq!(
        encoding::decode(&encoding::encode(data)).as_deref(),
        Ok(data)
    );
    let Some(text) = text_of(data) else { return };
    if let Ok(bytes) = encoding::decode(text) {
        assert_eq!(encoding::encode(&bytes), text);
    }
}
