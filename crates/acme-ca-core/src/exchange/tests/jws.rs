//! JWS, keys and nonces: hostile inputs A and B.

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, Provider, SignatureAlgorithm};
use serde_json::{Value, json};

use super::client::{Client, jwk, jws, text};
use super::world::{Ca, post, request};

const ORDER: &str = "/acme/new-order";

/// The Ed25519 point of order 1, and of X25519 nothing better.
const ONE: &str = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn a_jws_is_strict_json_in_the_flattened_form() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let mut check = |what: &str, spoil: &dyn Fn(String) -> Vec<u8>| {
        let good = client.request(&mut ca, ORDER, b"{}").into_body();
        let body = spoil(String::from_utf8(good).unwrap());
        ca.send(&post(ORDER, body)).is("malformed", 400, what);
    };
    check("H007 no JSON", &|_| b"hello".to_vec());
    check("H007 BOM", &|good| format!("\u{feff}{good}").into_bytes());
    check("H007 NUL", &|good| format!("{good}\0").into_bytes());
    check("H007 second value", &|good| {
        format!("{good}{{}}").into_bytes()
    });
    check("an array", &|good| format!("[{good}]").into_bytes());
    check("H008 not UTF-8", &|good| {
        [good.replace('}', ",\"x\":\"").as_bytes(), b"\xff\"}"].concat()
    });
    check("H008 lone surrogate", &|good| {
        good.replace('}', ",\"x\":\"\\ud800\"}").into_bytes()
    });
    check("H009 duplicate", &|good| {
        good.replace('}', ",\"payload\":\"\"}").into_bytes()
    });
    check("H010 deep", &|good| {
        good.replace(
            '}',
            &format!(",\"x\":{}{}}}", "[".repeat(9_999), "]".repeat(9_999)),
        )
        .into_bytes()
    });
    check("H011 number", &|good| {
        good.replace('}', ",\"x\":1e400}").into_bytes()
    });
    check("H013 signatures", &|good| {
        good.replace('}', ",\"signatures\":[]}").into_bytes()
    });
    check("H014 header", &|good| {
        good.replace('}', ",\"header\":{}}").into_bytes()
    });
    check("H015 no protected", &|good| {
        good.replace("protected", "unprotected").into_bytes()
    });
    check("H015 empty protected", &|_| {
        br#"{"protected":"","payload":"","signature":"AAAA"}"#.to_vec()
    });
    check("H016 padding", &|good| {
        good.replace("\"payload\":\"", "\"payload\":\"=")
            .into_bytes()
    });
    check("H016 newline", &|good| {
        good.replace("\"payload\":\"", "\"payload\":\"\\n")
            .into_bytes()
    });
    check("H017 trailing bits", &|good| {
        good.replace("\"payload\":\"e30\"", "\"payload\":\"e31\"")
            .into_bytes()
    });
    check("H032 empty signature", &|good| {
        let at = good.find("\"signature\":\"").unwrap() + 13;
        let end = good[at..].find('"').unwrap() + at;
        format!("{}{}", &good[..at], &good[end..]).into_bytes()
    });
    check("H033 another serialisation", &|good| {
        // The header says the same with a space more: not what was signed.
        good.replace("\"payload\":\"e30\"", "\"payload\":\"eyB9\"")
            .into_bytes()
    });
}

#[test]
fn a_jwk_is_a_public_signature_key_that_is_accepted() {
    let mut ca = Ca::new();
    let client = Client::new(1);
    let big = |bytes: usize, last: u8| {
        let mut n = vec![0xff; bytes];
        n[bytes - 1] = last;
        acme_types::base64url::encode(&n)
    };
    let rsa = |n: String, e: &str| json!({ "kty": "RSA", "n": n, "e": e });
    let own = jwk(client.key.as_ref());
    let with = |name: &str, value: Value| {
        let mut own = own.clone();
        own[name] = value;
        own
    };
    let p384 = RustCrypto.generate(KeyAlgorithm::EcP384, &[3; 32]).unwrap();
    for (what, alg, jwk, kind) in [
        (
            "H026 private member",
            "ES256",
            with("d", json!("AAAA")),
            "malformed",
        ),
        (
            "H027 oct",
            "ES256",
            json!({ "kty": "oct", "k": "AAAA" }),
            "badPublicKey",
        ),
        (
            "H027 unknown",
            "ES256",
            json!({ "kty": "AKP", "pub": "AAAA" }),
            "badPublicKey",
        ),
        ("kty absent", "ES256", json!({}), "malformed"),
        ("H023 curve", "ES256", jwk(p384.as_ref()), "badPublicKey"),
        (
            "off the curve",
            "ES256",
            with("x", own["y"].clone()),
            "badPublicKey",
        ),
        (
            "H028 1024 bits",
            "RS256",
            rsa(big(128, 1), "AQAB"),
            "badPublicKey",
        ),
        (
            "H028 8192 bits",
            "RS256",
            rsa(big(1024, 1), "AQAB"),
            "badPublicKey",
        ),
        (
            "H028 even",
            "RS256",
            rsa(big(256, 2), "AQAB"),
            "badPublicKey",
        ),
        (
            "H029 e = 3",
            "RS256",
            rsa(big(256, 1), "Aw"),
            "badPublicKey",
        ),
        (
            "H029 e empty",
            "RS256",
            rsa(big(256, 1), ""),
            "badPublicKey",
        ),
        ("H035 use", "ES256", with("use", json!("enc")), "malformed"),
        (
            "H035 key_ops",
            "ES256",
            with("key_ops", json!(["sign"])),
            "malformed",
        ),
        (
            "H035 alg",
            "ES256",
            with("alg", json!("ES384")),
            "malformed",
        ),
        (
            "H031 Ed25519 of low order",
            "EdDSA",
            json!({ "kty": "OKP", "crv": "Ed25519", "x": ONE }),
            "badPublicKey",
        ),
        (
            "H023 X25519",
            "EdDSA",
            json!({ "kty": "OKP", "crv": "X25519", "x": ONE }),
            "badPublicKey",
        ),
    ] {
        let mut header = client.key_header(&mut ca, "/acme/new-account");
        header["alg"] = json!(alg);
        header["jwk"] = jwk;
        let body = jws(client.key.as_ref(), &header.to_string(), b"{}");
        ca.send(&post("/acme/new-account", body))
            .is(kind, 400, what);
    }
    assert_eq!(ca.commits, 0);
}

#[test]
fn accounts_have_keys_of_every_kind() {
    let mut ca = Ca::new();
    for (seed, algorithm) in [
        KeyAlgorithm::EcP256,
        KeyAlgorithm::EcP384,
        KeyAlgorithm::Ed25519,
    ]
    .into_iter()
    .enumerate()
    {
        let seed = u8::try_from(seed).unwrap();
        let key = RustCrypto.generate(algorithm, &[seed; 32]).unwrap();
        let client = Client {
            key,
            kid: String::new(),
        };
        client
            .post_as_key(&mut ca, "/acme/new-account", &json!({}))
            .is("", 201, "newAccount");
    }
}

#[test]
fn the_signer_must_be_of_the_kind_that_the_resource_wants() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    // H025
    for target in [ORDER, "/acme/key-change", client.path()] {
        client
            .post_as_key(&mut ca, target, &json!({}))
            .is("malformed", 400, target);
    }
    client
        .post(&mut ca, "/acme/new-account", &json!({}))
        .is("malformed", 400, "kid");
}

#[test]
fn nobody_signs_for_another_account() {
    let mut ca = Ca::new();
    let (alice, mut eve) = (
        Client::registered(&mut ca, 1),
        Client::registered(&mut ca, 2),
    );
    // H034: as any bad signature, to the byte.
    eve.kid.clone_from(&alice.kid);
    let got = eve.post(&mut ca, ORDER, &json!({}));
    got.is("malformed", 400, "H034");
    let request = alice.request(&mut ca, ORDER, b"{}");
    let body = String::from_utf8(request.into_body())
        .unwrap()
        .replace("e30", "eyB9");
    assert_eq!(ca.send(&post(ORDER, body.into_bytes())).body, got.body);
    // H032: DER is not how JOSE writes it.
    let header = alice.header(&mut ca, ORDER).to_string();
    let mut der: Value = serde_json::from_slice(&jws(alice.key.as_ref(), &header, b"{}")).unwrap();
    let fixed = acme_types::base64url::decode(text(&der["signature"])).unwrap();
    let signature = acme_crypto::ecdsa_der::from_fixed(&fixed).unwrap();
    der["signature"] = json!(acme_types::base64url::encode(&signature));
    ca.send(&post(ORDER, der.to_string().into_bytes()))
        .is("malformed", 400, "H032");
    assert_eq!(
        alice.key.public_key().default_algorithm(),
        SignatureAlgorithm::Es256
    );
}

#[test]
fn a_nonce_that_was_seen_is_dead_whatever_followed() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    // H045
    let mut bad_signature = client.request(&mut ca, ORDER, b"{}");
    let text = String::from_utf8(bad_signature.body().clone()).unwrap();
    *bad_signature.body_mut() = text.replace("e30", "eyB9").into_bytes();
    let refused = client.request(&mut ca, ORDER, b"{}");
    let payload = json!({ "identifiers": [{ "type": "dns", "value": "example.com" }] });
    let accepted = client.request(&mut ca, ORDER, payload.to_string().as_bytes());
    let wrong_url = post(
        "/acme/key-change",
        client.request(&mut ca, ORDER, b"{}").into_body(),
    );
    for (what, request, kind, status) in [
        ("after a bad signature", &bad_signature, "malformed", 400),
        ("after a refusal", &refused, "malformed", 400),
        ("after success", &accepted, "", 201),
        ("after another URL", &wrong_url, "unauthorized", 403),
    ] {
        ca.send(request).is(kind, status, what);
        let again = ca.send(request);
        again.is("badNonce", 400, what);
        // RFC 8555 §6.5: "a fresh nonce that the server will accept in a retry".
        assert!(again.header("replay-nonce").is_some());
    }
    // If both are wrong, the nonce's error is the answer.
    ca.send(&bad_signature).is("badNonce", 400, "both");
}

#[test]
fn the_nonce_of_a_reply_is_good_for_the_next_request() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let got = client.post(&mut ca, ORDER, &json!({}));
    let mut header = client.header(&mut ca, ORDER);
    header["nonce"] = json!(got.header("replay-nonce").unwrap());
    let body = jws(client.key.as_ref(), &header.to_string(), b"{}");
    // H037: the header of a request is no nonce.
    let headers = [
        ("content-type", "application/jose+json"),
        ("replay-nonce", "AAAA"),
    ];
    ca.send(&request("POST", ORDER, body, &headers))
        .is("malformed", 400, "no identifiers");
}

#[test]
fn no_request_with_a_byte_changed_is_accepted() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let header = client.header(&mut ca, ORDER);
    let payload = json!({ "identifiers": [{ "type": "dns", "value": "example.com" }] });
    let payload = payload.to_string();
    let good = jws(client.key.as_ref(), &header.to_string(), payload.as_bytes());
    let commits = ca.commits;
    for place in 0..good.len() {
        for bit in [0x01, 0x20, 0x80] {
            let mut bad = good.clone();
            bad[place] ^= bit;
            ca.revive(text(&header["nonce"]));
            let got = ca.send(&post(ORDER, bad));
            // A byte of the nonce, of `url` and of the `kid` have answers of their own.
            let expected = [400, 403].contains(&got.status);
            assert!(expected, "{place} {bit:#x}: {}", got.json());
        }
    }
    assert_eq!(ca.commits, commits);
    ca.revive(text(&header["nonce"]));
    ca.send(&post(ORDER, good)).is("", 201, "unchanged");
}
