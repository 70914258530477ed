//! Long work as machines over job rows: validation, issuance, CRL runs.
//!
//! A job row is written, born leased, in the commit that causes it. Its `due` says when anyone may
//! take it, its version is the fencing token, its state is the resume point. [`Job`] loads the row
//! and holds the lease; what is done under it is one file per kind.

mod ask;
mod awaited;
pub mod crl_run;
mod issuance;
mod lease;
mod step;
mod validation;

pub(crate) use awaited::{Awaited, STORE_PATIENCE, STORE_TRIES_MAX};
pub(crate) use crl_run::CrlRunJob;
pub(crate) use issuance::IssuanceJob;
pub use lease::Job;
pub(crate) use lease::{Lease, Work, delete, lease_of, move_due};
pub use step::{LogId, Step};
pub(crate) use validation::ValidationJob;
