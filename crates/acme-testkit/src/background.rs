//! Servers that stop when they are dropped: their tasks end at their next turn.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// The most connections that one server serves at a time; a test that opens more has a leak.
const CONNECTIONS_MAX: usize = 4096;

/// A spawned task that is aborted when this is dropped.
#[derive(Debug)]
pub(crate) struct Background(AbortHandle);

impl Background {
    /// Spawns on the current tokio runtime.
    pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Background {
        Background(tokio::spawn(task).abort_handle())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Accepts for ever and serves every connection in its own task. The tasks live in this future:
/// dropping it closes all connections.
pub(crate) async fn accept<F>(
    listener: TcpListener,
    serve: impl Fn(TcpStream, SocketAddr) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, source)) => { connections.spawn(serve(stream, source)); }
                // Out of file descriptors, or a connection reset before it was accepted: without a
                // pause the first would spin.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Binds and tells the address that was chosen.
pub(crate) async fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
