//! What the methods and CAA have in common: they ask, are answered, and come to an end.

use acme_crypto::Provider;
use acme_types::Timestamp;

use super::failure::Failure;
use super::{
    DnsOutcome, DnsQuestion, FetchOutcome, FetchRequest, HandshakeOutcome, HandshakeRequest,
    ProbeRequest, RecordKind, Target,
};
use crate::policy::ValidationPolicy;

/// What a part of a probe may look at.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) policy: &'a ValidationPolicy,
    pub(super) provider: &'a dyn Provider,
    pub(super) request: &'a ProbeRequest,
    pub(super) now: Timestamp,
}

/// An effect that is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    Dns(DnsQuestion),
    Fetch(FetchRequest),
    Handshake(HandshakeRequest),
}

/// An effect with its outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Answered {
    Dns(DnsQuestion, DnsOutcome),
    Fetch(FetchRequest, FetchOutcome),
    Handshake(HandshakeRequest, HandshakeOutcome),
}

/// Where a part stands after an answer.
#[derive(Debug)]
pub(super) enum Turn<S> {
    /// In this state, with these effects wanted besides those that are out.
    More(S, Vec<Wanted>),
    /// At its end.
    Done(Result<(), Failure>),
}

impl<S> Turn<S> {
    pub(super) fn map<T>(self, wrap: impl FnOnce(S) -> T) -> Turn<T> {
        match self {
            Self::More(state, wanted) => Turn::More(wrap(state), wanted),
            Self::Done(result) => Turn::Done(result),
        }
    }
}

impl Wanted {
    /// When the effect is to be over.
    pub(super) fn deadline(&self) -> Timestamp {
        match self {
            Self::Dns(question) => question.deadline,
            Self::Fetch(request) => request.deadline,
            Self::Handshake(request) => request.deadline,
        }
    }
}

impl Context<'_> {
    pub(super) fn question(&self, name: &str, kind: RecordKind) -> Wanted {
        let deadline = self
            .now
            .after(self.policy.dns_deadline)
            .min(self.request.deadline);
        Wanted::Dns(DnsQuestion {
            name: name.to_owned(),
            kind,
            deadline,
        })
    }

    pub(super) fn handshake(&self, target: Target, server_name: String) -> Wanted {
        let (connect_by, deadline) = self.connection();
        Wanted::Handshake(HandshakeRequest {
            target,
            server_name,
            connect_by,
            deadline,
        })
    }

    /// When a connection that is begun now must stand, and when all must be over.
    pub(super) fn connection(&self) -> (Timestamp, Timestamp) {
        let within = |duration| self.now.after(duration).min(self.request.deadline);
        (
            within(self.policy.connect_deadline),
            within(self.policy.response_deadline),
        )
    }
}
