//! Long work as machines over job rows: validation, issuance, CRL runs.
//!
//! A job row is written, born leased, in the commit that causes it. Its `due` says when anyone may
//! take it, its version is the fencing token, its state is the resume point.

mod step;

pub use step::{LogId, Step};
