//! A small CA in memory that checks every request as a real one must, and can be told to misbehave.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use acme_client_core::ChallengeResponse;
use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_jws::{Jwk, Jws, Signer};
use acme_types::*;
use http::{Method, Request, Response};
use serde_json::{Value, json};

mod orders;
mod validation;

pub const BASE: &str = "https://ca.test";

/// How the CA behaves.
#[derive(Clone)]
pub struct Policy {
    pub offered: Vec<ChallengeType>,
    /// Validations by these types fail.
    pub failing: BTreeSet<ChallengeType>,
    /// Every so many-th signed request is refused for its nonce.
    pub refuse_every: Option<u32>,
    /// So many attempts at an authorization fail, and the client is to ask for the next
    /// (RFC 8555 §8.2).
    pub attempts_failing: u32,
    /// How often a pending authorization, a processing order is read before it is decided.
    pub reads: u32,
    pub retry_after: Option<u64>,
    pub window: Option<(Timestamp, Timestamp)>,
    pub refuses_replaces: bool,
    /// Orders get pending authorizations that the account has already, as Boulder does it.
    pub reuses_pending: bool,
    /// Authorizations are valid from the start.
    pub valid_at_once: bool,
    /// An external account binding is taken once, also if its account is the one that asks.
    pub binds_once: bool,
    pub needs_terms: bool,
    pub needs_binding: bool,
    pub profiles: Vec<String>,
    pub lifetime: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            offered: vec![
                ChallengeType::HTTP_01,
                ChallengeType::DNS_01,
                ChallengeType::TLS_ALPN_01,
            ],
            failing: BTreeSet::new(),
            refuse_every: None,
            attempts_failing: 0,
            reads: 1,
            retry_after: Some(3),
            window: None,
            refuses_replaces: false,
            reuses_pending: false,
            valid_at_once: false,
            binds_once: false,
            needs_terms: false,
            needs_binding: false,
            profiles: Vec::new(),
            lifetime: Duration::from_secs(90 * 86_400),
        }
    }
}

pub struct AuthorizationRow {
    pub identifier: Identifier,
    pub status: AuthorizationStatus,
    token: Token,
    tried: Option<(ChallengeType, u32)>,
    attempts: u32,
    awaits_retry: bool,
    problem: Option<Value>,
    account: usize,
}

pub struct OrderRow {
    pub identifiers: Vec<Identifier>,
    pub authorizations: Vec<usize>,
    pub csr: Option<Vec<u8>>,
    reads: u32,
    pub certificate: Option<usize>,
    pub replaces: Option<CertificateId>,
    account: usize,
}

pub struct Ca {
    pub policy: Policy,
    provider: RustCrypto,
    next: u64,
    nonces: BTreeSet<String>,
    used_nonces: BTreeSet<String>,
    signed_requests: u32,
    pub accounts: Vec<Jwk>,
    pub authorizations: Vec<AuthorizationRow>,
    pub orders: Vec<OrderRow>,
    pub certificates: Vec<String>,
    pub revoked: Vec<Vec<u8>>,
    /// Responses are always there before the CA looks. Not so if a job is cancelled meanwhile.
    pub expects_presented: bool,
    /// How often each path was asked, numbers left out.
    pub asked: BTreeMap<String, u32>,
    root: Box<dyn KeyPair>,
    intermediate: Box<dyn KeyPair>,
    now: Timestamp,
}

type Reply = Response<Vec<u8>>;

pub fn problem(status: u16, kind: &str) -> Reply {
    let body = json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": kind});
    Response::builder()
        .status(status)
        .header("content-type", "application/problem+json")
        .body(body.to_string().into_bytes())
        .expect("a response")
}

pub fn reply(status: u16, body: &Value) -> Reply {
    Response::builder()
        .status(status)
        .header("content-type", "application/json; charset=utf-8")
        .body(body.to_string().into_bytes())
        .expect("a response")
}

fn header(mut reply: Reply, name: &'static str, value: &str) -> Reply {
    reply
        .headers_mut()
        .insert(name, value.parse().expect("a header value"));
    reply
}

impl Ca {
    pub fn new(policy: Policy) -> Self {
        let provider = RustCrypto;
        let key = |byte| {
            provider
                .generate(KeyAlgorithm::EcP256, &[byte; 32])
                .expect("a key")
        };
        Self {
            policy,
            next: 0,
            nonces: BTreeSet::new(),
            used_nonces: BTreeSet::new(),
            signed_requests: 0,
            accounts: Vec::new(),
            authorizations: Vec::new(),
            orders: Vec::new(),
            certificates: Vec::new(),
            revoked: Vec::new(),
            expects_presented: true,
            asked: BTreeMap::new(),
            root: key(201),
            intermediate: key(202),
            provider,
            now: Timestamp::EPOCH,
        }
    }

    pub fn count(&self, path: &str) -> u32 {
        self.asked.get(path).copied().unwrap_or(0)
    }

    fn fresh_nonce(&mut self) -> String {
        self.next += 1;
        let nonce = format!("nonce-{:010}", self.next);
        self.nonces.insert(nonce.clone());
        nonce
    }

    /// Answers a request. `published` is what a validator would find.
    pub fn handle(
        &mut self,
        request: &Request<Vec<u8>>,
        published: &BTreeSet<ChallengeResponse>,
        now: Timestamp,
    ) -> Reply {
        self.now = now;
        assert!(
            request.headers().contains_key("user-agent"),
            "RFC 8555 §6.1"
        );
        let url = request.uri().to_string();
        let path = url
            .strip_prefix(BASE)
            .unwrap_or_else(|| panic!("{url} is not ours"))
            .to_owned();
        let general: String = path.chars().filter(|c| !c.is_ascii_digit()).collect();
        *self.asked.entry(general).or_default() += 1;
        let mut reply = if request.method() == Method::POST {
            self.post(request, &url, &path, published)
        } else {
            self.get(request.method(), &path)
        };
        if path != "/directory" || request.method() == Method::POST {
            reply = header(reply, "replay-nonce", &self.fresh_nonce());
        }
        if request.method() == Method::HEAD {
            reply.body_mut().clear();
        }
        reply
    }

    fn get(&mut self, method: &Method, path: &str) -> Reply {
        if path == "/directory" {
            let mut directory = json!({
                "newNonce": format!("{BASE}/new-nonce"),
                "newAccount": format!("{BASE}/new-account"),
                "newOrder": format!("{BASE}/new-order"),
                "revokeCert": format!("{BASE}/revoke"),
                "keyChange": format!("{BASE}/key-change"),
                "meta": {"termsOfService": format!("{BASE}/terms"), "profiles": {}},
                "nDlL32iQyEg": "https://community.letsencrypt.org/t/adding-random-entries/33417",
            });
            for profile in &self.policy.profiles {
                directory["meta"]["profiles"][profile] = json!("about it");
            }
            if self.policy.window.is_some() {
                directory["renewalInfo"] = json!(format!("{BASE}/renewal-info"));
            }
            return reply(200, &directory);
        }
        if path == "/new-nonce" {
            let status = if method == Method::HEAD { 200 } else { 204 };
            return reply(status, &json!({}));
        }
        match (path.strip_prefix("/renewal-info/"), self.policy.window) {
            (Some(id), Some((start, end))) => {
                CertificateId::parse(id).expect("a certificate's identifier");
                let window = json!({"start": start.to_rfc3339(), "end": end.to_rfc3339()});
                let body = json!({"suggestedWindow": window, "explanationURL": "https://x.test/a"});
                header(reply(200, &body), "retry-after", "21600")
            }
            _ => problem(404, "malformed"),
        }
    }

    fn post(
        &mut self,
        request: &Request<Vec<u8>>,
        url: &str,
        path: &str,
        published: &BTreeSet<ChallengeResponse>,
    ) -> Reply {
        assert_eq!(request.headers()["content-type"], "application/jose+json");
        let jws = Jws::parse(request.body()).expect("RFC 8555 §6.2");
        assert_eq!(jws.url(), url, "RFC 8555 §6.4");
        let nonce = jws
            .required_nonce()
            .expect("RFC 8555 §6.5")
            .as_str()
            .to_owned();
        assert!(
            self.used_nonces.insert(nonce.clone()),
            "a nonce was sent twice"
        );
        self.signed_requests += 1;
        let refused = self
            .policy
            .refuse_every
            .is_some_and(|n| self.signed_requests.is_multiple_of(n));
        if !self.nonces.remove(&nonce) || refused {
            return problem(400, "badNonce");
        }
        let account = match jws.signer() {
            Signer::Jwk(jwk) => {
                jws.verify(&self.provider, jwk.public_key())
                    .expect("a good signature");
                return match path {
                    "/new-account" => self.new_account(jwk.clone(), jws.payload()),
                    "/revoke" => self.revoke(jws.payload(), Some(jwk)),
                    _ => problem(400, "malformed"),
                };
            }
            Signer::Kid(kid) => {
                let number = kid.strip_prefix(&format!("{BASE}/account/"));
                let number: usize = number.expect("our account").parse().expect("a number");
                jws.verify(&self.provider, self.accounts[number].public_key())
                    .expect("a good signature");
                number
            }
        };
        let (kind, number) = path.rsplit_once('/').unwrap_or_default();
        let number = number.parse::<usize>();
        match (kind, number) {
            ("/order", Ok(number)) => self.order(number, account),
            ("/authorization", Ok(number)) => {
                self.authorization(number, account, jws.payload(), published)
            }
            ("/certificate", Ok(number)) => self.certificate(number),
            ("/finalize", Ok(number)) => self.finalize(number, account, jws.payload()),
            (kind, Ok(number)) if kind.starts_with("/challenge/") => {
                let kind = ChallengeType::parse(&kind["/challenge/".len()..]).expect("a type");
                self.challenge(number, kind, published)
            }
            _ if path == "/new-order" => self.new_order(account, jws.payload()),
            _ if path == "/revoke" => self.revoke(jws.payload(), None),
            _ => problem(404, "malformed"),
        }
    }

    fn new_account(&mut self, jwk: Jwk, payload: &[u8]) -> Reply {
        let wanted: NewAccount = strict::from_slice(payload).expect("newAccount");
        let found = self.accounts.iter().position(|known| *known == jwk);
        let used = self.policy.binds_once && wanted.external_account_binding.is_some();
        let (status, number) = match found {
            Some(_) if used => return problem(403, "unauthorized"),
            Some(number) => (200, number),
            None if wanted.only_return_existing => return problem(400, "accountDoesNotExist"),
            None if self.policy.needs_terms && !wanted.terms_of_service_agreed => {
                return problem(403, "userActionRequired");
            }
            None if self.policy.needs_binding && wanted.external_account_binding.is_none() => {
                return problem(403, "externalAccountRequired");
            }
            None => {
                self.accounts.push(jwk.clone());
                (201, self.accounts.len() - 1)
            }
        };
        if let Some(object) = &wanted.external_account_binding {
            let outer = format!("{BASE}/new-account");
            let binding = acme_jws::eab::Binding::parse(object.as_bytes(), &outer, &jwk)
                .expect("RFC 8555 §7.3.4");
            binding
                .verify(&self.provider, super::MAC_KEY)
                .expect("a good MAC");
        }
        let body = json!({"status": "valid", "orders": format!("{BASE}/orders")});
        header(
            reply(status, &body),
            "location",
            &format!("{BASE}/account/{number}"),
        )
    }

    fn paced(&self, reply: Reply) -> Reply {
        match self.policy.retry_after {
            Some(secs) => header(reply, "retry-after", &secs.to_string()),
            None => reply,
        }
    }
}
