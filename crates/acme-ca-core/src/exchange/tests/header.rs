//! The protected header: hostile inputs A and B.

use serde_json::{Value, json};

use super::client::{Client, jws, text};
use super::world::{BASE, Ca, post};

const ORDER: &str = "/acme/new-order";
const UNKNOWN_ID: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// How a good request is spoilt.
type Spoil = fn(&mut Value);

#[test]
fn a_protected_header_is_exactly_what_the_rfc_wants() {
    let cases: &[(&str, Spoil, &str, u16)] = &[
        // H019, H020
        ("b64", |h| h["b64"] = json!(false), "malformed", 400),
        ("b64 true", |h| h["b64"] = json!(true), "malformed", 400),
        ("crit empty", |h| h["crit"] = json!([]), "malformed", 400),
        (
            "crit unknown",
            |h| h["crit"] = json!(["x"]),
            "malformed",
            400,
        ),
        (
            "crit registered",
            |h| h["crit"] = json!(["alg"]),
            "malformed",
            400,
        ),
        // H021, H022
        (
            "alg none",
            |h| h["alg"] = json!("none"),
            "badSignatureAlgorithm",
            400,
        ),
        (
            "alg HS256",
            |h| h["alg"] = json!("HS256"),
            "badSignatureAlgorithm",
            400,
        ),
        (
            "alg RS1",
            |h| h["alg"] = json!("RS1"),
            "badSignatureAlgorithm",
            400,
        ),
        (
            "alg PS256",
            |h| h["alg"] = json!("PS256"),
            "badSignatureAlgorithm",
            400,
        ),
        (
            "alg ES256K",
            |h| h["alg"] = json!("ES256K"),
            "badSignatureAlgorithm",
            400,
        ),
        (
            "alg es256",
            |h| h["alg"] = json!("es256"),
            "badSignatureAlgorithm",
            400,
        ),
        ("alg 5", |h| h["alg"] = json!(5), "malformed", 400),
        ("alg null", |h| h["alg"] = json!(null), "malformed", 400),
        // H023
        (
            "alg of another key",
            |h| h["alg"] = json!("ES384"),
            "badPublicKey",
            400,
        ),
        (
            "alg of another type",
            |h| h["alg"] = json!("RS256"),
            "badPublicKey",
            400,
        ),
        // H025
        ("jwk and kid", |h| h["jwk"] = json!({}), "malformed", 400),
        // H039
        (
            "kid of another host",
            |h| h["kid"] = json!("https://x/acme/account/1"),
            "malformed",
            400,
        ),
        (
            "kid with more",
            |h| h["kid"] = json!(format!("{}/", text(&h["kid"]))),
            "malformed",
            400,
        ),
        (
            "kid with a query",
            |h| h["kid"] = json!(format!("{}?", text(&h["kid"]))),
            "malformed",
            400,
        ),
        (
            "kid http",
            |h| h["kid"] = json!(text(&h["kid"]).replace("https", "http")),
            "malformed",
            400,
        ),
        (
            "kid escaped",
            |h| h["kid"] = json!(text(&h["kid"]).replace("acme", "%61cme")),
            "malformed",
            400,
        ),
        ("kid a number", |h| h["kid"] = json!(1), "malformed", 400),
        (
            "kid huge",
            |h| h["kid"] = json!("9".repeat(40_000)),
            "malformed",
            400,
        ),
        // H040
        (
            "kid of nobody",
            |h| h["kid"] = json!(format!("{BASE}/acme/account/{UNKNOWN_ID}")),
            "accountDoesNotExist",
            400,
        ),
        // H043, H044
        (
            "nonce padded",
            |h| h["nonce"] = json!("AAAA="),
            "malformed",
            400,
        ),
        (
            "nonce plus",
            |h| h["nonce"] = json!("AA+A"),
            "malformed",
            400,
        ),
        ("nonce empty", |h| h["nonce"] = json!(""), "malformed", 400),
        (
            "nonce long",
            |h| h["nonce"] = json!("A".repeat(129)),
            "malformed",
            400,
        ),
        (
            "nonce a number",
            |h| h["nonce"] = json!(1),
            "malformed",
            400,
        ),
        (
            "nonce never issued",
            |h| h["nonce"] = json!("AAAA"),
            "badNonce",
            400,
        ),
        (
            "nonce absent",
            |h| drop(h.as_object_mut().unwrap().remove("nonce")),
            "badNonce",
            400,
        ),
        // H051, H052, H053
        (
            "url absent",
            |h| drop(h.as_object_mut().unwrap().remove("url")),
            "malformed",
            400,
        ),
        ("url an array", |h| h["url"] = json!([]), "malformed", 400),
        ("url empty", |h| h["url"] = json!(""), "unauthorized", 403),
        (
            "url upper case",
            |h| h["url"] = json!("https://CA.example/acme/new-order"),
            "unauthorized",
            403,
        ),
        (
            "url port",
            |h| h["url"] = json!("https://ca.example:443/acme/new-order"),
            "unauthorized",
            403,
        ),
        (
            "url slash",
            |h| h["url"] = json!(format!("{BASE}/acme/new-order/")),
            "unauthorized",
            403,
        ),
        (
            "url http",
            |h| h["url"] = json!("http://ca.example/acme/new-order"),
            "unauthorized",
            403,
        ),
        (
            "url escaped",
            |h| h["url"] = json!(format!("{BASE}/acme/new%2dorder")),
            "unauthorized",
            403,
        ),
        (
            "url of another",
            |h| h["url"] = json!(format!("{BASE}/acme/revoke-cert")),
            "unauthorized",
            403,
        ),
        ("unknown members", |h| h["x"] = json!([1]), "", 201),
    ];
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let payload = json!({ "identifiers": [{ "type": "dns", "value": "example.com" }] }).to_string();
    for (what, spoil, kind, status) in cases {
        let mut header = client.header(&mut ca, ORDER);
        spoil(&mut header);
        let body = jws(client.key.as_ref(), &header.to_string(), payload.as_bytes());
        let got = ca.send(&post(ORDER, body));
        got.is(kind, *status, what);
        assert!(got.header("replay-nonce").is_some());
        if *kind == "badSignatureAlgorithm" {
            let json = got.json();
            let algorithms = json["algorithms"].as_array().unwrap();
            for name in ["ES256", "ES384", "EdDSA", "RS256"] {
                assert!(algorithms.contains(&json!(name)));
            }
        }
    }
}
