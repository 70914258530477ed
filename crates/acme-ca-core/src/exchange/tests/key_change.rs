//! keyChange: hostile inputs C, from H074 on.

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyPair, Provider};
use serde_json::{Value, json};

use super::client::{Client, jwk, jws, key};
use super::world::{BASE, Ca};
use crate::schema::{BlockedKeyRow, Row};

const NEW: &str = "/acme/new-account";
const CHANGE: &str = "/acme/key-change";

/// The payload of a key change by `old` to `new`, spoilt.
pub(super) fn inner(
    old: &Client,
    new: &dyn KeyPair,
    header: impl FnOnce(&mut Value),
    payload: impl FnOnce(&mut Value),
) -> Value {
    let mut head = json!({
        "alg": new.public_key().default_algorithm().name(),
        "jwk": jwk(new),
        "url": format!("{BASE}{CHANGE}"),
    });
    header(&mut head);
    let mut body = json!({ "account": old.kid, "oldKey": jwk(old.key.as_ref()) });
    payload(&mut body);
    serde_json::from_slice(&jws(new, &head.to_string(), body.to_string().as_bytes())).unwrap()
}

#[test]
fn a_key_change_is_agreed_to_by_both_keys() {
    let mut ca = Ca::new();
    let mut client = Client::registered(&mut ca, 1);
    let other = Client::registered(&mut ca, 2);
    let new = key(3);
    let new = new.as_ref();
    let remove =
        |name: &'static str| move |v: &mut Value| drop(v.as_object_mut().unwrap().remove(name));
    let same = |_: &mut Value| {};
    for (what, payload, kind, status) in [
        // H074
        (
            "no jwk",
            inner(&client, new, remove("jwk"), same),
            "malformed",
            400,
        ),
        (
            "kid",
            inner(&client, new, |h| h["kid"] = json!("x"), same),
            "malformed",
            400,
        ),
        (
            "nonce",
            inner(&client, new, |h| h["nonce"] = json!("AAAA"), same),
            "malformed",
            400,
        ),
        (
            "url",
            inner(&client, new, |h| h["url"] = json!("https://x/"), same),
            "malformed",
            400,
        ),
        (
            "no url",
            inner(&client, new, remove("url"), same),
            "malformed",
            400,
        ),
        (
            "key of another",
            inner(&client, new, |h| h["jwk"] = jwk(key(4).as_ref()), same),
            "malformed",
            400,
        ),
        ("compact", json!("a.b.c"), "malformed", 400),
        (
            "alg",
            inner(&client, new, |h| h["alg"] = json!("HS256"), same),
            "badSignatureAlgorithm",
            400,
        ),
        (
            "oct",
            inner(&client, new, |h| h["jwk"] = json!({ "kty": "oct" }), same),
            "badPublicKey",
            400,
        ),
        // H075
        (
            "account",
            inner(&client, new, same, |p| p["account"] = json!(other.kid)),
            "malformed",
            400,
        ),
        (
            "account not byte by byte",
            inner(&client, new, same, |p| {
                p["account"] = json!(format!("{}/", client.kid))
            }),
            "malformed",
            400,
        ),
        (
            "no account",
            inner(&client, new, same, remove("account")),
            "malformed",
            400,
        ),
        (
            "oldKey",
            inner(&client, new, same, |p| p["oldKey"] = jwk(new)),
            "malformed",
            400,
        ),
        (
            "no oldKey",
            inner(&client, new, same, remove("oldKey")),
            "malformed",
            400,
        ),
        // H077
        (
            "the same",
            inner(&client, client.key.as_ref(), same, same),
            "malformed",
            400,
        ),
        // H076
        (
            "in use",
            inner(&client, other.key.as_ref(), same, same),
            "malformed",
            409,
        ),
    ] {
        let got = client.post(&mut ca, CHANGE, &payload);
        got.is(kind, status, what);
        let conflict = (status == 409).then_some(other.kid.as_str());
        assert_eq!(got.header("location"), conflict, "{what}");
    }
    let good = inner(&client, new, same, same);
    let got = client.post(&mut ca, CHANGE, &good);
    got.is("", 200, "changed");
    assert_eq!(got.location(), client.kid);
    // H079: exactly one of the keys works.
    client
        .post_as_get(&mut ca, client.path())
        .is("malformed", 400, "the old key");
    client.key = key(3);
    client
        .post_as_get(&mut ca, client.path())
        .is("", 200, "the new key");
    // The old key is nobody's, and won't be (invariant I29).
    let old = Client::new(1);
    let existing = json!({ "onlyReturnExisting": true });
    old.post_as_key(&mut ca, NEW, &existing)
        .is("accountDoesNotExist", 400, "the old key");
    old.post_as_key(&mut ca, NEW, &json!({}))
        .is("badPublicKey", 400, "the old key");
    let got = client.post_as_key(&mut ca, NEW, &existing);
    assert_eq!((got.status, got.location()), (200, client.kid.clone()));
}

#[test]
fn a_blocked_key_takes_over_no_account() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let new = key(3);
    let spki_sha256 = RustCrypto.sha256(&new.public_key().to_spki_der());
    ca.put(vec![Row::BlockedKey(BlockedKeyRow {
        spki_sha256,
        blocked_at: ca.now,
    })]);
    let payload = inner(&client, new.as_ref(), |_| {}, |_| {});
    client
        .post(&mut ca, CHANGE, &payload)
        .is("badPublicKey", 400, "H077");
}
