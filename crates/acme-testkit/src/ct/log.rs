//! The log itself: a function of what was submitted and when. No I/O, no clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{CryptoError, KeyPair, Provider};
use acme_types::Timestamp;

use super::certificate::CertificateError;
use super::chain::{self, ChainError, Kind};
use super::digitally_signed::DigitallySigned;
use super::entry::{Chain, LogEntry, TimestampedEntry};
use super::sct::{LogId, SignedCertificateTimestamp};
use super::tls_encoding::EncodingError;
use super::tree_head::SignedTreeHead;
use crate::merkle::{Hash, Tree};

/// The most entries: some gigabytes, far beyond what a test submits.
pub(super) const ENTRIES_MAX: usize = 1_000_000;
/// The most entries in one answer ("Logs MAY restrict the number", RFC 6962 §4.6).
const ENTRIES_PER_ANSWER_MAX: u64 = 256;
/// How old a tree head without news gets before it is signed afresh; below the MMD (§3.5).
const TREE_HEAD_AGE_MAX: Duration = Duration::from_secs(60);

/// Why the log refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error("the entry can't be made: {0}")]
    Certificate(#[from] CertificateError),
    #[error("the entry can't be encoded: {0}")]
    Encoding(#[from] EncodingError),
    #[error("the log can't sign: {0}")]
    Signing(#[from] CryptoError),
    #[error("the log is full")]
    Full,
    #[error("there is no such entry, or no such tree")]
    Absent,
    #[error("{0}")]
    Request(&'static str),
}

/// One entry as get-entries shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) leaf_input: Vec<u8>,
    pub(super) extra_data: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Log {
    key: Arc<dyn KeyPair>,
    id: LogId,
    roots: Vec<Vec<u8>>,
    tree: Tree,
    entries: Vec<Kept>,
    indexes: BTreeMap<Hash, u64>,
    promises: BTreeMap<(Kind, Hash), SignedCertificateTimestamp>,
    /// How many entries the tree heads cover.
    merged: u64,
    merging: bool,
    head: Option<SignedTreeHead>,
    latest: Timestamp,
}

impl Log {
    pub(super) fn new(key: Arc<dyn KeyPair>, roots: Vec<Vec<u8>>) -> Log {
        let id = RustCrypto.sha256(&key.public_key().to_spki_der());
        Log {
            key,
            id,
            roots,
            tree: Tree::new(),
            entries: Vec::new(),
            indexes: BTreeMap::new(),
            promises: BTreeMap::new(),
            merged: 0,
            merging: true,
            head: None,
            latest: Timestamp::EPOCH,
        }
    }

    pub(super) fn id(&self) -> LogId {
        self.id
    }

    pub(super) fn roots(&self) -> &[Vec<u8>] {
        &self.roots
    }

    pub(super) fn add_root(&mut self, root: Vec<u8>) {
        if !self.roots.contains(&root) {
            self.roots.push(root);
        }
    }

    /// Entries that have an SCT, merged or not.
    pub(super) fn size(&self) -> u64 {
        self.tree.size()
    }

    pub(super) fn set_merging(&mut self, merging: bool) {
        self.merging = merging;
        self.merge();
    }

    fn merge(&mut self) {
        if self.merging {
            self.merged = self.tree.size();
        }
    }

    /// Checks and keeps a submission. What was submitted before gets the SCT that it got before
    /// (RFC 6962 §3).
    pub(super) fn add(
        &mut self,
        chain: &[Vec<u8>],
        kind: Kind,
        now: Timestamp,
    ) -> Result<SignedCertificateTimestamp, Refusal> {
        let chain = chain::check(chain, kind, &self.roots)?;
        let (first, issuers) = chain.split_first().ok_or(ChainError::Length)?;
        let submitted = (kind, RustCrypto.sha256(first));
        if let Some(promise) = self.promises.get(&submitted) {
            return Ok(promise.clone());
        }
        if self.entries.len() >= ENTRIES_MAX {
            return Err(Refusal::Full);
        }
        let (entry, extra) = match kind {
            Kind::Final => (LogEntry::X509(first.clone()), Chain::X509(issuers.to_vec())),
            Kind::Precertificate => {
                // A root that is poisoned itself is its own issuer.
                let issuer = issuers.first().unwrap_or(first);
                let entry = LogEntry::of_precertificate(first, issuer)?;
                let (precertificate, issuers) = (first.clone(), issuers.to_vec());
                (
                    entry,
                    Chain::Precert {
                        precertificate,
                        issuers,
                    },
                )
            }
        };
        let message = SignedCertificateTimestamp::message(now, &entry, &[])?;
        let signature = DigitallySigned::sign(&*self.key, &message)?;
        let promise = SignedCertificateTimestamp {
            log_id: self.id,
            timestamp: now,
            extensions: Vec::new(),
            signature,
        };
        let leaf = TimestampedEntry {
            timestamp: now,
            entry,
            extensions: Vec::new(),
        };
        self.keep(Kept {
            leaf_input: leaf.encode()?,
            extra_data: extra.encode()?,
        });
        self.latest = self.latest.max(now);
        self.promises.insert(submitted, promise.clone());
        Ok(promise)
    }

    fn keep(&mut self, kept: Kept) {
        let index = self.tree.push(&kept.leaf_input);
        if let Some(hash) = self.tree.leaf(index) {
            // Equal leaves prove the same: the first index answers for both.
            self.indexes.entry(hash).or_insert(index);
        }
        self.entries.push(kept);
        self.merge();
    }

    /// The signed head of what is merged.
    pub(super) fn tree_head(&mut self, now: Timestamp) -> Result<SignedTreeHead, Refusal> {
        let mut timestamp = now.max(self.latest);
        if let Some(head) = &self.head {
            if head.tree_size == self.merged && now.since(head.timestamp) < TREE_HEAD_AGE_MAX {
                return Ok(head.clone());
            }
            // RFC 6962 §3.5: "Each subsequent timestamp MUST be more recent".
            timestamp = timestamp.max(head.timestamp.after(Duration::from_millis(1)));
        }
        let tree_size = self.merged;
        let root_hash = self.tree.root_at(tree_size).ok_or(Refusal::Absent)?;
        let message = SignedTreeHead::message(timestamp, tree_size, &root_hash);
        let signature = DigitallySigned::sign(&*self.key, &message)?;
        let head = SignedTreeHead {
            tree_size,
            timestamp,
            root_hash,
            signature,
        };
        self.head = Some(head.clone());
        Ok(head)
    }

    pub(super) fn consistency(&self, first: u64, second: u64) -> Result<Vec<Hash>, Refusal> {
        self.merged_tree(second)?;
        self.tree
            .consistency_proof(first, second)
            .ok_or(Refusal::Absent)
    }

    /// The index and the path.
    pub(super) fn proof_by_hash(
        &self,
        hash: &Hash,
        tree_size: u64,
    ) -> Result<(u64, Vec<Hash>), Refusal> {
        self.merged_tree(tree_size)?;
        let index = *self.indexes.get(hash).ok_or(Refusal::Absent)?;
        let path = self
            .tree
            .inclusion_proof(index, tree_size)
            .ok_or(Refusal::Absent)?;
        Ok((index, path))
    }

    pub(super) fn entry_and_proof(
        &self,
        index: u64,
        tree_size: u64,
    ) -> Result<(&Kept, Vec<Hash>), Refusal> {
        self.merged_tree(tree_size)?;
        let path = self
            .tree
            .inclusion_proof(index, tree_size)
            .ok_or(Refusal::Absent)?;
        let [kept] = self.entries(index, index)? else {
            return Err(Refusal::Absent);
        };
        Ok((kept, path))
    }

    /// Those from `start` to `end`, both included, as far as there are any.
    pub(super) fn entries(&self, start: u64, end: u64) -> Result<&[Kept], Refusal> {
        if start > end {
            return Err(Refusal::Request("start is after end"));
        }
        if start >= self.merged {
            return Err(Refusal::Absent);
        }
        let last = end
            .min(self.merged - 1)
            .min(start.saturating_add(ENTRIES_PER_ANSWER_MAX - 1));
        // Both fit: they are below the length of a vector.
        self.entries
            .get(start as usize..=last as usize)
            .ok_or(Refusal::Absent)
    }

    /// Only of what is merged there are proofs.
    fn merged_tree(&self, size: u64) -> Result<(), Refusal> {
        if size <= self.merged {
            Ok(())
        } else {
            Err(Refusal::Absent)
        }
    }

    /// A signature that is good, and over something else.
    pub(super) fn wrong_signature(&self) -> Result<DigitallySigned, Refusal> {
        Ok(DigitallySigned::sign(&*self.key, b"something else")?)
    }
}
