//! The log on a socket.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use acme_crypto::{KeyPair, PublicKey};
use acme_types::Timestamp;
use axum::body::Bytes;
use axum::extract::{Extension, Query, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Json, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;

use super::fault::{Fault, Faults, Message};
use super::http::{Parameters, answer};
use super::log::{Log, Refusal};
use super::sct::LogId;
use crate::authority::key_of;
use crate::background::{self, Background};

/// The most requests that are remembered; later ones are answered, not remembered.
const REQUESTS_MAX: usize = 1_000_000;

/// A message as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who sent it.
    pub source: SocketAddr,
    /// Which.
    pub message: Message,
}

/// A log (RFC 6962) on loopback. It stops when this is dropped.
///
/// Entries are merged into the tree at once, unless [`CtLog::hold_merging`] says otherwise.
#[derive(Debug)]
pub struct CtLog {
    name: String,
    operator: String,
    address: SocketAddr,
    public_key: PublicKey,
    shared: Arc<Mutex<Shared>>,
    _accepting: Background,
}

#[derive(Debug)]
struct Shared {
    log: Log,
    faults: Faults,
    requests: Vec<Request>,
}

impl CtLog {
    /// Starts a log on 127.0.0.1 and a free port. It accepts chains to these roots (DER). Its key
    /// is a function of its name, so two logs need two names.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(name: &str, operator: &str, roots: &[Vec<u8>]) -> io::Result<CtLog> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        CtLog::start_at(
            address,
            name,
            operator,
            roots,
            key_of(&format!("log {name}")),
        )
        .await
    }

    /// The same on this address and with this key, which is P-256 or RSA (RFC 6962 §2.1.4).
    ///
    /// # Errors
    /// When the address can't be bound.
    pub async fn start_at(
        address: SocketAddr,
        name: &str,
        operator: &str,
        roots: &[Vec<u8>],
        key: Arc<dyn KeyPair>,
    ) -> io::Result<CtLog> {
        let (listener, address) = background::listen(address).await?;
        let public_key = key.public_key().clone();
        let log = Log::new(key, roots.to_vec());
        let shared = Shared {
            log,
            faults: Faults::default(),
            requests: Vec::new(),
        };
        let shared = Arc::new(Mutex::new(shared));
        let router = axum::Router::new()
            .fallback(handle)
            .with_state(shared.clone());
        let serve = move |stream, source: SocketAddr| {
            let service = TowerToHyperService::new(router.clone().layer(Extension(source)));
            async move {
                let mut server = http1::Builder::new();
                server.timer(TokioTimer::new());
                // How a connection ends is the client's matter.
                let _ended = server.serve_connection(TokioIo::new(stream), service).await;
            }
        };
        Ok(CtLog {
            name: name.to_owned(),
            operator: operator.to_owned(),
            address,
            public_key,
            shared,
            _accepting: Background::spawn(background::accept(listener, serve)),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who operates it.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, as log lists have it: with a slash at the end, before `ct/v1/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// SHA-256 of its SubjectPublicKeyInfo.
    pub fn log_id(&self) -> LogId {
        self.lock().log.id()
    }

    /// Its key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Its key as SubjectPublicKeyInfo, DER.
    pub fn public_key_der(&self) -> Vec<u8> {
        self.public_key.to_spki_der()
    }

    /// From now on it accepts chains to this root as well.
    pub fn add_root(&self, root: &[u8]) {
        self.lock().log.add_root(root.to_vec());
    }

    /// How many entries have an SCT, merged or not.
    pub fn size(&self) -> u64 {
        self.lock().log.size()
    }

    /// From now on SCTs are given, but tree heads and proofs don't know the new entries.
    pub fn hold_merging(&self) {
        self.lock().log.set_merging(false);
    }

    /// Merges what was held, and from now on at once.
    pub fn resume_merging(&self) {
        self.lock().log.set_merging(true);
    }

    /// From now on this message fails in this way.
    pub fn fault(&self, message: Message, fault: Fault) {
        self.lock().faults.set(message, fault, None);
    }

    /// The same, this many times.
    pub fn fault_times(&self, message: Message, fault: Fault, times: u32) {
        self.lock().faults.set(message, fault, Some(times));
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.lock().faults.clear();
    }

    /// All messages, in the order they came.
    pub fn requests(&self) -> Vec<Request> {
        self.lock().requests.clone()
    }

    /// How often this message came.
    pub fn count(&self, message: Message) -> usize {
        self.lock()
            .requests
            .iter()
            .filter(|request| request.message == message)
            .count()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }
}

/// A panic elsewhere in a test must not hide behind a poisoned lock.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn handle(
    State(shared): State<Arc<Mutex<Shared>>>,
    Extension(source): Extension<SocketAddr>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    let Some(message) = Message::ALL
        .into_iter()
        .find(|message| message.path() == uri.path())
    else {
        return (StatusCode::NOT_FOUND, "no such message\n").into_response();
    };
    if method.as_str() != message.method() {
        return (StatusCode::METHOD_NOT_ALLOWED, "another method is needed\n").into_response();
    }
    let Ok(Query(parameters)) = Query::<Parameters>::try_from_uri(&uri) else {
        return (StatusCode::BAD_REQUEST, "the query can't be read\n").into_response();
    };
    let fault = enter(&mut lock(&shared), Request { source, message });
    if let Some(Fault::Status(status)) = fault {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return (status, "this failure was wanted\n").into_response();
    }
    if let Some(Fault::Delay(delay)) = fault {
        tokio::time::sleep(delay).await;
    }
    let outcome = answer(
        &mut lock(&shared).log,
        message,
        &parameters,
        &body,
        fault,
        now(),
    );
    match (fault, outcome) {
        (Some(Fault::Silence), _) => std::future::pending().await,
        (Some(Fault::Garbage), _) => "this is no JSON".into_response(),
        (_, Ok(value)) => Json(value).into_response(),
        (_, Err(refusal)) => (status(refusal), format!("{refusal}\n")).into_response(),
    }
}

/// Remembers the message and finds the fault it meets.
fn enter(shared: &mut Shared, request: Request) -> Option<Fault> {
    if shared.requests.len() < REQUESTS_MAX {
        shared.requests.push(request);
    }
    shared.faults.take(request.message)
}

/// "Any errors will be returned as HTTP 4xx or 5xx responses" (RFC 6962 §4).
fn status(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::Absent => StatusCode::NOT_FOUND,
        Refusal::Full => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Signing(_) | Refusal::Encoding(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Refusal::Chain(_) | Refusal::Certificate(_) | Refusal::Request(_) => {
            StatusCode::BAD_REQUEST
        }
    }
}

fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::EPOCH.after(since_epoch.unwrap_or(Duration::ZERO))
}
