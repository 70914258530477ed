//! From a URL's authority to a connection that speaks HTTP/1.1.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Unsent;

/// How long one address is tried. A server that answers at all does so within a second or two;
/// a name with a dead address beside a live one must not use up the request's whole time.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How many addresses of a name are tried.
const ADDRESSES_MAX: usize = 8;

pub(super) type Sender = SendRequest<Full<Bytes>>;

/// Where a request goes: all that a connection is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Target {
    pub(super) tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
}

impl Target {
    pub(super) fn of(uri: &http::Uri) -> Result<Self, Unsent> {
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(Unsent::BadUrl),
        };
        let host = uri.host().ok_or(Unsent::BadUrl)?.to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { tls, host, port })
    }

    /// The host without the brackets that a URL puts around an IPv6 address.
    fn bare_host(&self) -> &str {
        self.host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(&self.host)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Connector {
    pub(super) tls: Arc<ClientConfig>,
    /// Names that are not looked up.
    pub(super) addresses: BTreeMap<String, SocketAddr>,
}

impl Connector {
    pub(super) async fn connect(&self, target: &Target) -> Result<Sender, Unsent> {
        let stream = self.open(target).await?;
        if stream.set_nodelay(true).is_err() {
            tracing::debug!("TCP_NODELAY can't be set");
        }
        if !target.tls {
            return handshake(TokioIo::new(stream)).await;
        }
        let name =
            ServerName::try_from(target.bare_host().to_owned()).map_err(|_| Unsent::BadUrl)?;
        let secured = TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await;
        handshake(TokioIo::new(
            secured.map_err(|error| Unsent::Tls(error.to_string()))?,
        ))
        .await
    }

    async fn open(&self, target: &Target) -> Result<TcpStream, Unsent> {
        let mut last = Unsent::NoAddress;
        for address in self.resolve(target).await?.into_iter().take(ADDRESSES_MAX) {
            match tokio::time::timeout(CONNECT_MAX, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = Unsent::Connect(address, error.to_string()),
                Err(_) => last = Unsent::Connect(address, "no answer in time".to_owned()),
            }
        }
        Err(last)
    }

    async fn resolve(&self, target: &Target) -> Result<Vec<SocketAddr>, Unsent> {
        if let Some(address) = self.addresses.get(&target.host) {
            return Ok(vec![*address]);
        }
        let found = tokio::net::lookup_host((target.bare_host(), target.port)).await;
        found
            .map(Iterator::collect)
            .map_err(|error| Unsent::Lookup(error.to_string()))
    }
}

async fn handshake<T>(io: T) -> Result<Sender, Unsent>
where
    T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(io)
        .await
        .map_err(|error| Unsent::Http(error.to_string()))?;
    // It ends by itself when the sender is dropped or the server closes.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection ended");
        }
    });
    Ok(sender)
}
