use std::net::SocketAddr;

use acme_types::Url;
use tokio::net::TcpListener;

use super::{ServerConfig, StartError};
use crate::front;

/// Two listeners and their URLs.
pub(super) struct Bound {
    pub(super) https: TcpListener,
    pub(super) http: TcpListener,
    pub(super) listen: SocketAddr,
    pub(super) http_listen: SocketAddr,
    pub(super) base: Url,
    pub(super) publication_base: Url,
}

impl Bound {
    /// Takes both addresses. Nothing else has happened yet, so nothing is half done if one is
    /// taken.
    pub(super) fn new(config: &ServerConfig) -> Result<Self, StartError> {
        if let Some(url) = config.url.as_ref().filter(|url| !url.is_https()) {
            return Err(StartError::NotHttps(url.clone()));
        }
        if let Some(url) = config.publication.url.as_ref().filter(|url| url.is_https()) {
            return Err(StartError::PublicationUrl(url.clone()));
        }
        let (https, listen) = listen(config.listen, "--listen")?;
        let (http, http_listen) = listen_publication(config)?;
        let base = match &config.url {
            Some(url) => url.clone(),
            None => url_of("https", listen)?,
        };
        let publication_base = match &config.publication.url {
            Some(url) => url.clone(),
            None => url_of("http", http_listen)?,
        };
        Ok(Self {
            https,
            http,
            listen,
            http_listen,
            base,
            publication_base,
        })
    }
}

fn listen_publication(config: &ServerConfig) -> Result<(TcpListener, SocketAddr), StartError> {
    listen(config.publication.listen, "--http-listen")
}

fn listen(
    address: SocketAddr,
    flag: &'static str,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen {
        address,
        source,
        flag,
    };
    let listener = front::bind(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// By the address itself, or as `localhost` if that is every address.
fn url_of(scheme: &str, address: SocketAddr) -> Result<Url, StartError> {
    let text = if address.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    };
    Url::parse(&text).map_err(|error| StartError::Url(address, error))
}
