//! The contract of a store, as a pure function of its history.
//!
//! [`Memory`] is the reference: tests and the simulator run on it, and the conformance suite holds
//! every other store against the same rules.
//! - A load is one durable point in time.
//! - A commit is all or nothing, also to readers; its guards are checked against what is durable
//!   before it, in the order of commits.
//! - A version is one number per commit, rising, never reused.

mod change;
mod memory;

pub use change::{Change, change, check_rules};
pub use memory::{Memory, StoreError, audit_rows};
