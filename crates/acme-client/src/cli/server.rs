//! Which CA, and what is noted with each certificate so that it can be renewed.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use acme_client::http::{HttpClient, Trust};
use acme_client_core::{Config, Limits};
use acme_crypto::aws_lc::AwsLc;
use acme_types::{ChallengeType, Url};
use serde::{Deserialize, Serialize};

use super::Complaint;
use super::method::Method;

/// A CA, and how it is trusted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Server {
    pub(crate) url: Url,
    pub(crate) ca_file: Option<PathBuf>,
}

/// What is noted with a certificate: enough to renew it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) server: Server,
    pub(crate) method: Method,
}

/// Tries of one request before a command gives up for now: a few seconds of pauses in all, a
/// hiccup of the server but not the patience of whoever waits before a terminal. Another run goes
/// on where this one stopped.
const ATTEMPTS_MAX: u32 = 3;

impl Server {
    pub(crate) fn new(url: Url, ca_file: Option<PathBuf>) -> Result<Self, Complaint> {
        if !url.is_https() && !is_loopback(&url) {
            return Err(
                Complaint::new(format!("{url}: a CA is spoken to over https only"))
                    .with_advice("give the https URL of its directory"),
            );
        }
        let absolute = |path: PathBuf| {
            std::path::absolute(&path)
                .map_err(|error| Complaint::new(format!("{}: {error}", path.display())))
        };
        Ok(Self {
            url,
            ca_file: ca_file.map(absolute).transpose()?,
        })
    }

    pub(crate) fn http(&self) -> Result<HttpClient, Complaint> {
        let mut trust = Trust::system();
        if let Some(path) = &self.ca_file {
            let complain = |error: &dyn std::fmt::Display| {
                Complaint::new(format!("CA file {}: {error}", path.display()))
                    .with_advice("give a PEM file with the roots to trust, with --ca-file")
            };
            let text = std::fs::read(path).map_err(|error| complain(&error))?;
            trust = trust.with_pem(&text).map_err(|error| complain(&error))?;
        }
        Ok(HttpClient::new(trust))
    }

    pub(crate) fn config(&self, challenges: impl IntoIterator<Item = ChallengeType>) -> Config {
        let limits = Limits {
            attempts_max: ATTEMPTS_MAX,
            ..Limits::default()
        };
        let config = Config::new(Arc::new(AwsLc), self.url.clone())
            .with_user_agent(concat!("acme/", env!("CARGO_PKG_VERSION")))
            .with_challenges(challenges)
            .with_limits(limits);
        if self.url.is_https() {
            config
        } else {
            config.allow_plain_http()
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host().trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
