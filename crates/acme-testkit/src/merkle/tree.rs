//! The append-only tree: roots and proofs of any size it ever had.

use super::{Hash, empty_root, leaf_hash, node_hash};

/// An append-only Merkle tree (RFC 6962 §2.1).
///
/// Keeps every complete subtree, so that the root of any past size and any proof cost
/// O(log² n) look-ups and O(log n) hashes.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// `levels[h][i]` is the hash of the leaves `i·2ʰ .. (i+1)·2ʰ`, for complete subtrees only.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// A tree without leaves.
    pub fn new() -> Tree {
        Tree::default()
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends a leaf's input and returns its index.
    pub fn push(&mut self, input: &[u8]) -> u64 {
        self.push_hash(leaf_hash(input))
    }

    /// Appends a leaf by its hash and returns its index.
    pub fn push_hash(&mut self, hash: Hash) -> u64 {
        let index = self.size();
        let mut carried = hash;
        for height in 0.. {
            if self.levels.len() == height {
                self.levels.push(Vec::new());
            }
            let Some(level) = self.levels.get_mut(height) else {
                break;
            };
            level.push(carried);
            // An even number of nodes means that the last two became a complete subtree.
            match level.as_slice() {
                [.., left, right] if level.len() % 2 == 0 => carried = node_hash(left, right),
                _ => break,
            }
        }
        index
    }

    /// The leaf's hash, or `None` beyond the end.
    pub fn leaf(&self, index: u64) -> Option<Hash> {
        self.levels
            .first()?
            .get(usize::try_from(index).ok()?)
            .copied()
    }

    /// `MTH(D[n])` of the whole tree.
    pub fn root(&self) -> Hash {
        self.range(0, self.size())
    }

    /// `MTH(D[0:size])`: the root the tree had at that size; `None` if it never had it.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        (size <= self.size()).then(|| self.range(0, size))
    }

    /// `PATH(index, D[size])` (RFC 6962 §2.1.1), from the leaf upwards.
    /// `None` unless `index < size <= self.size()`.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        if index >= size || size > self.size() {
            return None;
        }
        let (mut start, mut end) = (0, size);
        let mut path = Vec::new();
        // Down from the root to the leaf; the audit path is the siblings, read upwards.
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                path.push(self.range(middle, end));
                end = middle;
            } else {
                path.push(self.range(start, middle));
                start = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// `PROOF(first, D[second])` (RFC 6962 §2.1.2).
    /// `None` unless `0 < first <= second <= self.size()`; empty when both are the same.
    pub fn consistency_proof(&self, first: u64, second: u64) -> Option<Vec<Hash>> {
        if first == 0 || first > second || second > self.size() {
            return None;
        }
        let (mut start, mut end) = (0, second);
        let mut proof = Vec::new();
        // SUBPROOF's flag b: true as long as the subtree is the one the verifier asked about.
        let mut known = true;
        while first != end {
            let middle = start + split(end - start);
            if first <= middle {
                proof.push(self.range(middle, end));
                end = middle;
            } else {
                proof.push(self.range(start, middle));
                start = middle;
                known = false;
            }
        }
        if !known {
            proof.push(self.range(start, end));
        }
        proof.reverse();
        Some(proof)
    }

    /// `MTH(D[start:end])`. The start is always a multiple of the largest power of two in the
    /// range, because only [`split`] makes ranges.
    fn range(&self, start: u64, end: u64) -> Hash {
        let len = end - start;
        if len == 0 {
            return empty_root();
        }
        if len.is_power_of_two() {
            let height = len.trailing_zeros();
            return self.levels[height as usize][(start >> height) as usize];
        }
        let middle = start + split(len);
        node_hash(&self.range(start, middle), &self.range(middle, end))
    }
}

/// The largest power of two smaller than `len`, which is at least 2.
fn split(len: u64) -> u64 {
    1 << (len - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962 §2.1's recursive definition, word for word.
    fn mth(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [one] => *one,
            many => {
                let (left, right) = many.split_at(split(many.len() as u64) as usize);
                node_hash(&mth(left), &mth(right))
            }
        }
    }

    fn tree(size: u64) -> (Tree, Vec<Hash>) {
        let mut tree = Tree::new();
        let leaves: Vec<Hash> = (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        for leaf in &leaves {
            tree.push_hash(*leaf);
        }
        (tree, leaves)
    }

    #[test]
    fn every_past_root_is_that_of_the_recursive_definition() {
        let (tree, leaves) = tree(70);
        for size in 0..=70 {
            assert_eq!(
                tree.root_at(size),
                Some(mth(&leaves[..size as usize])),
                "size {size}"
            );
        }
        assert_eq!(tree.root_at(71), None);
        assert_eq!(tree.root(), mth(&leaves));
    }

    #[test]
    fn the_example_of_section_2_1_3_has_the_proofs_that_it_names() {
        let (tree, leaves) = tree(7);
        let node = |start: usize, end: usize| mth(&leaves[start..end]);
        let (a, b, c, d, e, f, j) = (
            leaves[0], leaves[1], leaves[2], leaves[3], leaves[4], leaves[5], leaves[6],
        );
        let (g, h, i, k, l) = (node(0, 2), node(2, 4), node(4, 6), node(0, 4), node(4, 7));
        assert_eq!(g, node_hash(&a, &b));
        assert_eq!(i, node_hash(&e, &f));
        assert_eq!(tree.inclusion_proof(0, 7), Some(vec![b, h, l]));
        assert_eq!(tree.inclusion_proof(3, 7), Some(vec![c, g, l]));
        assert_eq!(tree.inclusion_proof(4, 7), Some(vec![f, j, k]));
        assert_eq!(tree.inclusion_proof(6, 7), Some(vec![i, k]));
        assert_eq!(tree.consistency_proof(3, 7), Some(vec![c, d, g, l]));
        assert_eq!(tree.consistency_proof(4, 7), Some(vec![l]));
        assert_eq!(tree.consistency_proof(6, 7), Some(vec![i, j, k]));
    }

    #[test]
    fn proofs_of_what_never_was_do_not_exist() {
        let (tree, _) = tree(5);
        assert_eq!(tree.inclusion_proof(5, 5), None);
        assert_eq!(tree.inclusion_proof(0, 6), None);
        assert_eq!(tree.inclusion_proof(0, 0), None);
        assert_eq!(tree.consistency_proof(0, 5), None);
        assert_eq!(tree.consistency_proof(4, 3), None);
        assert_eq!(tree.consistency_proof(1, 6), None);
        assert_eq!(tree.consistency_proof(5, 5), Some(vec![]));
        assert_eq!(tree.leaf(5), None);
    }
}
