//! The CA's reader: whatever is doubtful is refused, anywhere in the document.
//!
//! Refused are: too long, not UTF-8, not JSON, something after the object, not an object, a name
//! twice in one object (RFC 7515 §4 and RFC 8259 §4), deep nesting, and what the wanted type
//! refuses. Unknown members are ignored: RFC 8555 §7.3 and §7.5.1 tell servers to. Absent and
//! null are two things: null is refused where a value may be absent.
//!
//! serde takes an array for a struct within a struct; a type that is nested in another one should
//! insist on an object, as [`RawIdentifier`](crate::RawIdentifier) does.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::JsonError;

/// The longest document, in bytes: the CA's limit on a request's body, which all others lie in.
pub const DOCUMENT_LEN_MAX: usize = 64 * 1_024;
/// The deepest nesting of objects and arrays. A key change, the deepest document of ACME, has 3.
pub const DEPTH_MAX: usize = 16;

/// Reads an object strictly.
///
/// # Errors
/// See the module.
pub fn from_slice<T: DeserializeOwned>(document: &[u8]) -> Result<T, JsonError> {
    let text = check(document)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| JsonError::from_path_error(&error))
}

/// Checks everything that doesn't depend on the wanted type.
fn check(document: &[u8]) -> Result<&str, JsonError> {
    if document.len() > DOCUMENT_LEN_MAX {
        return Err(JsonError::TooLong);
    }
    let text = std::str::from_utf8(document).map_err(|error| JsonError::NotUtf8 {
        position: error.valid_up_to(),
    })?;
    let fault = Cell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let walked = Walk {
        depth: 0,
        fault: &fault,
    }
    .deserialize(&mut reader);
    let shape = walked.map_err(|error| {
        let position = position(text, &error);
        match fault.get() {
            Some(Fault::Deep) => JsonError::TooDeep { position },
            Some(Fault::Duplicate) => JsonError::Duplicate { position },
            None => JsonError::Syntax { position },
        }
    })?;
    reader.end().map_err(|error| JsonError::Trailing {
        position: position(text, &error),
    })?;
    match shape {
        Shape::Object => Ok(text),
        Shape::Other => Err(JsonError::NotAnObject),
    }
}

/// serde_json counts lines and columns from 1.
fn position(text: &str, error: &serde_json::Error) -> usize {
    let before = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1));
    let start: usize = before.map(str::len).fold(0, usize::saturating_add);
    start
        .saturating_add(error.column().saturating_sub(1))
        .min(text.len())
}

#[derive(Clone, Copy)]
enum Fault {
    Deep,
    Duplicate,
}

enum Shape {
    Object,
    Other,
}

/// Walks over a value without keeping it. The fault is told by a cell, because serde_json's error
/// has room for a text only.
#[derive(Clone, Copy)]
struct Walk<'a> {
    depth: usize,
    fault: &'a Cell<Option<Fault>>,
}

impl Walk<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            self.fault.set(Some(Fault::Deep));
            return Err(E::custom("deep"));
        }
        Ok(Self {
            depth: self.depth.saturating_add(1),
            ..self
        })
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let inner = self.deeper()?;
        let mut names = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name) {
                self.fault.set(Some(Fault::Duplicate));
                return Err(A::Error::custom("duplicate"));
            }
            map.next_value_seed(inner)?;
        }
        Ok(Shape::Object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Shape, A::Error> {
        let inner = self.deeper()?;
        while sequence.next_element_seed(inner)?.is_some() {}
        Ok(Shape::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Other)
    }
}

/// For `#[serde(default, deserialize_with = …)]`: absent is `None`, null is refused.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, PartialEq, Debug)]
    struct Wanted {
        name: String,
        #[serde(default, deserialize_with = "present")]
        count: Option<u8>,
        #[serde(default)]
        inner: Vec<Inner>,
    }

    #[derive(Deserialize, PartialEq, Debug)]
    struct Inner {
        #[serde(rename = "type")]
        kind: String,
    }

    fn read(document: &[u8]) -> Result<Wanted, JsonError> {
        from_slice(document)
    }

    #[test]
    fn unknown_members_are_ignored() {
        let wanted = Wanted {
            name: "a".into(),
            count: Some(1),
            inner: vec![],
        };
        let document = br#" {"name":"a", "x":[{"y":null,"z":1.5e3,"w":-1}], "count":1} "#;
        assert_eq!(read(document), Ok(wanted));
    }

    #[test]
    fn what_is_doubtful_is_refused_anywhere() {
        use JsonError::{NotAnObject, TooLong};
        const SYNTAX: JsonError = JsonError::Syntax { position: 0 };
        const TRAILING: JsonError = JsonError::Trailing { position: 0 };
        const NOT_UTF8: JsonError = JsonError::NotUtf8 { position: 0 };
        const DUPLICATE: JsonError = JsonError::Duplicate { position: 0 };
        const TOO_DEEP: JsonError = JsonError::TooDeep { position: 0 };
        // Which byte is near enough is serde_json's to say; some are pinned below.
        let check = |document: &[u8], kind: JsonError| {
            let found = std::mem::discriminant(&read(document).unwrap_err());
            let shown = String::from_utf8_lossy(document);
            assert_eq!(found, std::mem::discriminant(&kind), "{shown}");
        };
        // H007
        check(b"", SYNTAX);
        check(b"name", SYNTAX);
        check(b"\xef\xbb\xbf{}", SYNTAX);
        check(b"{\"name\":\"a\0\"}", SYNTAX);
        check(b"{\"name\":\"a\"}\0", TRAILING);
        check(b"{\"name\":\"a\"}{}", TRAILING);
        check(b"{\"name\":\"a\"}\n\n x", TRAILING);
        check(b"{\"name\":\"a\",}", SYNTAX);
        check(b"{'name':'a'}", SYNTAX);
        // H008
        check(b"{\"name\":\"\xff\"}", NOT_UTF8);
        check(b"{\"x\":\"\xc0\x80\"}", NOT_UTF8);
        check(br#"{"x":"\ud800"}"#, SYNTAX);
        check(br#"{"x":"\udc00"}"#, SYNTAX);
        // H009
        check(br#"{"name":"a","name":"a"}"#, DUPLICATE);
        check(br#"{"name":"a","x":{"y":1,"y":1}}"#, DUPLICATE);
        check(br#"{"name":"a","x":[{"y":1,"\u0079":1}]}"#, DUPLICATE);
        // H010
        let deep = [
            b"{\"x\":".as_slice(),
            &b"[".repeat(10_000),
            &b"]".repeat(10_000),
            b"}",
        ]
        .concat();
        check(&deep, TOO_DEEP);
        let deep = [
            b"{\"x\":".repeat(10_000),
            b"1".to_vec(),
            b"}".repeat(10_000),
        ]
        .concat();
        check(&deep, TOO_DEEP);
        // H011
        check(br#"{"x":1e400}"#, SYNTAX);
        check(br#"{"x":0x1}"#, SYNTAX);
        check(br#"{"x":01}"#, SYNTAX);
        check(br#"{"x":+1}"#, SYNTAX);
        check(br#"{"x":NaN}"#, SYNTAX);
        // No object
        for document in ["null", "[]", "[\"a\"]", "\"a\"", "1", "true"] {
            check(document.as_bytes(), NotAnObject);
        }
        check(&vec![b' '; DOCUMENT_LEN_MAX + 1], TooLong);
    }

    #[test]
    fn faults_are_located() {
        let check = |document: &str, error: JsonError| {
            assert_eq!(read(document.as_bytes()), Err(error), "{document}");
        };
        check("name", JsonError::Syntax { position: 1 });
        check("{\n\n\"name\":x}", JsonError::Syntax { position: 10 });
        check(
            "{\"name\":\"a\"}\n\n x",
            JsonError::Trailing { position: 15 },
        );
        check(
            r#"{"name":"a","name":"a"}"#,
            JsonError::Duplicate { position: 17 },
        );
    }

    #[test]
    fn the_member_at_fault_is_named() {
        let check = |document: &str, path: &str| {
            assert_eq!(
                read(document.as_bytes()).unwrap_err().member(),
                Some(path),
                "{document}"
            );
        };
        check("{}", "name");
        check(r#"{"name":1}"#, "name");
        check(r#"{"name":null}"#, "name");
        check(r#"{"name":"a","count":null}"#, "count");
        check(r#"{"name":"a","count":"1"}"#, "count");
        check(r#"{"name":"a","count":256}"#, "count");
        check(r#"{"name":"a","count":-0}"#, "count");
        check(r#"{"name":"a","count":100000000000000000000}"#, "count");
        check(r#"{"name":"a","count":1.0}"#, "count");
        check(
            r#"{"name":"a","inner":[{"type":"x"},{"kind":"x"}]}"#,
            "inner[1].type",
        );
        check(r#"{"name":"a","inner":[{"type":[]}]}"#, "inner[0].type");
    }
}
