//! A small CA in memory that checks every request as a real one must, and can be told to misbehave.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use acme_client_core::ChallengeResponse;
use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_csr::Csr;
use acme_jws::{Jwk, Jws, KeyAuthorization, Signer};
use acme_types::*;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::x509;

pub const BASE: &str = "https://ca.test";

/// How the CA behaves.
#[derive(Clone)]
pub struct Policy {
    pub offered: Vec<ChallengeType>,
    /// Validations by these types fail.
    pub failing: BTreeSet<ChallengeType>,
    /// Every so many-th signed request is refused for its nonce.
    pub refuse_every: Option<u32>,
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

    fn new_order(&mut self, account: usize, payload: &[u8]) -> Reply {
        let wanted: NewOrder = strict::from_slice(payload).expect("newOrder");
        if wanted.replaces.is_some() && self.policy.refuses_replaces {
            return problem(409, "alreadyReplaced");
        }
        let mut authorizations = Vec::new();
        for identifier in &wanted.identifiers {
            let pending = self.authorizations.iter().position(|row| {
                row.status == AuthorizationStatus::Pending && row.identifier == *identifier
            });
            if let (true, Some(at)) = (self.policy.reuses_pending, pending) {
                authorizations.push(at);
                continue;
            }
            self.next += 1;
            authorizations.push(self.authorizations.len());
            self.authorizations.push(AuthorizationRow {
                identifier: identifier.clone(),
                status: if self.policy.valid_at_once {
                    AuthorizationStatus::Valid
                } else {
                    AuthorizationStatus::Pending
                },
                token: Token::from_entropy(&[self.next as u8; 32]),
                tried: None,
                problem: None,
                account,
            });
        }
        self.orders.push(OrderRow {
            identifiers: wanted.identifiers,
            authorizations,
            csr: None,
            reads: 0,
            certificate: None,
            replaces: wanted.replaces,
            account,
        });
        let number = self.orders.len() - 1;
        let body = self.order_body(number);
        header(
            reply(201, &body),
            "location",
            &format!("{BASE}/order/{number}"),
        )
    }

    pub fn order_status(&self, number: usize) -> OrderStatus {
        let order = &self.orders[number];
        let mut statuses = order
            .authorizations
            .iter()
            .map(|at| self.authorizations[*at].status);
        if order.certificate.is_some() {
            OrderStatus::Valid
        } else if order.csr.is_some() {
            OrderStatus::Processing
        } else if statuses
            .clone()
            .all(|status| status == AuthorizationStatus::Valid)
        {
            OrderStatus::Ready
        } else if statuses.any(|status| {
            !matches!(
                status,
                AuthorizationStatus::Pending | AuthorizationStatus::Valid
            )
        }) {
            OrderStatus::Invalid
        } else {
            OrderStatus::Pending
        }
    }

    fn order_body(&self, number: usize) -> Value {
        let order = &self.orders[number];
        let urls = order
            .authorizations
            .iter()
            .map(|at| format!("{BASE}/authorization/{at}"));
        let mut body = json!({
            "status": self.order_status(number).as_str(),
            "expires": self.now.after(Duration::from_secs(86_400)).to_rfc3339(),
            "identifiers": order.identifiers,
            "authorizations": urls.collect::<Vec<_>>(),
            "finalize": format!("{BASE}/finalize/{number}"),
        });
        if let Some(at) = order.certificate {
            body["certificate"] = json!(format!("{BASE}/certificate/{at}"));
        }
        body
    }

    fn order(&mut self, number: usize, account: usize) -> Reply {
        if self
            .orders
            .get(number)
            .is_none_or(|order| order.account != account)
        {
            return problem(404, "malformed");
        }
        let processing = self.order_status(number) == OrderStatus::Processing;
        if processing && self.orders[number].reads >= self.policy.reads {
            self.issue(number);
        }
        self.orders[number].reads += u32::from(processing);
        self.paced(reply(200, &self.order_body(number)))
    }

    fn paced(&self, reply: Reply) -> Reply {
        match self.policy.retry_after {
            Some(secs) => header(reply, "retry-after", &secs.to_string()),
            None => reply,
        }
    }

    fn authorization(
        &mut self,
        number: usize,
        account: usize,
        payload: &[u8],
        published: &BTreeSet<ChallengeResponse>,
    ) -> Reply {
        if self
            .authorizations
            .get(number)
            .is_none_or(|row| row.account != account)
        {
            return problem(404, "malformed");
        }
        if !payload.is_empty() {
            let Deactivation = strict::from_slice(payload).expect("a deactivation");
            self.authorizations[number].status = AuthorizationStatus::Deactivated;
        }
        let (reads, failing) = (self.policy.reads, self.policy.failing.clone());
        let row = &mut self.authorizations[number];
        if let (AuthorizationStatus::Pending, Some((kind, left))) = (row.status, &mut row.tried) {
            if *left < reads {
                *left += 1;
            } else {
                let kind = kind.clone();
                let found = self.finds(number, &kind, published);
                assert!(
                    found || failing.contains(&kind) || !self.expects_presented,
                    "validated before it was published"
                );
                let row = &mut self.authorizations[number];
                if found && !failing.contains(&kind) {
                    row.status = AuthorizationStatus::Valid;
                } else {
                    row.status = AuthorizationStatus::Invalid;
                    let kind = "urn:ietf:params:acme:error:connection";
                    row.problem = Some(json!({"type": kind, "detail": "refused", "status": 400}));
                }
            }
        }
        self.paced(reply(200, &self.authorization_body(number)))
    }

    fn authorization_body(&self, number: usize) -> Value {
        let row = &self.authorizations[number];
        let challenges = self.policy.offered.iter().map(|kind| {
            let tried = row.tried.as_ref().is_some_and(|(tried, _)| tried == kind);
            let status = match row.status {
                AuthorizationStatus::Valid if tried => "valid",
                AuthorizationStatus::Invalid if tried => "invalid",
                _ => "pending",
            };
            let mut challenge = json!({
                "type": kind.as_str(),
                "url": format!("{BASE}/challenge/{kind}/{number}"),
                "status": status,
                "token": row.token,
            });
            if let (true, Some(problem)) = (tried, &row.problem) {
                challenge["error"] = problem.clone();
            }
            challenge
        });
        let mut challenges: Vec<_> = challenges.collect();
        challenges.push(json!({"type": "dns-persist-01", "url": format!("{BASE}/x"), "odd": 1}));
        let mut body = json!({
            "status": row.status.as_str(),
            "identifier": row.identifier.base(),
            "expires": "2096-01-01T00:00:00.123+01:00",
            "challenges": challenges,
        });
        if row.identifier.is_wildcard() {
            body["wildcard"] = json!(true);
        }
        body
    }

    fn challenge(
        &mut self,
        number: usize,
        kind: ChallengeType,
        published: &BTreeSet<ChallengeResponse>,
    ) -> Reply {
        let waiting = |row: &AuthorizationRow| {
            row.status == AuthorizationStatus::Pending && row.tried.is_none()
        };
        if self
            .authorizations
            .get(number)
            .is_none_or(|row| !waiting(row))
        {
            return problem(400, "malformed");
        }
        assert!(
            self.finds(number, &kind, published) || !self.expects_presented,
            "triggered before it was published"
        );
        let order = self
            .orders
            .iter()
            .find(|order| order.authorizations.contains(&number));
        for other in order
            .map(|order| order.authorizations.clone())
            .unwrap_or_default()
        {
            let row = &self.authorizations[other];
            let kinds = &self.policy.offered;
            let ready = !waiting(row) || kinds.iter().any(|k| self.finds(other, k, published));
            assert!(
                ready || self.policy.reuses_pending || !self.expects_presented,
                "triggered before all responses of the order were published"
            );
        }
        self.authorizations[number].tried = Some((kind, 0));
        reply(
            200,
            &json!({"type": "x", "url": format!("{BASE}/x"), "status": "processing"}),
        )
    }

    /// Could a validation still look for it?
    pub fn may_need(&self, response: &ChallengeResponse) -> bool {
        let only = BTreeSet::from([response.clone()]);
        self.authorizations.iter().enumerate().any(|(number, row)| {
            row.status == AuthorizationStatus::Pending
                && self.finds(number, &response.challenge_type(), &only)
        })
    }

    fn finds(
        &self,
        number: usize,
        kind: &ChallengeType,
        published: &BTreeSet<ChallengeResponse>,
    ) -> bool {
        let row = &self.authorizations[number];
        let thumbprint = self.accounts[row.account].thumbprint(&self.provider);
        let wanted = KeyAuthorization::new(&row.token, &thumbprint);
        published
            .iter()
            .filter(|found| *found.identifier() == row.identifier)
            .any(|found| {
                found.challenge_type() == *kind
                    && match found {
                        ChallengeResponse::Http01 { path, body, .. } => {
                            path.ends_with(row.token.as_str()) && body == wanted.as_str()
                        }
                        ChallengeResponse::Dns01 { name, value, .. } => {
                            name.starts_with("_acme-challenge.")
                                && *value == wanted.dns_01_value(&self.provider)
                        }
                        ChallengeResponse::TlsAlpn01 { digest, .. } => {
                            *digest == wanted.tls_alpn_01_digest(&self.provider)
                        }
                        _ => false,
                    }
            })
    }

    fn finalize(&mut self, number: usize, account: usize, payload: &[u8]) -> Reply {
        if self
            .orders
            .get(number)
            .is_none_or(|order| order.account != account)
        {
            return problem(404, "malformed");
        }
        if self.order_status(number) != OrderStatus::Ready {
            return problem(403, "orderNotReady");
        }
        let finalize: Finalize = strict::from_slice(payload).expect("finalize");
        let csr = Csr::parse(&finalize.csr).expect("a CSR");
        csr.verify(&self.provider)
            .expect("a CSR that its key signed");
        let named: BTreeSet<_> = self.orders[number].identifiers.iter().cloned().collect();
        assert_eq!(&named, csr.identifiers());
        self.orders[number].csr = Some(finalize.csr);
        if self.policy.reads == 0 {
            self.issue(number);
        }
        self.paced(reply(200, &self.order_body(number)))
    }

    fn issue(&mut self, number: usize) {
        let csr = Csr::parse(self.orders[number].csr.as_ref().expect("finalized")).expect("a CSR");
        let draft = self.draft(&csr.spki_der(), csr.identifiers().iter().cloned().collect());
        let certificate = self.sign(&draft);
        self.certificates.push(certificate);
        self.orders[number].certificate = Some(self.certificates.len() - 1);
    }

    /// What an honest certificate says.
    pub fn draft(&mut self, spki: &[u8], names: Vec<Identifier>) -> x509::Draft {
        self.next += 1;
        x509::Draft {
            issuer: "Test Intermediate",
            subject: "",
            names,
            spki: spki.to_vec(),
            not_before: self.now.before(Duration::from_secs(3_600)),
            not_after: self.now.after(self.policy.lifetime),
            serial: self.next,
            is_authority: false,
            poisoned: false,
        }
    }

    /// The chain to a draft.
    pub fn sign(&self, draft: &x509::Draft) -> String {
        let intermediate = x509::Draft {
            issuer: "Test Root",
            subject: "Test Intermediate",
            names: Vec::new(),
            spki: self.intermediate.public_key().to_spki_der(),
            is_authority: true,
            poisoned: false,
            ..draft.clone()
        };
        pem::chain_from_der(&[
            x509::sign(draft, &*self.intermediate),
            x509::sign(&intermediate, &*self.root),
        ])
    }

    fn certificate(&self, number: usize) -> Reply {
        Response::builder()
            .status(StatusCode::OK)
            .header("content-type", "application/pem-certificate-chain")
            .body(self.certificates[number].clone().into_bytes())
            .expect("a response")
    }

    fn revoke(&mut self, payload: &[u8], jwk: Option<&Jwk>) -> Reply {
        let wanted: RevokeCertificate = strict::from_slice(payload).expect("revokeCert");
        if self.revoked.contains(&wanted.certificate) {
            return problem(400, "alreadyRevoked");
        }
        let key = self
            .orders
            .iter()
            .filter_map(|order| order.csr.as_ref())
            .any(|csr| {
                let csr = Csr::parse(csr).expect("a CSR");
                jwk.is_none_or(|jwk| csr.public_key() == jwk.public_key())
            });
        if !key {
            return problem(403, "unauthorized");
        }
        self.revoked.push(wanted.certificate);
        reply(200, &json!({}))
    }
}
