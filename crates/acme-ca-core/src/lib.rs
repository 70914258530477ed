//! The certificate authority's side of ACME (RFC 8555 and its extensions) without I/O: every
//! operation, validation, issuance, Certificate Transparency, CRLs and policy as pure decisions.
//!
//! An HTTP request becomes an `Exchange`, long work becomes a job; both are machines: `poll` says
//! what the world must do, `answer` takes what came of it. Nothing here knows a socket, a disk, a
//! clock or a random source.
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

mod config;
pub mod crl;
pub mod effect;
mod entropy;
pub mod exchange;
pub mod issuance;
pub mod job;
pub mod operation;
pub mod policy;
pub mod rejection;
mod route;
pub mod schema;
pub mod store;
pub mod validation;

pub use config::{Config, JobArrival};
pub use entropy::Entropy;
pub use rejection::Rejection;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
