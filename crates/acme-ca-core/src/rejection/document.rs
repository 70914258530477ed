use std::time::Duration;

use acme_crypto::SignatureAlgorithm;
use acme_jws::JwsError;
use acme_types::{Problem, Subproblem};

use super::{BadIdentifier, Rejection};
use crate::Config;
use crate::exchange::Reply;
use crate::route::Urls;

/// The most identifiers that a refusal names one by one.
const SUBPROBLEMS_MAX: usize = 100;

impl Rejection {
    /// The reply: the problem document, and the headers that go with this cause.
    pub(crate) fn reply(&self, config: &Config) -> Reply {
        let (kind, status, detail) = self.cause();
        let mut problem = Problem::new(kind).with_detail(detail).with_status(status);
        let terms = config.policy.orders.terms_of_service.as_ref();
        if *self == Self::Jws(JwsError::SignatureAlgorithm) {
            // RFC 8555 §6.2: "an "algorithms" field with an array of supported "alg" values".
            problem =
                problem.with_algorithms(SignatureAlgorithm::ALL.map(SignatureAlgorithm::name));
        }
        if let Self::Identifiers(bad) = self {
            problem = with_subproblems(problem, bad);
        }
        if let (Self::TermsNotAgreed, Some(terms)) = (self, terms) {
            problem = problem.with_instance(terms.as_str());
        }
        let mut reply = Reply::problem(status, &problem);
        if let Self::MethodNotAllowed(methods) = self {
            reply = reply.header("allow", methods.allow());
        }
        // RFC 8555 §7.3.3: "a Link header field with link relation "terms-of-service" and the
        // latest terms-of-service URL".
        if let (Self::TermsNotAgreed, Some(terms)) = (self, terms) {
            reply = reply.link(terms.as_str(), "terms-of-service");
        }
        if let Self::KeyInUse(account) = self {
            reply = reply.location(&Urls::new(config).account(account));
        }
        if let Self::RateLimited { retry_after } = self {
            reply = reply.retry_after(*retry_after);
        }
        if status >= SERVER_ERROR {
            let after = config
                .policy
                .orders
                .unavailable_retry_after
                .max(RETRY_AFTER_MIN);
            reply = reply.retry_after(after);
        }
        reply
    }
}

/// From here on it is the CA's own fault, and may pass.
const SERVER_ERROR: u16 = 500;
/// Zero would be an invitation to hammer.
const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);

fn with_subproblems(problem: Problem, bad: &[BadIdentifier]) -> Problem {
    bad.iter()
        .take(SUBPROBLEMS_MAX)
        .fold(problem, |problem, bad| {
            let detail = format!("identifier {}: {}", bad.place, bad.fault.detail());
            problem.with_subproblem(Subproblem {
                kind: bad.fault.kind(),
                detail: Some(detail),
                status: None,
                identifier: bad.identifier.clone().map(Into::into),
            })
        })
}
