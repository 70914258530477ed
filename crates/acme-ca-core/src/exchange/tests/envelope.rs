//! HTTP and JWS: hostile inputs A and B.

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, Provider, SignatureAlgorithm};
use serde_json::{Value, json};

use super::world::{BASE, Ca, Client, jwk, jws, post, request};

const ORDER: &str = "/acme/new-order";
const UNKNOWN_ID: &str = "AAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn a_request_is_turned_away_by_method_path_and_media_type() {
    let jose = ("content-type", "application/jose+json");
    let order = format!("/acme/order/{UNKNOWN_ID}");
    let long = format!("/acme/order/{}", "A".repeat(10_000));
    let cases: &[(&str, &str, &[(&str, &str)], &str, u16)] = &[
        // H001
        ("POST", ORDER, &[], "malformed", 415),
        (
            "POST",
            ORDER,
            &[("content-type", "application/json")],
            "malformed",
            415,
        ),
        (
            "POST",
            ORDER,
            &[("content-type", "application/jose+json; charset=utf-8")],
            "malformed",
            415,
        ),
        ("POST", ORDER, &[jose, jose], "malformed", 415),
        // H002
        ("GET", &order, &[], "malformed", 405),
        ("GET", ORDER, &[], "malformed", 405),
        ("GET", "/acme/new-account", &[], "malformed", 405),
        (
            "GET",
            &format!("/acme/account/{UNKNOWN_ID}"),
            &[],
            "malformed",
            405,
        ),
        (
            "GET",
            &format!("/acme/authorization/{UNKNOWN_ID}"),
            &[],
            "malformed",
            405,
        ),
        (
            "GET",
            &format!("/acme/challenge/{UNKNOWN_ID}/http-01"),
            &[],
            "malformed",
            405,
        ),
        (
            "GET",
            "/acme/certificate/41414141414141414141414141414141",
            &[],
            "malformed",
            405,
        ),
        ("HEAD", ORDER, &[], "", 405),
        // H003
        ("PUT", ORDER, &[jose], "malformed", 405),
        ("DELETE", &order, &[], "malformed", 405),
        ("PATCH", "/directory", &[], "malformed", 405),
        ("TRACE", "/acme/new-nonce", &[], "malformed", 405),
        ("BREW", ORDER, &[], "malformed", 405),
        ("POST", "/acme/renewal-info/x", &[jose], "malformed", 405),
        ("POST", "/crl/0", &[jose], "malformed", 405),
        // H038
        (
            "POST",
            ORDER,
            &[jose, ("content-encoding", "gzip")],
            "malformed",
            415,
        ),
        // H055, H056
        ("GET", "/", &[], "malformed", 404),
        ("GET", "//directory", &[], "malformed", 404),
        ("GET", "/./directory", &[], "malformed", 404),
        ("GET", "/acme/order/a%2fb", &[], "malformed", 404),
        ("GET", &long, &[], "malformed", 404),
        ("POST", "/acme/nothing", &[jose], "malformed", 404),
        ("OPTIONS", "/acme/nothing", &[], "malformed", 404),
        ("GET", "https://ca.example/directory", &[], "", 200),
        (
            "GET",
            "https://other.example/directory",
            &[],
            "malformed",
            421,
        ),
        (
            "GET",
            "https://ca.example:444/directory",
            &[],
            "malformed",
            421,
        ),
    ];
    let mut ca = Ca::new();
    for (method, target, headers, kind, status) in cases {
        let got = ca.send(&request(method, target, b"{}".to_vec(), headers));
        let expected = ((*kind).to_owned(), *status);
        if *method == "HEAD" {
            assert!(got.body.is_empty());
            assert_eq!(got.status, *status);
        } else {
            assert_eq!(got.outcome(), expected, "{method} {target} {headers:?}");
        }
        assert_eq!(got.status == 405, got.header("allow").is_some());
        // RFC 8555 §6.5: errors carry a nonce too, and a plain GET of another resource none.
        let gives = *method == "POST" || *target == "/acme/new-nonce";
        assert_eq!(
            gives,
            got.header("replay-nonce").is_some(),
            "{method} {target}"
        );
    }
    assert_eq!(ca.commits, 0);
}

#[test]
fn a_body_is_read_up_to_its_limit() {
    let mut ca = Ca::new();
    // H004
    let at = vec![b' '; super::super::BODY_LEN_MAX];
    ca.send(&post(ORDER, at.clone()))
        .is("malformed", 400, "64 KiB");
    let beyond = [at, vec![b' ']].concat();
    ca.send(&post(ORDER, beyond))
        .is("malformed", 413, "one more");
}

#[test]
fn every_reply_tells_browsers_and_points_to_the_directory() {
    let mut ca = Ca::new();
    let index = format!("<{BASE}/directory>;rel=\"index\"");
    let directory = ca.get("/directory");
    assert_eq!(directory.headers.get("link"), None);
    assert_eq!(directory.header("content-type"), Some("application/json"));
    for (method, target, status) in [
        ("GET", "/acme/new-nonce", 204),
        ("HEAD", "/acme/new-nonce", 200),
        ("OPTIONS", ORDER, 204),
        ("GET", "/nothing", 404),
        ("POST", ORDER, 415),
    ] {
        let got = ca.send(&request(method, target, Vec::new(), &[]));
        assert_eq!(got.status, status);
        assert_eq!(got.headers["link"], [index.as_str()], "{method} {target}");
        assert_eq!(got.header("access-control-allow-origin"), Some("*"));
        assert_eq!(
            got.header("access-control-expose-headers"),
            Some("Link, Location, Replay-Nonce, Retry-After")
        );
        assert_eq!(got.header("cache-control"), Some("no-store"));
        let nonce = got.header("replay-nonce").is_some();
        assert_eq!(nonce, target.ends_with("nonce") || method == "POST");
        let allow = got.header("access-control-allow-methods");
        assert_eq!(allow.is_some(), method == "OPTIONS");
    }
}

#[test]
fn the_directory_is_open_to_get_and_to_post_as_get() {
    let mut ca = Ca::adjust(|policy| {
        policy.orders.terms_of_service = Some("https://ca.example/terms".parse().unwrap());
        policy.orders.website = Some("https://ca.example/".parse().unwrap());
    });
    let got = ca.get("/directory");
    let json = got.json();
    let members = json.as_object().unwrap();
    for (name, path) in [
        ("newNonce", "new-nonce"),
        ("newAccount", "new-account"),
        ("newOrder", "new-order"),
        ("revokeCert", "revoke-cert"),
        ("keyChange", "key-change"),
        ("renewalInfo", "renewal-info"),
    ] {
        assert_eq!(members[name], format!("{BASE}/acme/{path}"));
    }
    assert_eq!(json["meta"]["termsOfService"], "https://ca.example/terms");
    assert_eq!(json["meta"]["website"], "https://ca.example/");
    assert!(members.get("newAuthz").is_none());
    // One more, which nobody knows, and another one each time.
    assert_eq!(members.len(), 8);
    assert_ne!(ca.get("/directory").body, got.body);
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    client
        .post_as_get(&mut ca, "/directory")
        .is("", 200, "POST-as-GET");
    client
        .post_as_get(&mut ca, "/acme/new-nonce")
        .is("", 204, "POST-as-GET");
    client
        .post(&mut ca, "/directory", &json!({}))
        .is("malformed", 400, "H050");
}

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

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

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
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }),
            "badPublicKey",
        ),
        (
            "H023 X25519",
            "EdDSA",
            json!({ "kty": "OKP", "crv": "X25519", "x": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }),
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
