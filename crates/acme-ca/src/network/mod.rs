//! What a perspective does on the network: one HTTP request, one TLS handshake, exactly where the
//! core says. No redirect is followed, no connection is reused, no proxy is asked.

mod connect;
mod fetch;
mod handshake;
mod tls;

use acme_ca_core::validation::{FetchOutcome, FetchRequest, HandshakeOutcome, HandshakeRequest};

pub use connect::Source;
pub(crate) use connect::failure_of;

use self::tls::Tls;

/// The network as one perspective reaches it: from its own source address.
#[derive(Clone, Debug)]
pub struct Network {
    source: Source,
    tls: Tls,
}

impl Network {
    /// From this source address.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            tls: Tls::new(),
        }
    }

    /// One HTTP/1.1 GET.
    pub async fn fetch(&self, request: FetchRequest) -> FetchOutcome {
        fetch::fetch(self.source, &self.tls, request).await
    }

    /// One TLS handshake.
    pub async fn handshake(&self, request: HandshakeRequest) -> HandshakeOutcome {
        handshake::handshake(self.source, &self.tls, request).await
    }
}
