//! Merkle trees and their proofs, as RFC 6962 §2.1 defines them. Pure: no I/O, no clock.
//!
//! [`Tree`] is the log's side: it grows and makes proofs. [`verify_inclusion`] and
//! [`verify_consistency`] are the client's side: they need nothing but the proof.

mod proof;
mod tree;

pub use proof::{ProofError, verify_consistency, verify_inclusion};
pub use tree::Tree;

use sha2::{Digest, Sha256};

/// The value of a node: SHA-256, which RFC 6962 §2.1 fixes.
pub type Hash = [u8; 32];

/// The most nodes that any proof has: `ceil(log2(n)) + 1` (RFC 6962 §2.1.2) with n below 2⁶⁴.
pub const PROOF_NODES_MAX: usize = 65;

/// `MTH({}) = SHA-256()`: the root of the tree without leaves.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// `SHA-256(0x00 || d(0))`: the hash of a leaf's input.
pub fn leaf_hash(input: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    hasher.update(input);
    hasher.finalize().into()
}

/// `SHA-256(0x01 || left || right)`: the hash of an inner node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x01]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}
