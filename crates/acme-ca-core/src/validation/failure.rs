//! Why a validation failed, typed, and the one table to the problem that the client reads.

use std::fmt;

use acme_types::{Problem, ProblemType};

use super::caa::CaaFault;
use super::tls_alpn_01::CertificateFault;
use super::{DnsOutcome, NetworkFailure, RecordKind, Target};

/// At most so much of what came back is repeated to the client (hostile inputs H145): enough to
/// recognise one's own mistake, too little to read a stranger's server through the CA.
const ECHO_LEN_MAX: usize = 64;

/// Why a probe found no proof, or no permission.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Failure {
    /// The method isn't on offer for such an identifier.
    MethodOff,
    /// The attempt's deadline passed.
    Deadline,
    /// A DNS question got no usable answer.
    Lookup {
        name: String,
        kind: RecordKind,
        outcome: DnsOutcome,
    },
    /// No address, or none that may be contacted.
    NoAddress { host: String, refused: usize },
    /// No connection, or nothing usable over it.
    Network {
        asked: String,
        target: Target,
        failure: NetworkFailure,
    },
    /// A redirect that isn't followed.
    Redirect {
        asked: String,
        target: Target,
        fault: RedirectFault,
        location: Vec<u8>,
    },
    /// An HTTP status that is neither 200 nor a redirect.
    Status {
        asked: String,
        target: Target,
        status: u16,
    },
    /// A body that isn't the key authorization.
    Body {
        asked: String,
        target: Target,
        body: Vec<u8>,
    },
    /// A body that is longer than any key authorization.
    BodyTooLong { asked: String, target: Target },
    /// No TXT record.
    NoTxt { name: String },
    /// TXT records, but not the one.
    WrongTxt {
        name: String,
        count: usize,
        first: Vec<u8>,
    },
    /// Another protocol than `acme-tls/1`, or none.
    Alpn {
        target: Target,
        chosen: Option<Vec<u8>>,
    },
    /// Too many certificates, or too large ones.
    TooMuch { target: Target },
    /// A certificate that doesn't prove it.
    Certificate {
        target: Target,
        fault: CertificateFault,
    },
    /// CAA doesn't permit it.
    Caa { name: String, fault: CaaFault },
}

/// Why a redirect isn't followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RedirectFault {
    /// No Location header, or more than one.
    Location,
    /// Not a URL, or one with user information or forbidden characters.
    Url,
    /// Neither http nor https.
    Scheme,
    /// A port other than the methods' own.
    Port,
    /// A host that may not be contacted.
    Host,
    /// A path that is too long.
    TooLong,
    /// A URL that was fetched before.
    Loop,
    /// One redirect too many.
    TooMany,
}

impl Failure {
    /// The problem's type (RFC 8555 §6.7), as hostile-input tests H106 to H157 hold it.
    fn kind(&self) -> ProblemType {
        match self {
            Self::MethodOff => ProblemType::UNAUTHORIZED,
            Self::Lookup { .. } | Self::NoAddress { .. } => ProblemType::DNS,
            Self::Network {
                failure: NetworkFailure::Tls(_),
                ..
            } => ProblemType::TLS,
            Self::Network {
                failure:
                    NetworkFailure::Refused
                    | NetworkFailure::TimedOut
                    | NetworkFailure::Closed
                    | NetworkFailure::Unreachable
                    | NetworkFailure::Protocol,
                ..
            }
            | Self::Deadline
            | Self::Redirect { .. } => ProblemType::CONNECTION,
            Self::Status { .. }
            | Self::NoTxt { .. }
            | Self::Alpn { .. }
            | Self::Certificate { .. } => ProblemType::UNAUTHORIZED,
            Self::Body { .. } | Self::BodyTooLong { .. } | Self::WrongTxt { .. } => {
                ProblemType::INCORRECT_RESPONSE
            }
            Self::TooMuch { .. } => ProblemType::TLS,
            Self::Caa { .. } => ProblemType::CAA,
        }
    }

    /// What the client reads in the challenge's `error`: what was asked, where, what came back.
    pub(super) fn problem(&self) -> Problem {
        Problem::new(self.kind()).with_detail(self.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MethodOff => {
                f.write_str("this method is not on offer for such an identifier (any more)")
            }
            Self::Deadline => f.write_str("the time for the attempt was over"),
            Self::Lookup {
                name,
                kind,
                outcome,
            } => {
                write!(
                    f,
                    "looking up {} for {name}: {}",
                    record(*kind),
                    answered(outcome)
                )
            }
            Self::NoAddress { host, refused: 0 } => write!(f, "no A or AAAA record for {host}"),
            Self::NoAddress { host, refused } => {
                write!(
                    f,
                    "no public address: none of the {refused} of {host} may be contacted"
                )
            }
            Self::Network {
                asked,
                target,
                failure,
            } => {
                write!(f, "{asked} at {target}: {}", network(*failure))
            }
            Self::Redirect {
                asked,
                target,
                fault,
                location,
            } => {
                let location = escaped(location);
                write!(
                    f,
                    "{asked} at {target}: redirect to \"{location}\" {}",
                    fault.text()
                )
            }
            Self::Status {
                asked,
                target,
                status,
            } => {
                write!(f, "{asked} at {target}: status {status}, not 200")
            }
            Self::Body {
                asked,
                target,
                body,
            } => {
                let body = escaped(body);
                write!(
                    f,
                    "{asked} at {target}: \"{body}\" is not the key authorization"
                )
            }
            Self::BodyTooLong { asked, target } => {
                write!(
                    f,
                    "{asked} at {target}: the body is too long for a key authorization"
                )
            }
            Self::NoTxt { name } => write!(f, "no TXT record at {name}"),
            Self::WrongTxt { name, count, first } => {
                let first = escaped(first);
                write!(f, "TXT at {name}: \"{first}\" is not the digest")?;
                match count.saturating_sub(1) {
                    0 => Ok(()),
                    more => write!(f, ", nor are {more} more"),
                }
            }
            Self::Alpn {
                target,
                chosen: None,
            } => {
                write!(f, "{target} did not negotiate acme-tls/1")
            }
            Self::Alpn {
                target,
                chosen: Some(other),
            } => {
                write!(f, "{target} chose \"{}\", not acme-tls/1", escaped(other))
            }
            Self::TooMuch { target } => write!(f, "{target} sent too large a chain"),
            Self::Certificate { target, fault } => {
                write!(f, "the certificate of {target} {}", fault.text())
            }
            Self::Caa { name, fault } => write!(f, "CAA at {name} {fault}"),
        }
    }
}

fn record(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::A => "A",
        RecordKind::Aaaa => "AAAA",
        RecordKind::Txt => "TXT",
        RecordKind::Caa => "CAA",
    }
}

fn answered(outcome: &DnsOutcome) -> String {
    match outcome {
        DnsOutcome::Records(_) => "too many records, or none".to_owned(),
        DnsOutcome::NoRecords => "no such records".to_owned(),
        DnsOutcome::NoName => "no such name (NXDOMAIN)".to_owned(),
        DnsOutcome::Refused(1) => "FORMERR".to_owned(),
        DnsOutcome::Refused(2) => "SERVFAIL".to_owned(),
        DnsOutcome::Refused(5) => "REFUSED".to_owned(),
        DnsOutcome::Refused(code) => format!("RCODE {code}"),
        DnsOutcome::TimedOut => "no answer in time".to_owned(),
        DnsOutcome::Unusable => "an answer that cannot be used".to_owned(),
    }
}

fn network(failure: NetworkFailure) -> String {
    match failure {
        NetworkFailure::Refused => "connection refused".to_owned(),
        NetworkFailure::TimedOut => "timed out".to_owned(),
        NetworkFailure::Closed => "connection closed".to_owned(),
        NetworkFailure::Unreachable => "unreachable".to_owned(),
        NetworkFailure::Protocol => "not a usable HTTP/1 response".to_owned(),
        NetworkFailure::Tls(None) => "TLS handshake failed".to_owned(),
        NetworkFailure::Tls(Some(alert)) => format!("TLS handshake failed, alert {alert}"),
    }
}

impl RedirectFault {
    fn text(self) -> &'static str {
        match self {
            Self::Location => "without exactly one Location",
            Self::Url => "that is not a URL",
            Self::Scheme => "of a scheme other than http and https",
            Self::Port => "to a port that is disallowed",
            Self::Host => "to a host that is disallowed",
            Self::TooLong => "that is too long",
            Self::Loop => "in a loop",
            Self::TooMany => "after too many others",
        }
    }
}

/// At most [`ECHO_LEN_MAX`] characters of visible ASCII, everything else as `\xNN`; cut with dots.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let next: String = match byte {
            b'"' | b'\\' => format!("\\{}", char::from(*byte)),
            0x20..=0x7e => char::from(*byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        };
        if text.len().saturating_add(next.len()) > ECHO_LEN_MAX {
            text.push_str("...");
            break;
        }
        text.push_str(&next);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_back_is_escaped_and_short() {
        let check = |bytes: &[u8], text: &str| assert_eq!(escaped(bytes), text);
        check(b"abc", "abc");
        check(b"\x1b[31m\r\n\"\\\xff", "\\x1b[31m\\x0d\\x0a\\\"\\\\\\xff");
        check(&[b'a'; 64], &"a".repeat(64));
        check(&[b'a'; 65], &format!("{}...", "a".repeat(64)));
        check(&[0; 99], &format!("{}...", "\\x00".repeat(16)));
        check("\u{202e}".as_bytes(), "\\xe2\\x80\\xae");
    }
}
