//! The stage: DNS, a web server, two logs, and the CA, all on real loopback sockets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use acme_ca::network::Source;
use acme_ca::{Server, ServerConfig};
use acme_ca_core::issuance::{Log, LogKind, Profile, ProfileParts};
use acme_crypto::aws_lc::AwsLc;
use acme_testkit::ct::CtLog;
use acme_testkit::dns::{Dns, Record};
use acme_testkit::tls::Tls;
use acme_testkit::web::Web;
use acme_types::{DnsName, Url, pem};

use crate::story::{Proved, Unproved};

pub(crate) const SITE: &str = "example.com";
pub(crate) const WWW: &str = "www.example.com";
/// What the CA is called in CAA records.
pub(crate) const CAA_IDENTITY: &str = "ca.example";
/// A primary perspective and five remote ones.
pub(crate) const PERSPECTIVES: u8 = 6;
/// The certificates of the demo live for two minutes and look a minute old when they are made, so
/// that half of their life, when the CA suggests renewal, is five seconds after issuance; and
/// there is time enough left to revoke them.
const VALIDITY: Duration = Duration::from_secs(130);
const BACKDATE: Duration = Duration::from_secs(60);

pub(crate) struct Stage {
    pub(crate) dns: Arc<Dns>,
    pub(crate) web: Web,
    pub(crate) site: Tls,
    pub(crate) logs: Vec<CtLog>,
    pub(crate) server: Server,
    pub(crate) root: Vec<u8>,
}

impl Stage {
    pub(crate) async fn set(data: &Path) -> Proved<Self> {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let dns = Arc::new(Dns::start().await?);
        dns.add_zone(SITE);
        for name in [SITE, WWW] {
            dns.add(name, Record::A(Ipv4Addr::LOCALHOST));
        }
        dns.add(SITE, Record::caa("issue", CAA_IDENTITY));
        let web = Web::start(loopback).await?;
        let site = Tls::start(loopback).await?;
        site.site().set("/", "Hello from example.com\n");
        let mut logs = Vec::new();
        for (name, operator) in [("Alpha 2026", "Alpha"), ("Beta 2026", "Beta")] {
            logs.push(CtLog::start(name, operator, &[]).await?);
        }
        let server = Server::start(config(data, &dns, &web, &site, &logs)?).await?;
        let root = pem::chain_to_der(server.root_pem().as_bytes())?
            .pop()
            .ok_or_else(|| Unproved("the CA has no root".into()))?;
        logs.iter().for_each(|log| log.add_root(&root));
        Ok(Self {
            dns,
            web,
            site,
            logs,
            server,
            root,
        })
    }
}

/// The source addresses of the perspectives: 127.0.1.1 is the primary one's.
pub(crate) fn sources() -> Vec<IpAddr> {
    (1..=PERSPECTIVES)
        .map(|last| IpAddr::V4(Ipv4Addr::new(127, 0, 1, last)))
        .collect()
}

fn config(data: &Path, dns: &Dns, web: &Web, site: &Tls, logs: &[CtLog]) -> Proved<ServerConfig> {
    let known = |log: &CtLog| -> Proved<Log> {
        let (key, url) = (log.public_key_der(), Url::parse(&log.url())?);
        Ok(Log::new(
            &key,
            url,
            log.operator(),
            LogKind::Rfc6962,
            None,
            &AwsLc,
        )?)
    };
    let sources: Vec<Source> = sources().into_iter().map(Source::from).collect();
    let mut config = ServerConfig::private(data, vec![dns.address()])
        .with_perspectives(&sources, vec![dns.address()]);
    config.name = "Demo CA".to_owned();
    config.policy.validation.ports.http = web.address().port();
    config.policy.validation.ports.https = site.address().port();
    config.policy.validation.ports.tls = site.address().port();
    config.policy.validation.caa_identities = vec![DnsName::parse(CAA_IDENTITY)?];
    let brief = ProfileParts {
        validity: VALIDITY,
        backdate: BACKDATE,
        ..ProfileParts::private()
    };
    config.profiles = vec![Profile::try_from(brief)?];
    Ok(config.with_logs(logs.iter().map(known).collect::<Proved<_>>()?)?)
}
