//! What becomes due when.

use std::collections::BTreeMap;

use acme_types::Timestamp;

use crate::JobId;
use crate::flow::Slot;

/// Something that becomes due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    /// An effect's deadline, by its ticket's number.
    Effect(u64),
    /// A wait of one place of a job is over.
    Place(JobId, Slot),
    /// A save is to be tried again.
    Save(JobId),
    /// A job has rested.
    Job(JobId),
    /// Nonces may be fetched again.
    Nonces,
}

/// The name of a timer, to call it off.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct TimerId(Timestamp, u64);

/// All timers, by time and then by age: no scan, and the same order in every run.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    set: BTreeMap<TimerId, Due>,
    next: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Timestamp, due: Due) -> TimerId {
        let id = TimerId(at, self.next);
        self.next = self.next.wrapping_add(1);
        self.set.insert(id, due);
        id
    }

    pub(crate) fn call_off(&mut self, id: TimerId) {
        self.set.remove(&id);
    }

    /// The next one that is due by `now`.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<Due> {
        let first = self.set.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Timestamp {
        self.set
            .first_key_value()
            .map_or(Timestamp::NEVER, |(id, _)| id.0)
    }
}
