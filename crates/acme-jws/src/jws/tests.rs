use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair};
use acme_types::Url;
use serde_json::json;

use super::*;
use crate::Draft;
use crate::error::RefusedKey;

mod keys;
mod wycheproof;

const URL: &str = "https://example.com/acme/new-order";
const KID: &str = "https://example.com/acme/acct/evOfKhNU60wg";

fn pair(algorithm: KeyAlgorithm) -> Box<dyn KeyPair> {
    RustCrypto.generate(algorithm, &[3; 32]).unwrap()
}

/// A request with this header, as a client makes it, signature and all.
fn body(header: &str, payload: &str) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let pair = pair(KeyAlgorithm::EcP256);
    let signature = pair
        .sign(SignatureAlgorithm::Es256, input.as_bytes())
        .unwrap();
    json!({
        "protected": encode(header),
        "payload": encode(payload),
        "signature": base64url::encode(&signature),
    })
    .to_string()
}

fn encode(text: &str) -> String {
    base64url::encode(text.as_bytes())
}

/// The usual header, with some members replaced, or removed if `null`.
fn header(changes: Value) -> String {
    let mut header =
        json!({"alg": "ES256", "kid": KID, "nonce": "oFvnlFP1wIhRlYS2jTaXbA", "url": URL});
    let members = header.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(members.remove(name)),
            value => drop(members.insert(name.clone(), value.clone())),
        }
    }
    header.to_string()
}

fn jwk() -> Value {
    let jwk = Jwk::from_public_key(pair(KeyAlgorithm::EcP256).public_key().clone());
    serde_json::to_value(jwk).unwrap()
}

/// The JWK above, with some members replaced or removed, in the header of a newAccount request.
fn jwk_header(changes: Value) -> String {
    let mut jwk = jwk();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(jwk.as_object_mut().unwrap().remove(name)),
            value => drop(
                jwk.as_object_mut()
                    .unwrap()
                    .insert(name.clone(), value.clone()),
            ),
        }
    }
    header(json!({"kid": null, "jwk": jwk}))
}

#[test]
fn a_draft_is_read_back_and_verifies() {
    for algorithm in KeyAlgorithm::ALL {
        let pair = pair(algorithm);
        let algorithm = pair.public_key().default_algorithm();
        let url = Url::parse(URL).unwrap();
        let jwk = Signer::Jwk(Jwk::from_public_key(pair.public_key().clone()));
        for signer in [jwk, Signer::Kid(KID.into())] {
            for payload in [&b""[..], br#"{"identifiers":[]}"#] {
                let nonce = Nonce::parse("oFvnlFP1wIhRlYS2jTaXbA").unwrap();
                let draft = Draft::new(algorithm, &signer, Some(nonce.clone()), &url, payload);
                let body = draft.attach(&pair.sign(algorithm, draft.signing_input()).unwrap());
                let jws = Jws::parse(&body).unwrap();
                assert_eq!(jws.algorithm(), algorithm);
                assert_eq!(jws.signer(), &signer);
                assert_eq!(jws.required_nonce(), Ok(&nonce));
                assert_eq!(jws.url(), URL);
                assert_eq!(jws.payload(), payload);
                assert_eq!(jws.is_post_as_get(), payload.is_empty());
                assert_eq!(jws.verify(&RustCrypto, pair.public_key()), Ok(()));
                let other = RustCrypto.generate(KeyAlgorithm::EcP256, &[4; 32]).unwrap();
                assert!(jws.verify(&RustCrypto, other.public_key()).is_err());
            }
        }
    }
}

fn check(body: &str, expected: JwsError) {
    assert_eq!(
        Jws::parse(body.as_bytes()).map(drop),
        Err(expected),
        "{body}"
    );
}

fn check_header(header: &str, expected: JwsError) {
    check(&body(header, "{}"), expected);
}

/// H007 to H010, H013 to H017.
#[test]
fn the_envelope_is_one_strict_flattened_jws() {
    let good = body(&header(json!({})), "{}");
    assert!(Jws::parse(good.as_bytes()).is_ok());
    let is_json_error = |body: &[u8]| {
        let result = Jws::parse(body);
        assert!(matches!(result, Err(JwsError::Json(_))), "{result:?}");
    };
    is_json_error(b"");
    is_json_error(b"[]");
    is_json_error(format!("\u{feff}{good}").as_bytes());
    is_json_error(format!("{good}\0").as_bytes());
    is_json_error(format!("{good}{good}").as_bytes());
    is_json_error(good.replacen('{', r#"{"protected":"e30","#, 1).as_bytes());
    is_json_error(format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)).as_bytes());
    is_json_error(&[good.as_bytes(), b"\xff"].concat());
    // The compact serialization.
    is_json_error(b"e30.e30.e30");
    let with = |member: &str| good.replacen('{', &format!("{{{member},"), 1);
    check(&with(r#""signatures":[]"#), JwsError::GeneralSerialization);
    check(&with(r#""header":{}"#), JwsError::UnprotectedHeader);
    check(&with(r#""header":null"#), JwsError::UnprotectedHeader);
    assert!(Jws::parse(with(r#""unknown":1"#).as_bytes()).is_ok());
    for member in ["protected", "payload", "signature"] {
        let change = |value: Value| {
            let mut body: Value = serde_json::from_str(&good).unwrap();
            body[member] = value;
            body.to_string()
        };
        let mut without: Value = serde_json::from_str(&good).unwrap();
        without.as_object_mut().unwrap().remove(member);
        check(&without.to_string(), JwsError::Member { member });
        check(&change(Value::Null), JwsError::Member { member });
        check(&change(json!({})), JwsError::Member { member });
        let text = serde_json::from_str::<Value>(&good).unwrap()[member]
            .as_str()
            .unwrap()
            .to_owned();
        for bad in ["=", "+", "/", " ", "\r\n"] {
            check(
                &change(json!(format!("{text}{bad}"))),
                JwsError::Base64Url { member },
            );
        }
        check(&change(json!("QR")), JwsError::Base64Url { member });
    }
}

/// H009, H010, H015.
#[test]
fn the_protected_header_is_one_strict_object() {
    for text in [
        "",
        "[]",
        "null",
        "1",
        r#"{"alg":"ES256","alg":"ES256"}"#,
        "{} {}",
        "\u{feff}{}",
    ] {
        let result = Jws::parse(body(text, "{}").as_bytes());
        assert!(
            matches!(result, Err(JwsError::Header(_))),
            "{text}: {result:?}"
        );
    }
    let twice = header(json!({})).replacen("\"url\"", "\"url\":\"x\",\"url\"", 1);
    let result = Jws::parse(body(&twice, "{}").as_bytes());
    assert!(
        matches!(result, Err(JwsError::Header(JsonError::Duplicate { .. }))),
        "{result:?}"
    );
    let twice = jwk_header(json!({})).replacen("\"kty\"", "\"kty\":\"EC\",\"kty\"", 1);
    let result = Jws::parse(body(&twice, "{}").as_bytes());
    assert!(
        matches!(result, Err(JwsError::Header(JsonError::Duplicate { .. }))),
        "{result:?}"
    );
}

/// H019, H020.
#[test]
fn no_extension_is_understood() {
    let b64 = |value: Value, crit: Value| header(json!({"b64": value, "crit": crit}));
    check_header(
        &b64(json!(false), json!(["b64"])),
        JwsError::UnencodedPayload,
    );
    check_header(&b64(json!(false), Value::Null), JwsError::UnencodedPayload);
    check_header(
        &b64(json!(true), json!(["b64"])),
        JwsError::UnencodedPayload,
    );
    for crit in [
        json!([]),
        json!(["exp"]),
        json!(["alg"]),
        json!(["x", "x"]),
        json!("x"),
    ] {
        check_header(&header(json!({"crit": crit})), JwsError::CriticalExtension);
    }
    assert!(Jws::parse(body(&header(json!({"typ": "JOSE", "x": [1]})), "").as_bytes()).is_ok());
}

/// H021, H022.
#[test]
fn only_signature_algorithms_by_their_exact_name_are_supported() {
    for alg in [
        "none",
        "None",
        "",
        "HS256",
        "HS384",
        "HS512",
        "RS1",
        "PS256",
        "ES256K",
        "es256",
        "ES512",
        "ML-DSA-44",
        "ES256 ",
    ] {
        check_header(&header(json!({"alg": alg})), JwsError::SignatureAlgorithm);
        // The key doesn't matter then.
        let header = header(json!({"alg": alg, "kid": null, "jwk": {"kty": "oct", "k": "AA"}}));
        check_header(&header, JwsError::SignatureAlgorithm);
    }
    for alg in [json!(5), json!(["ES256"]), json!({}), Value::Null] {
        check_header(
            &header(json!({"alg": alg})),
            JwsError::HeaderMember { member: "alg" },
        );
    }
    let null = header(json!({})).replace("\"ES256\"", "null");
    check_header(&null, JwsError::HeaderMember { member: "alg" });
}

#[test]
fn there_is_either_a_key_or_an_account() {
    check_header(&header(json!({"jwk": jwk()})), JwsError::TwoSigners);
    check_header(&header(json!({"kid": null})), JwsError::NoSigner);
    check_header(
        &header(json!({"kid": 5})),
        JwsError::HeaderMember { member: "kid" },
    );
    let text = header(json!({"kid": null, "jwk": "{}"}));
    check_header(&text, JwsError::HeaderMember { member: "jwk" });
    let by_account = Jws::parse(body(&header(json!({})), "").as_bytes()).unwrap();
    assert_eq!(by_account.kid(), Ok(KID));
    assert_eq!(by_account.jwk().map(drop), Err(JwsError::JwkWanted));
    let by_key = Jws::parse(body(&jwk_header(json!({})), "").as_bytes()).unwrap();
    assert_eq!(by_key.kid(), Err(JwsError::KidWanted));
    assert!(by_key.jwk().is_ok());
}

/// H043, RFC 8555 §6.5 and §6.5.2.
#[test]
fn a_missing_nonce_and_a_malformed_one_are_two_things() {
    for nonce in ["", "a=", "a+b", "a/b", "ä", "a b", &"A".repeat(129)] {
        let result = Jws::parse(body(&header(json!({"nonce": nonce})), "").as_bytes());
        assert!(
            matches!(result, Err(JwsError::NonceSyntax(_))),
            "{nonce}: {result:?}"
        );
    }
    check_header(
        &header(json!({"nonce": 1})),
        JwsError::HeaderMember { member: "nonce" },
    );
    let jws = Jws::parse(body(&header(json!({"nonce": null})), "").as_bytes()).unwrap();
    assert_eq!(jws.required_nonce(), Err(JwsError::MissingNonce));
    check_header(
        &header(json!({"url": null})),
        JwsError::HeaderMember { member: "url" },
    );
    check_header(
        &header(json!({"url": ["x"]})),
        JwsError::HeaderMember { member: "url" },
    );
}

/// H031 to H034.
#[test]
fn a_signature_is_over_the_bytes_that_came() {
    let key = pair(KeyAlgorithm::EcP256);
    let good = body(&header(json!({})), r#"{"a":1}"#);
    let verify = |body: &str| {
        Jws::parse(body.as_bytes())
            .unwrap()
            .verify(&RustCrypto, key.public_key())
    };
    assert_eq!(verify(&good), Ok(()));
    // The same JSON, written otherwise.
    let other = good.replace(&encode(r#"{"a":1}"#), &encode(r#"{"a": 1}"#));
    assert_ne!(good, other);
    assert_eq!(verify(&other), Err(JwsError::BadSignature));
    let with_signature = |signature: &[u8]| {
        let mut body: Value = serde_json::from_str(&good).unwrap();
        body["signature"] = json!(base64url::encode(signature));
        verify(&body.to_string())
    };
    let text = serde_json::from_str::<Value>(&good).unwrap()["signature"].clone();
    let signature = base64url::decode(text.as_str().unwrap()).unwrap();
    assert_eq!(with_signature(&signature), Ok(()));
    let der = acme_crypto::ecdsa_der::from_fixed(&signature).unwrap();
    let zero_r = [&[0; 32], &signature[32..]].concat();
    let large_s = [&signature[..32], &[0xff; 32]].concat();
    for bad in [&der[..], &[], &signature[1..], &zero_r, &large_s, &[0; 64]] {
        assert_eq!(with_signature(bad), Err(JwsError::BadSignature));
    }
}

#[test]
fn debug_output_has_no_content() {
    let jws = Jws::parse(body(&header(json!({})), "SECRET").as_bytes()).unwrap();
    let text = format!("{jws:?}");
    assert!(
        !text.contains("oFvn") && !text.contains("SECRET") && !text.contains(&encode("SECRET"))
    );
    assert!(text.contains(KID));
}

use acme_types::JsonError;

proptest::proptest! {
    /// Whatever comes, there's an answer; what is accepted has the members that were promised.
    #[test]
    fn any_input_is_answered(noise in ".{0,200}", at in 0usize..400, bits in 0u8..) {
        drop(Jws::parse(noise.as_bytes()));
        let mut body = body(&jwk_header(json!({})), "{}").into_bytes();
        let at = at % body.len();
        body[at] ^= bits;
        if let Ok(jws) = Jws::parse(&body) {
            let _ = jws.verify(&RustCrypto, pair(KeyAlgorithm::EcP256).public_key());
        }
    }
}
