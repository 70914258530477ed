//! What is said about the key in the header.

use super::*;

/// H023 and RFC 8555 §6.2.
#[test]
fn an_algorithm_that_does_not_fit_the_key_is_the_keys_fault() {
    let mismatch = |algorithm, key| JwsError::KeyMismatch { algorithm, key };
    let header_of = |alg: &str, kind| {
        let jwk = Jwk::from_public_key(pair(kind).public_key().clone());
        header(json!({"alg": alg, "kid": null, "jwk": jwk}))
    };
    use acme_crypto::KeyKind;
    check_header(
        &header_of("ES256", KeyAlgorithm::EcP384),
        mismatch(SignatureAlgorithm::Es256, KeyKind::EcP384),
    );
    check_header(
        &header_of("EdDSA", KeyAlgorithm::EcP256),
        mismatch(SignatureAlgorithm::EdDsa, KeyKind::EcP256),
    );
    check_header(
        &header_of("RS256", KeyAlgorithm::Ed25519),
        mismatch(SignatureAlgorithm::Rs256, KeyKind::Ed25519),
    );
    // By an account's key it shows at verification.
    let jws = Jws::parse(body(&header(json!({"alg": "RS256"})), "").as_bytes()).unwrap();
    let verified = jws.verify(&RustCrypto, pair(KeyAlgorithm::EcP256).public_key());
    assert_eq!(
        verified,
        Err(mismatch(SignatureAlgorithm::Rs256, KeyKind::EcP256))
    );
}

/// H026, H027, H035.
#[test]
fn a_jwk_is_a_public_key_for_signatures() {
    let malformed = |changes: Value, expected: MalformedJwk| {
        check_header(&jwk_header(changes), JwsError::MalformedJwk(expected));
    };
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
        malformed(json!({name: "AA"}), MalformedJwk::PrivateMember);
    }
    malformed(json!({"use": "enc"}), MalformedJwk::Use);
    malformed(json!({"use": 1}), MalformedJwk::Member { member: "use" });
    malformed(json!({"key_ops": ["sign"]}), MalformedJwk::KeyOperations);
    malformed(json!({"key_ops": []}), MalformedJwk::KeyOperations);
    malformed(
        json!({"key_ops": ["verify", "verify"]}),
        MalformedJwk::KeyOperations,
    );
    malformed(
        json!({"key_ops": "verify"}),
        MalformedJwk::Member { member: "key_ops" },
    );
    malformed(json!({"alg": "ES384"}), MalformedJwk::Algorithm);
    malformed(json!({"alg": 1}), MalformedJwk::Member { member: "alg" });
    malformed(json!({"kty": null}), MalformedJwk::Member { member: "kty" });
    malformed(json!({"kty": 1}), MalformedJwk::Member { member: "kty" });
    malformed(json!({"crv": null}), MalformedJwk::Member { member: "crv" });
    malformed(json!({"x": null}), MalformedJwk::Member { member: "x" });
    malformed(
        json!({"y": "AA=="}),
        MalformedJwk::Base64Url { member: "y" },
    );
    for fine in [
        json!({"use": "sig", "key_ops": ["verify"], "alg": "ES256", "kid": "1", "x5c": []}),
        json!({"unknown": {"d": 1}}),
    ] {
        assert!(Jws::parse(body(&jwk_header(fine), "").as_bytes()).is_ok());
    }
}

/// H023, H027 to H031.
#[test]
fn a_key_that_is_not_accepted_is_refused_as_such() {
    use acme_crypto::KeyError;
    let refused = |alg: &str, jwk: Value, expected: RefusedKey| {
        let header = header(json!({"alg": alg, "kid": null, "jwk": jwk}));
        check_header(&header, JwsError::PublicKey(expected));
    };
    refused("ES256", json!({"kty": "oct", "k": "AA"}), RefusedKey::Type);
    refused("ES256", json!({"kty": "ec"}), RefusedKey::Type);
    refused(
        "ES256",
        json!({"kty": "AKP", "alg": "ML-DSA-44"}),
        RefusedKey::Type,
    );
    for crv in ["P-521", "secp256k1", "p-256", ""] {
        refused(
            "ES256",
            json!({"kty": "EC", "crv": crv, "x": "AA", "y": "AA"}),
            RefusedKey::Curve,
        );
    }
    for crv in ["X25519", "Ed448"] {
        refused(
            "EdDSA",
            json!({"kty": "OKP", "crv": crv, "x": "AA"}),
            RefusedKey::Curve,
        );
    }
    let x = jwk()["x"].clone();
    let point = |x: &Value, y: &Value| json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
    refused(
        "ES256",
        point(&x, &x),
        RefusedKey::Key(KeyError::NotOnCurve),
    );
    refused(
        "ES256",
        point(&json!("AA"), &x),
        RefusedKey::Key(KeyError::PointLength),
    );
    let ed25519 = |x: [u8; 32]| json!({"kty": "OKP", "crv": "Ed25519", "x": base64url::encode(&x)});
    refused(
        "EdDSA",
        ed25519([0; 32]),
        RefusedKey::Key(KeyError::LowOrder),
    );
    refused(
        "EdDSA",
        ed25519([0xff; 32]),
        RefusedKey::Key(KeyError::NonCanonical),
    );
    let rsa = |n: &[u8], e: &str| json!({"kty": "RSA", "n": base64url::encode(n), "e": e});
    let small = KeyError::ModulusSize { bits: 1024 };
    refused("RS256", rsa(&[0xf1; 128], "AQAB"), RefusedKey::Key(small));
    let large = KeyError::ModulusSize { bits: 16384 };
    refused("RS256", rsa(&[0xf1; 2048], "AQAB"), RefusedKey::Key(large));
    refused(
        "RS256",
        rsa(&[0xf0; 256], "AQAB"),
        RefusedKey::Key(KeyError::EvenModulus),
    );
    let zero = [&[0][..], &[0xf1; 256]].concat();
    refused(
        "RS256",
        rsa(&zero, "AQAB"),
        RefusedKey::Key(KeyError::LeadingZero),
    );
    for e in ["AQ", "Ag", "Aw", "AAEAAQ", "AQAAAAE", ""] {
        refused(
            "RS256",
            rsa(&[0xf1; 256], e),
            RefusedKey::Key(KeyError::Exponent),
        );
    }
}
