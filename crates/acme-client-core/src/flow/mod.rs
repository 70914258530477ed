//! Several exchanges to one goal: what a goal wants now, and where a reply takes it.
//!
//! A flow knows no nonces, signatures of requests, retries or clocks; [`crate::Client`] adds
//! them. Two rules make it small. What a flow wants is a pure function of its state
//! ([`Wanted`]), so what is in flight need not be stored: it is wanted again after a restart.
//! What happened ([`Happened`]) moves the state in one place, and says [`Progress`].

mod account;
mod issue;
mod kept;
mod poll;
mod renewal;
mod revoke;

pub(crate) use account::{AccountFlow, AccountRecord, Need};
pub use account::{AccountIntent, AccountKey, ExternalAccount};
pub use issue::IssueJob;
pub(crate) use issue::{IssueFlow, IssueRecord};
pub(crate) use renewal::{RenewalFlow, RenewalRecord};
pub use renewal::{RenewalJob, Schedule, fallback_time, time_in_window};
pub(crate) use revoke::{RevokeFlow, RevokeRecord};
pub use revoke::{RevokeJob, RevokeSigner};

pub(crate) use kept::Kept;
pub(crate) use poll::Poll;

use acme_jws::Thumbprint;
use acme_types::{Timestamp, Url};

use crate::failure::Failure;
use crate::operation::{Endpoints, Reply, Request};
use crate::{ChallengeResponse, Config, Event, KeyRef, SigningInput};

/// One thing that a flow wants, by the name of its place in the flow. At most one thing is wanted
/// at a place at a time.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Wanted {
    pub(crate) slot: Slot,
    pub(crate) what: Want,
    /// Not before this time.
    pub(crate) at: Timestamp,
    /// Only when all that the flow has recorded is durable.
    pub(crate) durable: bool,
}

/// What can be wanted.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Want {
    Request(Request),
    Sign(KeyRef, SigningInput),
    Present(ChallengeResponse),
    Retract(ChallengeResponse),
    Tell(Event),
}

/// A place in a flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Slot {
    Directory,
    Account,
    Binding,
    NewOrder,
    Order,
    Authorization(usize),
    Challenge(usize),
    Deactivation(usize),
    Finalize,
    Certificate,
    Alternate,
    Revoke,
    RenewalInfo,
    Present(u32),
    Retract(u32),
    Event,
    /// The event that a parked job tells; not a flow's.
    Parked,
}

/// What came of something wanted.
#[derive(Debug)]
pub(crate) enum Happened {
    Replied(Reply),
    /// The request may or may not have been acted on.
    Unknown(Failure),
    Signed(Vec<u8>),
    Presented,
    /// The response can't be published here.
    PresentRefused,
    Retracted,
    Kept,
}

/// How a flow went on.
#[derive(Debug, PartialEq)]
pub(crate) enum Progress {
    /// It moved, or had nothing to do with it.
    Moved,
    /// The same again, with back-off.
    Again(Failure),
    /// This attempt came to nothing; the state is one to start over from.
    Stopped(Failure),
}

/// What a flow stands on.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) config: &'a Config,
    pub(crate) endpoints: &'a Endpoints,
    /// The account's URL, for flows that are gated on it.
    pub(crate) account: Option<&'a Url>,
    /// Of the account's key.
    pub(crate) thumbprint: &'a Thumbprint,
    pub(crate) now: Timestamp,
    /// A fresh number, for what is to be spread.
    pub(crate) jitter: u64,
}

impl Wanted {
    fn now(slot: Slot, what: Want) -> Self {
        Self {
            slot,
            what,
            at: Timestamp::EPOCH,
            durable: false,
        }
    }

    fn at(slot: Slot, what: Want, at: Timestamp) -> Self {
        Self {
            slot,
            what,
            at,
            durable: false,
        }
    }

    fn durable(slot: Slot, what: Want) -> Self {
        Self {
            slot,
            what,
            at: Timestamp::EPOCH,
            durable: true,
        }
    }
}
