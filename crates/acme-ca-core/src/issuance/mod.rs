//! Issuance: from a finalized order to a certificate, in pure functions.
//!
//! [`intent`] chooses issuer and profile, drafts what is signed first, and lints it; the issuance
//! job signs, collects SCTs, and proves that the final certificate corresponds to the
//! precertificate. No private key is here: to sign is an effect, by the issuer's name.

mod authority;
mod ceremony;
mod correspond;
pub(crate) mod encode;
mod error;
mod intent;
mod issuer;
pub(crate) mod lint;
mod log;
mod log_list;
pub(crate) mod oid;
mod profile;
mod renewal;
pub(crate) mod sct;
pub(crate) mod submission;
pub(crate) mod tbs;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod tlv;
mod transparency;
mod validity;
pub(crate) mod x509;

pub use authority::{Authority, AuthorityError, ISSUERS_MAX, LOGS_MAX, PROFILES_MAX};
pub use ceremony::{CaName, CeremonyError, IntermediateDraft, RootDraft};
pub use correspond::{Difference, correspond};
pub use error::IssuanceError;
pub use intent::{intent, restart};
pub(crate) use intent::{key_of, template};
pub(crate) use issuer::verify_signed;
pub use issuer::{ISSUER_NAME_LEN_MAX, ISSUER_PARENTS_MAX, Issuer, IssuerError};
pub use lint::Finding;
pub(crate) use lint::is_key_identifier;
pub use log::{Log, LogError, LogKind, OPERATOR_LEN_MAX};
pub use log_list::{LogList, LogListError};
pub use profile::{
    BACKDATE_MAX, NAMES_MAX, PROFILE_DESCRIPTION_LEN_MAX, PROFILE_NAME_LEN_MAX, Profile,
    ProfileError, ProfileParts,
};
pub use renewal::renewal_info;
pub use sct::{Sct, SctError};
pub use submission::REPLY_LEN_MAX;
pub use transparency::{SCTS_MAX, Transparency};
