//! The one message of a command that fails.

use std::fmt;

use acme_client::folder::{FolderError, FolderFault};

/// What failed, on what, and what to do.
#[derive(Debug)]
pub(crate) struct Complaint {
    message: String,
    details: Vec<String>,
    advice: Option<String>,
}

impl Complaint {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: printable(&message.into()),
            details: Vec::new(),
            advice: None,
        }
    }

    pub(crate) fn with_detail(mut self, detail: impl AsRef<str>) -> Self {
        self.details.push(printable(detail.as_ref()));
        self
    }

    /// With all that another one says.
    pub(crate) fn with_other(mut self, other: &Self) -> Self {
        self.details.push(other.message.clone());
        self.details
            .extend(other.details.iter().map(|detail| format!("  {detail}")));
        self.details.extend(
            other
                .advice
                .iter()
                .map(|advice| format!("  To do: {advice}")),
        );
        self
    }

    pub(crate) fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(printable(&advice.into()));
        self
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for detail in &self.details {
            write!(f, "\n  {detail}")?;
        }
        if let Some(advice) = &self.advice {
            write!(f, "\n  To do: {advice}")?;
        }
        Ok(())
    }
}

impl From<FolderError> for Complaint {
    fn from(error: FolderError) -> Self {
        let advice = match &error.reason {
            FolderFault::Locked => "wait until the other acme command has ended",
            FolderFault::UnknownFormat(_) => {
                "use the version of acme that wrote it, or another --dir"
            }
            FolderFault::Malformed(_) => "restore the file from a backup, or move its folder away",
            FolderFault::Io(_) => {
                "give this user the right to write there, or choose another --dir"
            }
            _ => "see the file named above",
        };
        Self::new(format!("state folder: {error}")).with_advice(advice)
    }
}

/// Text of others, made fit for a terminal: without control characters, and not endless.
pub(crate) fn printable(text: &str) -> String {
    let fit = |c: char| {
        if c.is_control() || is_invisible(c) {
            '\u{fffd}'
        } else {
            c
        }
    };
    let mut shown: String = text.chars().take(TEXT_LEN_MAX).map(fit).collect();
    if text.chars().nth(TEXT_LEN_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// More than any honest explanation needs.
const TEXT_LEN_MAX: usize = 1_000;

/// Characters that turn or hide text.
fn is_invisible(c: char) -> bool {
    const TURNING: [std::ops::RangeInclusive<char>; 4] = [
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2066}'..='\u{2069}',
        '\u{feff}'..='\u{feff}',
    ];
    TURNING.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_cannot_move_the_cursor() {
        assert_eq!(
            printable("a\x1b[2Jb\nc\u{202e}d"),
            "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d"
        );
        assert_eq!(
            printable(&"x".repeat(5_000)).chars().count(),
            TEXT_LEN_MAX + 1
        );
    }
}
