//! The client's side of ACME (RFC 8555) without I/O: operations, order flow, renewal decisions.
//!
//! [`Client`] is a machine: [`Client::poll`] says what to do next, [`Client::answer`] takes what
//! came of it. See the README for a whole driver.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod certificate;
mod challenge_response;
mod client;
mod config;
mod effect;
mod event;
mod failure;
mod flow;
pub mod operation;
mod snapshot;
mod step;

pub use challenge_response::ChallengeResponse;
pub use client::{Client, JobStatus, Untaken};
pub use config::{Config, Limits};
pub use effect::{
    Http, HttpOutcome, Outcome, Present, PresentOutcome, Retract, RetractOutcome, Save,
    SaveOutcome, Sign, SignOutcome,
};
pub use event::{Action, Delay, Event, Issued, Notice, RenewAt};
pub use failure::{
    CertificateFault, Class, Failure, Fault, IdentifierFailure, Misbehaviour, Operation,
};
pub use flow::{
    AccountIntent, AccountKey, ExternalAccount, IssueJob, RenewalJob, RevokeJob, RevokeSigner,
    Schedule, fallback_time, time_in_window,
};
pub use operation::certificate::ALTERNATES_MAX;
pub use snapshot::{Snapshot, SnapshotError};
pub use step::{Fetch, JobId, KeyRef, Record, SigningAlgorithm, SigningInput, Step};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
