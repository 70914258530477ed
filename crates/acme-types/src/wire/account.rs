use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::member::{lenient, lenient_list, list};
use super::{AccountStatus, Known, is_false};
use crate::strict::present;
use crate::{JsonObject, Url};

/// A request for an account, or for the URL of one (RFC 8555 §7.3). Read strictly.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAccount {
    /// `mailto:` URLs and the like, unchecked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contact: Vec<String>,
    /// Whether the client's user agrees to the terms of service.
    #[serde(default, skip_serializing_if = "is_false")]
    pub terms_of_service_agreed: bool,
    /// Don't make an account, only find the one of this key (RFC 8555 §7.3.1).
    #[serde(default, skip_serializing_if = "is_false")]
    pub only_return_existing: bool,
    /// The JWS that ties the account to one outside ACME (RFC 8555 §7.3.4).
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub external_account_binding: Option<JsonObject>,
}

/// An account as the CA shows it (RFC 8555 §7.1.2). Read tolerantly.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The account's state.
    #[serde(default)]
    pub status: Known<AccountStatus>,
    /// Contact URLs.
    #[serde(
        default,
        deserialize_with = "lenient_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub contact: Vec<String>,
    /// Whether the terms of service are agreed to.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub terms_of_service_agreed: Option<bool>,
    /// The JWS that tied the account to one outside ACME.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub external_account_binding: Option<JsonObject>,
    /// Where the account's orders are listed. The RFC wants it; not all CAs have it.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub orders: Option<Url>,
}

/// A request to change an account (RFC 8555 §7.3.2). Read strictly.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AccountUpdate {
    /// The contacts that replace the present ones.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub contact: Option<Vec<String>>,
    /// Only `deactivated` may be asked for; a CA ignores the rest: "the server MUST ignore any
    /// updates to the "orders" field, "termsOfServiceAgreed" field (see Section 7.3.3), the
    /// "status" field (except as allowed by Section 7.3.6), or any other fields it does not
    /// recognize."
    #[serde(
        default,
        deserialize_with = "status",
        skip_serializing_if = "Option::is_none"
    )]
    pub status: Option<Known<AccountStatus>>,
}

impl AccountUpdate {
    /// Whether the account is to be deactivated (RFC 8555 §7.3.6).
    pub fn deactivates(&self) -> bool {
        self.status == Some(Known::Known(AccountStatus::Deactivated))
    }
}

/// A text, whichever it is; another kind of value is refused.
fn status<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Known<AccountStatus>>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let named = AccountStatus::ALL
        .iter()
        .find(|status| status.as_str() == text);
    Ok(Some(
        named.map_or(Known::Unknown, |status| Known::Known(*status)),
    ))
}

/// The request that gives up an account (RFC 8555 §7.3.6) or an authorization (§7.5.2):
/// `{"status":"deactivated"}`. Read strictly: nothing else is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Deactivation;

#[derive(Serialize, Deserialize)]
struct DeactivationObject {
    status: AccountStatus,
}

impl Serialize for Deactivation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        DeactivationObject {
            status: AccountStatus::Deactivated,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Deactivation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match DeactivationObject::deserialize(deserializer)?.status {
            AccountStatus::Deactivated => Ok(Self),
            AccountStatus::Valid | AccountStatus::Revoked => {
                Err(D::Error::custom("not a deactivation"))
            }
        }
    }
}

/// The payload of the inner JWS of a key change (RFC 8555 §7.3.5). Read strictly.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyChange {
    /// The account's URL, which must equal the outer JWS's `kid`.
    pub account: Url,
    /// The account's present key as a JWK.
    pub old_key: JsonObject,
}

/// A page of an account's orders (RFC 8555 §7.1.2.1); the next one is in a `Link` header.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Orders {
    /// URLs of orders.
    #[serde(default, deserialize_with = "list")]
    pub orders: Vec<Url>,
}
