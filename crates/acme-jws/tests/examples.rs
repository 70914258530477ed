//! Examples of RFC 7515, RFC 7638, RFC 8037 and the known answers of the shared vectors.

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{Provider, SignatureAlgorithm};
use acme_jws::{Jwk, Jws, JwsError, KeyAuthorization, Thumbprint, dns_account_01_label};
use acme_types::{Token, Url, base64url};
use serde_json::{Value, json};

/// RFC 7638 §3.1.
const RFC_7638_KEY: &str = concat!(
    r#"{"kty":"RSA","n":""#,
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc",
    "_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQ",
    "R0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bF",
    "TWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    r#"","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#
);

#[test]
fn the_thumbprint_of_rfc_7638_section_3_1() {
    let jwk = Jwk::from_json(RFC_7638_KEY.as_bytes()).unwrap();
    let thumbprint = jwk.thumbprint(&RustCrypto);
    assert_eq!(
        thumbprint.to_string(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    assert_eq!(Thumbprint::parse(&thumbprint.to_string()), Ok(thumbprint));
    let json = serde_json::to_string(&thumbprint).unwrap();
    assert_eq!(
        serde_json::from_str::<Thumbprint>(&json).unwrap(),
        thumbprint
    );
    assert!(
        jwk.to_json()
            .starts_with(r#"{"e":"AQAB","kty":"RSA","n":"0vx7"#)
    );
    assert_eq!(Jwk::from_json(jwk.to_json().as_bytes()), Ok(jwk));
}

#[test]
fn a_thumbprint_is_the_canonical_base64url_of_32_bytes() {
    for bad in [
        "",
        "AA",
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xt",
        &"A".repeat(44),
    ] {
        assert!(Thumbprint::parse(bad).is_err(), "{bad}");
    }
}

/// RFC 8037 §A.2 to §A.4.
#[test]
fn the_ed25519_example_of_rfc_8037() {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let jwk = Jwk::from_json(jwk.as_bytes()).unwrap();
    let thumbprint = jwk.thumbprint(&RustCrypto).to_string();
    assert_eq!(thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    // §A.1's private key, in the PKCS#8 of RFC 8410 §7.
    let d = base64url::decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let prefix = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
    let pair = RustCrypto
        .key_from_pkcs8_der(&[&prefix, &d[..]].concat())
        .unwrap();
    assert_eq!(pair.public_key(), jwk.public_key());
    let input = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = pair.sign(SignatureAlgorithm::EdDsa, input).unwrap();
    assert_eq!(
        base64url::encode(&signature),
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
}

fn vectors(path: &str) -> Option<Value> {
    let Ok(folder) = std::env::var("ACME_TEST_VECTORS") else {
        eprintln!("skipped: {path}, because ACME_TEST_VECTORS is not set");
        return None;
    };
    let text = std::fs::read_to_string(format!("{folder}/{path}")).expect(path);
    Some(serde_json::from_str(&text).expect(path))
}

/// RFC 7515 §A.2 and §A.3 verify; §A.1, §A.4 to §A.7 aren't for ACME.
#[test]
fn the_examples_of_rfc_7515_verify_or_are_refused() {
    let Some(set) = vectors("jose/rfc-examples.json") else {
        return;
    };
    let mut verified = 0;
    for test in set["tests"].as_array().unwrap() {
        let source = test["source"].as_str().unwrap();
        if let Some(body) = test.get("json_serialization") {
            let error = Jws::parse(body.to_string().as_bytes()).unwrap_err();
            let expected = [JwsError::GeneralSerialization, JwsError::UnprotectedHeader];
            assert!(expected.contains(&error), "{source}: {error:?}");
            continue;
        }
        let Some(compact) = test["compact"].as_str() else {
            continue;
        };
        let parts: Vec<&str> = compact.split('.').collect();
        let alg = test["alg"].as_str().unwrap();
        let Some(algorithm) = SignatureAlgorithm::from_name(alg) else {
            continue;
        };
        let mut jwk = test["jwk"].clone();
        let had_private = jwk.as_object_mut().unwrap().remove("d").is_some();
        if had_private {
            assert!(
                Jwk::from_json(test["jwk"].to_string().as_bytes()).is_err(),
                "{source}"
            );
        }
        for name in ["p", "q", "dp", "dq", "qi"] {
            jwk.as_object_mut().unwrap().remove(name);
        }
        let jwk = Jwk::from_json(jwk.to_string().as_bytes()).expect(source);
        let signature = base64url::decode(parts[2]).unwrap();
        let input = format!("{}.{}", parts[0], parts[1]);
        let result = RustCrypto.verify(algorithm, jwk.public_key(), input.as_bytes(), &signature);
        assert_eq!(result, Ok(()), "{source}");
        if let Some(thumbprint) = test["jwk_thumbprint_sha256"].as_str() {
            assert_eq!(
                jwk.thumbprint(&RustCrypto).to_string(),
                thumbprint,
                "{source}"
            );
        }
        // No `url`, so no ACME request.
        let body = json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]});
        let parsed = Jws::parse(body.to_string().as_bytes()).map(drop);
        assert_eq!(
            parsed,
            Err(JwsError::HeaderMember { member: "url" }),
            "{source}"
        );
        verified += 1;
    }
    println!("{verified} signatures of the RFCs verified");
    assert!(verified >= 3);
}

#[test]
fn the_known_answers_of_acme() {
    let Some(set) = vectors("acme/known-answers.json") else {
        return;
    };
    let mut checked = 0;
    for case in set["cases"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap();
        match text("kind") {
            "key-authorization" => {
                let jwk = Jwk::from_json(case["jwk"].to_string().as_bytes()).unwrap();
                let thumbprint = jwk.thumbprint(&RustCrypto);
                assert_eq!(thumbprint.to_string(), text("thumbprint"));
                let token = Token::parse(text("token")).unwrap();
                let authorization = KeyAuthorization::new(&token, &thumbprint);
                assert_eq!(authorization.as_str(), text("key_authorization"));
                assert_eq!(authorization.dns_01_value(&RustCrypto), text("dns01_txt"));
                let digest = authorization.tls_alpn_01_digest(&RustCrypto);
                let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(digest, text("tls_alpn_01_sha256_hex"));
            }
            "dns-account-01-label" => {
                let url = Url::parse(text("account_url")).unwrap();
                assert_eq!(dns_account_01_label(&RustCrypto, &url), text("label"));
            }
            _ => continue,
        }
        checked += 1;
    }
    println!("{checked} known answers checked");
    assert!(checked >= 6);
}

/// The label that draft-ietf-acme-dns-account-label prints.
#[test]
fn the_label_of_the_draft() {
    let url = Url::parse("https://example.com/acme/acct/ExampleAccount").unwrap();
    assert_eq!(
        dns_account_01_label(&RustCrypto, &url),
        "_ujmmovf2vn55tgye._acme-challenge"
    );
}
