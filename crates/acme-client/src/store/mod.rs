//! Where snapshots are kept.

mod file;
mod memory;

use std::io;

use acme_client_core::{Record, Snapshot};
pub use file::FileStore;
pub use memory::MemoryStore;

/// Performs [`acme_client_core::Step::Save`]. Called from threads that may block.
pub trait Store: Send + Sync + 'static {
    /// Makes a snapshot durable. One with a lower revision than the one that is kept is no error
    /// and changes nothing; one of an ended job may be forgotten, but not its revision while this
    /// store lives.
    ///
    /// # Errors
    /// It is not known to be durable.
    fn save(&self, snapshot: &Snapshot) -> io::Result<()>;

    /// The snapshots that are kept: of each record the one with the highest revision.
    ///
    /// # Errors
    /// They can't be read, or aren't snapshots.
    fn load(&self) -> io::Result<Vec<Snapshot>>;

    /// Forgets a record as if it had never been.
    ///
    /// # Errors
    /// It may still be there.
    fn forget(&self, record: Record) -> io::Result<()>;
}
