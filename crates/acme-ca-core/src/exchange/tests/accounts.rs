//! newAccount, account, keyChange: hostile inputs C.

use acme_crypto::Provider;
use acme_crypto::rustcrypto::RustCrypto;
use acme_types::Url;
use serde_json::{Value, json};

use super::client::{Client, path, path_of};
use super::key_change::inner;
use super::world::Ca;
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
            .map(path_of)
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
