//! What the caller decides: passed in at every start, never stored.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use acme_crypto::Provider;
use acme_types::{ChallengeType, Origin, Url};

use crate::failure::Misbehaviour;

/// Which CA, how to reach it, what to prefer, how much to do at once.
#[derive(Clone)]
pub struct Config {
    provider: Arc<dyn Provider>,
    directory: Url,
    user_agent: String,
    challenges: Vec<ChallengeType>,
    origins: BTreeSet<Origin>,
    plain_http: bool,
    alternates: bool,
    limits: Limits,
}

impl Config {
    /// The CA at this directory URL (RFC 8555 §7.1.1), http-01 preferred, then dns-01, then
    /// tls-alpn-01; only `https` and only the directory's origin.
    pub fn new(provider: Arc<dyn Provider>, directory: Url) -> Self {
        Self {
            provider,
            origins: BTreeSet::from([directory.origin()]),
            directory,
            user_agent: USER_AGENT.to_owned(),
            challenges: vec![
                ChallengeType::HTTP_01,
                ChallengeType::DNS_01,
                ChallengeType::TLS_ALPN_01,
            ],
            plain_http: false,
            alternates: false,
            limits: Limits::default(),
        }
    }

    /// The application's name and version, put before this library's (RFC 8555 §6.1). Anything
    /// but printable ASCII is left out.
    pub fn with_user_agent(mut self, application: &str) -> Self {
        let printable: String = application
            .chars()
            .filter(|c| (' '..='~').contains(c))
            .collect();
        self.user_agent = format!("{} {USER_AGENT}", printable.trim());
        self
    }

    /// The challenge types that can be presented, the preferred first. A job may have its own
    /// order for an identifier: see [`crate::IssueJob::prefer`].
    pub fn with_challenges(mut self, types: impl IntoIterator<Item = ChallengeType>) -> Self {
        self.challenges = types.into_iter().collect();
        self
    }

    /// Lets resources of this CA lie at another origin than its directory.
    pub fn allow_origin(mut self, origin: Origin) -> Self {
        self.origins.insert(origin);
        self
    }

    /// Accepts `http` URLs: for a CA in the same process, or on loopback, in a test.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Downloads alternate chains as well (RFC 8555 §7.4.2), [`crate::ALTERNATES_MAX`] at most.
    pub fn with_alternates(mut self) -> Self {
        self.alternates = true;
        self
    }

    /// Replaces the limits.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn provider(&self) -> &dyn Provider {
        &*self.provider
    }

    pub(crate) fn directory(&self) -> &Url {
        &self.directory
    }

    pub(crate) fn user_agent(&self) -> &str {
        &self.user_agent
    }

    pub(crate) fn challenges(&self) -> &[ChallengeType] {
        &self.challenges
    }

    pub(crate) fn wants_alternates(&self) -> bool {
        self.alternates
    }

    /// Every URL from the server passes here: `https`, and an origin that is known.
    ///
    /// A URL that differs from a known origin by plain `http` alone is upgraded: servers behind a
    /// TLS-ending proxy often write such, and to follow it as it stands would be the downgrade.
    pub(crate) fn admit(&self, url: Url) -> Result<Url, Misbehaviour> {
        if url.is_https() || self.plain_http {
            return self.known(url);
        }
        let upgraded = url
            .as_str()
            .split_once("://")
            .map(|(_, rest)| format!("https://{rest}"));
        match upgraded.map(|text| Url::parse(&text)) {
            Some(Ok(upgraded)) => self.known(upgraded).map_err(|_| Misbehaviour::PlainHttp),
            _ => Err(Misbehaviour::PlainHttp),
        }
    }

    fn known(&self, url: Url) -> Result<Url, Misbehaviour> {
        if self.origins.contains(&url.origin()) {
            Ok(url)
        } else {
            Err(Misbehaviour::ForeignOrigin)
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("directory", &self.directory)
            .field("challenges", &self.challenges)
            .finish_non_exhaustive()
    }
}

const USER_AGENT: &str = concat!("acme-client-core/", env!("CARGO_PKG_VERSION"));

/// How long and how often. All are floors of patience, not promises: a server's `Retry-After` can
/// make a wait longer, up to a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// An HTTP request without an outcome counts as [`crate::HttpOutcome::Unknown`] after this.
    /// Default 60 s: slow CAs answer finalize after 30.
    pub http: Duration,
    /// A signature is asked for again after this. Default 30 s: an HSM over a network.
    pub sign: Duration,
    /// A save is asked for again after this. Default 30 s.
    pub save: Duration,
    /// A response not presented in this time is presented again. Default 10 min: the time that a
    /// slow DNS provider takes to publish a record everywhere.
    pub present: Duration,
    /// A retraction is asked for again after this. Default 5 min.
    pub retract: Duration,
    /// An event is told again after this. Default 60 s.
    pub event: Duration,
    /// How often one request is sent before the job is parked. Default 5: with back-off, about
    /// half a minute, longer than a server's restart.
    pub attempts_max: u32,
    /// How long an order or an authorization may stay pending or processing before the job is
    /// parked. Default 15 min.
    pub patience: Duration,
    /// How many jobs have an order open at once. Default 64: a herd finishes one after another
    /// instead of opening everything, and stays below the CAs' limits on pending authorizations.
    pub jobs_active_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            http: Duration::from_secs(60),
            sign: Duration::from_secs(30),
            save: Duration::from_secs(30),
            present: Duration::from_secs(600),
            retract: Duration::from_secs(300),
            event: Duration::from_secs(60),
            attempts_max: 5,
            patience: Duration::from_secs(900),
            jobs_active_max: 64,
        }
    }
}
