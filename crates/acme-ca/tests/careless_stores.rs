//! The conformance suite is only worth something if it fails: stores with one flaw each, and the
//! suite must find every one.

use std::sync::Arc;

use acme_ca::store::{MemoryStore, Pending, Store, conformance};
use acme_ca_core::schema::{Commit, Committed, Loaded, Read, Scan, Version};
use acme_ca_core::store::check_rules;

/// What a careless store does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flaw {
    /// Checks guards, then writes, and others come in between.
    GuardsBeforehand,
    /// Doesn't look at guarded absence.
    AbsenceUnguarded,
    /// Writes a commit's rows one after the other.
    TornCommits,
    /// Loads rows one after the other.
    TornLoads,
    /// Doesn't look at spends.
    SpendsForgotten,
    /// Finds everything, whatever the limit.
    LimitForgotten,
    /// Answers a read of the last commit with what was before.
    StaleReads,
    /// Forgets the audit.
    AuditForgotten,
}

const FLAWS: [Flaw; 8] = [
    Flaw::GuardsBeforehand,
    Flaw::AbsenceUnguarded,
    Flaw::TornCommits,
    Flaw::TornLoads,
    Flaw::SpendsForgotten,
    Flaw::LimitForgotten,
    Flaw::StaleReads,
    Flaw::AuditForgotten,
];

#[derive(Debug)]
struct Careless {
    inner: MemoryStore,
    flaw: Flaw,
    /// What stale readers see.
    behind: MemoryStore,
    late: tokio::sync::Mutex<Option<Commit>>,
}

impl Careless {
    fn new(flaw: Flaw) -> Self {
        let (inner, behind) = (MemoryStore::new(), MemoryStore::new());
        Self {
            inner,
            flaw,
            behind,
            late: tokio::sync::Mutex::new(None),
        }
    }

    async fn hold(&self, commit: &Commit) -> bool {
        let reads: Vec<Read> = commit.guards.iter().map(|(read, _)| read.clone()).collect();
        let found = self.inner.load(reads).await.unwrap().0;
        let version = |found: Option<(Version, _)>| found.map(|(version, _)| version);
        let found: Vec<Option<Version>> = found.into_iter().map(|(_, f)| version(f)).collect();
        tokio::task::yield_now().await;
        commit
            .guards
            .iter()
            .map(|(_, expected)| *expected)
            .eq(found)
    }
}

impl Store for Careless {
    fn load(&self, reads: Vec<Read>) -> Pending<'_, Loaded> {
        Box::pin(async move {
            match self.flaw {
                Flaw::StaleReads => self.behind.load(reads).await,
                Flaw::TornLoads => {
                    let mut all = Vec::new();
                    for read in reads {
                        all.extend(self.inner.load(vec![read]).await?.0);
                        tokio::task::yield_now().await;
                    }
                    Ok(Loaded(all))
                }
                _ => self.inner.load(reads).await,
            }
        })
    }

    fn scan(&self, scan: Scan) -> Pending<'_, Vec<Read>> {
        let scan = match (self.flaw, scan) {
            (Flaw::LimitForgotten, Scan::DueJobs { until, .. }) => Scan::DueJobs {
                until,
                limit: usize::MAX,
            },
            (_, scan) => scan,
        };
        self.inner.scan(scan)
    }

    fn commit(&self, mut commit: Commit) -> Pending<'_, Committed> {
        Box::pin(async move {
            check_rules(&commit)?;
            match self.flaw {
                Flaw::GuardsBeforehand => {
                    if !self.hold(&commit).await {
                        return Ok(Committed::Conflict);
                    }
                    commit.guards.clear();
                }
                Flaw::AbsenceUnguarded => commit.guards.retain(|(_, found)| found.is_some()),
                Flaw::TornCommits if commit.writes.len() > 1 && commit.guards.is_empty() => {
                    let last = commit.writes.pop();
                    self.inner.commit(commit.clone()).await?;
                    tokio::task::yield_now().await;
                    commit.writes = last.into_iter().collect();
                }
                Flaw::SpendsForgotten => commit.spends.clear(),
                Flaw::AuditForgotten => commit.audit.clear(),
                Flaw::StaleReads => {
                    if let Some(before) = self.late.lock().await.replace(commit.clone()) {
                        self.behind.commit(before).await?;
                    }
                }
                _ => {}
            }
            self.inner.commit(commit).await
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_suite_finds_every_flaw() {
    for flaw in FLAWS {
        let fresh = move || async move { Arc::new(Careless::new(flaw)) as Arc<dyn Store> };
        let suite = tokio::spawn(conformance::run(fresh));
        assert!(suite.await.is_err(), "{flaw:?} is not found");
    }
}
