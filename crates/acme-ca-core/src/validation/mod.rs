//! Validation: what a perspective asks the world, and what it makes of the answers.

mod effect;
mod verdict;

pub use effect::{
    DnsOutcome, DnsQuestion, DnsRecord, FetchOutcome, FetchRequest, HandshakeOutcome,
    HandshakeRequest, NetworkFailure, RecordKind,
};
pub use verdict::{AttemptId, PerspectiveId, ProbeRequest, Verdict};
