//! External account binding: hostile inputs C, from H067 on.

use std::collections::BTreeMap;

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{HashAlgorithm, Provider};
use acme_jws::{Jwk, eab};
use acme_types::{Url, base64url};
use serde_json::{Value, json};

use super::client::{Client, jwk};
use super::world::{BASE, Ca};
use crate::policy::{ExternalAccounts, MacKey};

const NEW: &str = "/acme/new-account";

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
