use serde::{Deserialize, Serialize};

use super::member::{lenient, needed_time};
use crate::Timestamp;

/// When a certificate should be renewed (RFC 9773 §4.2). Read tolerantly, but there must be a
/// window; whether it makes sense is for the client to judge.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RenewalInfo {
    /// The window.
    pub suggested_window: SuggestedWindow,
    /// A page for people about why.
    #[serde(
        rename = "explanationURL",
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub explanation_url: Option<String>,
}

/// The time in which to renew (RFC 9773 §4.2). The end may lie before the start, if a CA errs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SuggestedWindow {
    /// Not before then.
    #[serde(with = "needed_time")]
    pub start: Timestamp,
    /// Not after then.
    #[serde(with = "needed_time")]
    pub end: Timestamp,
}
