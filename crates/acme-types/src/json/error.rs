use std::fmt::{self, Write};

use serde_path_to_error::{Path, Segment};

/// The most characters of a [`FieldPath`] that are kept.
const PATH_LEN_MAX: usize = 128;

/// Why a body isn't the object that was wanted. Positions are byte offsets from 0.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// More bytes than the reader takes.
    #[error("the document is too long")]
    TooLong,
    /// Not UTF-8 (RFC 8259 §8.1).
    #[error("the document is not UTF-8 at byte {position}")]
    NotUtf8 {
        /// Of the first bad byte.
        position: usize,
    },
    /// Not JSON (RFC 8259), or a number that can't be represented.
    #[error("the document is not JSON at byte {position}")]
    Syntax {
        /// Near which byte.
        position: usize,
    },
    /// Something follows the object.
    #[error("something follows the JSON object at byte {position}")]
    Trailing {
        /// Near which byte.
        position: usize,
    },
    /// JSON, but no object.
    #[error("the document is not a JSON object")]
    NotAnObject,
    /// Objects or arrays within each other, too many levels of them.
    #[error("the document is nested too deeply at byte {position}")]
    TooDeep {
        /// Near which byte.
        position: usize,
    },
    /// A member's name occurs twice in one object.
    #[error("a member occurs twice at byte {position}")]
    Duplicate {
        /// Near which byte.
        position: usize,
    },
    /// A member is missing, or isn't what it should be.
    #[error("the member `{path}` is missing or not what it should be")]
    Member {
        /// Which member, from the root.
        path: FieldPath,
    },
}

impl JsonError {
    /// The member that is at fault, if that is the trouble.
    pub fn member(&self) -> Option<&str> {
        match self {
            Self::Member { path } => Some(path.as_str()),
            _ => None,
        }
    }

    pub(super) fn from_path_error(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        Self::Member {
            path: FieldPath::new(error.path(), missing_field(error.inner())),
        }
    }
}

/// A path to a member, as in `identifiers[0].type`: made of the names that the reader knows and
/// of indices, never of text from the document.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FieldPath(String);

impl FieldPath {
    /// The path; empty for the document itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn new(path: &Path, missing: Option<String>) -> Self {
        let mut text = String::new();
        for segment in path {
            if text.len() > PATH_LEN_MAX {
                break;
            }
            // Writing to a String can't fail.
            let _ = match segment {
                Segment::Seq { index } => write!(text, "[{index}]"),
                Segment::Map { key } => push(&mut text, key),
                Segment::Enum { .. } | Segment::Unknown => Ok(()),
            };
        }
        if let Some(name) = missing {
            let _ = push(&mut text, &name);
        }
        Self(text)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Appends a name. A key of a map comes from the document, so what isn't shaped like a member's
/// name of ACME is left out.
fn push(text: &mut String, name: &str) -> fmt::Result {
    let plain = name.len() <= 32 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let dot = if text.is_empty() { "" } else { "." };
    write!(text, "{dot}{}", if plain { name } else { "*" })
}

/// serde tells a missing field by its text alone; a test holds it to it.
fn missing_field(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let (name, _) = text.strip_prefix("missing field `")?.split_once('`')?;
    Some(name.to_owned())
}
