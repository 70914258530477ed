//! The one way out: a request is sent once, over TLS to a server that is trusted; no redirect is
//! followed, nothing is retried, nothing is cached. What came of it is said truthfully:
//! [`HttpOutcome::NotSent`] only if no byte of the request left.

mod connect;
mod trust;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use acme_client_core::{Fetch, HttpOutcome};
use acme_types::Timestamp;
use bytes::Bytes;
use connect::{Connector, Sender, Target};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
pub use trust::{Trust, TrustError};

/// How long an idle connection is used again. Servers close theirs after a few seconds to minutes;
/// to be well below makes it rare that a request meets a connection that is being closed, and its
/// fate unknown.
const IDLE_MAX: Duration = Duration::from_secs(8);
/// Idle connections that are kept: more than a machine that fetches authorizations in parallel
/// uses at once.
const IDLE_COUNT_MAX: usize = 16;

/// Sends the machine's requests. Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct HttpClient {
    connector: Arc<Connector>,
    idle: Arc<Mutex<Vec<Idle>>>,
}

struct Idle {
    target: Target,
    sender: Sender,
    since: Instant,
}

/// Why not a byte of a request was sent.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unsent {
    /// Not a URL that can be fetched.
    #[error("not a URL that can be fetched")]
    BadUrl,
    /// The host's name can't be looked up.
    #[error("the host's name can't be looked up: {0}")]
    Lookup(String),
    /// The host's name has no address.
    #[error("the host's name has no address")]
    NoAddress,
    /// No connection.
    #[error("no connection to {0}: {1}")]
    Connect(SocketAddr, String),
    /// No TLS, or a certificate that is not trusted.
    #[error("no trusted TLS connection: {0}")]
    Tls(String),
    /// The connection can't be used.
    #[error("the connection can't be used: {0}")]
    Http(String),
    /// The time was over before the connection stood.
    #[error("no connection in time")]
    Time,
}

/// Why it isn't known what the server made of a request.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// No complete answer in time.
    #[error("no complete answer in time")]
    Time,
}

/// What came of a request, with the reason.
#[derive(Debug)]
#[non_exhaustive]
pub enum Sent {
    /// A complete response.
    Response(http::Response<Vec<u8>>),
    /// Not a byte was sent.
    NotSent(Unsent),
    /// Something was sent, and what came of it isn't known.
    Unknown(Lost),
    /// The response was too long.
    TooLarge,
}

impl HttpClient {
    /// Trusts these roots.
    pub fn new(trust: Trust) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider);
        let mut tls = builder
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .expect("the provider has cipher suites of both versions")
            .with_root_certificates(trust.into_roots())
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let connector = Connector {
            tls: Arc::new(tls),
            addresses: BTreeMap::new(),
        };
        Self {
            connector: Arc::new(connector),
            idle: Arc::default(),
        }
    }

    /// Connects to this address whenever a URL has this host: for names that no DNS knows.
    /// Connections that are open are not affected.
    pub fn with_address(mut self, host: &str, address: SocketAddr) -> Self {
        let connector = Arc::make_mut(&mut self.connector);
        connector
            .addresses
            .insert(host.to_ascii_lowercase(), address);
        self
    }

    /// Sends a request, once.
    pub async fn send(&self, fetch: Fetch, now: Timestamp) -> Sent {
        let deadline = tokio::time::Instant::now() + fetch.deadline.since(now);
        let target = match Target::of(fetch.request.uri()) {
            Ok(target) => target,
            Err(unsent) => return Sent::NotSent(unsent),
        };
        let Some(mut request) = outgoing(fetch.request) else {
            return Sent::NotSent(Unsent::BadUrl);
        };
        // A connection that turns out to be closed hands the request back, and then not a byte of
        // it was sent: the next connection is not a second try.
        loop {
            let (mut sender, fresh) = match self.take(&target) {
                Some(sender) => (sender, false),
                None => {
                    let connecting = self.connector.connect(&target);
                    match tokio::time::timeout_at(deadline, connecting).await {
                        Ok(Ok(sender)) => (sender, true),
                        Ok(Err(unsent)) => return Sent::NotSent(unsent),
                        Err(_) => return Sent::NotSent(Unsent::Time),
                    }
                }
            };
            let sending = sender.try_send_request(request);
            let response = match tokio::time::timeout_at(deadline, sending).await {
                Ok(Ok(response)) => response,
                Ok(Err(mut failed)) => match failed.take_message() {
                    Some(unsent) if !fresh => {
                        request = unsent;
                        continue;
                    }
                    Some(_) => return Sent::NotSent(Unsent::Http(failed.error().to_string())),
                    None => return Sent::Unknown(Lost::Broken(failed.error().to_string())),
                },
                Err(_) => return Sent::Unknown(Lost::Time),
            };
            let reading = read(response, fetch.response_max);
            return match tokio::time::timeout_at(deadline, reading).await {
                Ok(sent) => {
                    if matches!(sent, Sent::Response(_)) {
                        self.put(target, sender);
                    }
                    sent
                }
                Err(_) => Sent::Unknown(Lost::Time),
            };
        }
    }

    /// An idle connection to there that still stands, as far as can be seen.
    fn take(&self, target: &Target) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|kept| kept.since.elapsed() < IDLE_MAX && !kept.sender.is_closed());
        let at = idle
            .iter()
            .position(|kept| kept.target == *target && kept.sender.is_ready())?;
        Some(idle.swap_remove(at).sender)
    }

    fn put(&self, target: Target, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_COUNT_MAX && !sender.is_closed() {
            idle.push(Idle {
                target,
                sender,
                since: Instant::now(),
            });
        }
    }
}

/// RFC 9112 §3.2.1: origin-form, and the authority in `Host`.
fn outgoing(request: http::Request<Vec<u8>>) -> Option<http::Request<Full<Bytes>>> {
    let (mut head, body) = request.into_parts();
    let authority = head.uri.authority()?.as_str().to_owned();
    let path = head
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    head.uri = http::Uri::try_from(path).ok()?;
    head.version = http::Version::HTTP_11;
    head.headers.insert(
        http::header::HOST,
        http::HeaderValue::try_from(authority).ok()?,
    );
    Some(http::Request::from_parts(
        head,
        Full::new(Bytes::from(body)),
    ))
}

async fn read(response: http::Response<Incoming>, max: usize) -> Sent {
    let (head, mut incoming) = response.into_parts();
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let data = match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(data)) => data,
            // Trailers: nothing of ours is in them.
            Ok(Err(_)) => continue,
            Err(error) => return Sent::Unknown(Lost::Broken(error.to_string())),
        };
        if body.len().saturating_add(data.len()) > max {
            return Sent::TooLarge;
        }
        body.extend_from_slice(&data);
    }
    Sent::Response(http::Response::from_parts(head, body))
}

impl From<Sent> for HttpOutcome {
    fn from(sent: Sent) -> Self {
        match sent {
            Sent::Response(response) => Self::Response(response),
            Sent::NotSent(_) => Self::NotSent,
            Sent::Unknown(_) => Self::Unknown,
            Sent::TooLarge => Self::TooLarge,
        }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}
