//! Names from registries that grow (RFC 8555 §9.7): newtypes with constants, so that a new name
//! never changes the meaning of an old match.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest name of a challenge type or an identifier type that is read. The longest one
/// registered has 20 characters.
pub const REGISTERED_NAME_LEN_MAX: usize = 64;

/// A name of a registry is empty, too long, or has a character that isn't visible ASCII.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a name of at most {REGISTERED_NAME_LEN_MAX} visible ASCII characters")]
pub struct RegisteredNameError;

/// The name of a validation method (RFC 8555 §9.7.8): a challenge's `type`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChallengeType(Cow<'static, str>);

impl ChallengeType {
    /// Validation over HTTP (RFC 8555 §8.3).
    pub const HTTP_01: Self = Self(Cow::Borrowed("http-01"));
    /// Validation over DNS (RFC 8555 §8.4).
    pub const DNS_01: Self = Self(Cow::Borrowed("dns-01"));
    /// Validation over TLS with ALPN (RFC 8737).
    pub const TLS_ALPN_01: Self = Self(Cow::Borrowed("tls-alpn-01"));
    /// DNS with a label per account (draft-ietf-acme-dns-account-label).
    pub const DNS_ACCOUNT_01: Self = Self(Cow::Borrowed("dns-account-01"));
    /// DNS with a lasting record (draft-ietf-acme-dns-persist).
    pub const DNS_PERSIST_01: Self = Self(Cow::Borrowed("dns-persist-01"));
    /// Onion services (RFC 9799).
    pub const ONION_CSR_01: Self = Self(Cow::Borrowed("onion-csr-01"));
    /// E-mail (RFC 8823).
    pub const EMAIL_REPLY_00: Self = Self(Cow::Borrowed("email-reply-00"));
    /// Authority tokens (RFC 9447).
    pub const TKAUTH_01: Self = Self(Cow::Borrowed("tkauth-01"));
    /// Device attestation (draft-ietf-acme-device-attest).
    pub const DEVICE_ATTEST_01: Self = Self(Cow::Borrowed("device-attest-01"));
}

/// The name of an identifier type (RFC 8555 §9.7.7): an identifier's `type`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdentifierType(Cow<'static, str>);

impl IdentifierType {
    /// A DNS name (RFC 8555 §7.1.4).
    pub const DNS: Self = Self(Cow::Borrowed("dns"));
    /// An IP address (RFC 8738).
    pub const IP: Self = Self(Cow::Borrowed("ip"));
}

macro_rules! registered_name {
    ($name:ident) => {
        impl $name {
            /// Reads a name, registered or not; names are case-sensitive.
            ///
            /// # Errors
            /// Empty, longer than [`REGISTERED_NAME_LEN_MAX`], or not visible ASCII.
            pub fn parse(text: &str) -> Result<Self, RegisteredNameError> {
                Self::try_from(text.to_owned())
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = RegisteredNameError;

            fn try_from(text: String) -> Result<Self, RegisteredNameError> {
                let sized = (1..=REGISTERED_NAME_LEN_MAX).contains(&text.len());
                if sized && text.bytes().all(|b| b.is_ascii_graphic()) {
                    Ok(Self(Cow::Owned(text)))
                } else {
                    Err(RegisteredNameError)
                }
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.into_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

registered_name!(ChallengeType);
registered_name!(IdentifierType);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_read_equals_its_constant() {
        assert_eq!(ChallengeType::parse("http-01"), Ok(ChallengeType::HTTP_01));
        assert_ne!(ChallengeType::parse("HTTP-01"), Ok(ChallengeType::HTTP_01));
        assert_eq!(ChallengeType::parse("new-07").unwrap().as_str(), "new-07");
        for bad in ["", "a b", "a\n", "\u{e4}", &"x".repeat(65)] {
            assert_eq!(ChallengeType::parse(bad), Err(RegisteredNameError));
        }
    }
}
