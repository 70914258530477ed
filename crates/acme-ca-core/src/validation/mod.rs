//! Validation: what a perspective asks the world, and what it makes of the answers.
//!
//! A [`Probe`] is one perspective's look at one challenge: it proves control of the identifier
//! (`http-01`, `dns-01`, `tls-alpn-01`) and then asks whether CAA permits issuance. [`corroborate`]
//! makes one outcome of the verdicts of all perspectives. The job that asks them and commits the
//! outcome is [`crate::job`]'s.

mod address;
pub mod caa;
mod caa_check;
mod corroborate;
mod dns_01;
mod effect;
mod failure;
mod http_01;
mod lookup;
mod probe;
#[cfg(test)]
#[path = "tests/stage.rs"]
mod stage;
mod tls_alpn_01;
mod turn;
mod verdict;

pub use address::{AddressPolicy, AddressRange, AddressRangeError, Target, is_special_purpose};
pub use corroborate::{
    Corroboration, Perspective, Quorum, Region, RegionError, Tally, corroborate,
};
pub use effect::{
    DnsOutcome, DnsQuestion, DnsRecord, FetchOutcome, FetchRequest, HandshakeOutcome,
    HandshakeRequest, NetworkFailure, RecordKind,
};
pub use probe::{Probe, Step};
pub use verdict::{AttemptId, PerspectiveId, ProbeRequest, Verdict};
