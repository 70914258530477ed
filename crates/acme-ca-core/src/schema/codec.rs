//! How keys and rows become bytes, and the other way round.
//!
//! A row is a format number and a body. The body of format 1 is postcard over the row's struct;
//! what is polymorphic in serde (JWKs, problems, identifiers) stands in it as text.

use acme_types::{DnsName, Identifier};

use super::{Row, Serial};

/// The format that rows are written in.
pub(super) const FORMAT: u8 = 1;

/// Bytes from a store that no version of this code wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// A key of an unknown kind or length.
    #[error("the store holds a key that this version doesn't know")]
    Key,
    /// A row of an unknown format number.
    #[error("the store holds a row of format {0}, which this version doesn't know")]
    Format(u8),
    /// A row whose body doesn't read.
    #[error("the store holds a row that is damaged")]
    Body,
}

impl Row {
    /// The row's bytes in a store.
    ///
    /// # Errors
    /// [`CodecError::Body`] if a value can't be written; no row that this crate makes is one.
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        let body = postcard::to_allocvec(self).map_err(|_| CodecError::Body)?;
        let mut bytes = Vec::with_capacity(body.len().saturating_add(1));
        bytes.push(FORMAT);
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    /// The row that these bytes are.
    ///
    /// # Errors
    /// [`CodecError::Format`] for another format, [`CodecError::Body`] for damage.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        match bytes.split_first() {
            Some((&FORMAT, body)) => postcard::from_bytes(body).map_err(|_| CodecError::Body),
            Some((&other, _)) => Err(CodecError::Format(other)),
            None => Err(CodecError::Body),
        }
    }
}

pub(super) fn key(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len = parts
        .iter()
        .map(|part| part.len())
        .fold(1usize, usize::saturating_add);
    let mut key = Vec::with_capacity(len);
    key.push(kind);
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

/// Reads a key field by field.
pub(super) struct KeyReader<'a>(&'a [u8]);

impl<'a> KeyReader<'a> {
    pub(super) fn new(key: &'a [u8]) -> Self {
        Self(key)
    }

    pub(super) fn kind(&mut self) -> Result<u8, CodecError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(CodecError::Key)?;
        self.0 = tail;
        Ok(*head)
    }

    pub(super) fn serial(&mut self) -> Result<Serial, CodecError> {
        Serial::from_der_integer(&self.array::<16>()?).ok_or(CodecError::Key)
    }

    /// All that is left, as text.
    pub(super) fn text(&mut self) -> Result<&'a str, CodecError> {
        let text = std::str::from_utf8(self.0).map_err(|_| CodecError::Key)?;
        self.0 = &[];
        Ok(text)
    }

    pub(super) fn end(&self) -> Result<(), CodecError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(CodecError::Key)
        }
    }
}

/// `dns:example.com`, `ip:192.0.2.1`.
pub(super) fn identifier_text(identifier: &Identifier) -> String {
    match identifier {
        Identifier::Dns(name) => format!("dns:{}", name.as_str()),
        Identifier::Ip(address) => format!("ip:{address}"),
        other => format!("{other:?}"),
    }
}

pub(super) fn identifier_from_text(text: &str) -> Result<Identifier, CodecError> {
    match text.split_once(':') {
        Some(("dns", name)) => DnsName::parse(name)
            .map(Identifier::Dns)
            .map_err(|_| CodecError::Key),
        Some(("ip", address)) => address
            .parse()
            .map(Identifier::Ip)
            .map_err(|_| CodecError::Key),
        _ => Err(CodecError::Key),
    }
}

/// Serde by way of JSON text, for what has a shape of its own on the wire.
pub(super) mod json {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Serialize,
        S: Serializer,
    {
        serde_json::to_string(value)
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: DeserializeOwned,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map_err(D::Error::custom)
    }
}
