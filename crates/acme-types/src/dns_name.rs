use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name in its text form (RFC 1035 §2.3.4, without the root's dot).
pub const DNS_NAME_LEN_MAX: usize = 253;
/// The longest label (RFC 1035 §2.3.4).
pub const DNS_LABEL_LEN_MAX: usize = 63;

/// A DNS name as an ACME identifier (RFC 8555 §7.1.4): lower-case letters, digits and hyphens,
/// A-labels for what isn't ASCII, no dot at the end, perhaps `*.` in front.
///
/// Upper case is folded on reading. Whether a name may have a certificate (public suffixes, single
/// labels, number of labels) is policy, and isn't asked here.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DnsName(String);

/// Why a text isn't a [`DnsName`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DnsNameError {
    /// No character, or nothing but `*.`.
    #[error("the name is empty")]
    Empty,
    /// More than [`DNS_NAME_LEN_MAX`] bytes.
    #[error("the name is longer than {DNS_NAME_LEN_MAX} bytes")]
    TooLong,
    /// Two dots in a row, or a dot at an end.
    #[error("the name has an empty label")]
    EmptyLabel,
    /// A label of more than [`DNS_LABEL_LEN_MAX`] bytes.
    #[error("a label of the name is longer than {DNS_LABEL_LEN_MAX} bytes")]
    LabelTooLong,
    /// Not a letter, a digit, a hyphen or a dot.
    #[error("the name has a forbidden character at byte {position}")]
    Character {
        /// Which byte.
        position: usize,
    },
    /// A label starts or ends with a hyphen.
    #[error("a label of the name starts or ends with a hyphen")]
    Hyphen,
    /// `*` anywhere but as the whole leftmost label.
    #[error("the name has a wildcard that is not its whole leftmost label")]
    Wildcard,
    /// Hyphens in the third and fourth place, and not `xn--` (RFC 5890 §2.3.1): reserved.
    #[error("a label of the name is reserved")]
    ReservedLabel,
    /// `xn--` and something that isn't the one encoding of a Unicode label (UTS #46).
    #[error("a label of the name is not a valid A-label")]
    InvalidALabel,
    /// The rightmost label is a number, as in an IP address.
    #[error("the name ends in a number")]
    EndsInNumber,
    /// UTS #46 has no ASCII form for the text.
    #[error("the name has no ASCII form")]
    NotMappable,
}

impl DnsName {
    /// Checks a text, folding ASCII upper case.
    ///
    /// # Errors
    /// Whatever keeps it from being a name.
    pub fn parse(text: &str) -> Result<Self, DnsNameError> {
        Self::try_from(text.to_owned())
    }

    /// From what a person typed: Unicode is mapped to A-labels (UTS #46), one dot at the end is
    /// dropped. For the client; a CA takes no such liberty.
    ///
    /// # Errors
    /// As [`DnsName::parse`], and text without an ASCII form.
    pub fn from_unicode(text: &str) -> Result<Self, DnsNameError> {
        // Mapping costs more than checking, and UTF-8 is at most four times as long.
        if text.len() > DNS_NAME_LEN_MAX.saturating_mul(4) {
            return Err(DnsNameError::TooLong);
        }
        let text = text.trim();
        let text = text.strip_suffix('.').unwrap_or(text);
        let (wildcard, base) = match text.strip_prefix("*.") {
            Some(base) => ("*.", base),
            None => ("", text),
        };
        let base = idna::domain_to_ascii(base).map_err(|_| DnsNameError::NotMappable)?;
        Self::try_from(format!("{wildcard}{base}"))
    }

    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the leftmost label is `*`.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// The name without `*.`: where control of it is proved (RFC 8555 §7.1.4).
    pub fn base(&self) -> Self {
        Self(self.0.strip_prefix("*.").unwrap_or(&self.0).to_owned())
    }

    /// The labels from left to right, `*` included.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.0.split('.')
    }

    /// The name without its leftmost label, `None` for a single label. For climbing the tree
    /// (RFC 8659 §3).
    pub fn parent(&self) -> Option<Self> {
        self.0
            .split_once('.')
            .map(|(_, parent)| Self(parent.to_owned()))
    }

    /// The same name with `*.` in front, if there is none yet and there is room for it.
    pub fn wildcard(&self) -> Option<Self> {
        let fits = self.0.len() <= DNS_NAME_LEN_MAX.saturating_sub(2);
        (fits && !self.is_wildcard()).then(|| Self(format!("*.{}", self.0)))
    }
}

fn check(text: &str) -> Result<(), DnsNameError> {
    if text.len() > DNS_NAME_LEN_MAX {
        return Err(DnsNameError::TooLong);
    }
    let base = text.strip_prefix("*.").unwrap_or(text);
    if base.is_empty() {
        return Err(DnsNameError::Empty);
    }
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let offset = text.len().saturating_sub(base.len());
    if let Some(at) = base.bytes().position(|b| !is_allowed(b)) {
        return Err(match base.as_bytes().get(at) {
            Some(b'*') => DnsNameError::Wildcard,
            _ => DnsNameError::Character {
                position: offset.saturating_add(at),
            },
        });
    }
    base.split('.').try_for_each(check_label)?;
    let last = base.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DnsNameError::EndsInNumber);
    }
    Ok(())
}

fn check_label(label: &str) -> Result<(), DnsNameError> {
    match label.len() {
        0 => return Err(DnsNameError::EmptyLabel),
        1..=DNS_LABEL_LEN_MAX => {}
        _ => return Err(DnsNameError::LabelTooLong),
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(DnsNameError::Hyphen);
    }
    if label.get(2..4) != Some("--") {
        return Ok(());
    }
    if !label.starts_with("xn--") {
        return Err(DnsNameError::ReservedLabel);
    }
    // Valid only if it decodes and encodes back to itself: one name, one text.
    let (unicode, decoded) = idna::domain_to_unicode(label);
    let encoded = idna::domain_to_ascii(&unicode);
    match (decoded, encoded) {
        (Ok(()), Ok(encoded)) if encoded == label && !unicode.is_ascii() => Ok(()),
        _ => Err(DnsNameError::InvalidALabel),
    }
}

impl TryFrom<String> for DnsName {
    type Error = DnsNameError;

    fn try_from(mut text: String) -> Result<Self, DnsNameError> {
        text.make_ascii_lowercase();
        check(&text)?;
        Ok(Self(text))
    }
}

impl FromStr for DnsName {
    type Err = DnsNameError;

    fn from_str(text: &str) -> Result<Self, DnsNameError> {
        Self::parse(text)
    }
}

impl From<DnsName> for String {
    fn from(name: DnsName) -> String {
        name.0
    }
}

impl AsRef<str> for DnsName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DnsName({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded_and_nothing_else_is_changed() {
        let check = |text: &str, name: &str| {
            assert_eq!(DnsName::parse(text).as_ref().map(DnsName::as_str), Ok(name));
        };
        check("example.com", "example.com");
        check("*.Example.COM", "*.example.com");
        check("localhost", "localhost");
        check("a-b--c.example", "a-b--c.example");
        check("1.example", "1.example");
        check("xn--bcher-kva.example", "xn--bcher-kva.example");
        check("XN--BCHER-KVA.example", "xn--bcher-kva.example");
        check("3com.com", "3com.com");
        let longest = format!(
            "{}.{}",
            ["a".repeat(63).as_str(); 3].join("."),
            "b".repeat(61)
        );
        assert_eq!(longest.len(), DNS_NAME_LEN_MAX);
        check(&longest, &longest);
    }

    #[test]
    fn what_is_not_a_name_is_refused() {
        let check = |text: &str, error: DnsNameError| {
            assert_eq!(DnsName::parse(text), Err(error), "{text}");
        };
        // H085 to H089.
        check("", DnsNameError::Empty);
        check("*.", DnsNameError::Empty);
        check("*", DnsNameError::Wildcard);
        check("*.*.example", DnsNameError::Wildcard);
        check("a*.example", DnsNameError::Wildcard);
        check("x.*.example", DnsNameError::Wildcard);
        check("example.com.", DnsNameError::EmptyLabel);
        check(".example.com", DnsNameError::EmptyLabel);
        check("a..b", DnsNameError::EmptyLabel);
        check(
            &format!("{}.com", "a".repeat(64)),
            DnsNameError::LabelTooLong,
        );
        check(
            &["a".repeat(62).as_str(); 5].join("."),
            DnsNameError::TooLong,
        );
        check("a_b.example", DnsNameError::Character { position: 1 });
        check("*.a b", DnsNameError::Character { position: 3 });
        check("a.b\n", DnsNameError::Character { position: 3 });
        check("a\0.b", DnsNameError::Character { position: 1 });
        check(
            "b\u{fc}cher.example",
            DnsNameError::Character { position: 1 },
        );
        check("-a.example", DnsNameError::Hyphen);
        check("a-.example", DnsNameError::Hyphen);
        check("ab--cd.example", DnsNameError::ReservedLabel);
        check("xn--a.example", DnsNameError::InvalidALabel);
        check("xn--example-.com", DnsNameError::Hyphen);
        check("xn--0.example", DnsNameError::InvalidALabel);
        check("192.0.2.1", DnsNameError::EndsInNumber);
        check("a.1", DnsNameError::EndsInNumber);
    }

    #[test]
    fn what_a_person_types_is_mapped() {
        let check = |text: &str, name: &str| {
            assert_eq!(
                DnsName::from_unicode(text).as_ref().map(DnsName::as_str),
                Ok(name)
            );
        };
        check(" B\u{fc}cher.example. ", "xn--bcher-kva.example");
        check("*.b\u{fc}cher.example", "*.xn--bcher-kva.example");
        check("fa\u{df}.example", "xn--fa-hia.example");
        assert!(DnsName::from_unicode("a b.example").is_err());
        assert!(DnsName::from_unicode(&"\u{fc}".repeat(9_999)).is_err());
    }

    #[test]
    fn wildcards_have_a_base_and_names_have_parents() {
        let name = |text: &str| DnsName::parse(text).unwrap();
        assert!(name("*.a.example").is_wildcard());
        assert_eq!(name("*.a.example").base(), name("a.example"));
        assert_eq!(name("a.example").base(), name("a.example"));
        assert_eq!(name("a.example").wildcard(), Some(name("*.a.example")));
        assert_eq!(name("*.a.example").wildcard(), None);
        let tree = std::iter::successors(Some(name("a.b.example")), DnsName::parent);
        assert_eq!(
            tree.map(String::from).collect::<Vec<_>>(),
            ["a.b.example", "b.example", "example"]
        );
        assert_eq!(name("a.b").labels().rev().collect::<Vec<_>>(), ["b", "a"]);
    }
}
