//! HTTP: hostile inputs A.

use std::sync::Arc;

use acme_types::Url;
use serde_json::json;

use super::client::{Client, jws};
use super::world::{BASE, Ca, post, request};

const ORDER: &str = "/acme/new-order";
const UNKNOWN_ID: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// Method, target, headers; problem type and status.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, u16);

#[test]
fn a_request_is_turned_away_by_method_path_and_media_type() {
    let jose = ("content-type", "application/jose+json");
    let order = format!("/acme/order/{UNKNOWN_ID}");
    let long = format!("/acme/order/{}", "A".repeat(10_000));
    let cases: &[Case] = &[
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

#[test]
fn what_is_wrong_first_is_the_answer() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let long = vec![b' '; super::super::BODY_LEN_MAX + 1];
    // The path before the method, the method before the media type, that before the body.
    ca.send(&request("PUT", "/nothing", Vec::new(), &[]))
        .is("malformed", 404, "path");
    ca.send(&request("PUT", ORDER, Vec::new(), &[]))
        .is("malformed", 405, "method");
    ca.send(&request("POST", ORDER, long.clone(), &[]))
        .is("malformed", 415, "media type");
    ca.send(&post(ORDER, long)).is("malformed", 413, "body");
    // The nonce before `url`, `url` before the signer, the signer before the payload.
    let spoilt = |ca: &mut Ca, nonce: bool, url: bool, kid: bool| {
        let mut header = client.header(ca, ORDER);
        if nonce {
            header["nonce"] = json!("AAAA");
        }
        if url {
            header["url"] = json!(BASE);
        }
        if kid {
            header["kid"] = json!(format!("{BASE}/acme/account/{UNKNOWN_ID}"));
        }
        post(ORDER, jws(client.key.as_ref(), &header.to_string(), b"[]"))
    };
    for (nonce, url, kid, kind, status) in [
        (true, true, true, "badNonce", 400),
        (false, true, true, "unauthorized", 403),
        (false, false, true, "accountDoesNotExist", 400),
        (false, false, false, "malformed", 400),
    ] {
        let request = spoilt(&mut ca, nonce, url, kid);
        ca.send(&request).is(kind, status, "JWS");
    }
}

#[test]
fn a_ca_may_live_below_a_path() {
    let mut ca = Ca::new();
    let mut config = ca.config.as_ref().clone();
    config.base = Url::parse("https://ca.example/pki").unwrap();
    ca.config = Arc::new(config);
    let directory = ca.get("/pki/directory");
    directory.is("", 200, "below");
    assert_eq!(
        directory.json()["newAccount"],
        "https://ca.example/pki/acme/new-account"
    );
    ca.get("/directory").is("malformed", 404, "above");
    // Only what is signed itself is published below the other base.
    ca.get("/issuer/e1").is("", 200, "published");
    ca.get("/pki/issuer/e1").is("", 200, "below");
    let client = Client::new(1);
    let body = |ca: &mut Ca, url: &str| {
        let mut header = client.key_header(ca, "");
        header["url"] = json!(url);
        jws(client.key.as_ref(), &header.to_string(), b"{}")
    };
    let good = body(&mut ca, "https://ca.example/pki/acme/new-account");
    ca.send(&post("/pki/acme/new-account", good))
        .is("", 201, "below");
    let other = body(&mut ca, "https://ca.example/acme/new-account");
    ca.send(&post("/acme/new-account", other))
        .is("malformed", 404, "above");
}
