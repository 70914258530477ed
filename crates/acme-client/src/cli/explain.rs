//! From a failure to the message that says what failed, on what, and what to do.

use acme_client_core::{Action, Failure, Fault, IdentifierFailure, Operation};
use acme_types::{Problem, ProblemType};

use super::Complaint;
use super::method::Method;
use super::screen::Screen;
use super::server::Server;
use super::session::Trouble;

/// `what` is what could not be done.
pub(crate) fn explain(
    what: &str,
    trouble: &Trouble,
    server: &Server,
    method: Option<&Method>,
    screen: &Screen,
) -> Complaint {
    let failure = &trouble.failure;
    let mut complaint = Complaint::new(format!("{what}: {failure} ({})", server.url));
    if let Some(problem) = &failure.problem {
        complaint =
            complaint.with_detail(format!("the CA says: {}", told(problem, failure.status)));
        for sub in &problem.subproblems {
            let identifier = sub
                .identifier
                .as_ref()
                .and_then(|identifier| identifier.as_known());
            let identifier = identifier.map(ToString::to_string).unwrap_or_default();
            let detail = sub.detail.as_deref().unwrap_or_default();
            complaint = complaint.with_detail(format!("{identifier}: {}: {detail}", sub.kind));
        }
    } else if let Some(status) = failure.status {
        complaint = complaint.with_detail(format!("HTTP status {status}"));
    }
    for identifier in &failure.identifiers {
        complaint = complaint.with_detail(about(identifier));
    }
    if !matches!(failure.fault, Fault::ServerRefused) {
        for reason in screen.reasons() {
            complaint = complaint.with_detail(reason);
        }
    }
    if let Some(advice) = advice(trouble, method, screen) {
        complaint = complaint.with_advice(advice);
    }
    complaint
}

/// RFC 9457 §4.2.1: nothing beyond the status.
const ABOUT_BLANK: &str = "about:blank";

fn told(problem: &Problem, status: Option<u16>) -> String {
    // A body that said nothing of its own: the status is all there is.
    if let (None, ABOUT_BLANK, Some(status)) = (&problem.detail, problem.kind.as_str(), status) {
        return format!("HTTP status {status}");
    }
    let detail = problem.detail.as_deref().unwrap_or("no explanation");
    let kind = problem.kind.as_str();
    match status {
        Some(status) => format!("{kind}: {detail} (HTTP {status})"),
        None => format!("{kind}: {detail}"),
    }
}

fn about(failure: &IdentifierFailure) -> String {
    let identifier = &failure.identifier;
    let challenge = failure.challenge.as_ref().map(|kind| format!(" by {kind}"));
    let challenge = challenge.unwrap_or_default();
    match failure.problem.as_deref() {
        Some(problem) => format!("{identifier}{challenge}: {}", told(problem, None)),
        None => format!("{identifier}{challenge}: no reason given"),
    }
}

fn advice(trouble: &Trouble, method: Option<&Method>, screen: &Screen) -> Option<String> {
    let failure = &trouble.failure;
    if let Some((action, url)) = &trouble.action {
        let url = url
            .as_ref()
            .map(|url| format!(": {url}"))
            .unwrap_or_default();
        return Some(match action {
            Action::AgreeToTerms => {
                format!("read the CA's terms of service{url}; then run this again with --agree-tos")
            }
            Action::BindExternalAccount => {
                "get a key identifier and a MAC key from the CA, and run this again with --eab-kid \
                 and --eab-hmac-key"
                    .to_owned()
            }
            Action::CheckAccount => {
                "the CA doesn't know this account any more; move its folder away to make a new one"
                    .to_owned()
            }
            _ => format!("do as the CA says{url}; then run this again"),
        });
    }
    let again = "it goes on where this one stopped";
    Some(match failure.fault {
        Fault::Unreachable if screen.reasons().iter().any(|reason| reason.contains("TLS")) => {
            "if this is a private CA, give its root with --ca-file; else its server is not to be \
             trusted"
                .to_owned()
        }
        Fault::Unreachable => {
            "check --server, the name and the network; then run this again".into()
        }
        Fault::Unanswered | Fault::ServerUnavailable | Fault::Unfinished => match trouble.until {
            Some(until) => {
                format!("run the same command again, best not before {until}: {again}")
            }
            None => format!("run the same command again: {again}"),
        },
        Fault::ServerMisbehaved(_) => {
            "check that --server is the URL of an ACME directory; else tell its operator".into()
        }
        Fault::NoChallenge => "the CA doesn't offer this way of proving control for these names \
             (wildcards need --dns-hook); choose another"
            .into(),
        Fault::Presenting => {
            "mend what publishes the challenge response; then run this again".into()
        }
        Fault::Signing => "check the key files in the state folder".into(),
        Fault::Unsuitable => "check --profile and the names against what the CA offers".into(),
        Fault::ServerRefused => return refused(failure, trouble, method),
        _ => return None,
    })
}

fn refused(failure: &Failure, trouble: &Trouble, method: Option<&Method>) -> Option<String> {
    const UNPROVED: [ProblemType; 6] = [
        ProblemType::CONNECTION,
        ProblemType::DNS,
        ProblemType::INCORRECT_RESPONSE,
        ProblemType::TLS,
        ProblemType::UNAUTHORIZED,
        ProblemType::COMPOUND,
    ];
    // Not every CA has a problem type of its own for it.
    if failure.operation == Operation::NewAccount && !trouble.agreed {
        return Some(
            "if the CA wants agreement to its terms of service, read them, then run this again \
             with --agree-tos"
                .to_owned(),
        );
    }
    if failure.is(&ProblemType::RATE_LIMITED) {
        let until = trouble
            .until
            .map(|until| format!(" until {until}"))
            .unwrap_or_default();
        return Some(format!("wait{until}; then run the same command again"));
    }
    if failure.is(&ProblemType::REJECTED_IDENTIFIER)
        || failure.is(&ProblemType::UNSUPPORTED_IDENTIFIER)
    {
        return Some("this CA won't issue for such a name; leave it out or ask another CA".into());
    }
    if failure.is(&ProblemType::CAA) {
        return Some("let the CAA records of the name allow this CA".into());
    }
    if failure.is(&ProblemType::INVALID_CONTACT) || failure.is(&ProblemType::UNSUPPORTED_CONTACT) {
        return Some("give another address with --email".into());
    }
    let unproved = UNPROVED.iter().any(|kind| failure.is(kind)) && !failure.identifiers.is_empty();
    method.filter(|_| unproved).map(Method::advice)
}
