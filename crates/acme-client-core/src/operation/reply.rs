//! A reply, and what all operations read from one.

use acme_types::{Link, RetryAfter, replay_nonce};
use acme_types::{Nonce, Problem, ProblemType, Timestamp, Url, tolerant};
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use super::Read;
use crate::Config;
use crate::failure::{Failure, Fault, Misbehaviour, Operation};

/// A complete response to one request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Which operation it answers.
    pub operation: Operation,
    /// The URL that was asked: relative references are resolved against it.
    pub url: Url,
    /// When it came.
    pub at: Timestamp,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    /// The reply to `operation` at `url`.
    pub fn new(
        operation: Operation,
        url: Url,
        at: Timestamp,
        response: http::Response<Vec<u8>>,
    ) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            operation,
            url,
            at,
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The fresh nonce, if there is one (RFC 8555 §6.5.1).
    pub fn nonce(&self) -> Option<Nonce> {
        replay_nonce(&self.headers)
    }

    /// `Retry-After` as a moment, at least a second and at most a day from now.
    pub fn retry_after(&self) -> Option<Timestamp> {
        Some(RetryAfter::from_headers(&self.headers, self.at)?.at(self.at))
    }

    /// The targets of the links of this relation (RFC 8288), those that may be followed.
    pub fn links(&self, relation: &str, config: &Config) -> Vec<Url> {
        let links = Link::from_headers(&self.headers);
        let mut targets = Vec::new();
        for link in links.iter().filter(|link| link.relation == relation) {
            let url = link
                .resolve(&self.url)
                .ok()
                .and_then(|url| config.admit(url).ok());
            targets.extend(url.filter(|url| !targets.contains(url)));
        }
        targets
    }

    /// The URL in the `Location` header; a relative one is resolved.
    pub(super) fn location(&self, config: &Config) -> Read<Url> {
        let value = self.headers.get(header::LOCATION);
        let value = value.ok_or_else(|| self.misbehaved(Misbehaviour::MissingLocation))?;
        let text = value
            .to_str()
            .map_err(|_| self.misbehaved(Misbehaviour::BadUrl))?;
        let url = self
            .url
            .join(text)
            .map_err(|_| self.misbehaved(Misbehaviour::BadUrl))?;
        self.admit(config, url)
    }

    pub(super) fn admit(&self, config: &Config, url: Url) -> Read<Url> {
        config.admit(url).map_err(|how| self.misbehaved(how))
    }

    /// The failure that this reply is, if its status isn't a success, or if it is a problem
    /// document under a success.
    pub(super) fn success(&self) -> Read<&Self> {
        let answered = self.status.is_success()
            || self.status.is_client_error()
            || self.status.is_server_error();
        if !answered {
            // No redirect is followed: the request was signed for one URL (RFC 8555 §6.4).
            return Err(self.misbehaved(Misbehaviour::UnexpectedStatus));
        }
        if self.status.is_success() && !self.is_problem_document() {
            return Ok(self);
        }
        Err(self.refusal())
    }

    /// The JSON object in the body of a success.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Read<T> {
        let reply = self.success()?;
        tolerant::from_slice(&reply.body).map_err(|_| self.misbehaved(Misbehaviour::MalformedBody))
    }

    /// This reply as a failure.
    pub(crate) fn refusal(&self) -> Failure {
        let problem = self.problem();
        let fault = match self.status {
            StatusCode::TOO_MANY_REQUESTS => Fault::ServerUnavailable,
            status if status.is_server_error() => Fault::ServerUnavailable,
            _ => Fault::ServerRefused,
        };
        Failure {
            status: Some(self.status.as_u16()),
            problem: problem.map(Box::new),
            retry_after: self.retry_after(),
            ..Failure::new(self.operation, fault)
        }
    }

    pub(crate) fn misbehaved(&self, how: Misbehaviour) -> Failure {
        Failure {
            status: Some(self.status.as_u16()),
            retry_after: self.retry_after(),
            ..Failure::misbehaved(self.operation, how)
        }
    }

    /// RFC 8555 §6.5: "the server MUST provide HTTP status code 400 (Bad Request)"; others use
    /// 401, 403 and 500, so the type alone decides.
    pub(crate) fn is_bad_nonce(&self) -> bool {
        !self.status.is_success()
            && self
                .problem()
                .is_some_and(|problem| problem.kind == ProblemType::BAD_NONCE)
    }

    /// The problem document in the body, whatever its media type says: CAs label them freely.
    fn problem(&self) -> Option<Problem> {
        tolerant::from_slice(&self.body).ok()
    }

    fn is_problem_document(&self) -> bool {
        let value = self
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let essence = value.and_then(|text| text.split(';').next());
        essence.is_some_and(|essence| {
            essence
                .trim()
                .eq_ignore_ascii_case("application/problem+json")
        })
    }
}
