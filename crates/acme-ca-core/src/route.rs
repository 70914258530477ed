//! The CA's URLs, both ways. Every URL is made from the configured base, never from a request's
//! Host header; a path is compared as it came, with no normalisation.

use std::fmt::Display;

use acme_types::{ChallengeType, Url};

use crate::Config;
use crate::schema::{AccountId, AuthorizationId, OrderId, Serial, Shard};

/// The longest path and query that names anything here: a challenge's or a renewalInfo's, with
/// room. What is longer isn't looked at.
const TARGET_LEN_MAX: usize = 512;

/// A resource of this CA.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Route {
    /// RFC 8555 §7.1.1.
    Directory,
    /// RFC 8555 §7.2.
    NewNonce,
    /// RFC 8555 §7.3.
    NewAccount,
    /// RFC 8555 §7.4.
    NewOrder,
    /// RFC 8555 §7.6.
    RevokeCertificate,
    /// RFC 8555 §7.3.5.
    KeyChange,
    /// RFC 8555 §7.1.2.
    Account(AccountId),
    /// RFC 8555 §7.1.2.1; a page of it, after this order.
    AccountOrders(AccountId, Option<OrderId>),
    /// RFC 8555 §7.1.3.
    Order(OrderId),
    /// RFC 8555 §7.4.
    Finalize(OrderId),
    /// RFC 8555 §7.1.4.
    Authorization(AuthorizationId),
    /// RFC 8555 §7.1.5.
    Challenge(AuthorizationId, ChallengeType),
    /// RFC 8555 §7.4.2.
    Certificate(Serial),
    /// RFC 9773 §4.1; the identifier of the certificate as it came.
    RenewalInfo(String),
    /// RFC 5280 §5: a shard's CRL.
    Crl(Shard),
    /// RFC 5280 §4.2.2.1: an issuer's certificate, by the issuer's name.
    Issuer(String),
}

/// The methods of a resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Methods {
    /// GET, HEAD and POST-as-GET: RFC 8555 §6.3 opens the directory and newNonce to both.
    Open,
    /// GET and HEAD.
    Get,
    /// POST alone: RFC 8555 §6.3.
    Post,
}

impl Methods {
    /// The Allow header.
    pub fn allow(self) -> &'static str {
        match self {
            Self::Open => "GET, HEAD, POST, OPTIONS",
            Self::Get => "GET, HEAD, OPTIONS",
            Self::Post => "POST, OPTIONS",
        }
    }

    /// Whether the method is one of them; OPTIONS is answered before.
    pub fn contain(self, method: &http::Method) -> bool {
        let get = method == http::Method::GET || method == http::Method::HEAD;
        match self {
            Self::Open => get || method == http::Method::POST,
            Self::Get => get,
            Self::Post => method == http::Method::POST,
        }
    }
}

impl Route {
    /// The resource that a request names, `None` if there is none: a path below one of the two
    /// bases, exactly as this CA writes it.
    pub(crate) fn parse(config: &Config, target: &str) -> Option<Self> {
        if target.len() > TARGET_LEN_MAX {
            return None;
        }
        let own = target.strip_prefix(prefix(&config.base));
        if let Some(route) = own.and_then(Self::below) {
            return Some(route);
        }
        // What is signed itself is published over plain HTTP, and nothing else.
        match Self::below(target.strip_prefix(prefix(&config.publication_base))?)? {
            route @ (Self::Crl(_) | Self::Issuer(_)) => Some(route),
            _ => None,
        }
    }

    fn below(target: &str) -> Option<Self> {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let mut parts = path.strip_prefix('/')?.split('/');
        let (first, second) = (parts.next()?, parts.next());
        let rest = [parts.next(), parts.next(), parts.next()];
        let route = match (first, second, rest) {
            ("directory", None, [None, ..]) => Self::Directory,
            ("crl", Some(shard), [None, ..]) => Self::Crl(Shard(decimal(shard)?)),
            ("issuer", Some(name), [None, ..]) => Self::Issuer(name.to_owned()),
            ("acme", Some(kind), [id, part, None]) => Self::of_acme(kind, id, part, query)?,
            _ => return None,
        };
        // Nothing but a list has a query; an unknown one names nothing.
        let listed = matches!(route, Self::AccountOrders(_, Some(_)));
        (query.is_some() == listed).then_some(route)
    }

    fn of_acme(
        kind: &str,
        id: Option<&str>,
        part: Option<&str>,
        query: Option<&str>,
    ) -> Option<Self> {
        Some(match (kind, id, part) {
            ("new-nonce", None, None) => Self::NewNonce,
            ("new-account", None, None) => Self::NewAccount,
            ("new-order", None, None) => Self::NewOrder,
            ("revoke-cert", None, None) => Self::RevokeCertificate,
            ("key-change", None, None) => Self::KeyChange,
            ("account", Some(id), None) => Self::Account(id.parse().ok()?),
            ("account", Some(id), Some("orders")) => {
                let after = match query {
                    Some(query) => Some(query.strip_prefix("after=")?.parse().ok()?),
                    None => None,
                };
                Self::AccountOrders(id.parse().ok()?, after)
            }
            ("order", Some(id), None) => Self::Order(id.parse().ok()?),
            ("order", Some(id), Some("finalize")) => Self::Finalize(id.parse().ok()?),
            ("authorization", Some(id), None) => Self::Authorization(id.parse().ok()?),
            ("challenge", Some(id), Some(kind)) => {
                Self::Challenge(id.parse().ok()?, ChallengeType::parse(kind).ok()?)
            }
            ("certificate", Some(serial), None) => Self::Certificate(serial.parse().ok()?),
            ("renewal-info", Some(id), None) => Self::RenewalInfo(id.to_owned()),
            _ => return None,
        })
    }

    /// The methods that it answers.
    pub(crate) fn methods(&self) -> Methods {
        match self {
            Self::Directory | Self::NewNonce => Methods::Open,
            Self::RenewalInfo(_) | Self::Crl(_) | Self::Issuer(_) => Methods::Get,
            Self::NewAccount
            | Self::NewOrder
            | Self::RevokeCertificate
            | Self::KeyChange
            | Self::Account(_)
            | Self::AccountOrders(..)
            | Self::Order(_)
            | Self::Finalize(_)
            | Self::Authorization(_)
            | Self::Challenge(..)
            | Self::Certificate(_) => Methods::Post,
        }
    }
}

fn prefix(base: &Url) -> &str {
    base.path().trim_end_matches('/')
}

/// Canonical decimal: no sign, no leading zero.
fn decimal(text: &str) -> Option<u16> {
    let number: u16 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// The CA's URLs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Urls<'a> {
    base: &'a str,
    /// How much of `base` is its path.
    path_len: usize,
}

impl<'a> Urls<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        let base = config.base.as_str().trim_end_matches('/');
        let path_len = prefix(&config.base).len();
        Self { base, path_len }
    }

    /// The URL of a request's path and query.
    pub(crate) fn of_request(&self, target: &str) -> String {
        let origin = self
            .base
            .get(..self.base.len().saturating_sub(self.path_len));
        format!("{}{target}", origin.unwrap_or(self.base))
    }

    fn acme(&self, path: impl Display) -> String {
        format!("{}/acme/{path}", self.base)
    }

    pub(crate) fn directory(&self) -> String {
        format!("{}/directory", self.base)
    }

    pub(crate) fn new_nonce(&self) -> String {
        self.acme("new-nonce")
    }

    pub(crate) fn new_account(&self) -> String {
        self.acme("new-account")
    }

    pub(crate) fn new_order(&self) -> String {
        self.acme("new-order")
    }

    pub(crate) fn revoke_certificate(&self) -> String {
        self.acme("revoke-cert")
    }

    pub(crate) fn key_change(&self) -> String {
        self.acme("key-change")
    }

    pub(crate) fn renewal_info(&self) -> String {
        self.acme("renewal-info")
    }

    pub(crate) fn account(&self, id: &AccountId) -> String {
        self.acme(format_args!("account/{id}"))
    }

    pub(crate) fn account_orders(&self, id: &AccountId) -> String {
        self.acme(format_args!("account/{id}/orders"))
    }

    pub(crate) fn account_orders_after(&self, id: &AccountId, after: &OrderId) -> String {
        self.acme(format_args!("account/{id}/orders?after={after}"))
    }

    pub(crate) fn order(&self, id: &OrderId) -> String {
        self.acme(format_args!("order/{id}"))
    }

    pub(crate) fn finalize(&self, id: &OrderId) -> String {
        self.acme(format_args!("order/{id}/finalize"))
    }

    pub(crate) fn authorization(&self, id: &AuthorizationId) -> String {
        self.acme(format_args!("authorization/{id}"))
    }

    pub(crate) fn challenge(&self, id: &AuthorizationId, kind: &ChallengeType) -> String {
        self.acme(format_args!("challenge/{id}/{kind}"))
    }

    pub(crate) fn certificate(&self, serial: &Serial) -> String {
        self.acme(format_args!("certificate/{serial}"))
    }

    /// The account that a `kid` names, which must be its URL to the letter.
    pub(crate) fn account_of(&self, kid: &str) -> Option<AccountId> {
        let id = kid
            .strip_prefix(self.base)?
            .strip_prefix("/acme/account/")?;
        id.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_ca_writes_names_a_resource() {
        let id = "AAAAAAAAAAAAAAAAAAAAAA";
        for target in [
            "/directory",
            "/acme/new-nonce",
            "/acme/new-account",
            "/crl/0",
            "/crl/65535",
            "/issuer/x",
            &format!("/acme/account/{id}"),
            &format!("/acme/account/{id}/orders"),
            &format!("/acme/account/{id}/orders?after={id}"),
            &format!("/acme/order/{id}"),
            &format!("/acme/order/{id}/finalize"),
            &format!("/acme/authorization/{id}"),
            &format!("/acme/challenge/{id}/http-01"),
            "/acme/certificate/41414141414141414141414141414141",
        ] {
            assert!(Route::below(target).is_some(), "{target}");
        }
        // H055, H056.
        for target in [
            "",
            "/",
            "directory",
            "//directory",
            "/./directory",
            "/directory/",
            "/directory?x",
            "/Directory",
            "/acme/new-nonce/",
            "/acme/new%2dnonce",
            "/acme/account/",
            "/acme/account/1",
            &format!("/acme/account/{id}="),
            &format!("/acme/account/{id}/orders?after="),
            &format!("/acme/account/{id}/orders?x={id}"),
            &format!("/acme/account/{id}/x"),
            &format!("/acme/order/{id}/finalize/x"),
            &format!("/acme/order/{id}/finalize?x"),
            &format!("/acme/challenge/{id}"),
            &format!("/acme/challenge/{id}/"),
            "/crl/00",
            "/crl/+1",
            "/crl/65536",
            "/crl/1/2",
            "/acme/certificate/01414141414141414141414141414141",
        ] {
            assert_eq!(Route::below(target), None, "{target}");
        }
    }
}
