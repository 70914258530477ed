use std::collections::{BTreeMap, BTreeSet};

use acme_types::Timestamp;

use super::{StoreError, audit_rows};
use crate::schema::{BucketKey, BucketRow, CodecError, Commit, Read, Row, Spend, Version, Write};

/// What a commit does to the rows of a store that stands as it was asked about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Its guards hold: these keys get these bytes, or are removed. All of them carry the version
    /// that was offered.
    Rows(BTreeMap<Vec<u8>, Option<Vec<u8>>>),
    /// A guard doesn't hold.
    Conflict,
    /// A bucket doesn't have the spend.
    Exceeded(BucketKey),
}

/// The one rule by which a commit changes a store: every store that keeps rows as bytes applies
/// it, each with its own way of looking at what stands. `stands` gives a key's version and bytes.
///
/// # Errors
/// [`StoreError::Commit`] for a commit that breaks the rules, [`StoreError::Codec`] for a bucket
/// that doesn't read, and what `stands` fails with.
pub fn change<E: From<StoreError>>(
    commit: &Commit,
    version: Version,
    mut stands: impl FnMut(&[u8]) -> Result<Option<(Version, Vec<u8>)>, E>,
) -> Result<Change, E> {
    check_rules(commit)?;
    for (read, expected) in &commit.guards {
        if stands(&read.key())?.map(|(version, _)| version) != *expected {
            return Ok(Change::Conflict);
        }
    }
    let mut rows: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
    for spend in &commit.spends {
        let key = Read::Bucket(spend.key.clone()).key();
        let bytes = match rows.get(&key) {
            Some(changed) => changed.clone(),
            None => stands(&key)?.map(|(_, bytes)| bytes),
        };
        match spent(spend, bytes.as_deref())? {
            Some(bytes) => rows.insert(key, Some(bytes)),
            None => return Ok(Change::Exceeded(spend.key.clone())),
        };
    }
    for write in &commit.writes {
        let bytes = match write {
            Write::Put(row) => Some(row.encode().map_err(StoreError::from)?),
            Write::Delete(_) => None,
        };
        rows.insert(write.read().key(), bytes);
    }
    for row in audit_rows(commit, version) {
        let bytes = row.encode().map_err(StoreError::from)?;
        rows.insert(row.read().key(), Some(bytes));
    }
    Ok(Change::Rows(rows))
}

/// The bucket's bytes after the spend; `None` if it doesn't have it.
fn spent(spend: &Spend, bytes: Option<&[u8]>) -> Result<Option<Vec<u8>>, StoreError> {
    let stored: Option<Timestamp> = match bytes.map(Row::decode).transpose()? {
        Some(Row::Bucket(bucket)) => Some(bucket.stored),
        Some(_) => return Err(StoreError::Codec(CodecError::Body)),
        None => None,
    };
    let Some(stored) = spend.apply(stored) else {
        return Ok(None);
    };
    let row = Row::Bucket(BucketRow {
        key: spend.key.clone(),
        stored,
    });
    Ok(Some(row.encode()?))
}

/// Absence may be guarded only on a key that the same commit writes; a key is written once.
pub fn check_rules(commit: &Commit) -> Result<(), StoreError> {
    let mut written = BTreeSet::new();
    let once = commit
        .writes
        .iter()
        .all(|write| written.insert(write.read()));
    let absent =
        |(read, found): &(Read, Option<Version>)| found.is_some() || written.contains(read);
    if once && commit.guards.iter().all(absent) {
        Ok(())
    } else {
        Err(StoreError::Commit)
    }
}
