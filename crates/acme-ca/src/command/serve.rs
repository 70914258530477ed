use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use acme_ca_core::crl::CrlTiming;
use acme_ca_core::issuance::{
    Log, LogError, LogKind, LogList, Profile, ProfileError, ProfileParts,
};
use acme_ca_core::policy::{NameRules, Policy, Ports};
use acme_crypto::aws_lc::AwsLc;
use acme_types::{Url, pem};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::flags::{LogFlag, ProfileFlag, ServeFlags};
use crate::network::Source;
use crate::server::{PublicationConfig, Server, ServerConfig, StartError};

/// Where the system says which resolvers it uses.
const RESOLV_CONF: &str = "/etc/resolv.conf";
const DNS_PORT: u16 = 53;

/// Why there is no server: what failed, on what, and what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum ServeError {
    #[error("--log {0}: not a filter; give error, warn, info, debug or trace")]
    Filter(String),
    #[error("can't read {RESOLV_CONF} ({0}): give a resolver with --resolver")]
    ResolvConf(io::Error),
    #[error("{RESOLV_CONF} names no resolver: give one with --resolver")]
    NoResolver,
    #[error(
        "--perspectives {wanted} but {given} times --perspective-source: give one for each or none"
    )]
    Sources { wanted: u16, given: usize },
    #[error("--profile {name}: {source}")]
    Profile { name: String, source: ProfileError },
    #[error("--ct-log: can't read the key file {path}: {source}")]
    LogKeyFile { path: PathBuf, source: io::Error },
    #[error("--ct-log {url}: {source}; the key file must hold the log's public key, PEM or DER")]
    Log { url: Url, source: LogError },
    #[error("the CT logs and the profiles don't fit together: {0}")]
    Logs(ProfileError),
    #[error("the system gives no threads or signals: {0}")]
    System(io::Error),
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Runs a server until SIGTERM or SIGINT.
pub(super) fn serve(flags: ServeFlags) -> Result<(), ServeError> {
    let filter = filter(&flags.log)?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
    let config = config(flags)?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().build().map_err(ServeError::System)?;
    runtime.block_on(run(config))
}

/// A level alone is this program's; of what it is made of only warnings are of interest then.
fn filter(text: &str) -> Result<EnvFilter, ServeError> {
    let directives = match text.parse::<LevelFilter>() {
        Ok(level) => format!("warn,acme_ca={level},acme_ca_core={level}"),
        Err(_) => text.to_owned(),
    };
    EnvFilter::try_new(directives).map_err(|_| ServeError::Filter(text.to_owned()))
}

async fn run(config: ServerConfig) -> Result<(), ServeError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::System)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::System)?;
    let server = Server::start(config).await?;
    let ready = format!(
        "root {}\ndirectory {}\n",
        server.root_path().display(),
        server.directory_url()
    );
    // Whoever started it may have closed the pipe; that is no reason not to serve.
    let _ = io::stdout()
        .write_all(ready.as_bytes())
        .and_then(|()| io::stdout().flush());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    server.shutdown().await;
    Ok(())
}

fn config(flags: ServeFlags) -> Result<ServerConfig, ServeError> {
    let sources = sources(flags.perspectives, &flags.perspective_source)?;
    let resolvers = match flags.resolver.is_empty() {
        true => system_resolvers(Path::new(RESOLV_CONF))?,
        false => flags.resolver,
    };
    let mut policy = Policy::private();
    policy.validation.ports = Ports {
        http: flags.http_port,
        https: flags.https_port,
        tls: flags.tls_port,
    };
    policy.validation.caa_identities = flags.caa_identity;
    if !flags.allow_suffix.is_empty() {
        policy.identifiers.names = NameRules::Below(flags.allow_suffix.into_iter().collect());
    }
    let config = ServerConfig {
        data: flags.data,
        name: flags.name,
        listen: flags.listen,
        url: flags.url,
        publication: PublicationConfig {
            listen: flags.http_listen,
            url: flags.publication_url,
        },
        policy,
        profiles: flags
            .profile
            .iter()
            .map(profile)
            .collect::<Result<_, _>>()?,
        logs: LogList::default(),
        log_roots: Vec::new(),
        crl: CrlTiming::default(),
        viewpoints: Vec::new(),
    };
    let logs = flags
        .ct_log
        .iter()
        .map(log)
        .collect::<Result<Vec<_>, _>>()?;
    let config = config.with_logs(logs).map_err(ServeError::Logs)?;
    Ok(config.with_perspectives(&sources, resolvers))
}

fn sources(wanted: Option<u16>, given: &[IpAddr]) -> Result<Vec<Source>, ServeError> {
    let count = wanted.map(usize::from);
    match (count, given.len()) {
        (count, 0) => Ok(vec![Source::default(); count.unwrap_or(1)]),
        (Some(count), len) if count != len => Err(ServeError::Sources {
            wanted: wanted.unwrap_or(0),
            given: len,
        }),
        _ => Ok(given.iter().copied().map(Source::from).collect()),
    }
}

fn system_resolvers(path: &Path) -> Result<Vec<SocketAddr>, ServeError> {
    let text = fs::read_to_string(path).map_err(ServeError::ResolvConf)?;
    let named = |line: &str| -> Option<SocketAddr> {
        let mut words = line.split_whitespace();
        let address = (words.next() == Some("nameserver")).then(|| words.next())??;
        Some(SocketAddr::new(address.parse().ok()?, DNS_PORT))
    };
    let resolvers: Vec<SocketAddr> = text.lines().filter_map(named).collect();
    if resolvers.is_empty() {
        Err(ServeError::NoResolver)
    } else {
        Ok(resolvers)
    }
}

fn profile(flag: &ProfileFlag) -> Result<Profile, ServeError> {
    let parts = ProfileParts {
        name: flag.name.clone(),
        description: description(flag.validity),
        validity: flag.validity,
        backdate: backdate(flag.validity),
        ..ProfileParts::private()
    };
    Profile::try_from(parts).map_err(|source| ServeError::Profile {
        name: flag.name.clone(),
        source,
    })
}

/// What the directory says of a profile.
fn description(validity: Duration) -> String {
    match validity.as_secs() / 3_600 {
        hours if hours % 24 == 0 => format!("certificates hold for {} days", hours / 24),
        hours => format!("certificates hold for {hours} hours"),
    }
}

/// The usual hour, or a tenth of what is shorter than ten.
fn backdate(validity: Duration) -> Duration {
    let tenth = Duration::from_secs(validity.as_secs() / 10);
    tenth.min(ProfileParts::private().backdate)
}

fn log(flag: &LogFlag) -> Result<Log, ServeError> {
    let bytes = fs::read(&flag.key).map_err(|source| ServeError::LogKeyFile {
        path: flag.key.clone(),
        source,
    })?;
    let spki = pem::decode("PUBLIC KEY", &bytes).unwrap_or(bytes);
    // Who runs it is told apart by where it is: a private CA's logs have no list of operators.
    let operator = flag.url.authority().to_owned();
    Log::new(
        &spki,
        flag.url.clone(),
        &operator,
        LogKind::Rfc6962,
        None,
        &AwsLc,
    )
    .map_err(|source| ServeError::Log {
        url: flag.url.clone(),
        source,
    })
}
