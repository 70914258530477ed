use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base64url;

/// At least 128 bits of entropy (RFC 8555 §8): ceil(128 bits / 6 bits per character).
pub const TOKEN_LEN_MIN: usize = 22;
/// Twice the longest one in use. It becomes a file name, a URL's path and a TXT digest's input.
pub const TOKEN_LEN_MAX: usize = 128;
/// The nonces of all known CAs are shorter; longer ones aren't worth their memory in a pool.
pub const NONCE_LEN_MAX: usize = 128;

/// A challenge's token (RFC 8555 §8): base64url characters only, 22 to 128 of them, so it can be
/// a file name or a path segment as it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(String);

/// An anti-replay nonce (RFC 8555 §6.5.1): base64url characters only, 1 to 128 of them.
///
/// Whoever sends one should move it, not copy it: a nonce used twice is refused.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nonce(String);

/// Why a text isn't a [`Token`] or a [`Nonce`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Too few characters, or none.
    #[error("too short")]
    TooShort,
    /// Too many characters.
    #[error("too long")]
    TooLong,
    /// A character that isn't base64url's.
    #[error("a character that is not base64url at byte {position}")]
    Character {
        /// Which byte.
        position: usize,
    },
}

fn check(text: &str, min: usize, max: usize) -> Result<(), TokenError> {
    if text.len() > max {
        return Err(TokenError::TooLong);
    }
    match text.bytes().position(|byte| !base64url::is_alphabet(byte)) {
        Some(position) => Err(TokenError::Character { position }),
        None if text.len() < min => Err(TokenError::TooShort),
        None => Ok(()),
    }
}

macro_rules! checked_text {
    ($name:ident, $min:expr, $max:expr) => {
        impl $name {
            /// Checks a text.
            ///
            /// # Errors
            /// Too short, too long, or a character that isn't base64url's.
            pub fn parse(text: &str) -> Result<Self, TokenError> {
                Self::try_from(text.to_owned())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = TokenError;

            fn try_from(text: String) -> Result<Self, TokenError> {
                check(&text, $min, $max)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(checked: $name) -> String {
                checked.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_text!(Token, TOKEN_LEN_MIN, TOKEN_LEN_MAX);
checked_text!(Nonce, 1, NONCE_LEN_MAX);

impl Token {
    /// A token of these bytes, which must come from a good random source.
    pub fn from_entropy(entropy: &[u8; 32]) -> Self {
        Self(base64url::encode(entropy))
    }
}

impl Nonce {
    /// The nonce that stands for these bytes.
    ///
    /// # Errors
    /// None, or more than [`NONCE_LEN_MAX`] characters of them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TokenError> {
        Self::try_from(base64url::encode(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_cannot_leave_their_place() {
        // RFC 8555 §8.3's example, then H202 and H203.
        assert!(Token::parse("LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0").is_ok());
        let check = |text: &str, error: TokenError| assert_eq!(Token::parse(text), Err(error));
        check("../../etc/cron.d/x", TokenError::Character { position: 0 });
        check("", TokenError::TooShort);
        check("A", TokenError::TooShort);
        check("ABCDEFGHIJKLMNOPQRSTU", TokenError::TooShort);
        check(
            "ABCDEFGHIJKLMNOPQRSTUV/b",
            TokenError::Character { position: 22 },
        );
        check(
            "ABCDEFGHIJKLMNOPQRSTUV\0",
            TokenError::Character { position: 22 },
        );
        check(
            "ABCDEFGHIJKLMNOPQRSTUV=",
            TokenError::Character { position: 22 },
        );
        check(
            "ABCDEFGHIJKLMNOPQRSTUV\u{e4}",
            TokenError::Character { position: 22 },
        );
        check(&"A".repeat(129), TokenError::TooLong);
        assert_eq!(Token::from_entropy(&[0; 32]).as_str().len(), 43);
    }

    #[test]
    fn nonces_are_base64url_of_any_length() {
        // RFC 8555 §6.5.1's example.
        assert!(Nonce::parse("oFvnlFP1wIhRlYS2jTaXbA").is_ok());
        assert!(Nonce::parse("A").is_ok());
        for bad in ["", "a=", "a+b", "\u{e4}", "a, b", &"A".repeat(129)] {
            assert!(Nonce::parse(bad).is_err(), "{bad}");
        }
    }
}
