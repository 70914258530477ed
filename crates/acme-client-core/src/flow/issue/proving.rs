//! All authorizations of an order at once: read all, present all, then tell the server, so that
//! no validation starts before every response is published; and the slow ones overlap.

use acme_types::{Authorization, AuthorizationStatus, ChallengeStatus, Identifier, Timestamp, Url};

use super::choice::{choose, fall_of};
use super::proof::{Fall, Proof, ProofStep, RETRIES_MAX, TRIGGERS_MAX, Trial};
use super::{IssueRecord, Live};
use crate::failure::{Failure, IdentifierFailure, Misbehaviour, Operation};
use crate::flow::{Ground, Kept, Poll, Slot, Want, Wanted};
use crate::operation::{authorization, challenge};

pub(super) struct Proving {
    pub(super) proofs: Vec<Proof>,
    /// The order is invalid: the authorizations are read for the reasons only.
    post_mortem: bool,
}

impl Proving {
    pub(super) fn new(authorizations: &[Url], now: Timestamp, post_mortem: bool) -> Self {
        let poll = Poll::start(now);
        let proofs = authorizations
            .iter()
            .map(|url| Proof::new(url.clone(), poll))
            .collect();
        Self {
            proofs,
            post_mortem,
        }
    }

    /// Until it is read, an authorization may need any publication.
    pub(super) fn live(&self) -> Live {
        if !self.post_mortem && !self.all_chosen() {
            return Live::All;
        }
        Live::These(self.proofs.iter().filter_map(Proof::publication).collect())
    }

    pub(super) fn is_settled(&self) -> bool {
        self.proofs.iter().all(Proof::is_settled)
    }

    pub(super) fn falls(&self) -> impl Iterator<Item = &Fall> {
        self.proofs.iter().filter_map(Proof::fall)
    }

    pub(super) fn wants(&self, record: &IssueRecord, wants: &mut Vec<Wanted>) {
        let all_chosen = self.all_chosen();
        for (at, proof) in self.proofs.iter().enumerate() {
            match &proof.step {
                ProofStep::Reading(poll) | ProofStep::Polling(_, poll) => {
                    let request = Want::Request(authorization::request(&proof.url));
                    wants.push(Wanted::at(Slot::Authorization(at), request, poll.at));
                }
                ProofStep::Chosen(trial) if all_chosen => {
                    let number = trial.publication;
                    if let Some(found) = record.publication(number) {
                        let what = Want::Present(found.response.clone());
                        wants.push(Wanted::durable(Slot::Present(number), what));
                    }
                }
                ProofStep::Triggering(trial) => {
                    let request = challenge::request(&trial.challenge);
                    wants.push(Wanted::now(Slot::Challenge(at), Want::Request(request)));
                }
                ProofStep::Leaving(_) => {
                    let request = authorization::deactivate(&proof.url);
                    wants.push(Wanted::now(Slot::Deactivation(at), Want::Request(request)));
                }
                ProofStep::Chosen(_)
                | ProofStep::Presented(_)
                | ProofStep::Valid
                | ProofStep::Failed(_)
                | ProofStep::Left => {}
            }
        }
    }

    fn all_chosen(&self) -> bool {
        !self
            .proofs
            .iter()
            .any(|proof| matches!(proof.step, ProofStep::Reading(_)))
    }

    /// An authorization was read.
    pub(super) fn read(
        &mut self,
        at: usize,
        (identifier, authorization): (Identifier, Authorization),
        retry_after: Option<Timestamp>,
        record: &mut Kept<IssueRecord>,
        ordered: &std::collections::BTreeSet<Identifier>,
        ground: Ground<'_>,
    ) -> Result<(), Failure> {
        let mismatch = || {
            Failure::misbehaved(
                Operation::Authorization,
                Misbehaviour::AuthorizationMismatch,
            )
        };
        let taken =
            self.proofs.iter().enumerate().any(|(other, proof)| {
                other != at && proof.identifier.as_ref() == Some(&identifier)
            });
        let hopeless = self.post_mortem || self.falls().next().is_some();
        let proof = self.proofs.get_mut(at).ok_or_else(mismatch)?;
        let renamed = proof
            .identifier
            .as_ref()
            .is_some_and(|known| *known != identifier);
        if taken || renamed || !ordered.contains(&identifier) {
            return Err(mismatch());
        }
        proof.identifier = Some(identifier.clone());
        let step = std::mem::replace(&mut proof.step, ProofStep::Left);
        proof.step = match (authorization.status.as_known(), step) {
            (Some(AuthorizationStatus::Valid), _) => ProofStep::Valid,
            (Some(AuthorizationStatus::Invalid), step) => {
                ProofStep::Failed(Box::new(fall_of(identifier, &authorization, &step)))
            }
            // Gone since the order was made: only a new order brings a new one.
            (
                Some(
                    AuthorizationStatus::Deactivated
                    | AuthorizationStatus::Expired
                    | AuthorizationStatus::Revoked,
                ),
                _,
            ) => ProofStep::Failed(Box::new(Fall {
                failure: IdentifierFailure {
                    identifier,
                    challenge: None,
                    problem: None,
                },
                another: true,
                unprovable: false,
            })),
            (Some(AuthorizationStatus::Pending), ProofStep::Reading(_)) if hopeless => {
                ProofStep::Leaving(None)
            }
            (Some(AuthorizationStatus::Pending), ProofStep::Reading(_)) => {
                choose(record, identifier, &authorization, ground)
            }
            (Some(AuthorizationStatus::Pending), ProofStep::Polling(trial, poll)) => {
                pending(trial, poll, &authorization, retry_after, ground)
                    .map_err(|()| unfinished())?
            }
            (None, step @ (ProofStep::Reading(poll) | ProofStep::Polling(_, poll))) => {
                let patience = ground.config.limits().patience;
                let poll = poll
                    .next(ground.now, retry_after, patience)
                    .ok_or_else(unfinished)?;
                match step {
                    ProofStep::Polling(trial, _) => ProofStep::Polling(trial, poll),
                    _ => ProofStep::Reading(poll),
                }
            }
            (_, step) => step,
        };
        Ok(())
    }

    /// Where a publication's proof goes from here.
    pub(super) fn presented(&mut self, number: u32) {
        for proof in &mut self.proofs {
            if let ProofStep::Chosen(trial) = &proof.step
                && trial.publication == number
            {
                proof.step = ProofStep::Presented(trial.clone());
            }
        }
    }

    /// The response can't be published here: the proof chooses again.
    pub(super) fn refused(&mut self, number: u32, record: &mut Kept<IssueRecord>, now: Timestamp) {
        for proof in &mut self.proofs {
            if let ProofStep::Chosen(trial) = &proof.step
                && trial.publication == number
                && let Some(identifier) = &proof.identifier
            {
                record
                    .change()
                    .excluded
                    .push((identifier.clone(), trial.kind.clone()));
                proof.step = ProofStep::Reading(Poll::start(now));
            }
        }
    }

    /// The server was told, or it isn't known whether it heard.
    pub(super) fn triggered(
        &mut self,
        at: usize,
        heard: bool,
        now: Timestamp,
        retry_after: Option<Timestamp>,
    ) {
        if let Some(proof) = self.proofs.get_mut(at)
            && let ProofStep::Triggering(trial) = &proof.step
        {
            let trial = Trial {
                heard,
                ..trial.clone()
            };
            proof.step = ProofStep::Polling(trial, Poll::after(now, retry_after));
        }
    }

    /// Given up, as well as may be.
    pub(super) fn left(&mut self, at: usize) {
        if let Some(proof) = self.proofs.get_mut(at) {
            proof.step = match &mut proof.step {
                ProofStep::Leaving(fall) => fall.take().map_or(ProofStep::Left, ProofStep::Failed),
                _ => ProofStep::Left,
            };
        }
    }

    /// What follows from where all of them stand.
    pub(super) fn advance(&mut self, now: Timestamp) {
        if self.falls().next().is_some() {
            // The order can't succeed any more. What the server looks at already is waited for,
            // for the reasons; the rest is given up.
            for proof in &mut self.proofs {
                if matches!(proof.step, ProofStep::Chosen(_) | ProofStep::Presented(_)) {
                    proof.step = ProofStep::Leaving(None);
                }
            }
            return;
        }
        let waiting =
            |proof: &Proof| matches!(proof.step, ProofStep::Reading(_) | ProofStep::Chosen(_));
        if self.proofs.iter().any(waiting) {
            return;
        }
        for proof in &mut self.proofs {
            if let ProofStep::Presented(trial) = &proof.step {
                let trial = trial.clone();
                proof.step = if trial.in_work {
                    ProofStep::Polling(
                        Trial {
                            heard: true,
                            ..trial
                        },
                        Poll::after(now, None),
                    )
                } else {
                    let triggers = trial.triggers.saturating_add(1);
                    ProofStep::Triggering(Trial { triggers, ..trial })
                };
            }
        }
    }
}

fn unfinished() -> Failure {
    Failure::new(Operation::Authorization, crate::failure::Fault::Unfinished)
}

/// The server hasn't decided. Whether it was ever told may be unknown; then it is told again.
fn pending(
    trial: Trial,
    poll: Poll,
    authorization: &Authorization,
    retry_after: Option<Timestamp>,
    ground: Ground<'_>,
) -> Result<ProofStep, ()> {
    let challenge = authorization.challenge(&trial.kind);
    let status = challenge.and_then(|challenge| challenge.status.as_known());
    let untouched = status == Some(&ChallengeStatus::Pending);
    if untouched && !trial.heard && trial.triggers < TRIGGERS_MAX {
        let triggers = trial.triggers.saturating_add(1);
        return Ok(ProofStep::Triggering(Trial { triggers, ..trial }));
    }
    // RFC 8555 §8.2: "The server MUST provide information about its retry state to the client via
    // the "error" field in the challenge", and "clients can explicitly request a retry by
    // re-sending their response to a challenge in a new POST request". The server is given until
    // its Retry-After to retry by itself.
    let attempt_failed = status == Some(&ChallengeStatus::Processing)
        && challenge.is_some_and(|challenge| challenge.error.is_some());
    if attempt_failed && trial.attempt_failed && trial.retries < RETRIES_MAX {
        let retries = trial.retries.saturating_add(1);
        let trial = Trial {
            retries,
            attempt_failed: false,
            ..trial
        };
        return Ok(ProofStep::Triggering(trial));
    }
    let trial = Trial {
        attempt_failed,
        ..trial
    };
    let patience = ground.config.limits().patience;
    let poll = poll.next(ground.now, retry_after, patience).ok_or(())?;
    Ok(ProofStep::Polling(trial, poll))
}
