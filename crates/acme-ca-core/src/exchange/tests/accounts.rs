//! newAccount, account, keyChange: hostile inputs C.

use std::collections::BTreeMap;

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{HashAlgorithm, KeyPair, Provider};
use acme_jws::{Jwk, eab};
use acme_types::{Url, base64url};
use serde_json::{Value, json};

use super::world::{BASE, Ca, Client, jwk, jws, key, path};
use crate::policy::{ExternalAccounts, MacKey};
use crate::schema::{BlockedKeyRow, Row};

const NEW: &str = "/acme/new-account";
const CHANGE: &str = "/acme/key-change";

#[test]
fn newaccount_makes_an_account_or_says_why_not() {
    let ten: Vec<String> = (0..11)
        .map(|n| format!("mailto:a{n}@example.org"))
        .collect();
    let cases: &[(Value, &str, u16)] = &[
        (json!({}), "userActionRequired", 403),
        // H063
        (
            json!({ "termsOfServiceAgreed": false }),
            "userActionRequired",
            403,
        ),
        (json!({ "termsOfServiceAgreed": "true" }), "malformed", 400),
        (json!({ "termsOfServiceAgreed": null }), "malformed", 400),
        // H057
        (
            json!({ "onlyReturnExisting": true }),
            "accountDoesNotExist",
            400,
        ),
        (json!({ "onlyReturnExisting": 1 }), "malformed", 400),
        // H061, H062
        (
            json!({ "termsOfServiceAgreed": true, "contact": ["mailto:"] }),
            "invalidContact",
            400,
        ),
        (
            json!({ "termsOfServiceAgreed": true, "contact": [""] }),
            "invalidContact",
            400,
        ),
        (
            json!({ "termsOfServiceAgreed": true, "contact": ten }),
            "invalidContact",
            400,
        ),
        (
            json!({ "termsOfServiceAgreed": true, "contact": ["tel:1"] }),
            "unsupportedContact",
            400,
        ),
        (
            json!({ "termsOfServiceAgreed": true, "contact": [null] }),
            "malformed",
            400,
        ),
        (
            json!({ "termsOfServiceAgreed": true, "contact": "mailto:a@b.c" }),
            "malformed",
            400,
        ),
        (json!([]), "malformed", 400),
        (json!(null), "malformed", 400),
        // H064, H073
        (
            json!({
                "termsOfServiceAgreed": true,
                "status": "revoked",
                "orders": "https://x/",
                "createdAt": 7,
                "externalAccountBinding": {},
                "contact": ["mailto:admin@example.org"],
            }),
            "",
            201,
        ),
    ];
    let terms = "https://ca.example/terms/1";
    let mut ca = Ca::adjust(|policy| {
        policy.orders.terms_of_service = Some(Url::parse(terms).unwrap());
    });
    let client = Client::new(1);
    for (payload, kind, status) in cases {
        let got = client.post_as_key(&mut ca, NEW, payload);
        got.is(kind, *status, &payload.to_string());
        if *kind == "userActionRequired" {
            assert_eq!(got.json()["instance"], terms);
            assert!(got.headers["link"].contains(&format!("<{terms}>;rel=\"terms-of-service\"")));
        }
        if *status == 201 {
            let location = got.location();
            assert_eq!(
                got.json(),
                json!({
                    "status": "valid",
                    "contact": ["mailto:admin@example.org"],
                    "termsOfServiceAgreed": true,
                    "orders": format!("{location}/orders"),
                })
            );
        }
    }
    client
        .post_as_key(&mut ca, NEW, &json!({}))
        .is("", 200, "found");
}

#[test]
fn an_account_without_contacts_shows_none() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let got = client.post_as_get(&mut ca, client.path());
    assert_eq!(
        got.json(),
        json!({ "status": "valid", "orders": format!("{}/orders", client.kid) })
    );
    assert_eq!(got.location(), client.kid);
}

#[test]
fn a_known_key_finds_its_account_unchanged() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    // H058
    let other = json!({ "contact": ["mailto:other@example.org"] });
    let got = client.post_as_key(&mut ca, NEW, &other);
    got.is("", 200, "H058");
    assert_eq!(got.location(), client.kid);
    assert_eq!(got.json().get("contact"), None);
    let got = client.post_as_key(&mut ca, NEW, &json!({ "onlyReturnExisting": true }));
    got.is("", 200, "H057");
    assert_eq!(got.location(), client.kid);
}

#[test]
fn a_blocked_key_makes_no_account() {
    let mut ca = Ca::new();
    let client = Client::new(1);
    let spki_sha256 = RustCrypto.sha256(&client.key.public_key().to_spki_der());
    ca.put(vec![Row::BlockedKey(BlockedKeyRow {
        spki_sha256,
        blocked_at: ca.now,
    })]);
    client
        .post_as_key(&mut ca, NEW, &json!({}))
        .is("badPublicKey", 400, "blocked");
}

#[test]
fn an_update_changes_what_may_be_changed() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let path = client.path();
    let contact = json!(["mailto:admin@example.org"]);
    for (payload, kind, status) in [
        (json!({ "contact": contact }), "", 200),
        // H065, and the whole object as clients send it back.
        (json!({ "status": "valid" }), "", 200),
        (json!({ "status": "revoked" }), "", 200),
        (
            json!({ "status": "x", "orders": "https://x/", "termsOfServiceAgreed": false }),
            "",
            200,
        ),
        (json!({}), "", 200),
        (json!({ "contact": ["mailto:"] }), "invalidContact", 400),
        (
            json!({ "contact": ["https://x/"] }),
            "unsupportedContact",
            400,
        ),
        (json!({ "contact": null }), "malformed", 400),
        (json!({ "status": 1 }), "malformed", 400),
        (json!([]), "malformed", 400),
    ] {
        let got = client.post(&mut ca, path, &payload);
        got.is(kind, status, &payload.to_string());
        if status == 200 {
            assert_eq!(got.json()["contact"], contact);
            assert_eq!(got.json()["status"], "valid");
        }
    }
    assert_eq!(ca.commits, 2);
    client
        .post(&mut ca, path, &json!({ "contact": [] }))
        .is("", 200, "removed");
    assert_eq!(
        client.post_as_get(&mut ca, path).json().get("contact"),
        None
    );
}

#[test]
fn another_account_is_unauthorized_whether_it_exists_or_not() {
    let mut ca = Ca::new();
    let (alice, eve) = (
        Client::registered(&mut ca, 1),
        Client::registered(&mut ca, 2),
    );
    let nobody = "/acme/account/AAAAAAAAAAAAAAAAAAAAAA";
    for payload in [json!({}), json!({ "status": "deactivated" })] {
        let got = eve.post(&mut ca, alice.path(), &payload);
        got.is("unauthorized", 403, "foreign");
        assert_eq!(eve.post(&mut ca, nobody, &payload).body, got.body);
    }
    for path in [
        format!("{}/orders", alice.path()),
        format!("{nobody}/orders"),
    ] {
        eve.post_as_get(&mut ca, &path)
            .is("unauthorized", 403, "orders");
    }
}

#[test]
fn a_deactivated_account_is_gone_for_good() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let (order, _) = client.order(&mut ca, &["example.com"]);
    let got = client.post(&mut ca, client.path(), &json!({ "status": "deactivated" }));
    got.is("", 200, "deactivated");
    assert_eq!(got.json()["status"], "deactivated");
    // H041, H059, H080
    for target in [client.path(), &order, "/acme/new-order"] {
        client
            .post_as_get(&mut ca, target)
            .is("unauthorized", 401, target);
    }
    let again = json!({ "status": "deactivated" });
    client
        .post(&mut ca, client.path(), &again)
        .is("unauthorized", 401, "twice");
    client
        .post_as_key(&mut ca, NEW, &json!({}))
        .is("unauthorized", 401, "H059");
    let existing = json!({ "onlyReturnExisting": true });
    client
        .post_as_key(&mut ca, NEW, &existing)
        .is("unauthorized", 401, "H059");
    let other = Client::registered(&mut ca, 2);
    let body = inner(&other, client.key.as_ref(), |_| {}, |_| {});
    other
        .post(&mut ca, CHANGE, &body)
        .is("malformed", 409, "its key is taken");
}

/// The payload of a key change by `old` to `new`, spoilt.
fn inner(
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

const MAC_KEY: [u8; 32] = [9; 32];

fn binding(client: &Client, kid: &str, mac_key: &[u8]) -> Value {
    let jwk = Jwk::from_public_key(client.key.public_key().clone());
    let url = Url::parse(&format!("{BASE}{NEW}")).unwrap();
    let draft = eab::draft(kid, &url, &jwk, HashAlgorithm::Sha256);
    let tag = RustCrypto.mac(HashAlgorithm::Sha256, mac_key, draft.message());
    serde_json::from_slice(&draft.attach(&tag)).unwrap()
}

fn spoilt(client: &Client, spoil: impl FnOnce(&mut Value)) -> Value {
    let mut header = json!({ "alg": "HS256", "kid": "kid-1", "url": format!("{BASE}{NEW}") });
    spoil(&mut header);
    let protected = base64url::encode(header.to_string().as_bytes());
    let payload = base64url::encode(jwk(client.key.as_ref()).to_string().as_bytes());
    let input = format!("{protected}.{payload}");
    let tag = RustCrypto.mac(HashAlgorithm::Sha256, &MAC_KEY, input.as_bytes());
    json!({ "protected": protected, "payload": payload, "signature": base64url::encode(&tag) })
}

#[test]
fn an_account_is_bound_to_an_external_one_if_the_ca_wants_it() {
    let keys = || BTreeMap::from([("kid-1".to_owned(), MacKey::new(MAC_KEY.to_vec()).unwrap())]);
    let mut ca = Ca::adjust(|policy| {
        policy.orders.external_accounts = ExternalAccounts::Required(keys());
    });
    assert_eq!(
        ca.get("/directory").json()["meta"]["externalAccountRequired"],
        true
    );
    let client = Client::new(1);
    let mut cut = binding(&client, "kid-1", &MAC_KEY);
    cut["signature"] = json!(base64url::encode(&[0; 16]));
    for (what, binding, kind, status) in [
        ("H067", None, "externalAccountRequired", 403),
        (
            "H068 RS256",
            Some(spoilt(&client, |h| h["alg"] = json!("RS256"))),
            "malformed",
            400,
        ),
        (
            "H068 none",
            Some(spoilt(&client, |h| h["alg"] = json!("none"))),
            "malformed",
            400,
        ),
        (
            "H068 nonce",
            Some(spoilt(&client, |h| h["nonce"] = json!("AAAA"))),
            "malformed",
            400,
        ),
        (
            "H069",
            Some(spoilt(&client, |h| h["url"] = json!("https://x/"))),
            "malformed",
            400,
        ),
        ("no object", Some(json!("x")), "malformed", 400),
        (
            "H070 kid",
            Some(binding(&client, "kid-2", &MAC_KEY)),
            "unauthorized",
            403,
        ),
        (
            "H070 MAC",
            Some(binding(&client, "kid-1", &[8; 32])),
            "unauthorized",
            403,
        ),
        ("H070 cut", Some(cut), "unauthorized", 403),
        (
            "H071",
            Some(binding(&Client::new(2), "kid-1", &MAC_KEY)),
            "malformed",
            400,
        ),
    ] {
        let payload = match binding {
            Some(binding) => json!({ "externalAccountBinding": binding }),
            None => json!({}),
        };
        client
            .post_as_key(&mut ca, NEW, &payload)
            .is(kind, status, what);
    }
    let good = binding(&client, "kid-1", &MAC_KEY);
    let got = client.post_as_key(&mut ca, NEW, &json!({ "externalAccountBinding": good }));
    got.is("", 201, "bound");
    assert_eq!(got.json()["externalAccountBinding"], good);
}

#[test]
fn orders_are_listed_in_pages() {
    let mut ca = Ca::adjust(|policy| policy.orders.orders_per_page = 2);
    let client = Client::registered(&mut ca, 1);
    let other = Client::registered(&mut ca, 2);
    other.order(&mut ca, &["example.com"]);
    let mut placed = Vec::new();
    for _ in 0..5 {
        ca.pass(std::time::Duration::from_secs(1));
        placed.push(client.order(&mut ca, &["example.com"]).0);
    }
    let mut listed = Vec::new();
    let mut next = Some(format!("{}/orders", client.path()));
    while let Some(target) = next {
        let got = client.post_as_get(&mut ca, &target);
        got.is("", 200, &target);
        let json = got.json();
        let page: Vec<String> = json["orders"]
            .as_array()
            .unwrap()
            .iter()
            .map(super::world::path_of)
            .collect();
        assert!(page.len() <= 2);
        listed.extend(page);
        next = got.headers["link"].iter().find_map(|link| {
            link.strip_prefix('<')?
                .strip_suffix(">;rel=\"next\"")
                .map(path)
        });
    }
    assert_eq!(listed, placed);
    let payload = client.request(&mut ca, &format!("{}/orders", client.path()), b"{}");
    ca.send(&payload).is("malformed", 400, "H050");
    // Orders that are no longer usable aren't listed.
    ca.pass(ca.config.policy.orders.order_lifetime);
    let got = client.post_as_get(&mut ca, &format!("{}/orders", client.path()));
    assert_eq!(got.json()["orders"], json!([]));
}
