//! What holds for every input: nothing panics, and what is read is written back as it was.

use acme_types::{
    Account, Authorization, CertificateId, Directory, DnsName, NewAccount, NewOrder, Nonce, Order,
    Problem, RawIdentifier, RetryAfter, Timestamp, Token, Url, base64url, http_date, parse_links,
    pem, strict, tolerant,
};
use proptest::prelude::*;

/// Text in which the characters that mean something are frequent.
fn text() -> impl Strategy<Value = String> {
    "([a-zA-Z0-9:/?#@%.*_ \"<>;,=\\\\-]|https?://|xn--|rel=|\\PC|[\\x00-\\x1f]){0,60}"
}

/// JSON in which the members that mean something are frequent.
fn json() -> impl Strategy<Value = String> {
    let member = "(status|type|url|token|identifiers|value|finalize|error|contact|meta|newOrder)";
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("{}".to_owned()),
        "-?(0|[1-9][0-9]{0,2})",
        "\"(https://a/b|dns|valid|http-01|2026-01-01T00:00:00Z|a\\.example|\\\\u0041)\"",
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let members = prop::collection::vec((member, inner.clone()), 0..6).prop_map(|members| {
            let members = members
                .iter()
                .map(|(name, value)| format!("\"{name}\":{value}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        });
        let entries = prop::collection::vec(inner, 0..4);
        prop_oneof![
            members,
            entries.prop_map(|entries| format!("[{}]", entries.join(",")))
        ]
    })
}

fn pem_piece() -> impl Strategy<Value = String> {
    "(-----BEGIN CERTIFICATE-----|-----END CERTIFICATE-----|-----|[A-Za-z0-9+/=]{0,8}|\r?\n|\\PC)"
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn checked_texts_are_kept(text in text()) {
        if let Ok(url) = Url::parse(&text) {
            prop_assert_eq!(url.as_str(), &text);
            let rebuilt = format!("{}://{}{}", url.scheme(), url.authority(), url.path_and_query());
            prop_assert_eq!(Url::parse(&rebuilt).unwrap().origin(), url.origin());
        }
        if let Ok(name) = DnsName::parse(&text) {
            prop_assert_eq!(name.as_str(), &text.to_ascii_lowercase());
            prop_assert_eq!(DnsName::parse(name.as_str()), Ok(name.clone()));
            prop_assert!(std::iter::successors(name.parent(), DnsName::parent).count() < 127);
        }
        if let Ok(name) = DnsName::from_unicode(&text) {
            prop_assert_eq!(DnsName::parse(name.as_str()), Ok(name));
        }
        if let Ok(id) = CertificateId::parse(&text) {
            prop_assert_eq!(id.to_string(), text.clone());
        }
        if let Ok(bytes) = base64url::decode(&text) {
            prop_assert_eq!(base64url::encode(&bytes), text.clone());
        }
        let _ = (Token::parse(&text), Nonce::parse(&text));
    }

    #[test]
    fn references_resolve_to_urls(path in "[a-z./]{0,20}", reference in text()) {
        let base = Url::parse(&format!("https://example.com/{path}")).unwrap();
        if let Ok(target) = base.join(&reference) {
            prop_assert_eq!(Url::parse(target.as_str()), Ok(target.clone()));
            if !reference.contains("//") {
                prop_assert_eq!(target.origin(), base.origin());
            }
        }
    }

    #[test]
    fn header_values_never_panic(text in text(), now in 0u64..5_000_000_000) {
        let now = Timestamp::from_secs(now);
        for link in parse_links(&text) {
            let plain = !link.relation.contains(['"', '\\']);
            if plain {
                prop_assert_eq!(parse_links(&link.to_string()), vec![link]);
            }
        }
        if let Some(found) = RetryAfter::parse(&text, now) {
            let wait = found.at(now).since(now).as_secs();
            prop_assert!((1..=86_400).contains(&wait));
        }
        prop_assert_eq!(http_date::parse(&http_date::format(now), now), Some(now));
    }

    #[test]
    fn pem_never_panics(blocks in prop::collection::vec(pem_piece(), 0..40)) {
        let text = blocks.concat();
        if let Ok(chain) = pem::chain_to_der(text.as_bytes()) {
            prop_assert_eq!(pem::chain_to_der(pem::chain_from_der(&chain).as_bytes()), Ok(chain));
        }
    }

    #[test]
    fn what_the_ca_takes_the_client_could_read(document in json()) {
        let document = document.as_bytes();
        if strict::from_slice::<NewOrder<RawIdentifier>>(document).is_ok() {
            prop_assert!(tolerant::from_slice::<NewOrder<RawIdentifier>>(document).is_ok());
        }
        let _ = strict::from_slice::<NewAccount>(document);
        let _ = tolerant::from_slice::<Directory>(document);
        let _ = tolerant::from_slice::<Order>(document);
        if document.starts_with(b"{") {
            prop_assert!(tolerant::from_slice::<Account>(document).is_ok());
            prop_assert!(tolerant::from_slice::<Authorization>(document).is_ok());
            let problem = tolerant::from_slice::<Problem>(document).unwrap();
            let written = serde_json::to_vec(&problem).unwrap();
            prop_assert_eq!(tolerant::from_slice::<Problem>(&written), Ok(problem));
        }
    }

    #[test]
    fn bytes_never_panic(document in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = strict::from_slice::<NewAccount>(&document);
        let _ = tolerant::from_slice::<Order>(&document);
        let _ = pem::chain_to_der(&document);
    }
}
