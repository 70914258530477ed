use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use acme_client_core::{JobId, Record, Snapshot};

use super::Store;
use crate::durable::{self, Readers};

/// Longest file that is read: the machine's own limit for a snapshot.
const SNAPSHOT_LEN_MAX: u64 = 4 * 1024 * 1024;
/// Most files in the folder. Each is a job that is under way or watched.
const SNAPSHOTS_MAX: usize = 1_000_000;

/// Keeps snapshots in a folder, one file each: `account.json`, `job-NUMBER.json`. One process at
/// a time: the caller holds a lock.
#[derive(Debug)]
pub struct FileStore {
    folder: PathBuf,
    /// The highest revision of each record that was saved here, the forgotten ones' as well, so
    /// that a save that comes late brings nothing back.
    revisions: Mutex<BTreeMap<Record, u64>>,
}

impl FileStore {
    /// In this folder, which is made if it isn't there.
    ///
    /// # Errors
    /// The folder can't be made or read, or what is in it can't.
    pub fn open(folder: &Path) -> io::Result<Self> {
        durable::create_folder(folder, Readers::Owner)?;
        let store = Self {
            folder: folder.to_path_buf(),
            revisions: Mutex::default(),
        };
        let revisions = store
            .load()?
            .iter()
            .map(|known| (known.record(), known.revision()))
            .collect();
        *store
            .revisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = revisions;
        Ok(store)
    }

    /// Forgets all jobs but these.
    ///
    /// # Errors
    /// Some may still be there.
    pub fn retain(&self, keep: impl Fn(JobId) -> bool) -> io::Result<()> {
        for snapshot in self.load()? {
            match snapshot.record() {
                Record::Job(id) if !keep(id) => self.forget(snapshot.record())?,
                Record::Job(_) | Record::Account => {}
            }
        }
        Ok(())
    }

    fn path(&self, record: Record) -> PathBuf {
        self.folder.join(match record {
            Record::Account => ACCOUNT.to_owned(),
            Record::Job(JobId(number)) => format!("{JOB}{number}{EXTENSION}"),
        })
    }
}

const ACCOUNT: &str = "account.json";
const JOB: &str = "job-";
const EXTENSION: &str = ".json";

impl Store for FileStore {
    fn save(&self, snapshot: &Snapshot) -> io::Result<()> {
        // Held while writing: two saves of one record don't overtake each other.
        let mut revisions = self
            .revisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (record, revision) = (snapshot.record(), snapshot.revision());
        if revisions
            .get(&record)
            .is_some_and(|known| *known > revision)
        {
            return Ok(());
        }
        if snapshot.ended() {
            durable::remove_file(&self.path(record))?;
            durable::sync_folder(&self.folder)?;
        } else {
            durable::write(&self.path(record), snapshot.as_bytes(), Readers::Owner)?;
        }
        revisions.insert(record, revision);
        Ok(())
    }

    fn load(&self) -> io::Result<Vec<Snapshot>> {
        let mut snapshots = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let Some(record) = name.to_str().and_then(record) else {
                continue;
            };
            if snapshots.len() >= SNAPSHOTS_MAX {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "too many snapshots",
                ));
            }
            let Some(bytes) = durable::read(&self.path(record), SNAPSHOT_LEN_MAX)? else {
                continue;
            };
            let snapshot = Snapshot::from_bytes(bytes).map_err(invalid)?;
            if snapshot.record() != record {
                return Err(invalid("a snapshot under another record's name"));
            }
            snapshots.push(snapshot);
        }
        snapshots.sort_by_key(Snapshot::record);
        Ok(snapshots)
    }

    fn forget(&self, record: Record) -> io::Result<()> {
        let mut revisions = self
            .revisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        durable::remove_file(&self.path(record))?;
        durable::sync_folder(&self.folder)?;
        revisions.remove(&record);
        Ok(())
    }
}

fn invalid<E: Into<Box<dyn std::error::Error + Send + Sync>>>(error: E) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn record(name: &str) -> Option<Record> {
    if name == ACCOUNT {
        return Some(Record::Account);
    }
    let number = name.strip_prefix(JOB)?.strip_suffix(EXTENSION)?;
    number.parse().ok().map(|number| Record::Job(JobId(number)))
}
