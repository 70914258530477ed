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

use std::sync::Arc;
use std::time::Duration;

use acme_crypto::PublicKey;
use acme_types::{Misuse, Ticket, Tickets, Timestamp};

use super::ask::{once_step, read_step};
use super::{Awaited, Lease, STORE_PATIENCE, Step, Work};
use crate::config::{Config, JobArrival};
use crate::effect::{Outcome, Sign, Signed, Submitted};
use crate::issuance::encode;
use crate::issuance::lint::{self, Expected, Stage};
use crate::issuance::tbs::{Mark, Template};
use crate::issuance::{Issuer, correspond, key_of, sct, template};
use crate::schema::{
    Commit, Committed, IntentRow, JobRow, JobState, Loaded, OrderId, Read, Serial, Version, View,
};

use decision::{Next, Situation};
use logging::{Logging, Progress};

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
    intent: Option<Box<Under>>,
    pending: Option<JobRow>,
    rounds: u8,
    state: State,
}

/// The intent that is worked under, and the key that it certifies.
#[derive(Debug)]
struct Under {
    row: IntentRow,
    key: PublicKey,
}

impl Under {
    fn template<'a>(&'a self, config: &'a Config) -> Option<Template<'a>> {
        template(config, &self.row, &self.key).ok()
    }
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
            intent: None,
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
        self.rounds = self.rounds.saturating_add(1);
        if self.rounds > ROUNDS_MAX {
            return State::Ended;
        }
        let provider = self.config.provider.as_ref();
        let random =
            self.arrival
                .entropy
                .expand(provider, "issuance serial", self.lease.row.attempt);
        let situation = Situation {
            config: &self.config,
            lease: &self.lease,
            order: self.order,
            serial: self.serial,
            next_serial: Serial::new(&random),
            view: &self.view,
            now,
        };
        match situation.decide(&goal) {
            Err(missing) => State::Loading {
                goal,
                reads: missing.0,
                load: Awaited::new(),
            },
            Ok(Next::Sign(intent)) => self.sign_first(*intent, now),
            Ok(Next::SignFinal) => match goal {
                Goal::SignFinal(artefacts) => sign_final(artefacts),
                _ => State::Ended,
            },
            Ok(Next::Save(commit, restarted)) => {
                self.pending = restarted;
                State::Saving {
                    commit,
                    goal,
                    save: Awaited::new(),
                }
            }
            Ok(Next::End) => State::Ended,
        }
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
        self.intent = None;
        self.lease = Lease {
            row,
            version,
            taken_over: false,
        };
    }

    /// The intent's own lint was clean; whether it still is, under the configuration of now, is
    /// looked at again: it may be another process that signs (H257).
    fn sign_first(&mut self, row: IntentRow, now: Timestamp) -> State {
        let Ok(key) = key_of(&row) else {
            return self.loading(Goal::Fail);
        };
        let under = Under { row, key };
        let clean = under.template(&self.config).is_some_and(|template| {
            let stage = stage_of(&template);
            let expected = Expected {
                template: &template,
                stage,
                at: now,
            };
            lint::tbs(&self.config, &expected, &under.row.tbs).is_ok()
        });
        if !clean {
            return self.loading(Goal::Fail);
        }
        let tbs = under.row.tbs.clone();
        self.intent = Some(Box::new(under));
        State::Signing {
            what: What::First,
            tbs,
            sign: Awaited::new(),
        }
    }

    fn signed(&mut self, what: What, tbs: &[u8], signed: Signed, now: Timestamp) -> State {
        let signature = match (signed, &what) {
            (Signed::Signature(signature), _) => signature,
            (Signed::NotSigned, What::First) => return self.loading(Goal::Drop),
            (Signed::NotSigned | Signed::Unknown, _) => return self.presume(what),
        };
        let config = Arc::clone(&self.config);
        let Some((der, stage)) = self.verified(&config, &what, tbs, &signature, now) else {
            return self.presume(what);
        };
        match (what, stage) {
            (What::First, Stage::Precertificate) => self.submit(der, now),
            (What::First, _) => self.loading(Goal::Finish(Artefacts {
                certificate: Some(der),
                ..Artefacts::default()
            })),
            (What::Final(artefacts), _) => self.loading(Goal::Finish(Artefacts {
                certificate: Some(der),
                ..artefacts
            })),
        }
    }

    /// Invariant I18: what was signed verifies under the issuer's key, and lints clean.
    fn verified(
        &self,
        config: &Config,
        what: &What,
        tbs: &[u8],
        signature: &[u8],
        now: Timestamp,
    ) -> Option<(Vec<u8>, Stage)> {
        let template = self.intent.as_ref()?.template(config)?;
        let stage = match what {
            What::First => stage_of(&template),
            What::Final(_) => Stage::Final,
        };
        let der = encode::attach(tbs, template.issuer.algorithm(), signature).ok()?;
        let expected = Expected {
            template: &template,
            stage,
            at: now,
        };
        lint::certificate(config, &expected, &der).ok()?;
        Some((der, stage))
    }

    fn presume(&mut self, what: What) -> State {
        match what {
            What::First => self.loading(Goal::Presume(Artefacts::default())),
            What::Final(artefacts) => self.loading(Goal::Presume(artefacts)),
        }
    }

    fn submit(&mut self, precertificate: Vec<u8>, now: Timestamp) -> State {
        let artefacts = Artefacts {
            precertificate: Some(precertificate),
            ..Artefacts::default()
        };
        let config = Arc::clone(&self.config);
        let logging = self.intent.as_ref().and_then(|under| {
            let template = under.template(&config)?;
            Logging::new(
                &config,
                &template,
                artefacts.precertificate.as_deref()?,
                now,
            )
        });
        match logging {
            Some(logging) => State::Logging(Box::new(logging)),
            None => self.loading(Goal::Presume(artefacts)),
        }
    }

    /// Looks at what the logs have answered.
    fn logged(&mut self, logging: Box<Logging>, now: Timestamp) -> State {
        let artefacts = Artefacts {
            precertificate: Some(logging.precertificate().to_vec()),
            ..Artefacts::default()
        };
        match logging.progress(&self.config, now) {
            Progress::Waiting => State::Logging(logging),
            Progress::Failed => self.loading(Goal::Presume(artefacts)),
            Progress::Enough(scts) => {
                let list = sct::encode_list(&scts.iter().collect::<Vec<_>>());
                let tbs = list.ok().and_then(|list| self.final_tbs(&list, now));
                match tbs {
                    Some(tbs) => self.loading(Goal::SignFinal(Artefacts {
                        tbs: Some(tbs),
                        ..artefacts
                    })),
                    None => self.loading(Goal::Presume(artefacts)),
                }
            }
        }
    }

    /// The final TBSCertificate: built anew from the intent, linted, and proved to be the
    /// precertificate's with the one extension in the place of the other.
    fn final_tbs(&self, list: &[u8], now: Timestamp) -> Option<Vec<u8>> {
        let under = self.intent.as_ref()?;
        let template = under.template(&self.config)?;
        let tbs = template.tbs(&self.config, Mark::Scts(list)).ok()?;
        let expected = Expected {
            template: &template,
            stage: Stage::Final,
            at: now,
        };
        lint::tbs(&self.config, &expected, &tbs).ok()?;
        correspond(&under.row.tbs, &tbs).ok()?;
        Some(tbs)
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

    fn issuer(&self) -> Option<&Issuer> {
        let under = self.intent.as_ref()?;
        self.config.authority.issuer(&under.row.issuer)
    }

    /// What the time alone decides.
    fn expire(&mut self, now: Timestamp) {
        if now >= self.lease.row.due {
            self.state = State::Ended;
            return;
        }
        let state = std::mem::replace(&mut self.state, State::Ended);
        self.state = match state {
            State::Signing { what, sign, .. } if sign.is_overdue(now) => self.presume(what),
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
fn sign_final(artefacts: Artefacts) -> State {
    match artefacts.tbs.clone() {
        Some(tbs) => State::Signing {
            what: What::Final(artefacts),
            tbs,
            sign: Awaited::new(),
        },
        None => State::Ended,
    }
}

fn stage_of(template: &Template<'_>) -> Stage {
    match template.profile.transparency() {
        Some(_) => Stage::Precertificate,
        None => Stage::Plain,
    }
}

impl Work for IssuanceJob {
    fn poll(&mut self, now: Timestamp, tickets: &mut Tickets) -> Step {
        self.expire(now);
        let signer = self
            .issuer()
            .map(|issuer| (issuer.name().to_owned(), issuer.algorithm()));
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
        let Some(under) = &self.intent else {
            return;
        };
        if let Some(template) = under.template(config) {
            logging.answer(config, &template, &under.row, number, answer, now);
        }
    }
}
