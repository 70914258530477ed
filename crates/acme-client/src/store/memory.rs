use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use acme_client_core::{Record, Snapshot};

use super::Store;

/// Keeps snapshots while the process lives: for tests and demonstrations.
#[derive(Debug, Default)]
pub struct MemoryStore {
    snapshots: Mutex<BTreeMap<Record, Snapshot>>,
}

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Store for MemoryStore {
    fn save(&self, snapshot: &Snapshot) -> io::Result<()> {
        let mut snapshots = self
            .snapshots
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = snapshots.get(&snapshot.record()).map(Snapshot::revision);
        if known.is_none_or(|known| known <= snapshot.revision()) {
            snapshots.insert(snapshot.record(), snapshot.clone());
        }
        Ok(())
    }

    fn load(&self) -> io::Result<Vec<Snapshot>> {
        let snapshots = self
            .snapshots
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(snapshots.values().cloned().collect())
    }

    fn forget(&self, record: Record) -> io::Result<()> {
        self.snapshots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&record);
        Ok(())
    }
}
