//! Problem documents (RFC 7807, RFC 8555 §6.7).

mod kind;
mod wire;

use std::fmt;

pub use kind::ProblemType;

use crate::{Identifier, Known};

/// The longest detail that is kept of a problem that is read, in bytes. The longest known ones
/// list a hundred names.
pub const PROBLEM_DETAIL_LEN_MAX: usize = 16 * 1_024;
/// The most subproblems that are kept of a problem that is read: one per name of an order, and
/// then some.
pub const SUBPROBLEMS_MAX: usize = 256;
/// The most characters of a detail that are displayed.
const DETAIL_SHOWN_MAX: usize = 1_024;

/// A problem document (RFC 8555 §6.7).
///
/// As JSON it is the document of the wire, read tolerantly; a compact format stores all fields.
/// `Display` is fit for a terminal: it escapes what a CA might smuggle in and is short.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// `type`.
    pub kind: ProblemType,
    /// What happened, for people. May hold anything; display the problem, not this.
    pub detail: Option<String>,
    /// The HTTP status that goes with it.
    pub status: Option<u16>,
    /// A short name of the kind, for people (RFC 7807 §3.1).
    pub title: Option<String>,
    /// A URI of this occurrence: for `userActionRequired` where a person must go (RFC 8555
    /// §7.3.3). Never to be opened unasked.
    pub instance: Option<String>,
    /// One problem per identifier (RFC 8555 §6.7.1).
    pub subproblems: Vec<Subproblem>,
    /// For `badSignatureAlgorithm`: the `alg` values that would do (RFC 8555 §6.2).
    pub algorithms: Vec<String>,
}

/// A problem with one identifier (RFC 8555 §6.7.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subproblem {
    /// `type`.
    pub kind: ProblemType,
    /// What happened, for people.
    pub detail: Option<String>,
    /// The HTTP status that would go with it alone.
    pub status: Option<u16>,
    /// Which identifier.
    pub identifier: Option<Known<Identifier>>,
}

impl Problem {
    /// A problem of this kind, and nothing else about it.
    pub fn new(kind: ProblemType) -> Self {
        Self {
            kind,
            detail: None,
            status: None,
            title: None,
            instance: None,
            subproblems: Vec::new(),
            algorithms: Vec::new(),
        }
    }

    /// With a text for people.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// With an HTTP status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self {
            status: Some(status),
            ..self
        }
    }

    /// With the URI of this occurrence.
    #[must_use]
    pub fn with_instance(self, instance: impl Into<String>) -> Self {
        Self {
            instance: Some(instance.into()),
            ..self
        }
    }

    /// With one more problem of an identifier.
    #[must_use]
    pub fn with_subproblem(mut self, subproblem: Subproblem) -> Self {
        self.subproblems.push(subproblem);
        self
    }

    /// With the signature algorithms that would do.
    #[must_use]
    pub fn with_algorithms<T: Into<String>>(self, names: impl IntoIterator<Item = T>) -> Self {
        Self {
            algorithms: names.into_iter().map(Into::into).collect(),
            ..self
        }
    }
}

impl Subproblem {
    /// A problem of this kind with this identifier.
    pub fn new(kind: ProblemType, identifier: Identifier) -> Self {
        Self {
            kind,
            detail: None,
            status: None,
            identifier: Some(identifier.into()),
        }
    }

    /// With a text for people.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }
}

impl From<ProblemType> for Problem {
    fn from(kind: ProblemType) -> Self {
        Self::new(kind)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(
            f,
            &self.kind,
            self.detail.as_deref().or(self.title.as_deref()),
        )?;
        for subproblem in self.subproblems.iter().take(SUBPROBLEMS_SHOWN_MAX) {
            write!(f, "; {subproblem}")?;
        }
        match self.subproblems.len().saturating_sub(SUBPROBLEMS_SHOWN_MAX) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// The most subproblems that are displayed.
const SUBPROBLEMS_SHOWN_MAX: usize = 8;

impl fmt::Display for Subproblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Known::Known(identifier)) = &self.identifier {
            write!(f, "{identifier}: ")?;
        }
        display(f, &self.kind, self.detail.as_deref())
    }
}

fn display(f: &mut fmt::Formatter<'_>, kind: &ProblemType, detail: Option<&str>) -> fmt::Result {
    escaped(f, kind.name().unwrap_or(kind.as_str()))?;
    match detail {
        Some(detail) => {
            f.write_str(": ")?;
            escaped(f, detail)
        }
        None => Ok(()),
    }
}

/// Writes a text without control characters, and without what turns the direction of writing.
fn escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for (shown, character) in text.chars().enumerate() {
        if shown == DETAIL_SHOWN_MAX {
            return f.write_str("\u{2026}");
        }
        let turns = matches!(
            character,
            '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{61c}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        );
        if character.is_control() || turns {
            write!(f, "{}", character.escape_unicode())?;
        } else {
            write!(f, "{character}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
