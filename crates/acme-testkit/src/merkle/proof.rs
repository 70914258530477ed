//! Checking proofs without the tree.
//!
//! Both functions walk up two paths at once: the one of the leaf (or of the old tree's last
//! leaf) and the one of the new tree's last leaf; where they meet, every node is complete.

use super::{Hash, PROOF_NODES_MAX, node_hash};

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The leaf's index is not below the tree's size.
    #[error("the leaf is beyond the tree")]
    BeyondTree,
    /// The old tree is empty, or larger than the new one: there is nothing to prove.
    #[error("the sizes allow no proof")]
    Sizes,
    /// The proof has too few or too many nodes for these sizes.
    #[error("the proof has the wrong number of nodes")]
    Length,
    /// The (new) root that the proof leads to is another one.
    #[error("the proof leads to another root")]
    Root,
    /// The old root that the proof leads to is another one.
    #[error("the proof leads to another old root")]
    OldRoot,
}

/// Checks that the leaf with this hash is at `index` in the tree of `size` leaves with `root`
/// (RFC 6962 §2.1.1; the path is ordered from the leaf upwards).
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::BeyondTree);
    }
    if path.len() > PROOF_NODES_MAX {
        return Err(ProofError::Length);
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // A last node without a sibling moves up unchanged.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash != *root {
        Err(ProofError::Root)
    } else {
        Ok(())
    }
}

/// Checks that the tree of `first` leaves with `old_root` is a beginning of the tree of `second`
/// leaves with `root` (RFC 6962 §2.1.2). Equal sizes need equal roots and an empty proof.
pub fn verify_consistency(
    first: u64,
    second: u64,
    old_root: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if first == 0 || first > second {
        return Err(ProofError::Sizes);
    }
    if proof.len() > PROOF_NODES_MAX {
        return Err(ProofError::Length);
    }
    if first == second {
        return match (proof.is_empty(), old_root == root) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    let (mut node, mut last) = (first - 1, second - 1);
    // The largest complete subtree that ends where the old tree ends.
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (start, rest) = if node == 0 {
        // The old tree is complete, so its root is a node of the new tree, and known.
        (*old_root, proof)
    } else {
        let (start, rest) = proof.split_first().ok_or(ProofError::Length)?;
        (*start, rest)
    };
    let (mut old, mut new) = (start, start);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    match (old == *old_root, new == *root) {
        (false, _) => Err(ProofError::OldRoot),
        (true, false) => Err(ProofError::Root),
        (true, true) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{Tree, leaf_hash};

    const SIZE: u64 = 67;

    fn tree() -> Tree {
        let mut tree = Tree::new();
        for n in 0..SIZE {
            tree.push(&n.to_be_bytes());
        }
        tree
    }

    #[test]
    fn every_inclusion_proof_of_every_size_verifies_and_for_no_other_leaf() {
        let tree = tree();
        for size in 1..=SIZE {
            let root = tree.root_at(size).unwrap();
            for index in 0..size {
                let path = tree.inclusion_proof(index, size).unwrap();
                let leaf = leaf_hash(&index.to_be_bytes());
                assert_eq!(verify_inclusion(&leaf, index, size, &path, &root), Ok(()));
                let other = leaf_hash(b"another");
                assert_eq!(
                    verify_inclusion(&other, index, size, &path, &root),
                    Err(ProofError::Root)
                );
            }
        }
    }

    #[test]
    fn every_consistency_proof_of_every_pair_verifies_and_no_other_old_root() {
        let tree = tree();
        for second in 1..=SIZE {
            let root = tree.root_at(second).unwrap();
            for first in 1..=second {
                let proof = tree.consistency_proof(first, second).unwrap();
                let old = tree.root_at(first).unwrap();
                assert_eq!(
                    verify_consistency(first, second, &old, &root, &proof),
                    Ok(())
                );
                let wrong = leaf_hash(b"another");
                assert!(verify_consistency(first, second, &wrong, &root, &proof).is_err());
                assert!(verify_consistency(first, second, &old, &wrong, &proof).is_err());
            }
        }
    }

    #[test]
    fn a_node_more_or_less_is_refused() {
        let tree = tree();
        let (root, old) = (tree.root(), tree.root_at(21).unwrap());
        let leaf = leaf_hash(&20u64.to_be_bytes());
        let mut path = tree.inclusion_proof(20, SIZE).unwrap();
        let last = path.pop().unwrap();
        assert_eq!(
            verify_inclusion(&leaf, 20, SIZE, &path, &root),
            Err(ProofError::Length)
        );
        path.extend([last, last]);
        assert_eq!(
            verify_inclusion(&leaf, 20, SIZE, &path, &root),
            Err(ProofError::Length)
        );
        let mut proof = tree.consistency_proof(21, SIZE).unwrap();
        let last = proof.pop().unwrap();
        assert_eq!(
            verify_consistency(21, SIZE, &old, &root, &proof),
            Err(ProofError::Length)
        );
        proof.extend([last, last]);
        assert_eq!(
            verify_consistency(21, SIZE, &old, &root, &proof),
            Err(ProofError::Length)
        );
    }
}
