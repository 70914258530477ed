//! Members of JSON objects that were read strictly, by name.

use serde_json::{Map, Value};

pub(crate) type Members = Map<String, Value>;

/// A member that is text; `None` if it's absent or something else, `null` for one.
pub(crate) fn text<'a>(members: &'a Members, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

/// As [`text`], taken out.
pub(crate) fn take_text(members: &mut Members, name: &str) -> Option<String> {
    match members.remove(name) {
        Some(Value::String(text)) => Some(text),
        Some(_) | None => None,
    }
}
