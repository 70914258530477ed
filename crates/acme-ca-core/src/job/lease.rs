//! Every job is this machine first: load the row, hold the lease, then do the work.
//!
//! ```text
//! born ─▶ Loading ──(version as spawned, lease running)──────────────▶ Working ─▶ Ended
//! due  ─▶ Loading ──(due)─▶ Taking ──(committed: due and attempt moved)─┘
//!            └──────────────────┴──(gone, taken, not due, store down)──────────▶ Ended
//! ```
//! A job that ends here without having finished loses nothing: its row stays, and is due when the
//! lease is over.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use acme_types::{Answer, Effect, Misuse, Ticket, Tickets, Timestamp};

use super::{
    Awaited, CrlRunJob, IssuanceJob, STORE_PATIENCE, STORE_TRIES_MAX, Step, ValidationJob,
};
use crate::config::{Config, JobArrival};
use crate::effect::{Outcome, Unavailable};
use crate::schema::{
    Commit, Committed, DueRow, JobId, JobRow, JobState, Loaded, Read, Row, Version, View, Write,
};

/// A job: a machine over a job row.
#[derive(Debug)]
pub struct Job {
    config: Arc<Config>,
    arrival: JobArrival,
    id: JobId,
    tickets: Tickets,
    state: State,
}

/// A job row that is held: until `row.due` nobody else may take it, and no commit that guards
/// `version` succeeds once somebody has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Lease {
    /// The row as it stands.
    pub(crate) row: JobRow,
    /// Its version: the fencing token.
    pub(crate) version: Version,
    /// Whether an earlier attempt was begun, here or elsewhere, that may have had effects.
    pub(crate) taken_over: bool,
}

/// What is done under a lease. [`Job`] owns the tickets and has checked an answer's.
pub(crate) trait Work: fmt::Debug + Send + Sync {
    /// As every machine's. [`Timestamp::NEVER`]: the work has ended.
    fn poll(&mut self, now: Timestamp, tickets: &mut Tickets) -> Step;
    /// The outcome of the effect whose ticket had this number.
    fn accept(&mut self, number: u64, outcome: Outcome, now: Timestamp) -> Result<(), Misuse>;
}

#[derive(Debug)]
enum State {
    Loading {
        spawned: Option<Version>,
        load: Awaited,
    },
    Taking {
        taken: JobRow,
        commit: Commit,
        save: Awaited,
    },
    Working(Box<dyn Work>),
    Ended,
}

/// How long a job of this kind is held.
pub(crate) fn lease_of(config: &Config, _state: &JobState) -> Duration {
    config.policy.validation.lease
}

impl Job {
    /// The job that a commit of this node gave birth to, under the version that the commit made.
    /// If its row has another version, somebody took it, and the job ends.
    pub fn born(config: Arc<Config>, arrival: JobArrival, id: JobId, version: Version) -> Self {
        Self::new(config, arrival, id, Some(version))
    }

    /// A job that a scan found due. If it is no longer, the job ends.
    pub fn due(config: Arc<Config>, arrival: JobArrival, id: JobId) -> Self {
        Self::new(config, arrival, id, None)
    }

    fn new(config: Arc<Config>, arrival: JobArrival, id: JobId, spawned: Option<Version>) -> Self {
        let tickets = Tickets::new(arrival.ticket_seed);
        let state = State::Loading {
            spawned,
            load: Awaited::new(),
        };
        Self {
            config,
            arrival,
            id,
            tickets,
            state,
        }
    }

    /// Which job.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// What to do next. `Step::Wait(Timestamp::NEVER)`: the job has ended here.
    pub fn poll(&mut self, now: Timestamp) -> Step {
        let patience = now.after(STORE_PATIENCE);
        match &mut self.state {
            State::Loading { load, .. } => {
                if load.is_overdue(now) {
                    load.give_up();
                }
                if load.until().is_none() && load.asked() >= STORE_TRIES_MAX {
                    self.state = State::Ended;
                    return Step::Wait(Timestamp::NEVER);
                }
                match load.ask(&mut self.tickets, patience) {
                    Some(ticket) => Step::Load(vec![Read::Job(self.id)], ticket),
                    None => Step::Wait(load.until().unwrap_or(now)),
                }
            }
            State::Taking { commit, save, .. } => {
                if save.is_overdue(now) {
                    self.state = State::Ended;
                    return Step::Wait(Timestamp::NEVER);
                }
                match save.ask(&mut self.tickets, patience) {
                    Some(ticket) => Step::Commit(commit.clone(), ticket),
                    None => Step::Wait(save.until().unwrap_or(now)),
                }
            }
            State::Working(work) => work.poll(now, &mut self.tickets),
            State::Ended => Step::Wait(Timestamp::NEVER),
        }
    }

    /// The outcome of one effect.
    ///
    /// # Errors
    /// [`Misuse`] for a ticket that isn't this job's, or is no longer awaited; nothing changed.
    pub fn answer<K>(
        &mut self,
        ticket: Ticket<K>,
        outcome: K::Outcome,
        now: Timestamp,
    ) -> Result<(), Misuse>
    where
        K: Effect<Erased = Outcome>,
    {
        self.accept(ticket.with(outcome), now)
    }

    /// The same with the kind erased.
    ///
    /// # Errors
    /// As [`Job::answer`].
    pub fn accept(&mut self, answer: Answer<Outcome>, now: Timestamp) -> Result<(), Misuse> {
        let (id, outcome) = answer.into_parts();
        let number = self.tickets.number(id)?;
        let next = match (&mut self.state, outcome) {
            (State::Loading { spawned, load }, Outcome::Load(loaded)) => {
                load.settle(number)?;
                let spawned = *spawned;
                match loaded {
                    Ok(loaded) => self.loaded(spawned, loaded, now),
                    // Asked for again by `poll`, up to STORE_TRIES_MAX times.
                    Err(Unavailable) => return Ok(()),
                }
            }
            (State::Taking { save, taken, .. }, Outcome::Save(committed)) => {
                save.settle(number)?;
                match committed {
                    Committed::Done(version) => {
                        let row = taken.clone();
                        self.work(row, version, true)
                    }
                    // Taken by another, or perhaps by us: either way it is due again when that
                    // lease is over. To go on without certainty would be two holders.
                    Committed::Conflict | Committed::Exceeded(_) | Committed::Unknown => {
                        State::Ended
                    }
                }
            }
            (State::Working(work), outcome) => return work.accept(number, outcome, now),
            (State::Ended, _) => return Err(Misuse::NotAwaited),
            (State::Loading { .. } | State::Taking { .. }, _) => return Err(Misuse::WrongKind),
        };
        self.state = next;
        Ok(())
    }

    fn loaded(&self, spawned: Option<Version>, loaded: Loaded, now: Timestamp) -> State {
        let mut view = View::new();
        view.extend(loaded);
        let read = Read::Job(self.id);
        let (Ok(Some(row)), Some(version)) = (view.job(&self.id), view.version(&read)) else {
            return State::Ended;
        };
        let lease_runs = now < row.due;
        match spawned {
            Some(spawned) if spawned != version => State::Ended,
            Some(_) if lease_runs => self.work(row.clone(), version, row.attempt > 1),
            None if lease_runs => State::Ended,
            Some(_) | None => self.take(&view, row, now),
        }
    }

    fn take(&self, view: &View, row: &JobRow, now: Timestamp) -> State {
        let due = now.after(lease_of(&self.config, &row.state));
        let attempt = row.attempt.saturating_add(1);
        let taken = JobRow {
            due,
            attempt,
            ..row.clone()
        };
        let writes = move_due(row.due, &taken);
        let commit = Commit::new(view, writes);
        State::Taking {
            taken,
            commit,
            save: Awaited::new(),
        }
    }

    fn work(&self, row: JobRow, version: Version, taken_over: bool) -> State {
        let (config, arrival) = (Arc::clone(&self.config), self.arrival.clone());
        let state = row.state.clone();
        let lease = Lease {
            row,
            version,
            taken_over,
        };
        State::Working(match state {
            JobState::Validation { .. } => Box::new(ValidationJob::new(config, arrival, lease)),
            JobState::Issuance { .. } => Box::new(IssuanceJob::new(config, arrival, lease)),
            JobState::CrlRun { .. } => Box::new(CrlRunJob::new(config, arrival, lease)),
        })
    }
}

/// The writes that put a job's row in the place of the one that was due at `before`.
pub(crate) fn move_due(before: Timestamp, job: &JobRow) -> Vec<Write> {
    let mut writes = vec![
        Write::Put(Row::Job(job.clone())),
        Write::Put(Row::Due(DueRow {
            due: job.due,
            job: job.id,
        })),
    ];
    if before != job.due {
        writes.push(Write::Delete(Read::Due(before, job.id)));
    }
    writes
}

/// The writes that end a job for good.
pub(crate) fn delete(job: &JobRow) -> Vec<Write> {
    vec![
        Write::Delete(Read::Job(job.id)),
        Write::Delete(Read::Due(job.due, job.id)),
    ]
}
