use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use acme_client_core::ChallengeResponse;
use acme_types::ChallengeType;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::{PresentError, Responder, RetractError, http_01_token, not_mine};
use crate::BoxFuture;

/// Connections served at once. Validators of a CA come from a handful of places; the others are
/// strangers, and wait.
const CONNECTIONS_MAX: usize = 256;
/// How long one connection may take. RFC 8555 asks for one small resource.
const CONNECTION_MAX: Duration = Duration::from_secs(20);
/// How long a client may take for the head of its request.
const HEAD_MAX: Duration = Duration::from_secs(10);

type Bodies = Arc<RwLock<BTreeMap<String, String>>>;

/// http-01 by a small web server of our own: serves the responses and nothing else.
#[derive(Debug)]
pub struct HttpListener {
    bodies: Bodies,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl HttpListener {
    /// Listens there. RFC 8555 §8.3: validators connect to port 80.
    ///
    /// # Errors
    /// The port is in use, or may not be used.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let bodies = Bodies::default();
        let task = tokio::spawn(accept(listener, Arc::clone(&bodies)));
        Ok(Self {
            bodies,
            address,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for HttpListener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, bodies: Bodies) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        let stream = super::tls_alpn_listener::next(&listener).await;
        let bodies = Arc::clone(&bodies);
        tokio::spawn(async move {
            if tokio::time::timeout(CONNECTION_MAX, serve(stream, bodies))
                .await
                .is_err()
            {
                tracing::debug!("a connection took too long");
            }
            drop(permit);
        });
    }
}

async fn serve(stream: TcpStream, bodies: Bodies) {
    let service = service_fn(move |request| {
        let reply = reply(&request, &bodies);
        async move { Ok::<_, Infallible>(reply) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = serving.await {
        tracing::debug!(%error, "a validator's connection ended");
    }
}

fn reply(request: &http::Request<Incoming>, bodies: &Bodies) -> http::Response<Full<Bytes>> {
    let bodies = bodies.read().unwrap_or_else(PoisonError::into_inner);
    let readable = matches!(*request.method(), http::Method::GET | http::Method::HEAD);
    let found = bodies.get(request.uri().path()).filter(|_| readable);
    tracing::debug!(
        path = request.uri().path(),
        found = found.is_some(),
        "http-01 request"
    );
    let mut response = http::Response::new(Full::new(Bytes::from(
        found.cloned().unwrap_or_else(|| "not found\n".to_owned()),
    )));
    let kind = if found.is_some() {
        "application/octet-stream"
    } else {
        "text/plain"
    };
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static(kind),
    );
    if found.is_none() {
        *response.status_mut() = http::StatusCode::NOT_FOUND;
    }
    response
}

impl Responder for HttpListener {
    fn challenge_types(&self) -> Vec<ChallengeType> {
        vec![ChallengeType::HTTP_01]
    }

    fn present<'a>(
        &'a self,
        response: &'a ChallengeResponse,
    ) -> BoxFuture<'a, Result<(), PresentError>> {
        let outcome = match response {
            ChallengeResponse::Http01 { path, body, .. } if http_01_token(path).is_some() => {
                let mut bodies = self.bodies.write().unwrap_or_else(PoisonError::into_inner);
                bodies.insert(path.clone(), body.clone());
                Ok(())
            }
            _ => Err(not_mine(response)),
        };
        Box::pin(std::future::ready(outcome))
    }

    fn retract<'a>(
        &'a self,
        response: &'a ChallengeResponse,
    ) -> BoxFuture<'a, Result<(), RetractError>> {
        if let ChallengeResponse::Http01 { path, .. } = response {
            self.bodies
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(path);
        }
        Box::pin(std::future::ready(Ok(())))
    }
}
