use std::time::Duration;

use acme_types::{Nonce, Problem};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use super::parse::Target;
use crate::Config;
use crate::rejection::Rejection;
use crate::route::Urls;
use crate::schema::ReplyRow;

/// What depends on the decision: status, headers, body. What every reply has is added when it is handed out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A reply without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A reply with a body of this type.
    pub(crate) fn bytes(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
        }
        .header("content-type", content_type)
    }

    /// A reply with a JSON object.
    pub(crate) fn json<T: Serialize>(status: u16, object: &T) -> Result<Self, Rejection> {
        let body = serde_json::to_vec(object).map_err(|_| Rejection::Internal)?;
        Ok(Self::bytes(status, "application/json", body))
    }

    /// A problem document (RFC 8555 §6.7).
    pub(crate) fn problem(status: u16, problem: &Problem) -> Self {
        // A problem is text and numbers, which JSON can always write.
        let body = serde_json::to_vec(problem).unwrap_or_default();
        Self::bytes(status, "application/problem+json", body)
    }

    /// The reply that a commit came with.
    pub(crate) fn from_row(row: &ReplyRow) -> Self {
        Self {
            status: row.status,
            headers: row.headers.clone(),
            body: row.body.clone(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn location(self, url: &str) -> Self {
        self.header("location", url)
    }

    /// RFC 8288 §3.
    pub(crate) fn link(self, url: &str, relation: &str) -> Self {
        self.header("link", format!("<{url}>;rel=\"{relation}\""))
    }

    /// RFC 9110 §10.2.3, in seconds, rounded up.
    pub(crate) fn retry_after(self, after: Duration) -> Self {
        let seconds = after
            .as_secs()
            .saturating_add(u64::from(after.subsec_nanos() > 0));
        self.header("retry-after", seconds.to_string())
    }
}

/// How long a browser may remember what OPTIONS said: a day.
const CORS_MAX_AGE: &str = "86400";

/// OPTIONS: what a script of another origin may do (RFC 8555 §6.1 wants CORS).
pub(super) fn options(allow: &'static str) -> Reply {
    Reply::empty(204)
        .header("allow", allow)
        .header("access-control-allow-methods", allow)
        .header("access-control-allow-headers", "Content-Type")
        .header("access-control-max-age", CORS_MAX_AGE)
}

/// The reply with what every reply has.
pub(super) fn finish(
    reply: Reply,
    config: &Config,
    target: &Target,
    fresh_nonce: &Nonce,
) -> http::Response<Vec<u8>> {
    let mut headers = HeaderMap::new();
    for (name, value) in &reply.headers {
        append(&mut headers, name, value);
    }
    // RFC 8555 §6.5: "An ACME server MUST include a Replay-Nonce header field in every successful
    // response to a POST request and SHOULD provide it in error responses as well."
    if target.is_post || target.is_new_nonce {
        append(&mut headers, "replay-nonce", fresh_nonce.as_str());
    }
    // RFC 8555 §7.1: "The "index" link relation is present on all resources other than the
    // directory".
    if !target.is_directory {
        let link = format!("<{}>;rel=\"index\"", Urls::new(config).directory());
        append(&mut headers, "link", &link);
    }
    if !headers.contains_key("cache-control") {
        append(&mut headers, "cache-control", "no-store");
    }
    // RFC 8555 §6.1: "Such servers SHOULD set the Access-Control-Allow-Origin header field to the
    // value "*"."
    append(&mut headers, "access-control-allow-origin", "*");
    append(
        &mut headers,
        "access-control-expose-headers",
        "Link, Location, Replay-Nonce, Retry-After",
    );
    let mut response = http::Response::new(if target.is_head {
        Vec::new()
    } else {
        reply.body
    });
    *response.status_mut() =
        http::StatusCode::from_u16(reply.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    response
}

/// Names and values are this crate's own text, so none is left out; the other way would be a
/// panic.
fn append(headers: &mut HeaderMap, name: &str, value: &str) {
    let name = HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
        headers.append(name, value);
    }
}
