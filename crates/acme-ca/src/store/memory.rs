use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use acme_ca_core::schema::{Commit, Committed, Loaded, Read, Scan};
use acme_ca_core::store::Memory;

use super::{Pending, Store, StoreFailure};

/// A store in memory, for tests and for a CA that may forget everything. What it does wrong is
/// said beforehand, with [`MemoryStore::inject`].
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rows: Memory,
    faults: VecDeque<Fault>,
}

/// What the next commit meets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// No fault: the commit goes its way.
    Pass,
    /// A conflict, as if somebody else had been faster.
    Conflict,
    /// It happens, but the answer is lost: `Unknown`.
    AnswerLost,
    /// It doesn't happen, and nobody knows: `Unknown`.
    CommitLost,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next commits meet these, one each, after those injected before.
    pub fn inject(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.extend(faults);
    }

    /// A copy of all rows as they are now.
    pub fn snapshot(&self) -> Memory {
        self.state().rows.clone()
    }

    /// No state is left half written by a panic: `Memory` changes in one step.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit_now(&self, commit: &Commit) -> Result<Committed, StoreFailure> {
        let mut state = self.state();
        match state.faults.pop_front().unwrap_or(Fault::Pass) {
            Fault::Pass => Ok(state.rows.commit(commit)?),
            Fault::Conflict => Ok(Committed::Conflict),
            Fault::AnswerLost => {
                state.rows.commit(commit)?;
                Ok(Committed::Unknown)
            }
            Fault::CommitLost => Ok(Committed::Unknown),
        }
    }
}

impl Store for MemoryStore {
    fn load(&self, reads: Vec<Read>) -> Pending<'_, Loaded> {
        Box::pin(async move { Ok(self.state().rows.load(&reads)?) })
    }

    fn scan(&self, scan: Scan) -> Pending<'_, Vec<Read>> {
        Box::pin(async move { Ok(self.state().rows.scan(&scan)?) })
    }

    fn commit(&self, commit: Commit) -> Pending<'_, Committed> {
        Box::pin(async move { self.commit_now(&commit) })
    }
}

#[cfg(test)]
mod tests {
    use acme_ca_core::schema::{BlockedKeyRow, Row, Write};
    use acme_types::Timestamp;

    use super::*;

    fn commit() -> (Read, Commit) {
        let row = BlockedKeyRow {
            spki_sha256: [7; 32],
            blocked_at: Timestamp::from_millis(1),
        };
        let row = Row::BlockedKey(row);
        (
            row.read(),
            Commit {
                writes: vec![Write::Put(row)],
                ..Commit::default()
            },
        )
    }

    async fn check(fault: Fault, outcome: Committed, stands: bool) {
        let store = MemoryStore::new();
        store.inject([fault]);
        let (read, commit) = commit();
        assert_eq!(store.commit(commit).await, Ok(outcome), "{fault:?}");
        let loaded = store.load(vec![read]).await.unwrap();
        assert_eq!(loaded.0[0].1.is_some(), stands, "{fault:?}");
    }

    #[tokio::test]
    async fn every_fault_does_what_it_says() {
        check(Fault::Conflict, Committed::Conflict, false).await;
        check(Fault::AnswerLost, Committed::Unknown, true).await;
        check(Fault::CommitLost, Committed::Unknown, false).await;
    }
}
