//! One HTTP/1.1 connection to a site.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::page::{Content, Page, PageBody};
use super::{Site, Visit};

/// The page wants the connection closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("hung up")]
struct HungUp;

/// Serves requests until either side ends the connection.
pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    source: SocketAddr,
    encrypted: bool,
    site: &Site,
) {
    let service = service_fn(|request| answer(request, source, encrypted, site));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new());
    // How a connection ends is the client's matter, or what the page wants.
    let _ended = server.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    source: SocketAddr,
    encrypted: bool,
    site: &Site,
) -> Result<Response<PageBody>, HungUp> {
    let text = |name: HeaderName| {
        let value = request.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let page = site.visit(Visit {
        source,
        encrypted,
        method: request.method().as_str().to_owned(),
        host: text(header::HOST),
        path: path.to_owned(),
        user_agent: text(header::USER_AGENT),
    });
    let page = page.unwrap_or_else(|| Page::text("nothing here\n").status(404));
    tokio::time::sleep(page.delay).await;
    if matches!(page.content, Content::None) {
        return Err(HungUp);
    }
    let mut response = Response::new(page.body());
    *response.status_mut() =
        StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &page.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_maybe_shared(Bytes::from(value.clone()));
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}
