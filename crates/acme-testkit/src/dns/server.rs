//! The sockets.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

use super::reply::{Reply, reply};
use super::{Shared, Transport, lock};
use crate::background;

/// How often a port that is free for UDP but taken for TCP is replaced by another.
const BIND_ATTEMPTS_MAX: usize = 20;
/// The largest datagram that is read; a longer query is cut, and so malformed.
const DATAGRAM_LEN_MAX: usize = 4096;
/// Late answers that wait at a time; beyond it they are dropped, as a busy network would.
const LATE_MAX: usize = 10_000;

/// Both sockets, on the same port.
pub(super) async fn bind(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    for _ in 1..BIND_ATTEMPTS_MAX {
        match bind_once(address).await {
            Err(error) if address.port() == 0 && error.kind() == io::ErrorKind::AddrInUse => {}
            outcome => return outcome,
        }
    }
    bind_once(address).await
}

async fn bind_once(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let udp = UdpSocket::bind(address).await?;
    let tcp = TcpListener::bind(udp.local_addr()?).await?;
    Ok((udp, tcp))
}

pub(super) async fn udp(socket: UdpSocket, shared: Arc<Mutex<Shared>>) {
    let socket = Arc::new(socket);
    let mut late = JoinSet::new();
    let mut buffer = [0; DATAGRAM_LEN_MAX];
    loop {
        while late.try_join_next().is_some() {}
        // An error belongs to an earlier datagram (its port was closed meanwhile).
        let Ok((len, source)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let query = buffer.get(..len).unwrap_or_default();
        let outcome = reply(&mut lock(&shared), query, source, Transport::Udp);
        match outcome {
            Reply::Silence => {}
            Reply::Send(bytes, Duration::ZERO) => {
                // A client that has gone away needs no answer.
                let _gone = socket.send_to(&bytes, source).await;
            }
            Reply::Send(bytes, delay) if late.len() < LATE_MAX => {
                let socket = socket.clone();
                late.spawn(async move {
                    tokio::time::sleep(delay).await;
                    let _gone = socket.send_to(&bytes, source).await;
                });
            }
            Reply::Send(..) => {}
        }
    }
}

pub(super) async fn tcp(listener: TcpListener, shared: Arc<Mutex<Shared>>) {
    let serve = move |stream, source| {
        let shared = shared.clone();
        async move {
            // The client's end, or its mistake, ends only this connection.
            let _ended = connection(stream, source, &shared).await;
        }
    };
    background::accept(listener, serve).await;
}

/// Queries one after another, each with two octets of length (RFC 1035 §4.2.2).
async fn connection(
    mut stream: TcpStream,
    source: SocketAddr,
    shared: &Mutex<Shared>,
) -> io::Result<()> {
    loop {
        let len = stream.read_u16().await?;
        let mut query = vec![0; usize::from(len)];
        stream.read_exact(&mut query).await?;
        let outcome = reply(&mut lock(shared), &query, source, Transport::Tcp);
        if let Reply::Send(bytes, delay) = outcome {
            tokio::time::sleep(delay).await;
            let len = u16::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidData)?;
            stream
                .write_all(&[&len.to_be_bytes(), bytes.as_slice()].concat())
                .await?;
        }
    }
}
