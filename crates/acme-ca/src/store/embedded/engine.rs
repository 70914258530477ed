use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use acme_ca_core::schema::Version;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable, Snapshot};

use super::OpenError;
use crate::store::StoreFailure;

/// Rows and the engine's blocks that are kept in memory.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// Threads that flush and compact: one beside the writer is enough for what it can write.
const WORKERS: usize = 1;
/// Where the last version stands in the keyspace of what isn't a row.
const LAST_VERSION: &[u8] = b"last-version";

/// A row as the engine has it: its version and its bytes.
pub(super) type Stored = (Version, Vec<u8>);
/// The rows of a batch: bytes, or removed.
pub(super) type Changes = BTreeMap<Vec<u8>, Option<Stored>>;

/// What the writer needs of an engine.
pub(super) trait Engine {
    /// The row as it stood after the last batch that was synced.
    fn get(&self, key: &[u8]) -> Result<Option<Stored>, StoreFailure>;
    /// The highest version in use.
    fn last_version(&self) -> Version;
    /// Writes all of it and the new highest version, syncs, and only then lets readers see it.
    /// After an error what is on the disk isn't known.
    fn write(&mut self, changes: Changes, last: Version) -> Result<(), StoreFailure>;
}

/// The fjall engine. A value is the row's version, 8 bytes, and its bytes.
pub(super) struct Fjall {
    database: Database,
    rows: Keyspace,
    marks: Keyspace,
    durable: Arc<Slot>,
    last: Version,
}

/// Where the writer leaves the snapshot for readers.
pub(super) struct Slot(RwLock<Arc<Durable>>);

/// One durable point in time.
pub(super) struct Durable {
    rows: Keyspace,
    snapshot: Snapshot,
}

impl Fjall {
    pub(super) fn open(folder: &Path) -> Result<Self, OpenError> {
        let database = Database::builder(folder)
            .cache_size(CACHE_BYTES)
            .worker_threads(WORKERS)
            .open()
            .map_err(open_error)?;
        let rows = database.keyspace("rows", KeyspaceCreateOptions::default);
        let rows = rows.map_err(open_error)?;
        let marks = database.keyspace("marks", KeyspaceCreateOptions::default);
        let marks = marks.map_err(open_error)?;
        let last = match marks.get(LAST_VERSION).map_err(open_error)? {
            Some(bytes) => version(&bytes).ok_or(OpenError::Engine)?.0,
            None => Version(0),
        };
        let snapshot = database.snapshot();
        let durable = Arc::new(Durable {
            rows: rows.clone(),
            snapshot,
        });
        let durable = Arc::new(Slot(RwLock::new(durable)));
        Ok(Self {
            database,
            rows,
            marks,
            durable,
            last,
        })
    }

    pub(super) fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.durable)
    }
}

impl Engine for Fjall {
    fn get(&self, key: &[u8]) -> Result<Option<Stored>, StoreFailure> {
        self.durable.latest().get(key)
    }

    fn last_version(&self) -> Version {
        self.last
    }

    fn write(&mut self, changes: Changes, last: Version) -> Result<(), StoreFailure> {
        let mut batch = self
            .database
            .batch()
            .durability(Some(PersistMode::SyncData));
        for (key, change) in changes {
            match change {
                Some((version, bytes)) => {
                    let mut value = version.0.to_be_bytes().to_vec();
                    value.extend_from_slice(&bytes);
                    batch.insert(&self.rows, key, value);
                }
                None => batch.remove(&self.rows, key),
            }
        }
        batch.insert(&self.marks, LAST_VERSION, last.0.to_be_bytes().to_vec());
        batch.commit().map_err(failed)?;
        self.last = last;
        // Between two batches, by the only thread that writes: whole batches and nothing else.
        let snapshot = self.database.snapshot();
        self.durable.replace(Durable {
            rows: self.rows.clone(),
            snapshot,
        });
        Ok(())
    }
}

impl Slot {
    pub(super) fn latest(&self) -> Arc<Durable> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, durable: Durable) {
        let durable = Arc::new(durable);
        let mut slot = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *slot, durable);
        // What the old snapshot holds back is let go outside of the lock.
        drop(slot);
        drop(before);
    }
}

impl Durable {
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Stored>, StoreFailure> {
        let Some(value) = self.snapshot.get(&self.rows, key).map_err(failed)? else {
            return Ok(None);
        };
        match version(&value) {
            Some((version, bytes)) => Ok(Some((version, bytes.to_vec()))),
            None => {
                tracing::error!("a value in the store is too short to hold a version");
                Err(StoreFailure::Engine)
            }
        }
    }

    /// The keys in a range, in order.
    pub(super) fn keys(
        &self,
        start: Vec<u8>,
        end: Vec<u8>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreFailure> {
        // The engine takes a range that ends before it starts for a mistake.
        if start >= end {
            return Ok(Vec::new());
        }
        let found = self.snapshot.range(&self.rows, start..end).take(limit);
        found
            .map(|guard| Ok(guard.key().map_err(failed)?.to_vec()))
            .collect()
    }
}

fn version(value: &[u8]) -> Option<(Version, &[u8])> {
    let (version, bytes) = value.split_first_chunk::<8>()?;
    Some((Version(u64::from_be_bytes(*version)), bytes))
}

fn failed(error: fjall::Error) -> StoreFailure {
    tracing::error!(%error, "the storage engine failed");
    StoreFailure::Engine
}

fn open_error(error: fjall::Error) -> OpenError {
    match error {
        fjall::Error::Locked => OpenError::Locked,
        error => {
            tracing::error!(%error, "the storage engine can't open its files");
            OpenError::Engine
        }
    }
}
