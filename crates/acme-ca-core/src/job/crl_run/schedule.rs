use std::time::Duration;

use acme_types::Timestamp;

use crate::config::Config;
use crate::job::move_due;
use crate::schema::{
    AuditEvent, Commit, DueRow, JobId, JobRow, JobState, Missing, Read, Row, Shard, View, Write,
};

/// The attempt of a row that nobody runs.
pub(super) const RESTING: u32 = 0;
/// What the ids of these jobs start with. Their first six bytes are a time in other ids, and no
/// job is born at the epoch.
const ID_PREFIX: [u8; 14] = *b"\0\0\0\0\0\0crl shar";

/// The id of a shard's job: the same for ever.
pub fn job_id(shard: Shard) -> JobId {
    let mut id = [0; 16];
    let bytes = ID_PREFIX.into_iter().chain(shard.0.to_be_bytes());
    id.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    JobId::from_bytes(id)
}

/// What [`bootstrap`] looks at.
pub fn bootstrap_reads(config: &Config) -> Vec<Read> {
    config
        .authority
        .shards()
        .map(|shard| Read::Job(job_id(shard)))
        .collect()
}

/// The commit that gives every shard its job, due at once; `None` if all have theirs. For the
/// start of a server: idempotent, and harmless beside others that start.
///
/// # Errors
/// [`Missing`] if `view` doesn't hold [`bootstrap_reads`].
pub fn bootstrap(config: &Config, view: &View, at: Timestamp) -> Result<Option<Commit>, Missing> {
    let mut commit = Commit::default();
    for shard in config.authority.shards() {
        let id = job_id(shard);
        if view.job(&id)?.is_some() {
            continue;
        }
        let job = JobRow {
            id,
            due: at,
            attempt: RESTING,
            state: JobState::CrlRun { shard },
        };
        commit.guards.push((Read::Job(id), None));
        commit.writes.push(Write::Put(Row::Job(job)));
        commit
            .writes
            .push(Write::Put(Row::Due(DueRow { due: at, job: id })));
        let event = format!("CRL shard {} begun", shard.0);
        commit.audit.push(AuditEvent { at, event });
    }
    Ok((!commit.writes.is_empty()).then_some(commit))
}

/// What a revocation does to its shard's job, so that a CRL with it is made at once: the writes
/// of its commit, which must guard the row, and the job to spawn if nobody runs it.
///
/// A run that is under way keeps its lease. Its row is written as it stands, so that its commit
/// meets this one and the shard is run once more.
pub(crate) fn hasten(
    present: Option<&JobRow>,
    shard: Shard,
    at: Timestamp,
    lease: Duration,
) -> (Vec<Write>, Option<JobId>) {
    let due = at.after(lease);
    match present {
        Some(row) if row.attempt != RESTING && row.due > at => {
            (vec![Write::Put(Row::Job(row.clone()))], None)
        }
        Some(row) => {
            let attempt = row.attempt.saturating_add(1);
            let taken = JobRow {
                due,
                attempt,
                ..row.clone()
            };
            (move_due(row.due, &taken), Some(row.id))
        }
        None => {
            let id = job_id(shard);
            let born = JobRow {
                id,
                due,
                attempt: 1,
                state: JobState::CrlRun { shard },
            };
            (move_due(due, &born), Some(id))
        }
    }
}

/// The same for a revocation that a job makes, which spawns nothing: the shard's job is due at
/// once, or the run under way learns that it has to look again. BR §4.9.7: a new CRL "within
/// twenty-four (24) hours after recording a Certificate as revoked", however rare the regular ones
/// are. The commit must guard the row.
///
/// Where there is no row yet, [`bootstrap`] makes one that is due at once.
pub(crate) fn soon(present: Option<&JobRow>, at: Timestamp) -> Vec<Write> {
    match present {
        Some(row) if row.attempt != RESTING && row.due > at => {
            vec![Write::Put(Row::Job(row.clone()))]
        }
        Some(row) if row.due > at => {
            let hastened = JobRow {
                due: at,
                ..row.clone()
            };
            move_due(row.due, &hastened)
        }
        Some(_) | None => Vec::new(),
    }
}
