use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base64url;

/// The longest key identifier; the longest in use are SHA-256 digests.
const KEY_IDENTIFIER_LEN_MAX: usize = 64;
/// The longest serial number: RFC 5280 §4.1.2.2 allows 20 octets, and some CAs once broke it.
const SERIAL_LEN_MAX: usize = 32;

/// A certificate's unique identifier (RFC 9773 §4.1): its issuer's key identifier and its serial
/// number, on the wire as two parts of base64url with a dot between them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CertificateId {
    authority_key_identifier: Vec<u8>,
    serial: Vec<u8>,
}

/// Why a text isn't a [`CertificateId`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateIdError {
    /// Not two parts with a dot between them.
    #[error("the certificate's identifier is not two parts with a dot between them")]
    Parts,
    /// The first part is empty, too long or not base64url.
    #[error("the certificate's identifier has a bad key identifier")]
    KeyIdentifier,
    /// The second part is empty, too long or not base64url.
    #[error("the certificate's identifier has a bad serial number")]
    Serial,
}

impl CertificateId {
    /// From the `keyIdentifier` of the certificate's Authority Key Identifier extension, and the
    /// content octets of its serial number's DER INTEGER, the sign's zero octet included.
    ///
    /// # Errors
    /// Empty or too long.
    pub fn new(
        authority_key_identifier: Vec<u8>,
        serial: Vec<u8>,
    ) -> Result<Self, CertificateIdError> {
        if !(1..=KEY_IDENTIFIER_LEN_MAX).contains(&authority_key_identifier.len()) {
            return Err(CertificateIdError::KeyIdentifier);
        }
        if !(1..=SERIAL_LEN_MAX).contains(&serial.len()) {
            return Err(CertificateIdError::Serial);
        }
        Ok(Self {
            authority_key_identifier,
            serial,
        })
    }

    /// Reads the text of the wire.
    ///
    /// # Errors
    /// Not two parts, or a bad one.
    pub fn parse(text: &str) -> Result<Self, CertificateIdError> {
        let (key, serial) = text.split_once('.').ok_or(CertificateIdError::Parts)?;
        if serial.contains('.') {
            return Err(CertificateIdError::Parts);
        }
        let key = base64url::decode(key).map_err(|_| CertificateIdError::KeyIdentifier)?;
        let serial = base64url::decode(serial).map_err(|_| CertificateIdError::Serial)?;
        Self::new(key, serial)
    }

    /// The `keyIdentifier` octets.
    pub fn authority_key_identifier(&self) -> &[u8] {
        &self.authority_key_identifier
    }

    /// The content octets of the serial number's DER INTEGER.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }
}

impl TryFrom<String> for CertificateId {
    type Error = CertificateIdError;

    fn try_from(text: String) -> Result<Self, CertificateIdError> {
        Self::parse(&text)
    }
}

impl FromStr for CertificateId {
    type Err = CertificateIdError;

    fn from_str(text: &str) -> Result<Self, CertificateIdError> {
        Self::parse(text)
    }
}

impl From<CertificateId> for String {
    fn from(id: CertificateId) -> String {
        id.to_string()
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            authority_key_identifier,
            serial,
        } = self;
        let key = base64url::encode(authority_key_identifier);
        write!(f, "{key}.{}", base64url::encode(serial))
    }
}

impl fmt::Debug for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rfcs_example_is_read_and_written() {
        // RFC 9773 §4.1.
        let text = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
        let id = CertificateId::parse(text).unwrap();
        assert_eq!(id.serial(), [0x00, 0x87, 0x65, 0x43, 0x21]);
        assert_eq!(id.authority_key_identifier().first(), Some(&0x69));
        assert_eq!(id.to_string(), text);
    }

    #[test]
    fn what_is_not_two_parts_of_base64url_is_refused() {
        let check = |text: &str, error: CertificateIdError| {
            assert_eq!(CertificateId::parse(text), Err(error), "{text}");
        };
        check("", CertificateIdError::Parts);
        check("AA", CertificateIdError::Parts);
        check("AA.AA.AA", CertificateIdError::Parts);
        check(".AA", CertificateIdError::KeyIdentifier);
        check("AA.", CertificateIdError::Serial);
        check("AA==.AA", CertificateIdError::KeyIdentifier);
        check("AA.A/", CertificateIdError::Serial);
        check(
            &format!("AA.{}", "A".repeat(400)),
            CertificateIdError::Serial,
        );
    }
}
