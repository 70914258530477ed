use std::fmt;

use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::JsonError;

/// A JSON object that another layer reads: a JWK, the JWS of an external account binding.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JsonObject(String);

impl JsonObject {
    /// Takes the text of an object that this program made, or reads one strictly.
    ///
    /// # Errors
    /// As [`strict::from_slice`](super::strict::from_slice).
    pub fn from_slice(text: &[u8]) -> Result<Self, JsonError> {
        super::strict::from_slice(text)
    }

    /// The object as JSON text. Members may stand in another order than they were read in.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The object as JSON text.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Without its content, which came in a body.
impl fmt::Debug for JsonObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonObject({} bytes)", self.0.len())
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members: Map<String, Value> =
            serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        members.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Map::<String, Value>::deserialize(deserializer)?;
        Ok(Self(Value::Object(members).to_string()))
    }
}
