use acme_crypto::KeyAlgorithm;
use acme_crypto::rustcrypto::RustCrypto;
use acme_types::base64url;
use serde_json::{Value, json};

use super::*;
use crate::error::{MalformedJwk, RefusedKey};

const URL: &str = "https://example.com/acme/new-account";
const MAC_KEY: [u8; 32] = [9; 32];

fn jwk(seed: u8) -> Jwk {
    let pair = RustCrypto
        .generate(KeyAlgorithm::EcP256, &[seed; 32])
        .unwrap();
    Jwk::from_public_key(pair.public_key().clone())
}

fn binding(hash: HashAlgorithm) -> Vec<u8> {
    let draft = draft("kid-1", &Url::parse(URL).unwrap(), &jwk(1), hash);
    draft.attach(&RustCrypto.mac(hash, &MAC_KEY, draft.message()))
}

/// A binding with this header and payload, and an empty MAC.
fn object(header: Value, payload: &str) -> Vec<u8> {
    let encode = |text: &str| base64url::encode(text.as_bytes());
    json!({"protected": encode(&header.to_string()), "payload": encode(payload), "signature": ""})
        .to_string()
        .into_bytes()
}

#[test]
fn a_binding_verifies_with_its_mac_key_only() {
    for hash in [
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
    ] {
        let read = Binding::parse(&binding(hash), URL, &jwk(1)).unwrap();
        assert_eq!(
            (read.kid(), read.hash(), read.jwk()),
            ("kid-1", hash, &jwk(1))
        );
        assert_eq!(read.verify(&RustCrypto, &MAC_KEY), Ok(()));
        assert_eq!(
            read.verify(&RustCrypto, &[8; 32]),
            Err(BindingError::BadMac)
        );
        assert_eq!(
            read.verify(&RustCrypto, &MAC_KEY[..31]),
            Err(BindingError::BadMac)
        );
    }
}

/// H068, H069, H071 and RFC 8555 §7.3.4.
#[test]
fn a_binding_is_for_this_request_and_this_key() {
    let check = |object: &[u8], expected: BindingError| {
        assert_eq!(Binding::parse(object, URL, &jwk(1)), Err(expected));
    };
    let payload = jwk(1).to_json();
    let header = |changes: Value| {
        let mut header = json!({"alg": "HS256", "kid": "kid-1", "url": URL});
        for (name, value) in changes.as_object().unwrap() {
            header[name] = value.clone();
        }
        header
    };
    for alg in [
        json!("RS256"),
        json!("none"),
        json!("hs256"),
        json!(1),
        json!(null),
    ] {
        check(
            &object(header(json!({"alg": alg})), &payload),
            BindingError::Algorithm,
        );
    }
    check(
        &object(json!({"kid": "kid-1", "url": URL}), &payload),
        BindingError::Algorithm,
    );
    check(
        &object(header(json!({"nonce": "AA"})), &payload),
        BindingError::Nonce,
    );
    check(
        &object(header(json!({"nonce": null})), &payload),
        BindingError::Nonce,
    );
    for kid in [json!(""), json!("ä"), json!(1), json!(null)] {
        check(
            &object(header(json!({"kid": kid})), &payload),
            BindingError::KeyIdentifier,
        );
    }
    let with_jwk = object(header(json!({"jwk": {}})), &payload);
    check(&with_jwk, BindingError::Jws(JwsError::KidWanted));
    check(
        &object(header(json!({"url": format!("{URL}/")})), &payload),
        BindingError::Url,
    );
    check(
        &object(header(json!({"url": null})), &payload),
        BindingError::Url,
    );
    check(
        &object(header(json!({})), &jwk(2).to_json()),
        BindingError::Key,
    );
    let malformed = MalformedJwk::Member { member: "kty" };
    check(
        &object(header(json!({})), "{}"),
        BindingError::Payload(JwkError::Malformed(malformed)),
    );
    let oct = r#"{"kty":"oct","k":"AA"}"#;
    let refused = BindingError::Payload(JwkError::Refused(RefusedKey::Type));
    check(&object(header(json!({})), oct), refused);
    // Another order of members is the same key.
    let Value::Object(members) = serde_json::from_str(&payload).unwrap() else {
        panic!()
    };
    let reversed: Vec<String> = members
        .iter()
        .rev()
        .map(|(name, value)| format!("\"{name}\": {value}"))
        .collect();
    let reversed = format!("{{{}}}", reversed.join(", "));
    assert_ne!(reversed, payload);
    assert!(Binding::parse(&object(header(json!({})), &reversed), URL, &jwk(1)).is_ok());
}

/// H070.
#[test]
fn a_truncated_mac_does_not_verify() {
    let mut object: Value = serde_json::from_slice(&binding(HashAlgorithm::Sha256)).unwrap();
    let tag = base64url::decode(object["signature"].as_str().unwrap()).unwrap();
    for len in [0, 16, 31] {
        object["signature"] = json!(base64url::encode(&tag[..len]));
        let read = Binding::parse(object.to_string().as_bytes(), URL, &jwk(1)).unwrap();
        assert_eq!(
            read.verify(&RustCrypto, &MAC_KEY),
            Err(BindingError::BadMac)
        );
    }
}
