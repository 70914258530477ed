use acme_ca_core::schema::{Commit, Committed, Loaded, Read, Scan};

use super::StartError;
use crate::folder::DataFolder;
use crate::store::{EmbeddedStore, Pending, Store};

/// The store of a data folder. The folder is given free after the store has closed: fields are
/// dropped in their order.
#[derive(Debug)]
pub(super) struct KeptStore {
    store: EmbeddedStore,
    _folder: DataFolder,
}

impl KeptStore {
    pub(super) fn open(folder: DataFolder) -> Result<Self, StartError> {
        let path = folder.path("store");
        let store = EmbeddedStore::open(&path);
        let store = store.map_err(|source| StartError::Store { path, source })?;
        Ok(Self {
            store,
            _folder: folder,
        })
    }
}

impl Store for KeptStore {
    fn load(&self, reads: Vec<Read>) -> Pending<'_, Loaded> {
        self.store.load(reads)
    }

    fn scan(&self, scan: Scan) -> Pending<'_, Vec<Read>> {
        self.store.scan(scan)
    }

    fn commit(&self, commit: Commit) -> Pending<'_, Committed> {
        self.store.commit(commit)
    }
}
