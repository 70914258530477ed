//! What the machine asks of the world.

use std::fmt;

use acme_crypto::{HashAlgorithm, SignatureAlgorithm};
use acme_jws::Thumbprint;
use acme_types::{Ticket, Timestamp};
use serde::{Deserialize, Serialize};

use crate::effect::{Http, Present, Retract, Save, Sign};
use crate::{ChallengeResponse, Event, Snapshot};

/// What to do next. Exhaustive on purpose: a shell that compiles handles everything.
#[derive(Debug)]
pub enum Step {
    /// Send this request once: no retry, no redirect, no cache.
    Http(Fetch, Ticket<Http>),
    /// Sign, or compute a MAC, with a key that the shell holds.
    Sign(KeyRef, SigningInput, Ticket<Sign>),
    /// Make durable. A store never replaces a higher revision of a record by a lower one.
    Save(Record, Snapshot, Ticket<Save>),
    /// Publish. Done twice it must do no harm.
    Present(JobId, ChallengeResponse, Ticket<Present>),
    /// Withdraw what was published; also if it isn't there. Asked until it is answered.
    Retract(JobId, ChallengeResponse, Ticket<Retract>),
    /// Something the caller must know; to be answered when it is kept. It may come twice, after a
    /// crash between the two.
    Event(JobId, Event, Ticket<Event>),
    /// Nothing to do before this time, unless an answer comes. [`Timestamp::NEVER`]: finished.
    Wait(Timestamp),
}

/// One HTTP request.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// Absolute URI, all headers but `Host` and `Content-Length` set.
    pub request: http::Request<Vec<u8>>,
    /// The longest response body to read, in bytes.
    pub response_max: usize,
    /// When the outcome is taken for [`crate::HttpOutcome::Unknown`].
    pub deadline: Timestamp,
}

/// A job's name. The caller's: it survives restarts, and two live jobs must not share it.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct JobId(pub u64);

impl JobId {
    /// The account itself, for the events that concern it. No job may be called so.
    pub const ACCOUNT: Self = Self(u64::MAX);
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ACCOUNT {
            f.write_str("account")
        } else {
            write!(f, "job {}", self.0)
        }
    }
}

/// What a snapshot is of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    /// The account.
    Account,
    /// A job.
    Job(JobId),
}

/// Which key to sign with. Keys are named by their thumbprint (RFC 7638), so that the name of a
/// key stays when its role changes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum KeyRef {
    /// The account's key.
    Account(Thumbprint),
    /// The key that is to become the account's (RFC 8555 §7.3.5).
    NextAccount(Thumbprint),
    /// A certificate's key, to revoke by it (RFC 8555 §7.6).
    Certificate(Thumbprint),
    /// The MAC key that the CA gave with this key identifier (RFC 8555 §7.3.4).
    ExternalAccount(String),
}

/// How to sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SigningAlgorithm {
    /// A signature; ECDSA as fixed-width r‖s (RFC 7518 §3.4).
    Signature(SignatureAlgorithm),
    /// HMAC over this hash.
    Mac(HashAlgorithm),
}

/// What to sign: RFC 7515 §5.1, the message, not its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningInput {
    /// How.
    pub algorithm: SigningAlgorithm,
    /// The bytes to sign.
    pub message: Vec<u8>,
}

impl fmt::Debug for SigningInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SigningInput({:?}, {} bytes)",
            self.algorithm,
            self.message.len()
        )
    }
}
