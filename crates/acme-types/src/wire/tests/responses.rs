use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{at, write};
use crate::{
    Account, AccountStatus, Authorization, AuthorizationStatus, Challenge, ChallengeStatus,
    ChallengeType, Identifier, Known, LIST_LEN_MAX, Order, OrderStatus, Orders, RenewalInfo,
    Timestamp, Url, tolerant,
};

fn read<T: DeserializeOwned>(document: &str) -> T {
    match tolerant::from_slice(document.as_bytes()) {
        Ok(object) => object,
        Err(error) => panic!("{error}: {document}"),
    }
}

/// Written and read again, an object is the same.
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(object: T) -> T {
    assert_eq!(read::<T>(&write(&object)), object);
    object
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn the_rfcs_account_is_read() {
    // RFC 8555 §7.1.2 and §7.1.2.1.
    let account: Account = round_trip(read(
        r#"{
          "status": "valid",
          "contact": ["mailto:cert-admin@example.org", "mailto:admin@example.org"],
          "termsOfServiceAgreed": true,
          "orders": "https://example.com/acme/orders/rzGoeA"
        }"#,
    ));
    assert_eq!(account.status, AccountStatus::Valid);
    assert_eq!(account.contact.len(), 2);
    assert_eq!(
        account.orders,
        Some(url("https://example.com/acme/orders/rzGoeA"))
    );
    let orders: Orders = read(r#"{"orders":["https://example.com/acme/order/TOlocE8rfgo"]}"#);
    assert_eq!(
        orders.orders,
        [url("https://example.com/acme/order/TOlocE8rfgo")]
    );
}

#[test]
fn accounts_of_all_cas_are_read() {
    for document in [
        "{}",
        r#"{"status":null,"contact":null,"orders":null}"#,
        r#"{"status":"VALID","contact":[null],"orders":"","termsOfServiceAgreed":"yes"}"#,
        r#"{"key":{"kty":"EC"},"id":7,"createdAt":"x","contact":{},"status":["valid"]}"#,
    ] {
        assert_eq!(read::<Account>(document), Account::default(), "{document}");
    }
}

#[test]
fn the_rfcs_order_is_read() {
    // RFC 8555 §7.1.3.
    let order: Order = read(
        r#"{
          "status": "valid",
          "expires": "2016-01-20T14:09:07.99Z",
          "identifiers": [
            { "type": "dns", "value": "www.example.org" },
            { "type": "dns", "value": "example.org" }
          ],
          "notBefore": "2016-01-01T00:00:00Z",
          "notAfter": "2016-01-08T00:00:00Z",
          "authorizations": [
            "https://example.com/acme/authz/PAniVnsZcis",
            "https://example.com/acme/authz/r4HqLzrSrpI"
          ],
          "finalize": "https://example.com/acme/order/TOlocE8rfgo/finalize",
          "certificate": "https://example.com/acme/cert/mAt3xBGaobw"
        }"#,
    );
    assert_eq!(order.status, OrderStatus::Valid);
    assert_eq!(order.expires, at("2016-01-20T14:09:07.99Z"));
    assert_eq!(order.not_after, at("2016-01-08T00:00:00Z"));
    let www = Identifier::dns("www.example.org").unwrap();
    assert_eq!(order.identifiers.first(), Some(&Known::Known(www)));
    assert_eq!(order.authorizations.len(), 2);
    assert_eq!(
        order.certificate,
        Some(url("https://example.com/acme/cert/mAt3xBGaobw"))
    );
    // Times are written in whole seconds.
    let expires = order.expires.map(Timestamp::truncate_to_secs);
    round_trip(Order { expires, ..order });
}

#[test]
fn orders_of_all_cas_are_read() {
    let blank = Order {
        status: Known::Unknown,
        expires: None,
        identifiers: vec![],
        not_before: None,
        not_after: None,
        error: None,
        authorizations: vec![],
        finalize: url("https://a/f"),
        certificate: None,
        replaces: None,
        profile: None,
    };
    for rest in [
        "",
        r#","authorizations":null,"identifiers":null,"error":null,"certificate":null"#,
        r#","status":"Valid","error":{},"id":"x","expires":"0001-01-01T00:00:00Z""#,
        r#","status":7,"error":[],"expires":"soon","replaces":"x","profile":{},"notBefore":1"#,
        r#","authorizations":[],"auto-renewal":{"end-date":"2026-01-01T00:00:00Z"}"#,
    ] {
        let document = format!(r#"{{"finalize":"https://a/f"{rest}}}"#);
        assert_eq!(read::<Order>(&document), blank, "{document}");
    }
    let order: Order = read(
        r#"{"finalize":"https://a/f","status":"processing","error":"no","expires":
        "2026-01-01T01:00:00.123456789+01:00","identifiers":[{"type":"email","value":"a@b"},
        {"type":"ip","value":"192.0.2.1"},{"type":"dns","value":"A.example"},7]}"#,
    );
    assert_eq!(order.status, OrderStatus::Processing);
    assert_eq!(order.error.unwrap().detail.as_deref(), Some("no"));
    assert_eq!(order.expires, at("2026-01-01T00:00:00.123Z"));
    let known = |identifier: &Known<Identifier>| identifier.as_known().map(ToString::to_string);
    let identifiers: Vec<_> = order.identifiers.iter().map(known).collect();
    assert_eq!(
        identifiers,
        [
            None,
            Some("192.0.2.1".into()),
            Some("a.example".into()),
            None
        ]
    );
}

#[test]
fn bad_urls_of_an_order_are_named() {
    // H185, H201.
    let check = |document: &str, member: &str| {
        let error = tolerant::from_slice::<Order>(document.as_bytes()).unwrap_err();
        assert_eq!(error.member(), Some(member), "{document}");
    };
    check("{}", "finalize");
    check(r#"{"finalize":null}"#, "finalize");
    check(r#"{"finalize":"https://u@a/f"}"#, "finalize");
    check(
        r#"{"finalize":"https://a/f","certificate":"file:///etc/passwd"}"#,
        "certificate",
    );
    check(
        r#"{"finalize":"https://a/f","authorizations":["https://a/1","x"]}"#,
        "authorizations[1]",
    );
    let many = vec![r#""https://a/1""#; LIST_LEN_MAX + 1].join(",");
    check(
        &format!(r#"{{"finalize":"https://a/f","authorizations":[{many}]}}"#),
        "authorizations",
    );
}

#[test]
fn the_rfcs_authorization_is_read() {
    // RFC 8555 §7.1.4.
    let authorization: Authorization = read(
        r#"{
          "status": "valid",
          "expires": "2015-03-01T14:09:07.99Z",
          "identifier": { "type": "dns", "value": "www.example.org" },
          "challenges": [
            {
              "url": "https://example.com/acme/chall/prV_B7yEyA4",
              "type": "http-01",
              "status": "valid",
              "token": "DGyRejmCefe7v4NfDGDKfA",
              "validated": "2014-12-01T12:05:58.16Z"
            }
          ],
          "wildcard": false
        }"#,
    );
    assert_eq!(authorization.status, AuthorizationStatus::Valid);
    assert!(!authorization.wildcard);
    let challenge = authorization.challenge(&ChallengeType::HTTP_01).unwrap();
    assert_eq!(challenge.status, ChallengeStatus::Valid);
    assert_eq!(
        challenge.usable_token().unwrap().as_str(),
        "DGyRejmCefe7v4NfDGDKfA"
    );
    assert_eq!(challenge.validated, at("2014-12-01T12:05:58.16Z"));
    assert!(authorization.challenge(&ChallengeType::DNS_01).is_none());
    let written = write(&authorization);
    assert!(
        !written.contains("wildcard") && !written.contains("null"),
        "{written}"
    );
}

#[test]
fn one_bad_challenge_costs_only_itself() {
    let authorization: Authorization = read(
        r#"{"status":"pending","identifier":{"type":"dns","value":"a.example"},"wildcard":null,
        "challenges":[
          {"type":"dns-persist-01","url":"https://a/1","issuer-domain-names":["ca.example"]},
          {"type":"http-01","url":"https://a/2","status":"PENDING","token":"../../etc/passwd"},
          {"type":"tls-alpn-01"}, 7, null, {"url":"https://a/3"},
          {"type":"dns-01","url":"https://a/4",
           "token":"LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0",
           "error":{},"validated":null,"status":"pending"}
        ]}"#,
    );
    assert_eq!(authorization.challenges.len(), 6);
    let shown: Vec<_> = authorization
        .known_challenges()
        .map(|c| {
            (
                c.kind.as_str(),
                c.status.is_unknown(),
                c.token.is_some(),
                c.usable_token(),
            )
        })
        .map(|(kind, unknown, token, usable)| (kind, unknown, token, usable.is_some()))
        .collect();
    let expected = [
        ("dns-persist-01", true, false, false),
        ("http-01", true, true, false),
        ("dns-01", false, true, true),
    ];
    assert_eq!(shown, expected);
    assert!(
        authorization
            .challenge(&ChallengeType::DNS_01)
            .unwrap()
            .error
            .is_none()
    );

    for document in [
        "{}",
        r#"{"status":"new","identifier":{"type":"email","value":"a"}}"#,
    ] {
        let authorization: Authorization = read(document);
        assert!(authorization.status.is_unknown() && authorization.identifier.is_unknown());
    }
}

#[test]
fn a_failed_challenge_tells_why() {
    let challenge: Challenge = round_trip(read(
        r#"{"type":"http-01","url":"https://a/1","status":"invalid","error":{"status":"403",
        "type":"urn:ietf:params:acme:error:unauthorized","detail":"no"}}"#,
    ));
    assert_eq!(challenge.error.unwrap().to_string(), "unauthorized: no");
}

#[test]
fn the_rfcs_renewal_information_is_read() {
    // RFC 9773 §4.2.
    let info: RenewalInfo = round_trip(read(
        r#"{
          "suggestedWindow": {
            "start": "2025-01-02T04:00:00Z",
            "end": "2025-01-03T04:00:00Z"
          },
          "explanationURL": "https://acme.example.com/docs/ari"
        }"#,
    ));
    assert_eq!(
        Some(info.suggested_window.start),
        at("2025-01-02T04:00:00Z")
    );
    assert_eq!(
        info.explanation_url.as_deref(),
        Some("https://acme.example.com/docs/ari")
    );
    let check = |document: &str, member: &str| {
        let error = tolerant::from_slice::<RenewalInfo>(document.as_bytes()).unwrap_err();
        assert_eq!(error.member(), Some(member), "{document}");
    };
    // H232.
    check("{}", "suggestedWindow");
    check(
        r#"{"suggestedWindow":{"start":"2025-01-02T04:00:00Z"}}"#,
        "suggestedWindow.end",
    );
    check(
        r#"{"suggestedWindow":{"start":"tomorrow"}}"#,
        "suggestedWindow.start",
    );
}
