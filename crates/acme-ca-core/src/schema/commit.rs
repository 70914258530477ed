use std::time::Duration;

use acme_types::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Read, Row, View};

/// One number per commit of a store, never reused. A row's version is its last commit's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Version(pub u64);

/// A change, all or nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Commit {
    /// What must still be so: the version of each row that was read, `None` for one that was
    /// absent. **Absence may be guarded only on a key that the same commit writes**: then two
    /// commits that both saw nothing there meet at that key in every store, whatever its isolation.
    pub guards: Vec<(Read, Option<Version>)>,
    /// What is written. At most one write for a key.
    pub writes: Vec<Write>,
    /// What is spent on rate limits.
    pub spends: Vec<Spend>,
    /// What was decided.
    pub audit: Vec<AuditEvent>,
}

impl Commit {
    /// A commit that holds only if all that `view` saw is still so.
    pub fn new(view: &View, writes: Vec<Write>) -> Self {
        let guards = view.guards(&writes);
        Self {
            guards,
            writes,
            spends: Vec::new(),
            audit: Vec::new(),
        }
    }

    /// The same with these audit events.
    pub fn with_audit(mut self, audit: Vec<AuditEvent>) -> Self {
        self.audit = audit;
        self
    }

    /// The same with these spends.
    pub fn with_spends(mut self, spends: Vec<Spend>) -> Self {
        self.spends = spends;
        self
    }
}

/// One write of a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a commit has few, and most of them put a row"
)]
pub enum Write {
    /// The row stands, in the place of what stood there.
    Put(Row),
    /// No row stands there.
    Delete(Read),
}

impl Write {
    /// The key that is written.
    pub fn read(&self) -> Read {
        match self {
            Self::Put(row) => row.read(),
            Self::Delete(read) => read.clone(),
        }
    }
}

/// A rate limit's spend (GCRA), made on the bucket as the store finds it, so that a busy account
/// doesn't conflict with itself: the bucket becomes `max(at, stored) + cost`, unless that lies
/// beyond `at + burst`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spend {
    /// Which bucket.
    pub key: BucketKey,
    /// When.
    pub at: Timestamp,
    /// What one of these costs: period / count.
    pub cost: Duration,
    /// How far ahead the bucket may be.
    pub burst: Duration,
}

impl Spend {
    /// The bucket after this spend, or `None` if it doesn't have it.
    pub fn apply(&self, stored: Option<Timestamp>) -> Option<Timestamp> {
        let after = stored.unwrap_or(self.at).max(self.at).after(self.cost);
        (after <= self.at.after(self.burst)).then_some(after)
    }
}

/// Which bucket: limit and subject, as text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BucketKey(String);

impl BucketKey {
    /// `limit:subject`.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What was decided, on what, in one line without anything that came in a body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEvent {
    /// When.
    pub at: Timestamp,
    /// The line.
    pub event: String,
}

/// What came of a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Committed {
    /// It is durable, and this is the version of its rows.
    Done(Version),
    /// A guard didn't hold; nothing changed. Load and decide again.
    Conflict,
    /// A bucket doesn't have the spend; nothing changed.
    Exceeded(BucketKey),
    /// It may be durable, or become so, or not.
    Unknown,
}
