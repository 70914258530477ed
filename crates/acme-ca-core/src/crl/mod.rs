//! Certificate revocation lists (RFC 5280 §5, BR §7.2): draft → sign → attach, and read back.
//!
//! A CRL is a pure function of the revocations of its shard, its number and the time.

mod draft;
mod lint;
mod list;
#[cfg(test)]
mod tests;
mod timing;

pub(crate) use draft::is_listable;
pub use draft::{CrlDraft, CrlError, Scope};
pub use lint::CrlFinding;
pub(crate) use lint::{Expected, lint};
pub use list::{Crl, Entry, ListedEntry, NotACrl};
pub use timing::{CRL_LIFETIME_MAX, CrlTiming, TimingError};
