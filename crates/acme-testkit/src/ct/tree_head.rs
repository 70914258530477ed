//! Signed tree heads (RFC 6962 §3.5).

use acme_crypto::{Provider, PublicKey};
use acme_types::Timestamp;

use super::digitally_signed::{DigitallySigned, SignatureError};
use super::entry::VERSION;
use crate::merkle::Hash;

/// `SignatureType.tree_hash`.
const TREE_HASH: u8 = 1;

/// A tree's size and root at a time, signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTreeHead {
    /// How many entries.
    pub tree_size: u64,
    /// When.
    pub timestamp: Timestamp,
    /// The Merkle Tree Hash of all of them.
    pub root_hash: Hash,
    /// Over all this.
    pub signature: DigitallySigned,
}

impl SignedTreeHead {
    /// What the log signs: the bytes of `TreeHeadSignature`.
    pub fn message(timestamp: Timestamp, tree_size: u64, root_hash: &Hash) -> Vec<u8> {
        let mut output = vec![VERSION, TREE_HASH];
        output.extend_from_slice(&timestamp.as_millis().to_be_bytes());
        output.extend_from_slice(&tree_size.to_be_bytes());
        output.extend_from_slice(root_hash);
        output
    }

    /// Checks that the log with this key signed it.
    ///
    /// # Errors
    /// When it didn't.
    pub fn verify(&self, provider: &dyn Provider, key: &PublicKey) -> Result<(), SignatureError> {
        let message = Self::message(self.timestamp, self.tree_size, &self.root_hash);
        self.signature.verify(provider, key, &message)
    }
}
