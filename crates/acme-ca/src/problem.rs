//! Problem documents (RFC 8555 §6.7) for what no exchange sees: a body over the limit, a request
//! that stopped half way, a path of the publication that isn't one.

use acme_types::{Problem, ProblemType};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

/// A response with a problem document.
pub(crate) fn response(status: StatusCode, kind: ProblemType, detail: &str) -> Response<Vec<u8>> {
    let problem = Problem::new(kind)
        .with_status(status.as_u16())
        .with_detail(detail);
    // Text and numbers, which JSON can always write.
    let mut response = Response::new(serde_json::to_vec(&problem).unwrap_or_default());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
