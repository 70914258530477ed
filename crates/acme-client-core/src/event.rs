//! What the caller must know.

use acme_types::{Timestamp, Url};
use serde::{Deserialize, Serialize};

use crate::certificate::{CertificateFacts, Chain};
use crate::failure::Failure;

/// Something the caller must know, and keep before it answers.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The certificate of an [`crate::IssueJob`], checked against its CSR.
    Issued(Box<Issued>),
    /// When to renew, from a [`crate::RenewalJob`]. Comes again when the CA changes its mind, and
    /// when the time has come: if it is not in the future, renew now.
    RenewAt(RenewAt),
    /// The certificate of a [`crate::RevokeJob`] is revoked.
    Revoked,
    /// The account exists, is in good standing, and has this URL.
    AccountReady(Url),
    /// The account has its next key: the old one signs nothing any more.
    KeyChanged,
    /// An attempt came to nothing; the job goes on by itself at this time.
    Delayed(Delay),
    /// The job has ended without success.
    Failed(Box<Failure>),
    /// Somebody must do something outside of ACME; the job goes on by itself afterwards.
    ActionNeeded(Box<Notice>),
}

/// An issued certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The CA's default chain.
    pub chain: Chain,
    /// The same certificate with other ways to a root, if they were asked for.
    pub alternates: Vec<Chain>,
    /// Its validity and its name in renewal information.
    pub facts: CertificateFacts,
}

/// When to renew.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RenewAt {
    /// The chosen moment.
    pub at: Timestamp,
    /// What the CA has to say about it (RFC 9773 §4.2). A URL of the server's: to be shown, not to
    /// be opened.
    pub explanation: Option<Url>,
}

/// An attempt that came to nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Delay {
    /// When the job goes on.
    pub until: Timestamp,
    /// How many attempts have failed so far.
    pub failures: u32,
    /// Why.
    pub failure: Failure,
}

/// What somebody must do.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Notice {
    /// What it is about.
    pub action: Action,
    /// Where to read on: the problem's `instance`, or the terms of service. A URL of the server's:
    /// to be shown, not to be opened.
    pub url: Option<Url>,
    /// When the job tries again.
    pub until: Timestamp,
    /// What the server said.
    pub failure: Failure,
}

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Action {
    /// RFC 8555 §7.3.3: agree to the terms of service.
    AgreeToTerms,
    /// RFC 8555 §7.3.4: bind the account to one that the CA knows.
    BindExternalAccount,
    /// The account is gone, deactivated, revoked or not ours. No other is made silently.
    CheckAccount,
    /// Whatever the server says.
    FollowInstructions,
}
