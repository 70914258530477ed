use std::fmt;
use std::net::IpAddr;

use acme_types::{DnsName, Url, UrlError};

use crate::policy::{RedirectHosts, ValidationPolicy};
use crate::validation::failure::RedirectFault;
use crate::validation::turn::Context;

/// The longest path and query that is asked for.
const PATH_LEN_MAX: usize = 2_000;
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// A URL of the chain, checked: its host is a name or an address, its port is one of the methods'.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Location {
    pub(super) url: Url,
    pub(super) host: Host,
    /// Where to connect: the URL's port, or the configured one in the place of the scheme's.
    pub(super) port: u16,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Host {
    Name(DnsName),
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl Location {
    /// Where the challenge is sought first.
    pub(super) fn first(ctx: &Context<'_>, host: Host) -> Result<Self, UrlError> {
        let authority = match &host {
            Host::Name(name) => name.to_string(),
            Host::Address(IpAddr::V4(v4)) => v4.to_string(),
            Host::Address(IpAddr::V6(v6)) => format!("[{v6}]"),
        };
        let token = ctx.request.token.as_str();
        let url = Url::parse(&format!(
            "http://{authority}/.well-known/acme-challenge/{token}"
        ))?;
        Ok(Self {
            url,
            host,
            port: ctx.policy.ports.http,
        })
    }

    /// Where a Location header leads from here (RFC 9110 §10.2.2: a reference, resolved against
    /// the URL that was asked for; a fragment is of no use to a server).
    pub(super) fn next(
        ctx: &Context<'_>,
        current: &Self,
        location: &[u8],
    ) -> Result<Self, RedirectFault> {
        let text = std::str::from_utf8(location).map_err(|_| RedirectFault::Url)?;
        let reference = text.split_once('#').map_or(text, |(before, _)| before);
        let url = current.url.join(reference).map_err(|error| match error {
            UrlError::TooLong => RedirectFault::TooLong,
            UrlError::Scheme => RedirectFault::Scheme,
            UrlError::Host => RedirectFault::Host,
            UrlError::Port => RedirectFault::Port,
            _ => RedirectFault::Url,
        })?;
        if url.path_and_query().len() > PATH_LEN_MAX {
            return Err(RedirectFault::TooLong);
        }
        let port = port(ctx.policy, &url).ok_or(RedirectFault::Port)?;
        let host = host(ctx.policy, &url, port).ok_or(RedirectFault::Host)?;
        Ok(Self { url, host, port })
    }

    /// What a Host header takes.
    pub(super) fn authority(&self) -> String {
        let host = match &self.host {
            Host::Name(name) => name.to_string(),
            Host::Address(IpAddr::V4(v4)) => v4.to_string(),
            Host::Address(IpAddr::V6(v6)) => format!("[{v6}]"),
        };
        match (self.url.is_https(), self.url.port()) {
            (false, HTTP_PORT) | (true, HTTPS_PORT) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// Whether it asks the same server for the same thing.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
            && self.url.path_and_query() == other.url.path_and_query()
    }
}

/// BR §3.2.2.4.19: "Redirects MUST be to resource URLs accessed via Authorized Ports." The
/// scheme's own port stands for the one that is configured in its place.
fn port(policy: &ValidationPolicy, url: &Url) -> Option<u16> {
    let ports = policy.ports;
    match (url.is_https(), url.port()) {
        (false, HTTP_PORT) => Some(ports.http),
        (true, HTTPS_PORT) => Some(ports.https),
        (_, other) => (other == ports.http || other == ports.https).then_some(other),
    }
}

/// A name, or an address that may be contacted; nothing that looks like either.
fn host(policy: &ValidationPolicy, url: &Url, port: u16) -> Option<Host> {
    if let Ok(address) = url.host().parse::<IpAddr>() {
        policy.addresses.target(address, port)?;
        return Some(Host::Address(address));
    }
    let name = DnsName::parse(url.host())
        .ok()
        .filter(|name| !name.is_wildcard())?;
    let is_allowed = match policy.redirect_hosts {
        RedirectHosts::Any => true,
        RedirectHosts::Public => {
            psl::suffix(name.as_str().as_bytes()).is_some_and(|suffix| suffix.is_known())
        }
    };
    is_allowed.then_some(Host::Name(name))
}
