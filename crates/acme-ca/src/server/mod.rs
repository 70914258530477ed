//! A whole CA in one process: data folder, store, authority, perspectives, jobs, listeners.

mod bound;
mod config;
mod error;
mod kept;
mod reclaim;
mod start;

use std::net::SocketAddr;
use std::time::Duration;

use acme_types::Url;
use tokio::task::JoinSet;

pub use config::{PublicationConfig, ServerConfig};
pub use error::StartError;

use crate::node::Node;
use crate::stop::Stop;

/// Longer than any part takes to end by itself.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(15);

/// A running CA. Dropping it cuts everything off, as a crash would; [`Server::shutdown`] ends it
/// in good order.
#[derive(Debug)]
pub struct Server {
    pub(crate) node: Node,
    pub(crate) directory_url: Url,
    pub(crate) root_pem: String,
    pub(crate) root_path: std::path::PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) http_listen: SocketAddr,
    pub(crate) stop: Stop,
    pub(crate) tasks: JoinSet<()>,
    pub(crate) renewal: JoinSet<()>,
}

impl Server {
    /// Where clients find everything else (RFC 8555 §7.1.1).
    pub fn directory_url(&self) -> &Url {
        &self.directory_url
    }

    /// Where CRLs and issuers' certificates are published.
    pub fn publication_url(&self) -> &Url {
        &self.node.config().publication_base
    }

    /// The root's certificate, PEM.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The file with the root's certificate.
    pub fn root_path(&self) -> &std::path::Path {
        &self.root_path
    }

    /// The address that the HTTPS front listens on.
    pub fn listen_address(&self) -> SocketAddr {
        self.listen
    }

    /// The address that the publication listens on.
    pub fn publication_address(&self) -> SocketAddr {
        self.http_listen
    }

    /// The node, to be asked without a socket.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Takes no new connection, lets open requests and running jobs end, and closes the store.
    pub async fn shutdown(mut self) {
        self.stop.stop();
        self.renewal.abort_all();
        let rest = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_PATIENCE, rest).await.is_err() {
            tracing::warn!("the server did not end in time and is cut off");
        }
    }
}
