//! base64url without padding (RFC 4648 §5, RFC 8555 §6.1), canonical only.
//!
//! RFC 8555 §6.1: "Encoded values that include trailing '=' characters MUST be rejected as
//! improperly encoded." Trailing bits that aren't zero are refused too: one value has one text.

use base64ct::{Base64UrlUnpadded, Encoding};

/// Encodes, without padding.
pub fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Decodes.
///
/// # Errors
/// Padding, white space, a character of another alphabet, an impossible length, trailing bits
/// that aren't zero.
pub fn decode(text: &str) -> Result<Vec<u8>, Base64UrlError> {
    Base64UrlUnpadded::decode_vec(text).map_err(|_| Base64UrlError)
}

/// Whether the byte is one of the 64 characters.
pub(crate) fn is_alphabet(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// The text isn't canonical base64url without padding.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not canonical base64url without padding")]
pub struct Base64UrlError;

/// For `#[serde(with = "base64url::member")]`: bytes as base64url text.
pub mod member {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the bytes as base64url text.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::encode(bytes))
    }

    /// Reads base64url text.
    ///
    /// # Errors
    /// Not a string, or not canonical base64url.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        super::decode(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_text_is_decoded() {
        let check = |text: &str, bytes: Option<&[u8]>| {
            assert_eq!(decode(text).ok().as_deref(), bytes, "{text}");
            if let Some(bytes) = bytes {
                assert_eq!(encode(bytes), text);
            }
        };
        // RFC 7515 §A.1 and RFC 7515 Appendix C.
        check("A-z_4ME", Some(&[3, 236, 255, 224, 193]));
        check("", Some(b""));
        check("QQ", Some(b"A"));
        check("Zm9vYmFy", Some(b"foobar"));
        // H016, H017.
        for bad in [
            "QR",
            "QQ==",
            "QQ=",
            "Q",
            "A+z/",
            "Zm 9v",
            "Zm9v\n",
            "Zm9v\r\n",
            "Zm9vYmF\0",
        ] {
            check(bad, None);
        }
    }
}
