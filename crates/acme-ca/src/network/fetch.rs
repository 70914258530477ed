use std::error::Error as _;
use std::io;

use acme_ca_core::validation::{FetchOutcome, FetchRequest, NetworkFailure};
use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

use super::connect::Source;
use super::tls::{Tls, tls_failure_of};
use crate::clock;

/// Bytes of the response's head: as much as common servers send at most, cookies and all.
const HEAD_LEN_MAX: usize = 32 * 1024;
/// Headers of the response.
const HEADERS_MAX: usize = 100;
/// Who asks, for the server's log.
const AGENT: &str = concat!(
    "acme-ca/",
    env!("CARGO_PKG_VERSION"),
    " (domain validation)"
);

/// One HTTP/1.1 GET.
pub(super) async fn fetch(source: Source, tls: &Tls, request: FetchRequest) -> FetchOutcome {
    let (connect_by, deadline) = (request.connect_by.min(request.deadline), request.deadline);
    let stream = match source
        .connect_by(request.target.socket_addr(), connect_by)
        .await
    {
        Ok(stream) => stream,
        Err(failure) => return FetchOutcome::NotConnected(failure),
    };
    let whole = async {
        match &request.tls {
            Some(name) => exchange(tls.http(stream, name).await?, &request).await,
            None => exchange(stream, &request).await,
        }
    };
    match clock::by(deadline, whole).await {
        Some(Ok(response)) => response,
        Some(Err(failure)) => FetchOutcome::Failed(failure),
        None => FetchOutcome::Failed(NetworkFailure::TimedOut),
    }
}

async fn exchange<S>(stream: S, request: &FetchRequest) -> Result<FetchOutcome, NetworkFailure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let get = http::Request::get(&request.path)
        .header(HOST, &request.host)
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| NetworkFailure::Protocol)?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_LEN_MAX)
        .max_headers(HEADERS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failure_of_http(&error))?;
    // Ends with this function, however that ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender
        .send_request(get)
        .await
        .map_err(|error| failure_of_http(&error))?;
    let status = response.status().as_u16();
    let locations = response.headers().get_all(LOCATION);
    let locations = locations
        .iter()
        .map(|value| value.as_bytes().to_vec())
        .collect();
    let body = read_body(response.into_body(), request.body_max).await?;
    Ok(FetchOutcome::Response {
        status,
        locations,
        body,
    })
}

/// The body, cut after one byte more than the limit.
async fn read_body(mut body: Incoming, max: usize) -> Result<Vec<u8>, NetworkFailure> {
    let keep = max.saturating_add(1);
    let mut bytes = Vec::new();
    while bytes.len() < keep
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|error| failure_of_http(&error))?;
        if let Some(more) = frame.data_ref() {
            let room = keep.saturating_sub(bytes.len());
            bytes.extend_from_slice(more.get(..room).unwrap_or(more));
        }
    }
    Ok(bytes)
}

fn failure_of_http(error: &hyper::Error) -> NetworkFailure {
    if let Some(io) = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
    {
        return tls_failure_of(io);
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return NetworkFailure::Closed;
    }
    NetworkFailure::Protocol
}
