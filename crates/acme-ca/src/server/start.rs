use std::sync::Arc;

use acme_ca_core::Config;
use acme_ca_core::effect::Unavailable;
use acme_ca_core::issuance::Authority;
use acme_ca_core::job::crl_run;
use acme_ca_core::schema::{Committed, View};
use acme_crypto::aws_lc::AwsLc;
use acme_types::Url;
use tokio::task::JoinSet;

use super::bound::Bound;
use super::kept::KeptStore;
use super::reclaim::reclaim;
use super::{Server, ServerConfig, StartError};
use crate::ceremony::{self, Ceremony};
use crate::folder::DataFolder;
use crate::front::{self, FrontCertificate, Listener};
use crate::node::Node;
use crate::nonce::{NodeId, Nonces};
use crate::perspective::Perspectives;
use crate::rows::Rows;
use crate::signer::Signer;
use crate::submission::Submission;
use crate::worker::{self, Worker, World};
use crate::{clock, stop};

/// How often the first commit is tried: nobody else is there to conflict with.
const BOOTSTRAP_TRIES: u32 = 3;

/// What is at hand once the data folder was opened.
struct Opened {
    core: Arc<Config>,
    rows: Rows,
    signer: Signer,
    root_pem: String,
}

impl Server {
    /// Starts a CA. It serves when this returns.
    ///
    /// # Errors
    /// [`StartError`]. If an address is taken, nothing was written.
    pub async fn start(config: ServerConfig) -> Result<Self, StartError> {
        let bound = Bound::new(&config)?;
        let submission = Submission::new(&config.log_roots)?;
        let (root_path, viewpoints) = (config.data.join("root.pem"), config.viewpoints.clone());
        let Opened {
            core,
            rows,
            signer,
            root_pem,
        } = open(config, &bound)?;
        bootstrap(&core, &rows).await?;
        reclaim(&rows, clock::now())
            .await
            .map_err(|Unavailable| StartError::Bootstrap)?;
        let names = front::names(bound.base.host(), bound.listen.ip());
        let certificate = FrontCertificate::new(&core, signer.clone(), rows.clone(), names).await?;
        let tls = certificate.server_config()?;
        let directory = format!("{}/directory", bound.base.as_str().trim_end_matches('/'));
        let directory_url =
            Url::parse(&directory).map_err(|error| StartError::Url(bound.listen, error))?;

        let (stop, stopped) = stop::channel();
        let (spawner, births) = worker::spawner();
        let perspectives = Perspectives::start(&core, viewpoints);
        let config = Arc::clone(&core);
        let world = World {
            config,
            rows: rows.clone(),
            perspectives,
            signer,
            submission,
        };
        let worker = Worker::new(world, spawner.clone(), births);
        let nonces = Arc::new(Nonces::new(Arc::clone(&core.provider), NodeId(0)));
        let node = Node::new(core, nonces, rows, spawner);
        let shared = Arc::new(node.clone());
        let router = front::acme(Arc::clone(&shared));
        let https = Listener {
            listener: bound.https,
            tls: Some(tls),
            router,
        };
        let router = front::publication(shared);
        let http = Listener {
            listener: bound.http,
            tls: None,
            router,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(https.serve(stopped.clone()));
        tasks.spawn(http.serve(stopped.clone()));
        tasks.spawn(worker.run(stopped));
        let mut renewal = JoinSet::new();
        renewal.spawn(certificate.renew());
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

/// Folder, authority and store; all of it made at the first start.
fn open(config: ServerConfig, bound: &Bound) -> Result<Opened, StartError> {
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
        provider,
        policy: config.policy,
        authority,
    });
    let rows = Rows::new(Arc::new(KeptStore::open(folder)?));
    Ok(Opened {
        core,
        rows,
        signer,
        root_pem,
    })
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
