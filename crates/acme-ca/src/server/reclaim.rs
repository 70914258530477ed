//! What a process that ended had in hand is taken up at once. The data folder's lock says that no
//! other process holds a lease, so nobody has to wait until the leases of the dead one end.

use acme_ca_core::effect::Unavailable;
use acme_ca_core::schema::{
    AuditEvent, Commit, Committed, DueRow, JobRow, JobState, Read, Row, Scan, Version, Write,
};
use acme_types::Timestamp;

use crate::rows::Rows;

/// Jobs that are looked at; those over it go on when they are due.
const JOBS_MAX: usize = 10_000;
/// Jobs that are moved in one commit.
const JOBS_PER_COMMIT: usize = 200;

/// Makes every validation and issuance due now. CRL runs keep their times: theirs are a schedule.
pub(super) async fn reclaim(rows: &Rows, now: Timestamp) -> Result<(), Unavailable> {
    let scan = Scan::DueJobs {
        until: Timestamp::NEVER,
        limit: JOBS_MAX,
    };
    let due = rows.scan(scan).await?;
    let jobs: Vec<Read> = due
        .into_iter()
        .filter_map(|read| match read {
            Read::Due(at, job) if at > now => Some(Read::Job(job)),
            _ => None,
        })
        .collect();
    for page in jobs.chunks(JOBS_PER_COMMIT) {
        let found = rows.load(page.to_vec()).await?.0;
        let held = found.into_iter().filter_map(|(_, found)| match found {
            Some((version, Row::Job(job))) if is_leased(&job) => Some((version, job)),
            _ => None,
        });
        let commit = move_to(now, held);
        if commit.writes.is_empty() {
            continue;
        }
        match rows.commit(commit).await {
            Committed::Done(_) => {}
            Committed::Conflict | Committed::Exceeded(_) | Committed::Unknown => {
                return Err(Unavailable);
            }
        }
    }
    Ok(())
}

fn is_leased(job: &JobRow) -> bool {
    match job.state {
        JobState::Validation { .. } | JobState::Issuance { .. } => true,
        JobState::CrlRun { .. } => false,
    }
}

fn move_to(now: Timestamp, held: impl Iterator<Item = (Version, JobRow)>) -> Commit {
    let mut commit = Commit::default();
    for (version, job) in held {
        let id = job.id;
        commit.guards.push((Read::Job(id), Some(version)));
        commit.writes.push(Write::Delete(Read::Due(job.due, id)));
        commit
            .writes
            .push(Write::Put(Row::Due(DueRow { due: now, job: id })));
        commit
            .writes
            .push(Write::Put(Row::Job(JobRow { due: now, ..job })));
    }
    if !commit.writes.is_empty() {
        let event = format!(
            "{} jobs taken up from before the start",
            commit.guards.len()
        );
        commit.audit.push(AuditEvent { at: now, event });
    }
    commit
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use acme_ca_core::schema::{JobId, OrderId, Serial, Shard};

    use super::*;
    use crate::store::{MemoryStore, Store as _};

    fn job(id: u8, due: u64, state: JobState) -> [Write; 2] {
        let (id, due) = (JobId::from_bytes([id; 16]), Timestamp::from_millis(due));
        let job = JobRow {
            id,
            due,
            attempt: 1,
            state,
        };
        [
            Write::Put(Row::Due(DueRow { due, job: id })),
            Write::Put(Row::Job(job)),
        ]
    }

    fn issuance() -> JobState {
        let order = OrderId::from_bytes([1; 16]);
        JobState::Issuance {
            order,
            serial: Serial::new(&[1; 32]),
        }
    }

    #[tokio::test]
    async fn leases_of_before_are_due_at_once_and_schedules_stay() {
        let store = Arc::new(MemoryStore::new());
        let crl = JobState::CrlRun { shard: Shard(0) };
        let jobs = [
            job(1, 500, issuance()),
            job(2, 900, issuance()),
            job(3, 900, crl),
        ];
        let writes = jobs.into_iter().flatten().collect();
        store
            .commit(Commit {
                writes,
                ..Commit::default()
            })
            .await
            .unwrap();
        let rows = Rows::new(store);
        for _ in 0..2 {
            reclaim(&rows, Timestamp::from_millis(600)).await.unwrap();
            let scan = Scan::DueJobs {
                until: Timestamp::NEVER,
                limit: 9,
            };
            let due: Vec<(u64, u8)> = rows
                .scan(scan)
                .await
                .unwrap()
                .into_iter()
                .map(|read| match read {
                    Read::Due(at, job) => (at.as_millis(), job.as_bytes()[0]),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(due, [(500, 1), (600, 2), (900, 3)]);
        }
    }
}
