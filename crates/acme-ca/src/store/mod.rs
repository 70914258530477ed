//! Stores: what [`acme_ca_core::store`] says they must do, over memory and over a disk.
//!
//! [`conformance`] is the contract as code; whoever writes another store runs it against theirs.

pub mod conformance;
mod embedded;
mod memory;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use acme_ca_core::schema::{Commit, Committed, Loaded, Read, Scan};
use acme_ca_core::store::StoreError;

pub use embedded::{EmbeddedStore, OpenError};
pub use memory::{Fault, MemoryStore};

/// Where the rows of a CA are kept.
///
/// - A load is one durable point in time: it sees all of a commit or nothing of it, and nothing
///   that a power cut could still take back.
/// - A commit that was answered with `Done` is durable, and every later load sees it; after
///   `Conflict` every later load sees what it met.
/// - To drop a future is to lose the answer; a commit may happen all the same.
pub trait Store: Send + Sync + fmt::Debug + 'static {
    /// The rows for these questions, at one durable point in time.
    fn load(&self, reads: Vec<Read>) -> Pending<'_, Loaded>;

    /// The keys that a scan finds: a hint, not guarded.
    fn scan(&self, scan: Scan) -> Pending<'_, Vec<Read>>;

    /// Makes the change, all or nothing.
    fn commit(&self, commit: Commit) -> Pending<'_, Committed>;
}

/// An answer of a store that is under way.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreFailure>> + Send + 'a>>;

/// A store could not answer. Of a commit: nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreFailure {
    /// What it holds doesn't read, or the commit broke the rules.
    #[error(transparent)]
    Rows(#[from] StoreError),
    /// The engine failed; the log has the reason.
    #[error("the storage engine failed")]
    Engine,
    /// The store was shut down.
    #[error("the store is shut down")]
    Stopped,
}
