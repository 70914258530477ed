//! An issuance: under a durable intent, precertificate, SCTs, certificate.
//!
//! ```text
//! Loading ─▶ Signing(first) ─┬─────────────(no CT)──────────────┬─▶ Loading ─▶ Saving ─▶ Ended
//!    ▲                       └▶ Logging ─▶ Loading ─▶ Signing(final)┘
//!    └── a new intent, after a signature that may have been made by another ── Saving
//! ```
//! One signature per intent and artefact: whatever is not known for sure counts as signed, is
//! recorded and revoked in one commit, and the order goes on under a new serial. Every commit
//! guards the job's row, so a holder whose lease was taken changes nothing.

mod decision;
mod logging;
#[cfg(test)]
pub(super) mod tests;
mod under;

use std::sync::Arc;
use std::time::Duration;

use acme_types::{Misuse, Ticket, Tickets, Timestamp};

use super::ask::{once_step, read_step};
use super::{Awaited, Lease, STORE_PATIENCE, Step, Work};
use crate::config::{Config, JobArrival};
use crate::effect::{Outcome, Sign, Signed, Submitted};
use crate::issuance::lint::Stage;
use crate::schema::{
    Commit, Committed, IntentRow, JobRow, JobState, Loaded, OrderId, Read, Serial, Version, View,
};

use decision::{Next, Situation};
use logging::{Logging, Progress};
use under::Under;

/// How long a signature may take. Past it whether one was made isn't known.
const SIGN_PATIENCE: Duration = Duration::from_secs(20);
/// How often the rows are loaded again for one decision: for what turned out to be missing, and
/// after conflicts. Each conflict is somebody else's progress.
const ROUNDS_MAX: u8 = 12;

/// An issuance under a lease.
#[derive(Debug)]
pub(crate) struct IssuanceJob {
    config: Arc<Config>,
    arrival: JobArrival,
    lease: Lease,
    order: OrderId,
    serial: Serial,
    view: View,
    under: Option<Box<Under>>,
    pending: Option<JobRow>,
    rounds: u8,
    state: State,
}

#[derive(Debug)]
enum State {
    Loading {
        goal: Goal,
        reads: Vec<Read>,
        load: Awaited,
    },
    Signing {
        what: What,
        tbs: Vec<u8>,
        sign: Awaited,
    },
    Logging(Box<Logging>),
    Saving {
        commit: Commit,
        goal: Goal,
        save: Awaited,
    },
    Ended,
}

/// What the rows are loaded for.
#[derive(Clone, Debug)]
enum Goal {
    /// To begin, or to begin anew.
    Begin,
    /// To sign this final TBSCertificate.
    SignFinal(Artefacts),
    /// To store what was signed.
    Finish(Artefacts),
    /// To record what may have been signed.
    Presume(Artefacts),
    /// To record that nothing was signed; another attempt may succeed.
    Drop,
    /// To record that nothing was signed, nor ever will be.
    Fail,
}

/// What was made under an intent.
#[derive(Clone, Debug, Default)]
struct Artefacts {
    precertificate: Option<Vec<u8>>,
    /// The final TBSCertificate that is to be signed.
    tbs: Option<Vec<u8>>,
    certificate: Option<Vec<u8>>,
}

impl Artefacts {
    fn of(precertificate: Vec<u8>) -> Self {
        Self {
            precertificate: Some(precertificate),
            ..Self::default()
        }
    }
}

/// What is signed.
#[derive(Clone, Debug)]
enum What {
    /// The intent's TBSCertificate.
    First,
    /// The final one, after this precertificate.
    Final(Artefacts),
}

impl IssuanceJob {
    /// The issuance of this row. A row of another kind ends at once.
    pub(crate) fn new(config: Arc<Config>, arrival: JobArrival, lease: Lease) -> Self {
        let target = match lease.row.state {
            JobState::Issuance { order, serial } => Some((order, serial)),
            JobState::Validation { .. } | JobState::CrlRun { .. } => None,
        };
        let (order, serial) =
            target.unwrap_or((OrderId::from_bytes([0; 16]), Serial::new(&[0; 32])));
        let mut job = Self {
            config,
            arrival,
            lease,
            order,
            serial,
            view: View::new(),
            under: None,
            pending: None,
            rounds: 0,
            state: State::Ended,
        };
        if target.is_some() {
            job.state = job.loading(Goal::Begin);
        }
        job
    }

    /// All that was looked at so far, as it stands now.
    fn loading(&mut self, goal: Goal) -> State {
        let first = [
            Read::Job(self.lease.row.id),
            Read::Order(self.order),
            Read::Intent(self.serial),
            Read::Certificate(self.serial),
        ];
        let mut reads = std::mem::take(&mut self.view).reads();
        reads.extend(first);
        reads.sort_unstable();
        reads.dedup();
        State::Loading {
            goal,
            reads,
            load: Awaited::new(),
        }
    }

    fn loaded(&mut self, goal: Goal, loaded: Loaded, now: Timestamp) -> State {
        self.view.extend(loaded);
        self.adopt();
        self.decided(goal, now)
    }

    /// What is next, from what is known. The guards of the commit tell whether it is still so.
    fn decided(&mut self, goal: Goal, now: Timestamp) -> State {
        self.rounds = self.rounds.saturating_add(1);
        if self.rounds > ROUNDS_MAX {
            return State::Ended;
        }
        let provider = self.config.provider.as_ref();
        let attempt = self.lease.row.attempt;
        let random = self
            .arrival
            .entropy
            .expand(provider, "issuance serial", attempt);
        let situation = Situation {
            config: &self.config,
            lease: &self.lease,
            order: self.order,
            serial: self.serial,
            next_serial: Serial::new(&random),
            view: &self.view,
            now,
        };
        let (reads, load) = match situation.decide(&goal) {
            Err(missing) => (missing.0, Awaited::new()),
            Ok(Next::Sign(intent)) => return self.sign_first(*intent, now),
            Ok(Next::SignFinal) => return sign_final(goal),
            Ok(Next::Save(commit, restarted)) => {
                self.pending = restarted;
                let save = Awaited::new();
                return State::Saving { commit, goal, save };
            }
            Ok(Next::End) => return State::Ended,
        };
        State::Loading { goal, reads, load }
    }

    /// After a commit of unknown outcome: if the row is the one that this job wrote, it landed.
    fn adopt(&mut self) {
        let id = self.lease.row.id;
        let found = self.view.job(&id).ok().flatten();
        let Some(pending) = self.pending.take_if(|pending| found == Some(&*pending)) else {
            return;
        };
        if let Some(version) = self.view.version(&Read::Job(id)) {
            self.go_on(pending, version);
        }
    }

    /// Goes on under a new intent.
    fn go_on(&mut self, row: JobRow, version: Version) {
        if let JobState::Issuance { serial, .. } = row.state {
            self.serial = serial;
        }
        self.under = None;
        self.lease = Lease {
            row,
            version,
            taken_over: false,
        };
    }

    fn sign_first(&mut self, row: IntentRow, now: Timestamp) -> State {
        self.under = Under::new(row).map(Box::new);
        let tbs = self
            .under
            .as_ref()
            .and_then(|under| under.first_tbs(&self.config, now));
        match tbs {
            Some(tbs) => {
                let (what, sign) = (What::First, Awaited::new());
                State::Signing { what, tbs, sign }
            }
            None => self.decided(Goal::Fail, now),
        }
    }

    fn signed(&mut self, what: What, tbs: &[u8], signed: Signed, now: Timestamp) -> State {
        let signature = match (signed, &what) {
            (Signed::Signature(signature), _) => signature,
            (Signed::NotSigned, What::First) => return self.decided(Goal::Drop, now),
            (Signed::NotSigned | Signed::Unknown, _) => return self.presume(what, now),
        };
        let made = self.under.as_ref().and_then(|under| {
            let stage = match what {
                What::First => under.first_stage(&self.config)?,
                What::Final(_) => Stage::Final,
            };
            Some((
                under.certificate(&self.config, stage, tbs, &signature, now)?,
                stage,
            ))
        });
        let artefacts = match (made, what) {
            (None, what) => return self.presume(what, now),
            (Some((der, Stage::Precertificate)), _) => return self.submit(der, now),
            (Some((der, _)), What::First) => Artefacts {
                certificate: Some(der),
                ..Artefacts::default()
            },
            (Some((der, _)), What::Final(artefacts)) => Artefacts {
                certificate: Some(der),
                ..artefacts
            },
        };
        self.decided(Goal::Finish(artefacts), now)
    }

    fn presume(&mut self, what: What, now: Timestamp) -> State {
        let artefacts = match what {
            What::First => Artefacts::default(),
            What::Final(artefacts) => artefacts,
        };
        self.decided(Goal::Presume(artefacts), now)
    }

    fn submit(&mut self, precertificate: Vec<u8>, now: Timestamp) -> State {
        let logging = self.under.as_ref().and_then(|under| {
            let template = under.template(&self.config)?;
            Logging::new(&self.config, &template, &precertificate, now)
        });
        match logging {
            Some(logging) => State::Logging(Box::new(logging)),
            None => self.decided(Goal::Presume(Artefacts::of(precertificate)), now),
        }
    }

    /// Looks at what the logs have answered.
    fn logged(&mut self, logging: Box<Logging>, now: Timestamp) -> State {
        let scts = match logging.progress(&self.config, now) {
            Progress::Waiting => return State::Logging(logging),
            Progress::Failed => Vec::new(),
            Progress::Enough(scts) => scts,
        };
        let artefacts = Artefacts::of(logging.precertificate().to_vec());
        let under = self.under.as_ref();
        match under.and_then(|under| under.final_tbs(&self.config, &scts, now)) {
            // The logs took their time: whether the order may still be issued for is looked at
            // again before the final signature, and not only at the guards of the commit.
            Some(tbs) => self.loading(Goal::SignFinal(Artefacts {
                tbs: Some(tbs),
                ..artefacts
            })),
            None => self.decided(Goal::Presume(artefacts), now),
        }
    }

    fn saved(&mut self, goal: Goal, committed: Committed) -> State {
        match committed {
            Committed::Done(version) => match self.pending.take() {
                Some(row) => {
                    self.go_on(row, version);
                    self.rounds = 0;
                    self.view = View::new();
                    self.loading(Goal::Begin)
                }
                None => State::Ended,
            },
            // Load and decide again; the guards tell whether a commit of unknown outcome landed,
            // or make it impossible that two of them do.
            Committed::Conflict | Committed::Unknown => self.loading(goal),
            Committed::Exceeded(_) => State::Ended,
        }
    }

    /// What the time alone decides.
    fn expire(&mut self, now: Timestamp) {
        if now >= self.lease.row.due {
            self.state = State::Ended;
            return;
        }
        let state = std::mem::replace(&mut self.state, State::Ended);
        self.state = match state {
            State::Signing { what, sign, .. } if sign.is_overdue(now) => self.presume(what, now),
            State::Saving { goal, save, .. } if save.is_overdue(now) => self.loading(goal),
            State::Logging(mut logging) => {
                logging.expire(now);
                self.logged(logging, now)
            }
            state => state,
        };
    }
}

/// Signs the final certificate.
fn sign_final(goal: Goal) -> State {
    let Goal::SignFinal(artefacts) = goal else {
        return State::Ended;
    };
    let Some(tbs) = artefacts.tbs.clone() else {
        return State::Ended;
    };
    let (what, sign) = (What::Final(artefacts), Awaited::new());
    State::Signing { what, tbs, sign }
}

impl Work for IssuanceJob {
    fn poll(&mut self, now: Timestamp, tickets: &mut Tickets) -> Step {
        self.expire(now);
        let issuer = self
            .under
            .as_ref()
            .and_then(|under| under.issuer(&self.config));
        let signer = issuer.map(|issuer| (issuer.name().to_owned(), issuer.algorithm()));
        let step = match &mut self.state {
            State::Loading { reads, load, .. } => read_step(load, tickets, now, |ticket| {
                Step::Load(reads.clone(), ticket)
            }),
            State::Signing { tbs, sign, .. } => signer.map(|(name, algorithm)| {
                let until = now.after(SIGN_PATIENCE);
                let step = |ticket: Ticket<Sign>| Step::Sign(name, algorithm, tbs.clone(), ticket);
                once_step(sign, tickets, now, until, step)
            }),
            State::Logging(logging) => Some(logging.poll(&self.config, now, tickets)),
            State::Saving { commit, save, .. } => {
                let until = now.after(STORE_PATIENCE);
                let step = |ticket| Step::Commit(commit.clone(), ticket);
                Some(once_step(save, tickets, now, until, step))
            }
            State::Ended => None,
        };
        match step {
            // Somebody may take the job then; nothing is to be done here after it.
            Some(Step::Wait(until)) => Step::Wait(until.min(self.lease.row.due)),
            Some(step) => step,
            None => {
                self.state = State::Ended;
                Step::Wait(Timestamp::NEVER)
            }
        }
    }

    fn accept(&mut self, number: u64, outcome: Outcome, now: Timestamp) -> Result<(), Misuse> {
        match (&mut self.state, &outcome) {
            (State::Loading { load, .. }, Outcome::Load(_)) => load.settle(number)?,
            (State::Signing { sign, .. }, Outcome::Sign(_)) => sign.settle(number)?,
            (State::Logging(logging), Outcome::Submit(_)) => logging.settle(number)?,
            (State::Saving { save, .. }, Outcome::Save(_)) => save.settle(number)?,
            (State::Ended, _) => return Err(Misuse::NotAwaited),
            _ => return Err(Misuse::WrongKind),
        }
        let state = std::mem::replace(&mut self.state, State::Ended);
        self.state = match (state, outcome) {
            (State::Loading { goal, .. }, Outcome::Load(Ok(loaded))) => {
                self.loaded(goal, loaded, now)
            }
            (State::Signing { what, tbs, .. }, Outcome::Sign(signed)) => {
                self.signed(what, &tbs, signed, now)
            }
            (State::Logging(mut logging), Outcome::Submit(submitted)) => {
                self.submitted(&mut logging, number, submitted, now);
                self.logged(logging, now)
            }
            (State::Saving { goal, .. }, Outcome::Save(committed)) => self.saved(goal, committed),
            // The store was unavailable: asked for again by `poll`, a bounded number of times.
            (state, _) => state,
        };
        Ok(())
    }
}

impl IssuanceJob {
    /// A log has answered: an SCT counts if it verifies over what was sent.
    fn submitted(&self, logging: &mut Logging, number: u64, answer: Submitted, now: Timestamp) {
        let config = &self.config;
        let Some(under) = &self.under else {
            return;
        };
        if let Some(template) = under.template(config) {
            logging.answer(config, &template, under.row(), number, answer, now);
        }
    }
}
