use serde::{Deserialize, Serialize};

use super::member::{lenient, list, problem, strict_time, time, url};
use super::{CertificateId, Known, OrderStatus};
use crate::strict::present;
use crate::{Identifier, Problem, Timestamp, Url};

/// A request for a certificate (RFC 8555 §7.4, RFC 9773 §5, draft-ietf-acme-profiles §4). Read
/// strictly.
///
/// A CA reads `NewOrder<RawIdentifier>`, so that it can name each identifier that it refuses.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewOrder<I = Identifier> {
    /// What the certificate is to name.
    pub identifiers: Vec<I>,
    /// Wanted start of validity.
    #[serde(default, with = "strict_time", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Wanted end of validity.
    #[serde(default, with = "strict_time", skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// The certificate that the new one takes the place of.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub replaces: Option<CertificateId>,
    /// The profile wanted, by a name of the directory.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub profile: Option<String>,
}

impl<I> NewOrder<I> {
    /// An order of these identifiers, all else left to the CA.
    pub fn new(identifiers: Vec<I>) -> Self {
        Self {
            identifiers,
            not_before: None,
            not_after: None,
            replaces: None,
            profile: None,
        }
    }
}

/// An order (RFC 8555 §7.1.3). Read tolerantly: only `finalize`, and that URLs are URLs, is
/// insisted on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// The order's state.
    #[serde(default)]
    pub status: Known<OrderStatus>,
    /// When the CA gives the order up.
    #[serde(default, with = "time", skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// What the certificate names.
    #[serde(default, deserialize_with = "list")]
    pub identifiers: Vec<Known<Identifier>>,
    /// Wanted start of validity.
    #[serde(default, with = "time", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Wanted end of validity.
    #[serde(default, with = "time", skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// What went wrong.
    #[serde(
        default,
        deserialize_with = "problem",
        skip_serializing_if = "Option::is_none"
    )]
    pub error: Option<Problem>,
    /// URLs of the authorizations that are needed, or of those that were.
    #[serde(default, deserialize_with = "list")]
    pub authorizations: Vec<Url>,
    /// Where the CSR goes when the order is ready.
    pub finalize: Url,
    /// Where the certificate is, once there is one.
    #[serde(
        default,
        deserialize_with = "url",
        skip_serializing_if = "Option::is_none"
    )]
    pub certificate: Option<Url>,
    /// The certificate that the new one takes the place of (RFC 9773 §5).
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub replaces: Option<CertificateId>,
    /// The profile (draft-ietf-acme-profiles §4).
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub profile: Option<String>,
}
