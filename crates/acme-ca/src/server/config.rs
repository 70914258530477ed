use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use acme_ca_core::crl::CrlTiming;
use acme_ca_core::issuance::{Log, LogList, Profile, ProfileParts, Transparency};
use acme_ca_core::policy::Policy;
use acme_ca_core::validation::{Perspective, PerspectiveId, Quorum, Region};
use acme_types::Url;

use crate::network::Source;
use crate::perspective::Viewpoint;

/// The most SCTs that certificates of a private CA carry: what browsers ask for.
const SCTS_WANTED: u8 = 2;
/// Remote perspectives from which on the table of BR §3.2.2.9 can be met.
const REMOTES_DATED: usize = 5;

/// What a server is started with. Port 0 means any free one.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The data folder; made if it isn't there.
    pub data: PathBuf,
    /// The name of the CA, in its certificates.
    pub name: String,
    /// Where HTTPS listens.
    pub listen: SocketAddr,
    /// How clients reach it. `None`: by the address that it listens on.
    pub url: Option<Url>,
    /// The plain HTTP side.
    pub publication: PublicationConfig,
    /// What is allowed.
    pub policy: Policy,
    /// What certificates are like; the first is the default.
    pub profiles: Vec<Profile>,
    /// The logs.
    pub logs: LogList,
    /// Roots of logs that are reached over https, DER, beside the system's.
    pub log_roots: Vec<Vec<u8>>,
    /// When CRLs are made.
    pub crl: CrlTiming,
    /// Where each of the policy's perspectives looks from.
    pub viewpoints: Vec<Viewpoint>,
}

/// Where CRLs and issuers' certificates are published.
#[derive(Clone, Debug)]
pub struct PublicationConfig {
    /// Where plain HTTP listens.
    pub listen: SocketAddr,
    /// How everybody reaches it: stands in certificates. `None`: by the address that it listens
    /// on.
    pub url: Option<Url>,
}

impl ServerConfig {
    /// A CA of one's own on loopback: any free ports, the `private` policy, one perspective that
    /// asks this resolver.
    pub fn private(data: impl Into<PathBuf>, resolvers: Vec<SocketAddr>) -> Self {
        let loopback = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let config = Self {
            data: data.into(),
            name: "Private CA".to_owned(),
            listen: loopback,
            url: None,
            publication: PublicationConfig {
                listen: loopback,
                url: None,
            },
            policy: Policy::private(),
            profiles: vec![Profile::private()],
            logs: LogList::default(),
            log_roots: Vec::new(),
            crl: CrlTiming::default(),
            viewpoints: Vec::new(),
        };
        config.with_perspectives(&[Source::default()], resolvers)
    }

    /// With a perspective at each of these source addresses, the first the primary one, and the
    /// quorum that goes with so many: the table of BR §3.2.2.9 from five remote ones on, below
    /// that all but one must agree, and all if there is one. Remote perspectives stand in
    /// different regions by turns.
    #[must_use]
    pub fn with_perspectives(mut self, sources: &[Source], resolvers: Vec<SocketAddr>) -> Self {
        const REGIONS: [Region; 5] = [
            Region::Arin,
            Region::Ripe,
            Region::Apnic,
            Region::Lacnic,
            Region::Afrinic,
        ];
        let ids = (0..sources.len()).map(|place| match place {
            0 => PerspectiveId("primary".to_owned()),
            remote => PerspectiveId(format!("remote-{remote}")),
        });
        let (mut perspectives, mut viewpoints) = (Vec::new(), Vec::new());
        for (place, ((id, source), region)) in ids
            .zip(sources)
            .zip(REGIONS.into_iter().cycle())
            .enumerate()
        {
            perspectives.push(Perspective {
                id: id.clone(),
                region,
                is_primary: place == 0,
            });
            let resolvers = resolvers.clone();
            viewpoints.push(Viewpoint {
                perspective: id,
                source: *source,
                resolvers,
            });
        }
        let remotes = sources.len().saturating_sub(1);
        self.policy.validation.quorum = quorum(remotes);
        self.policy.validation.perspectives = perspectives;
        self.viewpoints = viewpoints;
        self
    }

    /// With these logs, and SCTs in the certificates of all profiles: of two logs, or of one if
    /// there is one.
    ///
    /// # Errors
    /// The profile that doesn't take it.
    pub fn with_logs(
        mut self,
        logs: Vec<Log>,
    ) -> Result<Self, acme_ca_core::issuance::ProfileError> {
        let operators: BTreeSet<&str> = logs.iter().map(Log::operator).collect();
        let at_most = |count: usize| u8::try_from(count).unwrap_or(u8::MAX).min(SCTS_WANTED);
        let transparency = (!logs.is_empty()).then(|| Transparency {
            scts: at_most(logs.len()),
            operators: at_most(operators.len()),
            rfc6962: true,
        });
        for profile in &mut self.profiles {
            let parts = ProfileParts {
                transparency,
                ..profile.parts().clone()
            };
            *profile = Profile::try_from(parts)?;
        }
        self.logs = LogList {
            logs,
            fresh_until: None,
        };
        Ok(self)
    }
}

fn quorum(remotes: usize) -> Quorum {
    match remotes {
        0 | 1 => Quorum::Fixed {
            remotes_min: remotes,
            failures_max: 0,
            regions_min: remotes,
        },
        REMOTES_DATED.. => Quorum::Dated,
        _ => Quorum::Fixed {
            remotes_min: remotes,
            failures_max: 1,
            regions_min: 1,
        },
    }
}
