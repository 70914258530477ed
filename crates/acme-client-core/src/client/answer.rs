//! Taking in what came of it.

use acme_types::{Answer, Effect, Misuse, Nonce, Ticket, Timestamp};
use http::StatusCode;

use super::desk::{Kind, Owner, Ready};
use super::job::{Phase, Running, SavePhase, Unsigned};
use super::timers::Due;
use super::{Client, request};
use crate::failure::{Failure, Fault, Misbehaviour, Operation};
use crate::flow::{Happened, Slot, Want};
use crate::operation::{Reply, Request, nonce};
use crate::{
    HttpOutcome, JobId, Outcome, PresentOutcome, RetractOutcome, SaveOutcome, SignOutcome,
};

/// How often one request is signed anew because its nonce was refused. Costs no attempt: servers
/// refuse good nonces at times, and one of them on purpose.
const REFUSED_NONCES_MAX: u32 = 10;
/// Fetches of nonces that fail in a row before those who wait for one are told.
const NONCE_FAILURES_MAX: u32 = 6;
/// How often a retraction that fails is tried again: this long apart, about, and for ever.
const RETRACT_PAUSE: u32 = 7;

impl Client {
    /// Takes the outcome of an effect.
    ///
    /// # Errors
    /// A ticket of another machine, or of before a restart; an effect that is no longer awaited.
    /// Nothing changes then.
    pub fn answer<K: Effect<Erased = Outcome>>(
        &mut self,
        ticket: Ticket<K>,
        outcome: K::Outcome,
        now: Timestamp,
    ) -> Result<(), Misuse> {
        self.accept(ticket.with(outcome), now)
    }

    /// The same with the kind erased, for channels and spawned tasks.
    ///
    /// # Errors
    /// As [`Client::answer`].
    pub fn accept(&mut self, answer: Answer<Outcome>, now: Timestamp) -> Result<(), Misuse> {
        let (id, outcome) = answer.into_parts();
        let number = self.desk.tickets.number(id)?;
        let kind = self.desk.peek(number).ok_or(Misuse::NotAwaited)?.kind;
        if kind != kind_of(&outcome) {
            return Err(Misuse::WrongKind);
        }
        match (self.desk.take(number).ok_or(Misuse::NotAwaited)?, outcome) {
            (Owner::Nonce, Outcome::Http(outcome)) => self.nonce_fetched(outcome, now),
            (Owner::Save(id, revision), Outcome::Save(outcome)) => {
                self.saved(id, revision, outcome, now);
            }
            (Owner::Place(id, slot), outcome) => self.performed(id, slot, outcome, now),
            (Owner::Nonce | Owner::Save(..), _) => {}
        }
        Ok(())
    }

    fn performed(&mut self, id: JobId, slot: Slot, outcome: Outcome, now: Timestamp) {
        match outcome {
            Outcome::Http(outcome) => self.http(id, slot, outcome, now),
            Outcome::Sign(outcome) => self.signed(id, slot, outcome, now),
            Outcome::Present(PresentOutcome::Presented) => {
                self.happened(id, slot, Happened::Presented, now);
            }
            Outcome::Present(PresentOutcome::Refused) => {
                self.happened(id, slot, Happened::PresentRefused, now);
            }
            Outcome::Present(PresentOutcome::Failed) => {
                let failure = Failure::new(Operation::Challenge, Fault::Presenting);
                self.try_again(id, slot, failure, now);
            }
            Outcome::Retract(RetractOutcome::Retracted) => {
                self.happened(id, slot, Happened::Retracted, now);
            }
            Outcome::Retract(RetractOutcome::Failed) => {
                let pause = self.desk.jitter.pause(RETRACT_PAUSE);
                self.delay(id, slot, now.after(pause));
            }
            Outcome::Event(()) if slot == Slot::Parked => {
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.notice = None;
                    job.running.remove(&slot);
                }
                self.tidy(id, now);
            }
            Outcome::Event(()) => self.happened(id, slot, Happened::Kept, now),
            Outcome::Save(_) => {}
        }
    }

    /// What came of a request.
    pub(super) fn http(&mut self, id: JobId, slot: Slot, outcome: HttpOutcome, now: Timestamp) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let Some(Want::Request(wanted)) = job.running.get(&slot).map(|running| &running.what)
        else {
            return;
        };
        let (operation, is_read) = (wanted.operation, wanted.is_read());
        match outcome {
            HttpOutcome::Response(response) => {
                let reply = Reply::new(operation, wanted.url.clone(), now, response);
                self.replied(id, slot, reply, is_read, now);
            }
            HttpOutcome::NotSent => {
                let failure = Failure::new(operation, Fault::Unreachable);
                self.try_again(id, slot, failure, now);
            }
            HttpOutcome::Unknown => {
                let failure = Failure::new(operation, Fault::Unanswered);
                self.happened(id, slot, Happened::Unknown(failure), now);
            }
            HttpOutcome::TooLarge => {
                let failure = Failure::misbehaved(operation, Misbehaviour::TooLarge);
                self.happened(id, slot, Happened::Unknown(failure), now);
            }
        }
    }

    fn replied(&mut self, id: JobId, slot: Slot, reply: Reply, is_read: bool, now: Timestamp) {
        if let Some(nonce) = reply.nonce() {
            self.desk.nonces.bring(nonce, now);
        }
        let status = reply.status();
        if reply.is_bad_nonce() {
            self.nonce_refused(id, slot, &reply, now);
        } else if matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        ) {
            // Turned away at the door: nothing was done.
            self.try_again(id, slot, reply.refusal(), now);
        } else if status.is_server_error() && is_read {
            self.try_again(id, slot, reply.refusal(), now);
        } else if status.is_server_error() {
            self.happened(id, slot, Happened::Unknown(reply.refusal()), now);
        } else {
            self.happened(id, slot, Happened::Replied(reply), now);
        }
    }

    /// RFC 8555 §6.5: the request is signed anew with the nonce that came with the refusal.
    fn nonce_refused(&mut self, id: JobId, slot: Slot, reply: &Reply, now: Timestamp) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let Some(running) = job.running.get_mut(&slot) else {
            return;
        };
        running.refused_nonces = running.refused_nonces.saturating_add(1);
        if running.refused_nonces > REFUSED_NONCES_MAX {
            let failure = reply.misbehaved(Misbehaviour::NoncesRefused);
            return self.try_again(id, slot, failure, now);
        }
        running.phase = Phase::AwaitingNonce;
        match self.desk.nonces.take(now) {
            Some(nonce) => self.sign_with(id, slot, nonce, now),
            None => self.desk.nonces.wait(id, slot),
        }
    }

    /// There is a nonce for this request.
    pub(super) fn sign_with(&mut self, id: JobId, slot: Slot, nonce: Nonce, now: Timestamp) {
        let running = self
            .jobs
            .get_mut(&id)
            .and_then(|job| job.running.get_mut(&slot));
        let Some(running) = running.filter(|running| matches!(running.phase, Phase::AwaitingNonce))
        else {
            return self.desk.nonces.put_back(nonce, now);
        };
        let Want::Request(wanted) = &running.what else {
            return;
        };
        match request::draft(wanted, &self.standing, nonce.clone()) {
            Ok((draft, key, algorithm)) => {
                let unsigned = Unsigned {
                    draft,
                    key,
                    algorithm,
                    nonce,
                };
                running.phase = Phase::ToSign(Box::new(unsigned));
                self.desk.ready.push_back(Ready::Place(id, slot));
            }
            Err(failure) => {
                self.desk.nonces.put_back(nonce, now);
                self.try_again(id, slot, failure, now);
            }
        }
    }

    fn signed(&mut self, id: JobId, slot: Slot, outcome: SignOutcome, now: Timestamp) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let Some(running) = job.running.remove(&slot) else {
            return;
        };
        match (running.phase, outcome) {
            (Phase::Signing(_, unsigned), SignOutcome::Signed(signature)) => {
                let phase = Phase::ToSend(unsigned.draft.attach(&signature));
                job.running.insert(slot, Running { phase, ..running });
                self.desk.ready.push_back(Ready::Place(id, slot));
            }
            (phase @ Phase::Performing(_), SignOutcome::Signed(signature)) => {
                job.running.insert(slot, Running { phase, ..running });
                self.happened(id, slot, Happened::Signed(signature), now);
            }
            (phase, SignOutcome::Failed) => {
                let operation = operation_of(&running.what);
                let phase = match phase {
                    Phase::Signing(_, unsigned) => {
                        self.desk.nonces.put_back(unsigned.nonce, now);
                        Phase::AwaitingNonce
                    }
                    other => other,
                };
                job.running.insert(slot, Running { phase, ..running });
                self.try_again(id, slot, Failure::new(operation, Fault::Signing), now);
            }
            (phase, SignOutcome::Signed(_)) => {
                job.running.insert(slot, Running { phase, ..running });
            }
        }
    }

    fn saved(&mut self, id: JobId, revision: u64, outcome: SaveOutcome, now: Timestamp) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        match outcome {
            SaveOutcome::Saved => {
                job.saving.saved = job.saving.saved.max(revision);
                job.saving.known = true;
                job.saving.failures = 0;
                job.saving.phase = SavePhase::Idle;
                self.tidy(id, now);
            }
            SaveOutcome::Failed => {
                job.saving.failures = job.saving.failures.saturating_add(1);
                job.saving.phase = SavePhase::Delayed;
                let pause = self.desk.jitter.pause(job.saving.failures);
                self.desk.timers.set(now.after(pause), Due::Save(id));
            }
        }
    }

    pub(super) fn nonce_fetched(&mut self, outcome: HttpOutcome, now: Timestamp) {
        self.desk.nonces.fetches = self.desk.nonces.fetches.saturating_sub(1);
        let operation = Operation::NewNonce;
        let failure = match outcome {
            HttpOutcome::Response(response) => {
                let reply = Reply::new(operation, self.config.directory().clone(), now, response);
                match nonce::read(&reply) {
                    Ok(nonce) => {
                        if self.desk.nonces.bring(nonce, now) {
                            return;
                        }
                        // One that was given before: a cache in between, or a broken server.
                        reply.misbehaved(Misbehaviour::NoNonce)
                    }
                    Err(failure) => failure,
                }
            }
            HttpOutcome::NotSent => Failure::new(operation, Fault::Unreachable),
            HttpOutcome::Unknown => Failure::new(operation, Fault::Unanswered),
            HttpOutcome::TooLarge => Failure::misbehaved(operation, Misbehaviour::TooLarge),
        };
        self.no_nonce(failure, now);
    }

    pub(super) fn no_nonce(&mut self, failure: Failure, now: Timestamp) {
        let nonces = &mut self.desk.nonces;
        nonces.failures = nonces.failures.saturating_add(1);
        if nonces.failures >= NONCE_FAILURES_MAX {
            nonces.failures = 0;
            for (id, slot) in self.desk.nonces.dismiss() {
                self.try_again(id, slot, failure.clone(), now);
            }
        } else if !nonces.resting {
            nonces.resting = true;
            let pause = self.desk.jitter.pause(nonces.failures);
            let at = now.after(pause).max(failure.retry_after.unwrap_or(now));
            self.desk.timers.set(at, Due::Nonces);
        }
    }
}

fn operation_of(what: &Want) -> Operation {
    match what {
        Want::Request(Request { operation, .. }) => *operation,
        Want::Sign(..) => Operation::NewAccount,
        Want::Present(_) | Want::Retract(_) | Want::Tell(_) => Operation::Challenge,
    }
}

fn kind_of(outcome: &Outcome) -> Kind {
    match outcome {
        Outcome::Http(_) => Kind::Http,
        Outcome::Sign(_) => Kind::Sign,
        Outcome::Save(_) => Kind::Save,
        Outcome::Present(_) => Kind::Present,
        Outcome::Retract(_) => Kind::Retract,
        Outcome::Event(()) => Kind::Event,
    }
}
