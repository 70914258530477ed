use std::fmt;

use acme_types::base64url;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// The SHA-256 thumbprint of a JWK (RFC 7638): the identity of a key.
///
/// Its text, and its form in JSON, is base64url without padding, 43 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint([u8; 32]);

/// The text isn't that of a [`Thumbprint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not the base64url of 32 bytes")]
pub struct ThumbprintError;

impl Thumbprint {
    /// From the hash itself.
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// From its text.
    ///
    /// # Errors
    /// Not canonical base64url without padding, or not of 32 bytes.
    pub fn parse(text: &str) -> Result<Self, ThumbprintError> {
        let bytes = base64url::decode(text).map_err(|_| ThumbprintError)?;
        bytes.try_into().map(Self).map_err(|_| ThumbprintError)
    }

    /// The hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(&self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

/// As text where people read it, as 32 bytes elsewhere.
impl Serialize for Thumbprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Thumbprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
        } else {
            <[u8; 32]>::deserialize(deserializer).map(Self)
        }
    }
}
