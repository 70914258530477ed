//! A client that signs whatever it is told to.

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_jws::Jwk;
use acme_types::base64url;
use serde_json::{Value, json};

use super::world::{BASE, Ca, Got, post};

/// A key, and the account it has by now.
pub(super) struct Client {
    pub(super) key: Box<dyn KeyPair>,
    pub(super) kid: String,
}

pub(super) fn key(seed: u8) -> Box<dyn KeyPair> {
    RustCrypto
        .generate(KeyAlgorithm::EcP256, &[seed; 32])
        .unwrap()
}

pub(super) fn jwk(key: &dyn KeyPair) -> Value {
    let jwk = Jwk::from_public_key(key.public_key().clone());
    serde_json::from_str(&jwk.to_json()).unwrap()
}

/// The flattened serialization, whatever stands in it.
pub(super) fn jws(key: &dyn KeyPair, header: &str, payload: &[u8]) -> Vec<u8> {
    let protected = base64url::encode(header.as_bytes());
    let payload = base64url::encode(payload);
    let input = format!("{protected}.{payload}");
    let algorithm = key.public_key().default_algorithm();
    let signature = base64url::encode(&key.sign(algorithm, input.as_bytes()).unwrap());
    json!({ "protected": protected, "payload": payload, "signature": signature })
        .to_string()
        .into_bytes()
}

impl Client {
    /// A client with a key and no account.
    pub(super) fn new(seed: u8) -> Self {
        Self {
            key: key(seed),
            kid: String::new(),
        }
    }

    /// A client with an account.
    pub(super) fn registered(ca: &mut Ca, seed: u8) -> Self {
        let mut client = Self::new(seed);
        let got = client.post_as_key(ca, "/acme/new-account", &json!({}));
        got.is("", 201, "newAccount");
        client.kid = got.location();
        client
    }

    pub(super) fn path(&self) -> &str {
        self.kid.strip_prefix(BASE).unwrap()
    }

    fn algorithm(&self) -> &'static str {
        self.key.public_key().default_algorithm().name()
    }

    /// The protected header of a request signed as the account.
    pub(super) fn header(&self, ca: &mut Ca, target: &str) -> Value {
        json!({
            "alg": self.algorithm(),
            "kid": self.kid,
            "nonce": ca.nonce().as_str(),
            "url": format!("{BASE}{target}"),
        })
    }

    /// The protected header of a request signed by the key alone.
    pub(super) fn key_header(&self, ca: &mut Ca, target: &str) -> Value {
        json!({
            "alg": self.algorithm(),
            "jwk": jwk(self.key.as_ref()),
            "nonce": ca.nonce().as_str(),
            "url": format!("{BASE}{target}"),
        })
    }

    pub(super) fn request(
        &self,
        ca: &mut Ca,
        target: &str,
        payload: &[u8],
    ) -> http::Request<Vec<u8>> {
        let header = self.header(ca, target).to_string();
        post(target, jws(self.key.as_ref(), &header, payload))
    }

    pub(super) fn post(&self, ca: &mut Ca, target: &str, payload: &Value) -> Got {
        let request = self.request(ca, target, payload.to_string().as_bytes());
        ca.send(&request)
    }

    pub(super) fn post_as_get(&self, ca: &mut Ca, target: &str) -> Got {
        let request = self.request(ca, target, b"");
        ca.send(&request)
    }

    pub(super) fn post_as_key(&self, ca: &mut Ca, target: &str, payload: &Value) -> Got {
        let header = self.key_header(ca, target).to_string();
        let body = jws(self.key.as_ref(), &header, payload.to_string().as_bytes());
        ca.send(&post(target, body))
    }

    /// Places an order; its path and its object.
    pub(super) fn order(&self, ca: &mut Ca, names: &[&str]) -> (String, Value) {
        let got = self.post(ca, "/acme/new-order", &json!({ "identifiers": dns(names) }));
        got.is("", 201, "newOrder");
        (path(&got.location()), got.json())
    }
}

pub(super) fn dns(names: &[&str]) -> Value {
    names
        .iter()
        .map(|name| json!({ "type": "dns", "value": name }))
        .collect()
}

/// The path of one of the CA's URLs.
pub(super) fn path(url: &str) -> String {
    url.strip_prefix(BASE)
        .unwrap_or_else(|| panic!("not the CA's URL: {url}"))
        .to_owned()
}

/// The path of a URL that is a member of an object.
pub(super) fn path_of(value: &Value) -> String {
    path(value.as_str().unwrap())
}

/// The challenges of an authorization.
pub(super) fn challenges(authorization: &Value) -> impl Iterator<Item = &Value> {
    authorization["challenges"].as_array().unwrap().iter()
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
