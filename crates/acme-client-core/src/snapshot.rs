//! What is stored: the format, the revision and the body. No private key, no configuration.

use serde::{Deserialize, Serialize};

use crate::Record;

/// The one format that is written. A change of any stored type is a new one.
const FORMAT: u32 = 1;
/// Longest snapshot that is read. A job of a thousand names with all its challenge responses is
/// a quarter of this.
const SNAPSHOT_LEN_MAX: usize = 4 * 1024 * 1024;

/// The durable state of one record at one revision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    record: Record,
    revision: u64,
    ended: bool,
    body: Vec<u8>,
}

/// Why a snapshot can't be restored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Of a format that this version doesn't know.
    #[error("snapshot of an unknown format")]
    UnknownFormat,
    /// Not a snapshot.
    #[error("malformed snapshot")]
    Malformed,
    /// Two snapshots of one record.
    #[error("two snapshots of one record")]
    Duplicate,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    format: u32,
    record: Record,
    revision: u64,
    ended: bool,
    body: &'a T,
}

#[derive(Deserialize)]
struct Head {
    record: Record,
    revision: u64,
    ended: bool,
}

#[derive(Deserialize)]
struct Body<T> {
    body: T,
}

impl Snapshot {
    pub(crate) fn of<T: Serialize>(record: Record, revision: u64, ended: bool, body: &T) -> Self {
        let envelope = Envelope {
            format: FORMAT,
            record,
            revision,
            ended,
            body,
        };
        // All stored types are trees of strings, numbers and lists, which JSON can always write.
        let body = serde_json::to_vec(&envelope).unwrap_or_default();
        Self {
            record,
            revision,
            ended,
            body,
        }
    }

    /// Reads what [`Snapshot::as_bytes`] gave.
    ///
    /// # Errors
    /// [`SnapshotError::UnknownFormat`] if another version wrote it, [`SnapshotError::Malformed`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SnapshotError> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        if bytes.len() > SNAPSHOT_LEN_MAX {
            return Err(SnapshotError::Malformed);
        }
        let malformed = |_| SnapshotError::Malformed;
        let Format { format } = serde_json::from_slice(&bytes).map_err(malformed)?;
        if format != FORMAT {
            return Err(SnapshotError::UnknownFormat);
        }
        let head: Head = serde_json::from_slice(&bytes).map_err(malformed)?;
        Ok(Self {
            record: head.record,
            revision: head.revision,
            ended: head.ended,
            body: bytes,
        })
    }

    /// What to store. Text: JSON, readable, without secrets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.body
    }

    /// What it is of.
    pub fn record(&self) -> Record {
        self.record
    }

    /// Rises with every change of a record. A store keeps the highest.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Has the job ended? Then the store may forget the record.
    pub fn ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn body<T: for<'de> Deserialize<'de>>(&self) -> Result<T, SnapshotError> {
        let body: Body<T> =
            serde_json::from_slice(&self.body).map_err(|_| SnapshotError::Malformed)?;
        Ok(body.body)
    }
}
