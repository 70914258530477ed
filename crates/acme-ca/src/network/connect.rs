use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use acme_ca_core::validation::NetworkFailure;
use acme_types::Timestamp;
use tokio::net::{TcpSocket, TcpStream};

use crate::clock;

/// The addresses that connections and questions come from; the system's choice where there is
/// none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Source {
    /// Towards IPv4 addresses.
    pub v4: Option<Ipv4Addr>,
    /// Towards IPv6 addresses.
    pub v6: Option<Ipv6Addr>,
}

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self {
                v4: Some(v4),
                v6: None,
            },
            IpAddr::V6(v6) => Self {
                v4: None,
                v6: Some(v6),
            },
        }
    }
}

impl Source {
    /// Where to bind a socket that goes to `remote`, any port.
    pub(crate) fn towards(self, remote: SocketAddr) -> SocketAddr {
        let address = match remote {
            SocketAddr::V4(_) => IpAddr::V4(self.v4.unwrap_or(Ipv4Addr::UNSPECIFIED)),
            SocketAddr::V6(_) => IpAddr::V6(self.v6.unwrap_or(Ipv6Addr::UNSPECIFIED)),
        };
        SocketAddr::new(address, 0)
    }

    /// A connection to this address.
    pub(crate) async fn connect(self, remote: SocketAddr) -> io::Result<TcpStream> {
        let socket = match remote {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        let source = self.towards(remote);
        if !source.ip().is_unspecified() {
            socket.bind(source)?;
        }
        let stream = socket.connect(remote).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// The same by a deadline.
    pub(super) async fn connect_by(
        self,
        remote: SocketAddr,
        deadline: Timestamp,
    ) -> Result<TcpStream, NetworkFailure> {
        match clock::by(deadline, self.connect(remote)).await {
            Some(Ok(stream)) => Ok(stream),
            Some(Err(error)) => Err(failure_of(&error)),
            None => Err(NetworkFailure::TimedOut),
        }
    }
}

/// What an I/O error says about the peer.
pub(crate) fn failure_of(error: &io::Error) -> NetworkFailure {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => NetworkFailure::Refused,
        Kind::TimedOut => NetworkFailure::TimedOut,
        Kind::HostUnreachable
        | Kind::NetworkUnreachable
        | Kind::NetworkDown
        | Kind::AddrNotAvailable
        | Kind::PermissionDenied
        | Kind::InvalidInput => NetworkFailure::Unreachable,
        _ => NetworkFailure::Closed,
    }
}
