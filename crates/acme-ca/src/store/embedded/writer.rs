use acme_ca_core::schema::{Commit, Committed, Version};
use acme_ca_core::store::{Change, change};
use tokio::sync::{mpsc, oneshot};

use super::engine::{Changes, Engine, Stored};
use crate::store::StoreFailure;

/// Commits that wait for the next batch. Who comes later waits for a place.
pub(super) const QUEUE_LEN_MAX: usize = 4_096;
/// Commits that share one sync: above this a batch takes longer to write than to sync.
const BATCH_LEN_MAX: usize = 1_024;

/// A commit and whom to tell.
pub(super) struct Request {
    pub(super) commit: Commit,
    pub(super) answer: oneshot::Sender<Result<Committed, StoreFailure>>,
}

/// The only one who changes the rows.
pub(super) struct Writer<E> {
    engine: E,
    /// A write failed: what is on the disk isn't known, and nothing is answered but `Unknown`.
    poisoned: bool,
}

impl<E: Engine> Writer<E> {
    pub(super) fn new(engine: E) -> Self {
        Self {
            engine,
            poisoned: false,
        }
    }

    /// Until all senders are gone and the queue is empty.
    pub(super) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH_LEN_MAX
                && let Ok(next) = requests.try_recv()
            {
                batch.push(next);
            }
            self.commit(batch);
        }
    }

    /// Everyone is answered after the sync, those too who met a conflict: what they met is durable
    /// and visible by then, or else they don't know.
    fn commit(&mut self, batch: Vec<Request>) {
        let (answers, outcomes) = if self.poisoned {
            let unknown = |request: Request| (request.answer, Ok(Committed::Unknown));
            batch
                .into_iter()
                .map(unknown)
                .unzip::<_, _, Vec<_>, Vec<_>>()
        } else {
            let (answers, commits): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .map(|request| (request.answer, request.commit))
                .unzip();
            (answers, self.commit_all(&commits))
        };
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // Whoever asked may have gone.
            let _ = answer.send(outcome);
        }
    }

    /// In order, each on top of those before it.
    fn commit_all(&mut self, commits: &[Commit]) -> Vec<Result<Committed, StoreFailure>> {
        let mut changes = Changes::new();
        let mut last = self.engine.last_version();
        let mut outcomes = Vec::with_capacity(commits.len());
        for commit in commits {
            let version = Version(last.0.saturating_add(1));
            let outcome = self.apply(commit, version, &mut changes);
            if outcome == Ok(Committed::Done(version)) {
                last = version;
            }
            outcomes.push(outcome);
        }
        if last == self.engine.last_version() {
            return outcomes;
        }
        if self.engine.write(changes, last).is_err() {
            tracing::error!("a batch of {} commits could not be synced", commits.len());
            self.poisoned = true;
            return commits.iter().map(|_| Ok(Committed::Unknown)).collect();
        }
        outcomes
    }

    fn apply(
        &self,
        commit: &Commit,
        version: Version,
        changes: &mut Changes,
    ) -> Result<Committed, StoreFailure> {
        let stands = |key: &[u8]| -> Result<Option<Stored>, StoreFailure> {
            match changes.get(key) {
                Some(changed) => Ok(changed.clone()),
                None => self.engine.get(key),
            }
        };
        match change(commit, version, stands)? {
            Change::Rows(rows) => {
                let rows = rows.into_iter();
                changes.extend(rows.map(|(key, bytes)| (key, bytes.map(|b| (version, b)))));
                Ok(Committed::Done(version))
            }
            Change::Conflict => Ok(Committed::Conflict),
            Change::Exceeded(key) => Ok(Committed::Exceeded(key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use acme_ca_core::schema::{BlockedKeyRow, Read, Row, Write};
    use acme_types::Timestamp;

    use super::*;

    /// An engine whose syncs fail from a batch on.
    struct Failing {
        rows: BTreeMap<Vec<u8>, Stored>,
        last: Version,
        syncs_left: usize,
    }

    impl Engine for Failing {
        fn get(&self, key: &[u8]) -> Result<Option<Stored>, StoreFailure> {
            Ok(self.rows.get(key).cloned())
        }
        fn last_version(&self) -> Version {
            self.last
        }
        fn write(&mut self, changes: Changes, last: Version) -> Result<(), StoreFailure> {
            self.syncs_left = self.syncs_left.checked_sub(1).ok_or(StoreFailure::Engine)?;
            for (key, change) in changes {
                change.map(|stored| self.rows.insert(key, stored));
            }
            self.last = last;
            Ok(())
        }
    }

    fn writer(syncs: usize) -> Writer<Failing> {
        Writer::new(Failing {
            rows: BTreeMap::new(),
            last: Version(0),
            syncs_left: syncs,
        })
    }

    fn put(key: u8, guard: Option<Option<Version>>) -> Commit {
        let blocked_at = Timestamp::from_millis(1);
        let row = Row::BlockedKey(BlockedKeyRow {
            spki_sha256: [key; 32],
            blocked_at,
        });
        let guards = guard.map(|found| (row.read(), found)).into_iter().collect();
        Commit {
            guards,
            writes: vec![Write::Put(row)],
            ..Commit::default()
        }
    }

    fn send(writer: &mut Writer<Failing>, commits: Vec<Commit>) -> Vec<Committed> {
        let (requests, answers): (Vec<_>, Vec<_>) = commits
            .into_iter()
            .map(|commit| {
                let (answer, answered) = oneshot::channel();
                (Request { commit, answer }, answered)
            })
            .unzip();
        writer.commit(requests);
        answers
            .into_iter()
            .map(|mut a| a.try_recv().unwrap().unwrap())
            .collect()
    }

    #[test]
    fn a_commit_of_a_batch_meets_those_before_it_in_the_batch() {
        let mut writer = writer(1);
        let answers = send(
            &mut writer,
            vec![
                put(1, Some(None)),
                put(1, Some(None)),
                put(1, Some(Some(Version(1)))),
                put(1, Some(Some(Version(1)))),
                put(2, None),
            ],
        );
        let done = |version| Committed::Done(Version(version));
        let conflict = Committed::Conflict;
        assert_eq!(
            answers,
            [done(1), conflict.clone(), done(2), conflict, done(3)]
        );
    }

    #[test]
    fn after_a_failed_sync_everyone_learns_unknown_those_too_who_met_a_conflict() {
        let mut writer = writer(1);
        assert_eq!(
            send(&mut writer, vec![put(1, None)]),
            [Committed::Done(Version(1))]
        );
        let stale = put(1, Some(None));
        let answers = send(&mut writer, vec![put(2, None), stale.clone(), put(3, None)]);
        assert_eq!(answers, vec![Committed::Unknown; 3]);
        // The disk may well: nobody believes it again.
        writer.engine.syncs_left = 10;
        assert_eq!(
            send(&mut writer, vec![stale, put(4, None)]),
            vec![Committed::Unknown; 2]
        );
        assert_eq!(
            writer.engine.get(&Read::BlockedKey([4; 32]).key()),
            Ok(None)
        );
    }

    #[test]
    fn a_batch_of_conflicts_needs_no_sync() {
        let mut writer = writer(1);
        send(&mut writer, vec![put(1, None)]);
        assert_eq!(
            send(&mut writer, vec![put(1, Some(None))]),
            [Committed::Conflict]
        );
    }

    #[test]
    fn a_commit_that_breaks_the_rules_fails_alone() {
        let mut writer = writer(1);
        let broken = Commit {
            guards: vec![(Read::BlockedKey([9; 32]), None)],
            ..put(1, None)
        };
        let outcomes = writer.commit_all(&[broken, put(2, None)]);
        assert!(outcomes[0].is_err());
        assert_eq!(outcomes[1], Ok(Committed::Done(Version(1))));
    }
}
