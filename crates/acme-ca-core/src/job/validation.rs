//! A validation: every perspective looks, the outcome is corroborated, the verdict is committed.
//!
//! ```text
//! Loading(Begin) ─▶ Asking ─▶ Loading(Settle) ─▶ Saving ─▶ Ended
//!       └─(nothing to validate any more)──────────▶┘
//! ```
//! What the perspectives found stays with the job over conflicts and unknown outcomes; what it
//! means is decided anew from the rows each time. Every commit guards the job's row, so a holder
//! whose lease was taken changes nothing.

mod asking;
mod decision;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use acme_types::{ChallengeType, Misuse, Tickets, Timestamp};

use self::asking::{Asking, Found};
use self::decision::{Next, Situation};
use super::ask::{once_step, read_step};
use super::{Awaited, Lease, STORE_PATIENCE, Step, Work};
use crate::config::{Config, JobArrival};
use crate::effect::Outcome;
use crate::schema::{AuthorizationId, Commit, Committed, JobState, Loaded, Read, View};

/// How often the rows are loaded for one decision: for what turned out to be missing, and after
/// conflicts. Each conflict is somebody else's progress.
const ROUNDS_MAX: u8 = 12;

/// A validation under a lease.
#[derive(Debug)]
pub(crate) struct ValidationJob {
    config: Arc<Config>,
    arrival: JobArrival,
    lease: Lease,
    subject: Option<Subject>,
    rounds: u8,
    state: State,
}

/// What is validated.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Subject {
    authorization: AuthorizationId,
    method: ChallengeType,
}

#[derive(Debug)]
enum State {
    Loading {
        goal: Goal,
        view: View,
        reads: Vec<Read>,
        load: Awaited,
    },
    Asking(Box<Asking>),
    Saving {
        goal: Goal,
        commit: Commit,
        save: Awaited,
    },
    Ended,
}

/// What the rows are loaded for.
#[derive(Clone, Debug)]
enum Goal {
    /// To find out what is to be validated.
    Begin,
    /// To commit what was found.
    Settle(Box<Found>),
}

impl ValidationJob {
    /// The validation of this row. A row of another kind ends at once.
    pub(crate) fn new(config: Arc<Config>, arrival: JobArrival, lease: Lease) -> Self {
        let subject = match &lease.row.state {
            JobState::Validation {
                authorization,
                challenge,
            } => Some(Subject {
                authorization: *authorization,
                method: challenge.clone(),
            }),
            JobState::Issuance { .. } | JobState::CrlRun { .. } => None,
        };
        let mut job = Self {
            config,
            arrival,
            lease,
            subject,
            rounds: 0,
            state: State::Ended,
        };
        job.reload(Goal::Begin);
        job
    }

    /// Loads the rows, all anew.
    fn reload(&mut self, goal: Goal) {
        self.state = match &self.subject {
            Some(subject) if self.rounds < ROUNDS_MAX => {
                let reads = vec![
                    Read::Job(self.lease.row.id),
                    Read::Authorization(subject.authorization),
                ];
                State::Loading {
                    goal,
                    view: View::new(),
                    reads,
                    load: Awaited::new(),
                }
            }
            // The row stays, and is due when the lease is over.
            Some(_) | None => State::Ended,
        };
    }

    fn loaded(&mut self, goal: Goal, mut view: View, loaded: Loaded, now: Timestamp) {
        self.rounds = self.rounds.saturating_add(1);
        view.extend(loaded);
        let Some(subject) = &self.subject else {
            self.state = State::Ended;
            return;
        };
        let situation = Situation {
            config: &self.config,
            arrival: &self.arrival,
            lease: &self.lease,
            authorization: subject.authorization,
            method: &subject.method,
            view: &view,
            now,
        };
        let decided = match &goal {
            Goal::Begin => situation.begin(),
            Goal::Settle(found) => situation.settle(found),
        };
        self.state = match decided {
            Ok(Next::Ask(question)) => {
                let asking = Asking::new(&self.config.policy.validation, *question, now);
                State::Asking(Box::new(asking))
            }
            Ok(Next::Save(commit)) => State::Saving {
                goal,
                commit,
                save: Awaited::new(),
            },
            Ok(Next::End) => State::Ended,
            Err(missing) if self.rounds < ROUNDS_MAX => State::Loading {
                goal,
                view,
                reads: missing.0,
                load: Awaited::new(),
            },
            Err(_) => State::Ended,
        };
    }

    /// The asking is over, if it is.
    fn settle(&mut self, now: Timestamp) {
        if let State::Asking(asking) = &self.state
            && let Some(found) = asking.found(&self.config.policy.validation, now)
        {
            self.reload(Goal::Settle(Box::new(found)));
        }
    }
}

impl Work for ValidationJob {
    fn poll(&mut self, now: Timestamp, tickets: &mut Tickets) -> Step {
        self.settle(now);
        if let State::Saving { goal, save, .. } = &self.state
            && save.is_overdue(now)
        {
            // It may be durable, or become so: the rows say which.
            let goal = goal.clone();
            self.reload(goal);
        }
        let step = match &mut self.state {
            State::Loading { reads, load, .. } => read_step(load, tickets, now, |ticket| {
                Step::Load(reads.clone(), ticket)
            }),
            State::Asking(asking) => Some(asking.poll(tickets)),
            State::Saving { commit, save, .. } => {
                let until = now.after(STORE_PATIENCE);
                let step = |ticket| Step::Commit(commit.clone(), ticket);
                Some(once_step(save, tickets, now, until, step))
            }
            State::Ended => None,
        };
        step.unwrap_or_else(|| {
            self.state = State::Ended;
            Step::Wait(Timestamp::NEVER)
        })
    }

    fn accept(&mut self, number: u64, outcome: Outcome, now: Timestamp) -> Result<(), Misuse> {
        match (&mut self.state, outcome) {
            (
                State::Loading {
                    goal, view, load, ..
                },
                Outcome::Load(loaded),
            ) => {
                load.settle(number)?;
                // Unavailable: asked for again by `poll`, a bounded number of times.
                if let Ok(loaded) = loaded {
                    let (goal, view) = (goal.clone(), std::mem::take(view));
                    self.loaded(goal, view, loaded, now);
                }
            }
            (State::Asking(asking), Outcome::Perspective(answer)) => {
                asking.accept(&self.config.policy.validation, number, answer.ok(), now)?;
                self.settle(now);
            }
            (State::Saving { goal, save, .. }, Outcome::Save(committed)) => {
                save.settle(number)?;
                match committed {
                    Committed::Done(_) => self.state = State::Ended,
                    Committed::Conflict | Committed::Exceeded(_) | Committed::Unknown => {
                        let goal = goal.clone();
                        self.reload(goal);
                    }
                }
            }
            (State::Ended, _) => return Err(Misuse::NotAwaited),
            (State::Loading { load: awaited, .. } | State::Saving { save: awaited, .. }, _) => {
                return Err(stray(awaited.awaits(number)));
            }
            (State::Asking(asking), _) => return Err(stray(asking.awaits(number))),
        }
        Ok(())
    }
}

/// An outcome of another kind than the state waits for: wrong for the effect that is out, or the
/// late answer to another.
fn stray(is_awaited: bool) -> Misuse {
    if is_awaited {
        Misuse::WrongKind
    } else {
        Misuse::NotAwaited
    }
}
