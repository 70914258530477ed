//! The objects of RFC 8555 §7 and its extensions.
//!
//! Requests are read strictly and responses tolerantly, each by its own `Deserialize`; all are
//! written without absent members, never with null. They are JSON: a compact format that doesn't
//! name its fields can't carry them.

mod account;
mod authorization;
mod certificate;
mod certificate_id;
mod directory;
mod known;
pub(crate) mod member;
mod order;
mod renewal;
mod status;

pub use account::{Account, AccountUpdate, Deactivation, KeyChange, NewAccount, Orders};
pub use authorization::{Authorization, Challenge, EmptyObject};
pub use certificate::{Finalize, RevocationReason, RevokeCertificate};
pub use certificate_id::{CertificateId, CertificateIdError};
pub use directory::{Directory, DirectoryMeta};
pub use known::Known;
pub use member::LIST_LEN_MAX;
pub use order::{NewOrder, Order};
pub use renewal::{RenewalInfo, SuggestedWindow};
pub use status::{AccountStatus, AuthorizationStatus, ChallengeStatus, OrderStatus};

/// Whether a member with this value is left out.
pub(crate) fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests;
