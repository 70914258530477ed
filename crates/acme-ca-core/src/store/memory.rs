use std::collections::BTreeMap;

use super::{Change, change};
use crate::schema::{
    AuditId, AuditRow, CodecError, Commit, Committed, Loaded, Read, Row, Scan, Version,
};

/// An ordered map from keys to versioned rows, both as bytes, so that what is tested on it is
/// what other stores keep.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    rows: BTreeMap<Vec<u8>, (Version, Vec<u8>)>,
    last: u64,
}

/// The store broke, or was misused. The outcome of what was asked for isn't known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// What it holds doesn't read.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A commit guards an absence that it doesn't fill, or writes a key twice.
    #[error("the commit guards the absence of a row that it doesn't write, or writes one twice")]
    Commit,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The rows for these questions.
    ///
    /// # Errors
    /// [`StoreError::Codec`] if a row doesn't read.
    pub fn load(&self, reads: &[Read]) -> Result<Loaded, StoreError> {
        let mut found = Vec::with_capacity(reads.len());
        for read in reads {
            let row = match self.rows.get(&read.key()) {
                Some((version, bytes)) => Some((*version, Row::decode(bytes)?)),
                None => None,
            };
            found.push((read.clone(), row));
        }
        Ok(Loaded(found))
    }

    /// The keys that a scan finds.
    ///
    /// # Errors
    /// [`StoreError::Codec`] if a key doesn't read.
    pub fn scan(&self, scan: &Scan) -> Result<Vec<Read>, StoreError> {
        let (start, end, limit) = scan.range();
        let keys = self.rows.range(start..end).take(limit);
        Ok(keys
            .map(|(key, _)| Read::from_key(key))
            .collect::<Result<_, _>>()?)
    }

    /// Commits, all or nothing. Never answers [`Committed::Unknown`]: that is a fault, and this
    /// store has none.
    ///
    /// # Errors
    /// [`StoreError::Commit`] for a commit that breaks the rules; nothing changed.
    pub fn commit(&mut self, commit: &Commit) -> Result<Committed, StoreError> {
        let version = Version(self.last.saturating_add(1));
        let stands = |key: &[u8]| Ok::<_, StoreError>(self.rows.get(key).cloned());
        let rows = match change(commit, version, stands)? {
            Change::Rows(rows) => rows,
            Change::Conflict => return Ok(Committed::Conflict),
            Change::Exceeded(key) => return Ok(Committed::Exceeded(key)),
        };
        for (key, bytes) in rows {
            match bytes {
                Some(bytes) => self.rows.insert(key, (version, bytes)),
                None => self.rows.remove(&key),
            };
        }
        self.last = version.0;
        Ok(Committed::Done(version))
    }

    /// All rows, in the order of their keys. For invariants.
    pub fn rows(&self) -> impl Iterator<Item = Result<(Version, Row), StoreError>> + '_ {
        self.rows
            .values()
            .map(|(version, bytes)| Ok((*version, Row::decode(bytes)?)))
    }
}

/// The rows of a commit's audit events: ids from their time, the commit's version and their place.
pub fn audit_rows(commit: &Commit, version: Version) -> Vec<Row> {
    let row = |(place, event): (usize, &crate::schema::AuditEvent)| {
        let mut random = [0; 32];
        let place = u16::try_from(place).unwrap_or(u16::MAX).to_be_bytes();
        let parts = version.0.to_be_bytes().into_iter().chain(place);
        random
            .iter_mut()
            .zip(parts)
            .for_each(|(to, from)| *to = from);
        let id = AuditId::new(event.at, &random);
        Row::Audit(AuditRow {
            id,
            at: event.at,
            event: event.event.clone(),
        })
    };
    commit.audit.iter().enumerate().map(row).collect()
}
