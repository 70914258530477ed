//! Entropy as a value: 32 CSPRNG bytes per arrival, expanded by label.
//!
//! A retried decision derives the same ids, tokens and serials from the same entropy, and so finds
//! its own rows after an unknown outcome.

use std::fmt;

use acme_crypto::{HashAlgorithm, Provider};

/// 32 bytes from a CSPRNG. Never stored, never printed.
#[derive(Clone)]
pub struct Entropy([u8; 32]);

impl Entropy {
    /// From 32 bytes of a CSPRNG.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// 32 bytes for one purpose: HMAC-SHA-256 keyed with the entropy over `label` and `index`
    /// (the expansion of RFC 5869 §2.3, one block, with the entropy as the key).
    pub fn expand(&self, provider: &dyn Provider, label: &str, index: u32) -> [u8; 32] {
        let mut message = Vec::with_capacity(label.len().saturating_add(5));
        message.extend_from_slice(label.as_bytes());
        message.push(0);
        message.extend_from_slice(&index.to_be_bytes());
        let block = provider.mac(HashAlgorithm::Sha256, &self.0, &message);
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(block) {
            *to = from;
        }
        bytes
    }

    /// Entropy of its own for a part of the work.
    pub fn part(&self, provider: &dyn Provider, label: &str, index: u32) -> Self {
        Self(self.expand(provider, label, index))
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(..)")
    }
}
