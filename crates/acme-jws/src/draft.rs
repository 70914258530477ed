//! A request body before it is signed.

use std::fmt;

use acme_crypto::SignatureAlgorithm;
use acme_types::{Nonce, Url, base64url};
use serde::Serialize;

use crate::{Jwk, Signer};

/// A JWS that waits for its signature (RFC 8555 §6.2). Sign [`Draft::signing_input`] with
/// `algorithm` and hand the signature to [`Draft::attach`].
///
/// `Debug` leaves out the content.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    protected_len: usize,
    signing_input: String,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwk: Option<&'a Jwk>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    url: &'a str,
}

impl Draft {
    /// A request to `url`. The algorithm must fit the key that will sign. An empty payload makes
    /// a POST-as-GET (RFC 8555 §6.3). Every request has a nonce; the inner JWS of a key change
    /// (§7.3.5) has none. The nonce is taken, because it must not be used twice.
    pub fn new(
        algorithm: SignatureAlgorithm,
        signer: &Signer,
        nonce: Option<Nonce>,
        url: &Url,
        payload: &[u8],
    ) -> Self {
        let (jwk, kid) = match signer {
            Signer::Jwk(jwk) => (Some(jwk), None),
            Signer::Kid(kid) => (None, Some(kid.as_str())),
        };
        let nonce = nonce.as_ref().map(Nonce::as_str);
        let header = Header {
            alg: algorithm.name(),
            jwk,
            kid,
            nonce,
            url: url.as_str(),
        };
        Self::of(&header, payload)
    }

    /// For the external account binding, whose `alg` is a MAC's.
    pub(crate) fn with_mac(alg: &str, kid: &str, url: &Url, payload: &[u8]) -> Self {
        let header = Header {
            alg,
            jwk: None,
            kid: Some(kid),
            nonce: None,
            url: url.as_str(),
        };
        Self::of(&header, payload)
    }

    fn of(header: &Header<'_>, payload: &[u8]) -> Self {
        // A struct of strings always serialises; an empty header would be refused by every CA.
        let header = serde_json::to_vec(header).unwrap_or_default();
        let mut signing_input = base64url::encode(&header);
        let protected_len = signing_input.len();
        signing_input.push('.');
        signing_input.push_str(&base64url::encode(payload));
        Self {
            protected_len,
            signing_input,
        }
    }

    /// What is to be signed (RFC 7515 §5.1).
    pub fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    /// The body of the request. ECDSA signatures are `r || s` (RFC 7518 §3.4), as
    /// [`acme_crypto::KeyPair::sign`] makes them.
    pub fn attach(&self, signature: &[u8]) -> Vec<u8> {
        let (protected, payload) = self
            .signing_input
            .split_at_checked(self.protected_len)
            .unwrap_or_default();
        let payload = payload.strip_prefix('.').unwrap_or_default();
        let signature = base64url::encode(signature);
        // base64url needs no escapes in JSON.
        format!(r#"{{"protected":"{protected}","payload":"{payload}","signature":"{signature}"}}"#)
            .into_bytes()
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({} bytes)", self.signing_input.len())
    }
}
