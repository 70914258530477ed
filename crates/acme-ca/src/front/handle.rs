use std::sync::Arc;
use std::time::Duration;

use acme_ca_core::exchange::BODY_LEN_MAX;
use acme_types::ProblemType;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{Method, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::node::Node;
use crate::problem;

/// How long a request's body may take: 64 KiB over the slowest line that is of any use.
const BODY_PATIENCE: Duration = Duration::from_secs(20);

/// Everything of the CA.
pub(crate) fn acme(node: Arc<Node>) -> Router {
    Router::new().fallback(serve).with_state(node)
}

/// What is published over plain HTTP, and nothing else: no ACME request is answered in the clear.
pub(crate) fn publication(node: Arc<Node>) -> Router {
    Router::new().fallback(publish).with_state(node)
}

async fn serve(State(node): State<Arc<Node>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = match read(body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let response = node
        .serve_exchange(http::Request::from_parts(head, body))
        .await;
    response.map(Body::from)
}

async fn publish(State(node): State<Arc<Node>>, request: Request) -> Response {
    let prefix = node.config().publication_base.path().trim_end_matches('/');
    let below = request.uri().path().strip_prefix(prefix).unwrap_or("");
    let is_published = below.starts_with("/crl/") || below.starts_with("/issuer/");
    if !is_published {
        return refuse(
            StatusCode::NOT_FOUND,
            "nothing is published under this path",
        );
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return refuse(
            StatusCode::METHOD_NOT_ALLOWED,
            "what is published can only be read",
        );
    }
    serve(State(node), request).await
}

/// The whole body.
async fn read(body: Body) -> Result<Vec<u8>, Response> {
    let limited = Limited::new(body, BODY_LEN_MAX);
    match tokio::time::timeout(BODY_PATIENCE, limited.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the request's body is larger than any that ACME needs",
        )),
        Ok(Err(_)) => Err(refuse(
            StatusCode::BAD_REQUEST,
            "the request's body broke off",
        )),
        Err(_) => Err(refuse(
            StatusCode::REQUEST_TIMEOUT,
            "the request's body took too long",
        )),
    }
}

fn refuse(status: StatusCode, detail: &str) -> Response {
    problem::response(status, ProblemType::MALFORMED, detail).map(Body::from)
}
