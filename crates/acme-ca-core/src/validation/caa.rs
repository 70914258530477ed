//! CAA (RFC 8659) with the parameters of RFC 8657, as a pure function of the answers.
//!
//! All names from the identifier's up to its top level are asked at once; the nearest set decides.
//! A question without a usable answer, nearer than that set, is a failure and never permission.

use std::fmt;

use acme_types::{ChallengeType, DnsName, Url};

use super::{DnsOutcome, DnsRecord};

/// More records than this at one name are refused unread (hostile inputs H119).
const CAA_RECORDS_MAX: usize = 100;
/// The longest tag that is looked at. The longest one registered has 12 characters.
const CAA_TAG_LEN_MAX: usize = 64;

/// The properties that this CA understands, so that their critical flag is no obstacle: those of
/// RFC 8659, and those that say nothing about TLS server certificates or only how to reach
/// somebody (RFC 9495, BR appendix A.1, the VMC requirements).
const TAGS_UNDERSTOOD: &[&str] = &[
    "issue",
    "issuewild",
    "iodef",
    "issuemail",
    "issuevmc",
    "contactemail",
    "contactphone",
];
/// RFC 8659 §4.1: "Bit 0, Issuer Critical Flag", the most significant one. The others are to be
/// ignored.
const CRITICAL: u8 = 0x80;

/// The names to ask for, nearest first. RFC 8659 §3: "climbs the DNS name tree from the specified
/// label up to, but not including, the DNS root".
pub fn climb(name: &DnsName) -> Vec<DnsName> {
    std::iter::successors(Some(name.base()), DnsName::parent).collect()
}

/// Who wants to issue.
#[derive(Clone, Copy, Debug)]
pub struct CaaRequest<'a> {
    /// The names by which CAA may permit this CA.
    pub identities: &'a [DnsName],
    /// Whether for a wildcard.
    pub wildcard: bool,
    /// For which account.
    pub account: &'a Url,
    /// After which validation.
    pub method: &'a ChallengeType,
}

/// Where the climb stands: what the answers so far, nearest first, decide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Climb<'a> {
    /// An answer is missing that may decide.
    Waiting,
    /// The relevant set, and at which of the names it is.
    Found(usize, &'a [DnsRecord]),
    /// No name has a set: CAA does not restrict issuance.
    Nothing,
    /// A question without a usable answer, before any set was found.
    Failed(usize, &'a DnsOutcome),
}

/// What the answers, in the order of [`climb`], decide.
pub fn relevant(answers: &[Option<DnsOutcome>]) -> Climb<'_> {
    for (place, answer) in answers.iter().enumerate() {
        match answer {
            None => return Climb::Waiting,
            Some(DnsOutcome::NoRecords | DnsOutcome::NoName) => {}
            Some(DnsOutcome::Records(records))
                if (1..=CAA_RECORDS_MAX).contains(&records.len()) =>
            {
                return Climb::Found(place, records);
            }
            Some(
                failed @ (DnsOutcome::Records(_)
                | DnsOutcome::Refused(_)
                | DnsOutcome::TimedOut
                | DnsOutcome::Unusable),
            ) => return Climb::Failed(place, failed),
        }
    }
    Climb::Nothing
}

/// Why a set of CAA records doesn't permit issuance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CaaFault {
    /// A critical property that this CA doesn't understand.
    Critical,
    /// A record that isn't a CAA record: its tag is empty, too long, or not alphanumeric.
    Malformed,
    /// No record names this CA.
    NotNamed,
    /// Records name this CA, but only for other accounts or methods, or unsatisfiably.
    Constrained,
}

impl fmt::Display for CaaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Critical => "has a critical property that this CA does not understand",
            Self::Malformed => "has a malformed record",
            Self::NotNamed => "does not name this CA",
            Self::Constrained => "names this CA, but not for this account and this method",
        })
    }
}

/// Whether the relevant set permits the request.
///
/// # Errors
/// Why it doesn't.
pub fn permits(records: &[DnsRecord], request: &CaaRequest<'_>) -> Result<(), CaaFault> {
    let mut issue = Vec::new();
    let mut issue_wild = Vec::new();
    for record in records {
        let DnsRecord::Caa { flags, tag, value } = record else {
            return Err(CaaFault::Malformed);
        };
        // RFC 8659 §4.1: "The tag length MUST be at least 1"; "Tags MUST NOT contain any other
        // characters"; "Matching of tags is case insensitive."
        let sized = (1..=CAA_TAG_LEN_MAX).contains(&tag.len());
        if !sized || !tag.iter().all(u8::is_ascii_alphanumeric) {
            return Err(CaaFault::Malformed);
        }
        let is = |name: &str| tag.eq_ignore_ascii_case(name.as_bytes());
        // "A CA MUST NOT issue certificates for any FQDN if the Relevant RRset for that FQDN
        // contains a CAA critical Property for an unknown or unsupported Property Tag."
        if flags & CRITICAL != 0 && !TAGS_UNDERSTOOD.iter().any(|name| is(name)) {
            return Err(CaaFault::Critical);
        }
        if is("issue") {
            issue.push(value.as_slice());
        } else if is("issuewild") {
            issue_wild.push(value.as_slice());
        }
    }
    // RFC 8659 §4.3: "If at least one issuewild Property is specified in the Relevant RRset for a
    // Wildcard Domain Name, each issue Property MUST be ignored", and the other way round for
    // other names.
    let deciding = if request.wildcard && !issue_wild.is_empty() {
        issue_wild
    } else {
        issue
    };
    // §3: without such a property "CAA does not restrict issuance".
    if deciding.is_empty() {
        return Ok(());
    }
    let matches = deciding.iter().map(|value| property(value, request));
    match matches.max() {
        Some(Match::Permits) => Ok(()),
        Some(Match::Constrained) => Err(CaaFault::Constrained),
        Some(Match::Other) | None => Err(CaaFault::NotNamed),
    }
}

/// What one property says of the request; they add up, so the best one decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    Other,
    Constrained,
    Permits,
}

/// RFC 8659 §4.2: a value "where the issue-value does not match the ABNF grammar MUST be treated
/// the same as one specifying an empty issuer-domain-name".
fn property(value: &[u8], request: &CaaRequest<'_>) -> Match {
    let Some(IssueValue { issuer, parameters }) = IssueValue::parse(value) else {
        return Match::Other;
    };
    let is_ours = |name: &DnsName| name.as_str().as_bytes().eq_ignore_ascii_case(issuer);
    if !request.identities.iter().any(is_ours) {
        return Match::Other;
    }
    // RFC 8657 §3: "A Property with multiple "accounturi" parameters is unsatisfiable." The same
    // for validationmethods: two lists are doubt.
    let one = |tag: &str| {
        let mut its = parameters
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(tag.as_bytes()));
        match (its.next(), its.next()) {
            (None, _) => Some(None),
            (Some((_, value)), None) => Some(Some(*value)),
            (Some(_), Some(_)) => None,
        }
    };
    let account = one("accounturi").is_some_and(|uri| match uri {
        None => true,
        Some(uri) => uri == request.account.as_str().as_bytes(),
    });
    let method = one("validationmethods").is_some_and(|list| match list {
        None => true,
        Some(list) => lists(list, request.method),
    });
    if account && method {
        Match::Permits
    } else {
        Match::Constrained
    }
}

/// RFC 8657 §4: `value = [*(label ",") label]`, `label = 1*(ALPHA / DIGIT / "-")`.
fn lists(list: &[u8], method: &ChallengeType) -> bool {
    let is_label = |label: &[u8]| {
        !label.is_empty()
            && label
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    };
    let mut labels = list.split(|b| *b == b',');
    labels.clone().all(is_label) && labels.any(|label| label == method.as_str().as_bytes())
}

/// `issue-value = *WSP [issuer-domain-name *WSP] [";" *WSP [parameters *WSP]]` (RFC 8659 §4.2).
struct IssueValue<'a> {
    /// Empty: nobody.
    issuer: &'a [u8],
    parameters: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> IssueValue<'a> {
    fn parse(value: &'a [u8]) -> Option<Self> {
        let mut parts = value.split(|b| *b == b';');
        let issuer = trim(parts.next()?);
        // issuer-domain-name = label *("." label)
        if !issuer.is_empty() && !issuer.split(|b| *b == b'.').all(is_ldh) {
            return None;
        }
        let rest: Vec<&[u8]> = parts.map(trim).collect();
        let parameters = match rest.as_slice() {
            [] | [[]] => Vec::new(),
            rest => rest
                .iter()
                .map(|part| parameter(part))
                .collect::<Option<_>>()?,
        };
        Some(Self { issuer, parameters })
    }
}

/// `parameter = tag *WSP "=" *WSP value`, `value = *(%x21-3A / %x3C-7E)`.
fn parameter(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = part.iter().position(|b| *b == b'=')?;
    let (tag, value) = part.split_at_checked(equals)?;
    let (tag, value) = (trim(tag), trim(value.get(1..)?));
    let is_value = value.iter().all(|b| matches!(b, 0x21..=0x3a | 0x3c..=0x7e));
    (is_ldh(tag) && is_value).then_some((tag, value))
}

/// `(ALPHA / DIGIT) *( *("-") (ALPHA / DIGIT))`: labels and tags alike.
fn is_ldh(label: &[u8]) -> bool {
    let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    ends(label.first())
        && ends(label.last())
        && label
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests;
