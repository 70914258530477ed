//! What a client publishes to prove control (RFC 8555 §8.1).

use std::fmt;

use acme_crypto::Provider;
use acme_types::{Token, Url, base64url};

use crate::Thumbprint;

/// `keyAuthorization = token || '.' || base64url(Thumbprint(accountKey))` (RFC 8555 §8.1).
///
/// It's the body of the answer to http-01 (§8.3) as it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyAuthorization(String);

impl KeyAuthorization {
    /// Of a challenge's token and an account key.
    pub fn new(token: &Token, account_key: &Thumbprint) -> Self {
        Self(format!("{token}.{account_key}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The TXT record for dns-01 (RFC 8555 §8.4), and for dns-account-01: "base64url encoding of
    /// the SHA-256 digest of the key authorization".
    pub fn dns_01_value(&self, provider: &dyn Provider) -> String {
        base64url::encode(&provider.sha256(self.0.as_bytes()))
    }

    /// The content of the certificate extension for tls-alpn-01 (RFC 8737 §3): "the SHA-256 digest
    /// of the key authorization".
    pub fn tls_alpn_01_digest(&self, provider: &dyn Provider) -> [u8; 32] {
        provider.sha256(self.0.as_bytes())
    }
}

impl fmt::Display for KeyAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Without the text: what is published needs no secrecy, but logs need no tokens.
impl fmt::Debug for KeyAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyAuthorization(..)")
    }
}

/// How many bytes of the hash the label is made of (draft-ietf-acme-dns-account-label, section
/// "Challenge Fulfillment").
const ACCOUNT_LABEL_BYTES: usize = 10;
/// RFC 4648 §6, in lower case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const BITS_PER_CHARACTER: u32 = 5;

/// The labels that are put before the domain name for dns-account-01
/// (draft-ietf-acme-dns-account-label), as in `_ujmmovf2vn55tgye._acme-challenge`.
pub fn dns_account_01_label(provider: &dyn Provider, account_url: &Url) -> String {
    let hash = provider.sha256(account_url.as_str().as_bytes());
    let mut label = String::from("_");
    let (mut bits, mut count) = (0u32, 0u32);
    for byte in hash.into_iter().take(ACCOUNT_LABEL_BYTES) {
        // Never more than 4 + 8 bits are pending.
        bits = (bits << 8) | u32::from(byte);
        count = count.saturating_add(8);
        while count >= BITS_PER_CHARACTER {
            count = count.saturating_sub(BITS_PER_CHARACTER);
            let index = (bits >> count) & 0x1f;
            label.extend(
                BASE32
                    .get(index as usize)
                    .map(|character| char::from(*character)),
            );
        }
        bits &= 0x1f;
    }
    label.push_str("._acme-challenge");
    label
}
