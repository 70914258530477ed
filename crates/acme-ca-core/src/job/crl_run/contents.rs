use acme_types::Timestamp;

use crate::crl::{Crl, Entry};
use crate::schema::{CrlShardRow, RevocationRow, Serial};

/// How many rows a run deletes: a commit should stay small, and the next run takes the rest.
const DROPPED_MAX: usize = 1_000;

/// What goes into a CRL, and what has been in it for long enough.
#[derive(Debug)]
pub(super) struct Contents {
    /// The serials of the CRL before, sorted.
    before: Vec<Serial>,
    /// Its thisUpdate.
    before_at: Option<Timestamp>,
    entries: Vec<Entry>,
    dropped: Vec<Serial>,
}

impl Contents {
    /// Nothing yet, after this CRL.
    pub(super) fn new(previous: Option<&CrlShardRow>) -> Result<Self, &'static str> {
        let mut before = Vec::new();
        if let Some(previous) = previous {
            let crl = Crl::parse(&previous.der).map_err(|_| "the last CRL does not read")?;
            for entry in crl.entries() {
                let entry = entry.map_err(|_| "the last CRL does not read")?;
                before.extend(Serial::from_der_integer(entry.serial));
            }
            if before.len() != crl.len() {
                return Err("the last CRL lists serials that are not this CA's");
            }
            before.sort_unstable();
        }
        let before_at = previous.map(|row| row.this_update);
        Ok(Self {
            before,
            before_at,
            entries: Vec::new(),
            dropped: Vec::new(),
        })
    }

    /// Takes a revocation. They come in the order of their serials.
    ///
    /// RFC 5280 §3.3: "An entry MUST NOT be removed from the CRL until it appears on one regularly
    /// scheduled CRL issued beyond the revoked certificate's validity period."
    pub(super) fn add(&mut self, row: &RevocationRow) -> Result<(), &'static str> {
        let rising = self
            .entries
            .last()
            .is_none_or(|last| last.serial < row.serial);
        if !rising {
            return Err("the store's scan is out of order");
        }
        let seen_after_expiry = self.before_at.is_some_and(|at| at > row.not_after)
            && self.before.binary_search(&row.serial).is_ok();
        if seen_after_expiry && self.dropped.len() < DROPPED_MAX {
            self.dropped.push(row.serial);
        } else {
            self.entries.push(Entry::from(row));
        }
        Ok(())
    }

    /// Invariant I34: who was listed is listed, or was dropped just now. Otherwise revocations
    /// were lost, and nothing is signed until somebody has looked.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let is_there = |serial: &Serial| {
            self.entries
                .binary_search_by(|entry| entry.serial.cmp(serial))
                .is_ok()
                || self.dropped.binary_search(serial).is_ok()
        };
        if self.before.iter().all(is_there) {
            Ok(())
        } else {
            Err("a revocation of the last CRL is no longer in the store")
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn into_dropped(self) -> Vec<Serial> {
        self.dropped
    }
}

impl From<&RevocationRow> for Entry {
    fn from(row: &RevocationRow) -> Self {
        Self {
            serial: row.serial,
            revoked_at: row.revoked_at,
            reason: row.reason,
        }
    }
}
