//! A CRL run: a shard's revocations become its next CRL (RFC 5280 §5, BR §4.9.7).
//!
//! ```text
//! Loading ─▶ Scanning ⇄ Fetching ─▶ Signing ─▶ Saving ─▶ Ended
//!    └───────────┴──────────┴──(can't be made now)─▶ Saving (due again soon) ─▶ Ended
//! ```
//! One job row per shard, for ever. A resting row has attempt 0; who runs has another number and
//! a `due` of its own. A revocation writes the row of a run that is under way without changing
//! it, so that the run's commit conflicts: the run then looks again at the row alone, commits what
//! it has, and leaves the row due at once. Many revocations delay a CRL by one run, never more.

mod contents;
mod made;
mod schedule;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use acme_types::{Misuse, Tickets, Timestamp};

use super::ask::{once_step, read_step};
use super::{Awaited, Lease, STORE_PATIENCE, STORE_TRIES_MAX, Step, Work, move_due};
use crate::config::{Config, JobArrival};
use crate::effect::{Outcome, Signed};
use crate::schema::{
    AuditEvent, Commit, Committed, CrlShardRow, JobRow, JobState, Loaded, Read, Row, Scan, Serial,
    Shard, Version, View,
};

use contents::Contents;
use made::{Crl, Made};
pub use schedule::{bootstrap, bootstrap_reads, job_id};
pub(crate) use schedule::{hasten, soon};

/// How many revocations are loaded at once: a page of some 40 kB.
const PAGE: usize = 500;
/// How long a signature may take. Past it none counts: the next run asks for another.
const SIGN_PATIENCE: Duration = Duration::from_secs(30);
/// How often a commit may meet a revocation: each time only the job's row is looked at again, and
/// many revocations at once are just when a CRL is wanted. The lease ends it as well.
const CONFLICTS_MAX: u8 = 200;
/// When a run that failed is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// A CRL run under a lease.
#[derive(Debug)]
pub(crate) struct CrlRunJob {
    config: Arc<Config>,
    row: JobRow,
    version: Version,
    shard: Shard,
    previous: Option<(Version, CrlShardRow)>,
    /// Commits of unknown outcome.
    tries: u8,
    conflicts: u8,
    state: State,
}

#[derive(Debug)]
enum State {
    Loading {
        load: Awaited,
        then: Then,
    },
    Scanning {
        contents: Contents,
        after: Option<Serial>,
        scan: Awaited,
    },
    Fetching {
        contents: Contents,
        keys: Vec<Read>,
        load: Awaited,
    },
    Signing {
        made: Made,
        sign: Awaited,
    },
    Saving {
        commit: Commit,
        goal: Goal,
        save: Awaited,
    },
    Spawning(Version),
    Ended,
}

/// What the job and shard rows are loaded for.
#[derive(Clone, Debug)]
enum Then {
    Run,
    Commit(Goal),
}

/// What is to be committed.
#[derive(Clone, Debug)]
enum Goal {
    /// This CRL. `again`: a revocation came while it was made.
    Publish { crl: Box<Crl>, again: bool },
    /// Nothing but the row's next `due`, and why.
    Postpone { until: Timestamp, why: &'static str },
}

impl CrlRunJob {
    /// The run of this row. A row of another kind ends at once.
    pub(crate) fn new(config: Arc<Config>, _: JobArrival, lease: Lease) -> Self {
        let (shard, state) = match lease.row.state {
            JobState::CrlRun { shard } => (
                shard,
                State::Loading {
                    load: Awaited::new(),
                    then: Then::Run,
                },
            ),
            JobState::Validation { .. } | JobState::Issuance { .. } => (Shard(0), State::Ended),
        };
        let Lease {
            row,
            version,
            taken_over: _,
        } = lease;
        Self {
            config,
            row,
            version,
            shard,
            previous: None,
            tries: 0,
            conflicts: 0,
            state,
        }
    }

    /// The rows that guard the run's commit.
    fn reads(&self) -> Vec<Read> {
        vec![Read::Job(self.row.id), Read::CrlShard(self.shard)]
    }

    fn loaded(&mut self, then: Then, loaded: Loaded, now: Timestamp) -> State {
        let mut view = View::new();
        view.extend(loaded);
        let shard = match view.crl_shard(self.shard) {
            Ok(found) => found.cloned(),
            Err(_) => return State::Ended,
        };
        let shard_version = view.version(&Read::CrlShard(self.shard));
        let (Ok(Some(row)), Some(version)) = (
            view.job(&self.row.id),
            view.version(&Read::Job(self.row.id)),
        ) else {
            return State::Ended;
        };
        // Ours as long as nobody took it: a taker moves both.
        if row.due != self.row.due || row.attempt != self.row.attempt {
            return State::Ended;
        }
        let touched = version != self.version;
        self.version = version;
        self.previous = shard_version.zip(shard);
        match then {
            Then::Run => match Contents::new(self.previous.as_ref().map(|(_, row)| row)) {
                Ok(contents) => scanning(contents, None),
                Err(why) => self.postpone(why, now),
            },
            Then::Commit(Goal::Publish { crl, again }) => {
                let again = again || touched;
                self.saving(Goal::Publish { crl, again }, now)
            }
            Then::Commit(goal @ Goal::Postpone { .. }) => self.saving(goal, now),
        }
    }

    fn scanned(&mut self, contents: Contents, keys: Vec<Read>, now: Timestamp) -> State {
        let own = |key: &Read| matches!(key, Read::Revocation(shard, _) if *shard == self.shard);
        if !keys.iter().all(own) {
            return self.postpone("the store's scan found what was not asked for", now);
        }
        if keys.is_empty() {
            return self.make(contents, now);
        }
        State::Fetching {
            contents,
            keys,
            load: Awaited::new(),
        }
    }

    fn fetched(
        &mut self,
        mut contents: Contents,
        keys: &[Read],
        loaded: Loaded,
        now: Timestamp,
    ) -> State {
        for (_, row) in loaded.0 {
            // Absent: dropped by another run since the scan, which then fences this one off.
            if let Some((_, Row::Revocation(row))) = row
                && let Err(why) = contents.add(&row)
            {
                return self.postpone(why, now);
            }
        }
        match keys.last() {
            Some(Read::Revocation(_, last)) if keys.len() >= PAGE => {
                scanning(contents, Some(*last))
            }
            _ => self.make(contents, now),
        }
    }

    fn make(&mut self, contents: Contents, now: Timestamp) -> State {
        let previous = self.previous.as_ref().map(|(_, row)| row);
        match Made::draft(&self.config, self.shard, previous, contents, now) {
            Ok(made) => State::Signing {
                made,
                sign: Awaited::new(),
            },
            Err(why) => self.postpone(why, now),
        }
    }

    fn signed(&mut self, made: Made, signed: Signed, now: Timestamp) -> State {
        match made.signed(&self.config, signed) {
            Ok(crl) => self.saving(
                Goal::Publish {
                    crl: Box::new(crl),
                    again: false,
                },
                now,
            ),
            Err(why) => self.postpone(why, now),
        }
    }

    fn postpone(&mut self, why: &'static str, now: Timestamp) -> State {
        self.saving(
            Goal::Postpone {
                until: now.after(RETRY),
                why,
            },
            now,
        )
    }

    fn saving(&self, goal: Goal, now: Timestamp) -> State {
        let next = now.after(self.config.authority.crl().interval());
        let (due, mut writes, event) = match &goal {
            Goal::Publish { crl, again } => {
                let due = if *again { now } else { next };
                (due, crl.writes(), crl.to_string())
            }
            Goal::Postpone { until, why } => (*until, Vec::new(), format!("not made: {why}")),
        };
        let event = format!("CRL of shard {} {event}", self.shard.0);
        let resting = JobRow {
            due,
            attempt: schedule::RESTING,
            ..self.row.clone()
        };
        writes.extend(move_due(self.row.due, &resting));
        let shard = Read::CrlShard(self.shard);
        let mut guards = vec![(Read::Job(self.row.id), Some(self.version))];
        match &self.previous {
            Some((version, _)) => guards.push((shard, Some(*version))),
            None if matches!(goal, Goal::Publish { .. }) => guards.push((shard, None)),
            None => {}
        }
        let audit = vec![AuditEvent { at: now, event }];
        let commit = Commit {
            guards,
            writes,
            spends: Vec::new(),
            audit,
        };
        State::Saving {
            commit,
            goal,
            save: Awaited::new(),
        }
    }

    fn saved(&mut self, goal: Goal, committed: Committed) -> State {
        match committed {
            Committed::Done(version) => match goal {
                Goal::Publish { again: true, .. } => State::Spawning(version),
                Goal::Publish { .. } | Goal::Postpone { .. } => State::Ended,
            },
            // After an unknown outcome the row tells: if this commit landed, the row is resting
            // and no longer ours.
            Committed::Unknown => self.again(goal),
            Committed::Conflict if self.conflicts < CONFLICTS_MAX => {
                self.conflicts = self.conflicts.saturating_add(1);
                look_again(goal)
            }
            Committed::Conflict | Committed::Exceeded(_) => State::Ended,
        }
    }

    fn again(&mut self, goal: Goal) -> State {
        self.tries = self.tries.saturating_add(1);
        if self.tries > STORE_TRIES_MAX {
            // The row is due again when the lease is over.
            return State::Ended;
        }
        look_again(goal)
    }
}

/// Whether the row is still this run's, and was touched.
fn look_again(goal: Goal) -> State {
    State::Loading {
        load: Awaited::new(),
        then: Then::Commit(goal),
    }
}

fn scanning(contents: Contents, after: Option<Serial>) -> State {
    State::Scanning {
        contents,
        after,
        scan: Awaited::new(),
    }
}

impl CrlRunJob {
    /// What the time alone decides.
    fn expire(&mut self, now: Timestamp) {
        match &self.state {
            // What is made after the lease is over is thrown away; nothing more is asked for.
            _ if now >= self.row.due => self.state = State::Ended,
            State::Signing { sign, .. } if sign.is_overdue(now) => {
                self.state = self.postpone("the signer did not answer", now);
            }
            State::Saving { save, goal, .. } if save.is_overdue(now) => {
                let goal = goal.clone();
                self.state = self.again(goal);
            }
            _ => {}
        }
    }
}

impl Work for CrlRunJob {
    fn poll(&mut self, now: Timestamp, tickets: &mut Tickets) -> Step {
        self.expire(now);
        let reads = self.reads();
        let step = match &mut self.state {
            State::Loading { load, .. } => {
                read_step(load, tickets, now, |ticket| Step::Load(reads, ticket))
            }
            State::Scanning { after, scan, .. } => {
                let what = Scan::Revocations {
                    shard: self.shard,
                    after: *after,
                    limit: PAGE,
                };
                read_step(scan, tickets, now, |ticket| Step::Scan(what, ticket))
            }
            State::Fetching { keys, load, .. } => read_step(load, tickets, now, |ticket| {
                Step::Load(keys.clone(), ticket)
            }),
            State::Signing { made, sign } => {
                let until = now.after(SIGN_PATIENCE);
                Some(once_step(sign, tickets, now, until, |ticket| {
                    made.sign(ticket)
                }))
            }
            State::Saving { commit, save, .. } => {
                let until = now.after(STORE_PATIENCE);
                let step = |ticket| Step::Commit(commit.clone(), ticket);
                Some(once_step(save, tickets, now, until, step))
            }
            State::Spawning(version) => {
                let step = Step::Spawn(self.row.id, *version);
                self.state = State::Ended;
                return step;
            }
            State::Ended => None,
        };
        step.unwrap_or_else(|| {
            self.state = State::Ended;
            Step::Wait(Timestamp::NEVER)
        })
    }

    fn accept(&mut self, number: u64, outcome: Outcome, now: Timestamp) -> Result<(), Misuse> {
        match (&mut self.state, &outcome) {
            (State::Loading { load, .. }, Outcome::Load(_))
            | (State::Fetching { load, .. }, Outcome::Load(_)) => load.settle(number)?,
            (State::Scanning { scan, .. }, Outcome::Scan(_)) => scan.settle(number)?,
            (State::Signing { sign, .. }, Outcome::Sign(_)) => sign.settle(number)?,
            (State::Saving { save, .. }, Outcome::Save(_)) => save.settle(number)?,
            (State::Spawning(_) | State::Ended, _) => return Err(Misuse::NotAwaited),
            _ => return Err(Misuse::WrongKind),
        }
        let state = std::mem::replace(&mut self.state, State::Ended);
        self.state = match (state, outcome) {
            (State::Loading { then, .. }, Outcome::Load(Ok(loaded))) => {
                self.loaded(then, loaded, now)
            }
            (State::Scanning { contents, .. }, Outcome::Scan(Ok(keys))) => {
                self.scanned(contents, keys, now)
            }
            (State::Fetching { contents, keys, .. }, Outcome::Load(Ok(loaded))) => {
                self.fetched(contents, &keys, loaded, now)
            }
            (State::Signing { made, .. }, Outcome::Sign(signed)) => self.signed(made, signed, now),
            (State::Saving { goal, .. }, Outcome::Save(committed)) => self.saved(goal, committed),
            // The store was unavailable: asked for again by `poll`, a bounded number of times.
            (state, _) => state,
        };
        Ok(())
    }
}
