//! The ACME client library on tokio, and the `acme` command.
//!
//! The protocol is [`acme_client_core`]'s; here its effects are performed: requests over HTTPS,
//! signatures by keys in memory, snapshots in files, challenge responses by web root, listener or
//! program. [`Driver`] is the loop.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod clock;
mod driver;
mod durable;
pub mod folder;
mod handle;
pub mod http;
pub mod keys;
mod perform;
pub mod progress;
pub mod responder;
pub mod store;
mod upkeep;

use std::future::Future;
use std::pin::Pin;

pub use driver::{Driver, Next, StartError};
pub use handle::{Events, Handle, Job, JobError, Told};
pub use perform::Shell;
pub use upkeep::{Upkeep, UpkeepError, Upkept};

/// A future that traits of this crate give back.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
