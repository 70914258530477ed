//! Certificate revocation lists (RFC 5280 §5, BR §7.2): draft → sign → attach, and read back.
//!
//! A CRL is a pure function of the revocations of its shard, its number and the time.

mod timing;

pub use timing::{CRL_LIFETIME_MAX, CrlTiming, TimingError};
