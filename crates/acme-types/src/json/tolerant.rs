//! The client's reader: what isn't understood never costs what is.
//!
//! Null members count as absent and null entries of lists are dropped, at any depth; of a name
//! that occurs twice the last value counts; unknown members are ignored. What else is tolerated
//! is said by the fields of each object. What is needed and isn't there is an error all the same.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::JsonError;

/// The longest document, in bytes. Directories, orders and authorizations of a hundred names have
/// less than a tenth of it.
pub const DOCUMENT_LEN_MAX: usize = 1_024 * 1_024;

/// Reads an object tolerantly. Nesting is limited to the 128 levels of the JSON reader.
///
/// # Errors
/// Not JSON, not an object, or a member that is needed is missing or wrong.
pub fn from_slice<T: DeserializeOwned>(document: &[u8]) -> Result<T, JsonError> {
    if document.len() > DOCUMENT_LEN_MAX {
        return Err(JsonError::TooLong);
    }
    let text = std::str::from_utf8(document).map_err(|error| JsonError::NotUtf8 {
        position: error.valid_up_to(),
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let position = |error: serde_json::Error| error.column().saturating_sub(1);
    let value: Value = serde_json::from_str(text).map_err(|error| JsonError::Syntax {
        position: position(error),
    })?;
    let Value::Object(_) = value else {
        return Err(JsonError::NotAnObject);
    };
    serde_path_to_error::deserialize(without_nulls(value))
        .map_err(|error| JsonError::from_path_error(&error))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name, without_nulls(value)))
                .collect()
        }
        Value::Array(entries) => entries
            .into_iter()
            .filter(|value| !value.is_null())
            .map(without_nulls)
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn nulls_are_absent_at_any_depth() {
        let read: BTreeMap<String, Value> =
            from_slice(b"\xef\xbb\xbf{\"a\":null,\"b\":[null,{\"c\":null}],\"d\":1,\"d\":2}")
                .unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"b":[{}],"d":2}"#);
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        let check = |document: &[u8], error: JsonError| {
            assert_eq!(from_slice::<Value>(document), Err(error));
        };
        check(b"", JsonError::Syntax { position: 0 });
        check(b"<html>", JsonError::Syntax { position: 0 });
        check(b"[]", JsonError::NotAnObject);
        check(b"{\"a\":\"\xff\"}", JsonError::NotUtf8 { position: 6 });
        check(&b"[".repeat(100_000), JsonError::Syntax { position: 127 });
        check(&vec![b' '; DOCUMENT_LEN_MAX + 1], JsonError::TooLong);
    }
}
