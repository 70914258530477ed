//! Where one authorization stands.

use acme_types::{ChallengeType, Identifier, Url};

use crate::failure::IdentifierFailure;
use crate::flow::Poll;

/// One authorization of the order.
pub(super) struct Proof {
    pub(super) url: Url,
    /// What it is for, once it was read.
    pub(super) identifier: Option<Identifier>,
    pub(super) step: ProofStep,
}

pub(super) enum ProofStep {
    /// It is read to learn its challenges.
    Reading(Poll),
    /// This challenge is taken; its response is to be presented.
    Chosen(Trial),
    /// The response is published.
    Presented(Trial),
    /// The server is told to look.
    Triggering(Trial),
    /// The server looks; the authorization is read until it is decided.
    Polling(Trial, Poll),
    Valid,
    /// Decided against us, or not provable here.
    Failed(Box<Fall>),
    /// To be deactivated: it can't be proved here, or another one failed.
    Leaving(Option<Box<Fall>>),
    /// Given up.
    Left,
}

/// The challenge that was taken.
#[derive(Clone)]
pub(super) struct Trial {
    pub(super) publication: u32,
    pub(super) challenge: Url,
    pub(super) kind: ChallengeType,
    /// The server has it in work already: no need to say so.
    pub(super) in_work: bool,
    /// How often the server was told, and whether it has heard.
    pub(super) triggers: u32,
    pub(super) heard: bool,
    /// The server's last attempt failed when last seen, and how often it was asked for another.
    pub(super) attempt_failed: bool,
    pub(super) retries: u32,
    /// Could another type be presented instead?
    pub(super) alternatives: bool,
}

/// A failed proof.
#[derive(Clone)]
pub(super) struct Fall {
    pub(super) failure: IdentifierFailure,
    /// Another order might succeed: with another challenge type, or a fresh authorization.
    pub(super) another: bool,
    /// Nothing that is offered can be presented here.
    pub(super) unprovable: bool,
}

/// How often the server is told that a response is there, when it may not have heard.
pub(super) const TRIGGERS_MAX: u32 = 3;

/// How often the server is asked for another attempt. Servers have limits of their own, and lower
/// ones; this ends it where one hasn't.
pub(super) const RETRIES_MAX: u32 = 10;

impl Proof {
    pub(super) fn new(url: Url, poll: Poll) -> Self {
        Self {
            url,
            identifier: None,
            step: ProofStep::Reading(poll),
        }
    }

    pub(super) fn publication(&self) -> Option<u32> {
        match &self.step {
            ProofStep::Chosen(trial)
            | ProofStep::Presented(trial)
            | ProofStep::Triggering(trial)
            | ProofStep::Polling(trial, _) => Some(trial.publication),
            ProofStep::Reading(_)
            | ProofStep::Valid
            | ProofStep::Failed(_)
            | ProofStep::Leaving(_)
            | ProofStep::Left => None,
        }
    }

    /// Nothing more will come of it.
    pub(super) fn is_settled(&self) -> bool {
        matches!(
            self.step,
            ProofStep::Valid | ProofStep::Failed(_) | ProofStep::Left
        )
    }

    pub(super) fn fall(&self) -> Option<&Fall> {
        match &self.step {
            ProofStep::Failed(fall) | ProofStep::Leaving(Some(fall)) => Some(fall),
            _ => None,
        }
    }
}
