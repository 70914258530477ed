use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::stop::Stopped;

/// Connections that are open at once; who comes later waits in the system's queue.
const CONNECTIONS_MAX: usize = 4_096;
/// How long a TLS handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// How long a request's head may take, and how long a connection may be idle between two.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a request's head.
const HEAD_LEN_MAX: usize = 16 * 1024;
/// How long open connections have for what they are at when the server ends.
const GRACE: Duration = Duration::from_secs(10);
/// After an error of `accept` that isn't one connection's (no file descriptor left, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes an address. An address that was just given up may be taken again.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1_024)?;
    TcpListener::from_std(socket.into())
}

/// A listener with what it serves.
pub(crate) struct Listener {
    pub(crate) listener: TcpListener,
    /// With TLS, or plain.
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    pub(crate) router: Router,
}

impl Listener {
    /// Until `stop` says so, and then until open connections have done what they were at.
    pub(crate) async fn serve(self, mut stop: Stopped) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let acceptor = self.tls.map(TlsAcceptor::from);
        let mut connections = JoinSet::new();
        loop {
            let (stream, place) = tokio::select! {
                () = stop.wait() => break,
                accepted = accept(&self.listener, &places) => accepted,
            };
            let connection = Connection {
                acceptor: acceptor.clone(),
                router: self.router.clone(),
                stop: stop.clone(),
                _place: place,
            };
            connections.spawn(connection.serve(stream));
            // Those that have ended are let go.
            while connections.try_join_next().is_some() {}
        }
        drop(self.listener);
        let rest = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, rest).await.is_err() {
            tracing::warn!("connections are cut off");
        }
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // Never closed, so there always is one some time.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

struct Connection {
    acceptor: Option<TlsAcceptor>,
    router: Router,
    stop: Stopped,
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        // A delay of its own makes no difference to what is answered.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = &self.acceptor else {
            return self.http(stream).await;
        };
        match tokio::time::timeout(HANDSHAKE_PATIENCE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.http(stream).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn http<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = TowerToHyperService::new(self.router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE)
            .max_buf_size(HEAD_LEN_MAX)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let mut stop = self.stop.clone();
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.wait() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended");
        }
    }
}
