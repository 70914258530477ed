use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use acme_ca_core::Config;
use acme_ca_core::effect::Unavailable;
use acme_ca_core::issuance::{Authority, AuthorityError as AuthorityMisfit};
use acme_ca_core::job::crl_run;
use acme_ca_core::schema::{Committed, View};
use acme_crypto::aws_lc::AwsLc;
use acme_types::{Url, UrlError};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::reclaim::reclaim;
use super::{Server, ServerConfig};
use crate::ceremony::{self, AuthorityError, Ceremony};
use crate::clock;
use crate::folder::{DataFolder, FolderError};
use crate::front::{self, FrontCertificate, FrontCertificateError, Listener};
use crate::node::Node;
use crate::nonce::{NodeId, Nonces};
use crate::perspective::Perspectives;
use crate::rows::Rows;
use crate::stop;
use crate::store::{EmbeddedStore, OpenError, Store};
use crate::submission::{Submission, SubmissionError};
use crate::worker::{self, Worker, World};

/// How often the first commit is tried: nobody else is there to conflict with.
const BOOTSTRAP_TRIES: u32 = 3;

/// A server can't start. Says what failed, on what, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address.
    #[error(
        "can't listen on {address}: {source}; stop what listens there, or give another \
             address with {flag}"
    )]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
        /// What changes it.
        flag: &'static str,
    },
    /// No URL can be made of the address.
    #[error("no URL can be made of {0} ({1}): give one with --url or --publication-url")]
    Url(SocketAddr, UrlError),
    /// CRLs over https would need a certificate that needs the CRL.
    #[error("the publication URL {0} must be http, not https: what is published there is signed")]
    PublicationUrl(Url),
    /// The public URL isn't https.
    #[error("the URL {0} must be https: ACME is served over TLS only (RFC 8555 section 6.1)")]
    NotHttps(Url),
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Keys and certificates.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Issuers, profiles and logs.
    #[error("the configuration doesn't fit together: {0}")]
    Misfit(#[from] AuthorityMisfit),
    /// The store.
    #[error("the store in {path} can't be opened: {source}")]
    Store {
        /// Its folder.
        path: PathBuf,
        /// Why not.
        source: OpenError,
    },
    /// The first rows.
    #[error("the store can't be written; the log says why")]
    Bootstrap,
    /// TLS towards the logs.
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    /// The front's certificate.
    #[error(transparent)]
    Front(#[from] FrontCertificateError),
}

/// Two listeners and their URLs.
struct Bound {
    https: TcpListener,
    http: TcpListener,
    listen: SocketAddr,
    http_listen: SocketAddr,
    base: Url,
    publication_base: Url,
}

impl Server {
    /// Starts a CA. It serves when this returns.
    ///
    /// # Errors
    /// [`StartError`]. If an address is taken, nothing was written.
    pub async fn start(config: ServerConfig) -> Result<Self, StartError> {
        let bound = Bound::new(&config)?;
        let folder = DataFolder::open(&config.data)?;
        let provider = Arc::new(AwsLc);
        let Ceremony {
            issuer,
            signer,
            root_pem,
        } = ceremony::open(&folder, &config.name, &*provider, clock::now())?;
        let authority = Authority::new(vec![issuer], config.profiles, config.logs, config.crl)?;
        let core = Arc::new(Config {
            base: bound.base.clone(),
            publication_base: bound.publication_base.clone(),
            provider: provider.clone(),
            policy: config.policy,
            authority,
        });
        let store = open_store(&folder)?;
        let rows = Rows::new(store);
        bootstrap(&core, &rows).await?;
        reclaim(&rows, clock::now())
            .await
            .map_err(|Unavailable| StartError::Bootstrap)?;
        let names = front::names(bound.base.host(), bound.listen.ip());
        let certificate = FrontCertificate::new(&core, signer.clone(), rows.clone(), names).await?;
        let tls = certificate.server_config()?;

        let (stop, stopped) = stop::channel();
        let mut tasks = JoinSet::new();
        let (spawner, births) = worker::spawner();
        let world = World {
            config: Arc::clone(&core),
            rows: rows.clone(),
            perspectives: Perspectives::start(&core, config.viewpoints),
            signer,
            submission: Submission::new(&config.log_roots)?,
        };
        let worker = Worker::new(world, spawner.clone(), births);
        let nonces = Arc::new(Nonces::new(provider, NodeId(0)));
        let node = Node::new(core, nonces, rows, spawner);
        let shared = Arc::new(node.clone());
        let https = Listener {
            listener: bound.https,
            tls: Some(tls),
            router: front::acme(Arc::clone(&shared)),
        };
        let http = Listener {
            listener: bound.http,
            tls: None,
            router: front::publication(shared),
        };
        tasks.spawn(https.serve(stopped.clone()));
        tasks.spawn(http.serve(stopped.clone()));
        // The folder is given free when the last of its users has ended.
        tasks.spawn(async move {
            worker.run(stopped).await;
            drop(folder);
        });
        let mut renewal = JoinSet::new();
        renewal.spawn(certificate.renew());
        let root_path = config.data.join("root.pem");
        let directory = format!("{}/directory", bound.base.as_str().trim_end_matches('/'));
        let directory_url =
            Url::parse(&directory).map_err(|error| StartError::Url(bound.listen, error))?;
        Ok(Self {
            node,
            directory_url,
            root_pem,
            root_path,
            listen: bound.listen,
            http_listen: bound.http_listen,
            stop,
            tasks,
            renewal,
        })
    }
}

impl Bound {
    fn new(config: &ServerConfig) -> Result<Self, StartError> {
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

fn open_store(folder: &DataFolder) -> Result<Arc<dyn Store>, StartError> {
    let path = folder.path("store");
    match EmbeddedStore::open(&path) {
        Ok(store) => Ok(Arc::new(store)),
        Err(source) => Err(StartError::Store { path, source }),
    }
}

/// Every CRL shard has its job.
async fn bootstrap(config: &Config, rows: &Rows) -> Result<(), StartError> {
    for _ in 0..BOOTSTRAP_TRIES {
        let loaded = rows.load(crl_run::bootstrap_reads(config)).await;
        let loaded = loaded.map_err(|Unavailable| StartError::Bootstrap)?;
        let mut view = View::new();
        view.extend(loaded);
        let commit = crl_run::bootstrap(config, &view, clock::now());
        let Some(commit) = commit.map_err(|_| StartError::Bootstrap)? else {
            return Ok(());
        };
        if let Committed::Done(_) = rows.commit(commit).await {
            return Ok(());
        }
    }
    Err(StartError::Bootstrap)
}
