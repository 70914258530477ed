//! The CA under requests: a session of them against a CA in memory, each one answered.
//!
//! The input is text. A line `@METHOD TARGET HOW` begins a request and what follows it is the
//! payload. HOW is `jwk` or `kid` (signed by a client's key, as new key or as account) or `raw`
//! (the payload is the body). `$name` in target or payload stands for what the CA said last under
//! that name: `location`, `finalize`, `authorizations`, `url`, `certificate`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use acme_ca_core::crl::CrlTiming;
use acme_ca_core::effect::{Redeemed, Unavailable};
use acme_ca_core::exchange::{Arrival, Exchange, World, drive};
use acme_ca_core::issuance::{
    Authority, CaName, IntermediateDraft, Issuer, LogList, Profile, RootDraft,
};
use acme_ca_core::policy::Policy;
use acme_ca_core::schema::{Commit, Committed, JobId, Loaded, Read, Scan, Serial, Version};
use acme_ca_core::store::Memory;
use acme_ca_core::{Config, Entropy};
use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_jws::{Draft, Jwk, Signer};
use acme_types::{Nonce, Timestamp, Url};
use serde_json::Value;

use crate::text_of;

/// The most requests of one input: the state that a session needs is reached in fewer.
const REQUESTS_MAX: usize = 16;
const NOW: Timestamp = Timestamp::from_secs(1_795_500_000);

type Failed = Box<dyn std::error::Error>;

/// See the module.
pub fn exchange(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let Some(fixed) = fixed() else {
        unreachable!("the CA of the tests can be made")
    };
    let mut ca = Ca::default();
    let mut said = BTreeMap::new();
    let mut account = None;
    for part in text.split("\n@").take(REQUESTS_MAX) {
        let (head, payload) = part.split_once('\n').unwrap_or((part, ""));
        let head = replaced(head.trim_start_matches('@'), &said);
        let payload = replaced(payload.trim_end_matches('\n'), &said);
        let mut words = head.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return;
        };
        let signer = match words.next() {
            Some("jwk") => Some(Signer::Jwk(fixed.jwk.clone())),
            Some("kid") => account.clone().map(Signer::Kid),
            _ => None,
        };
        let target = target.strip_prefix(BASE).unwrap_or(target);
        let body = match signer {
            Some(signer) => match fixed.sign(&mut ca, &signer, target, payload.as_bytes()) {
                Some(body) => body,
                None => return,
            },
            None => payload.into_bytes(),
        };
        let request = http::Request::builder()
            .method(method)
            .uri(target)
            .header("content-type", "application/jose+json")
            .body(body);
        let Ok(request) = request else { return };
        let response = ca.answer(&fixed.config, &request);
        check(&request, &response);
        listen(&response, &mut said);
        if account.is_none() && request.uri().path() == "/acme/new-account" {
            account = said.get("location").cloned();
        }
    }
}

const BASE: &str = "https://ca.example";

fn check(request: &http::Request<Vec<u8>>, response: &http::Response<Vec<u8>>) {
    let status = response.status().as_u16();
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    assert!((200..600).contains(&status));
    if request.method() == http::Method::POST {
        // RFC 8555 §6.5: "A server MUST include a Replay-Nonce header field in every successful
        // response to a POST request and SHOULD provide it in error responses as well."
        assert!(header("replay-nonce").is_some());
    }
    if status >= 400 && request.method() != http::Method::HEAD {
        // RFC 8555 §6.7.
        assert_eq!(header("content-type"), Some("application/problem+json"));
        let problem: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let kind = problem
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        assert!(kind.starts_with("urn:ietf:params:acme:error:") || kind == "about:blank");
        assert_ne!(
            kind, "urn:ietf:params:acme:error:serverInternal",
            "no request is the server's own fault"
        );
    }
}

/// What the CA said goes on to be known by its name.
fn listen(response: &http::Response<Vec<u8>>, said: &mut BTreeMap<&'static str, String>) {
    if let Some(value) = response.headers().get("location")
        && let Ok(value) = value.to_str()
    {
        said.insert("location", value.to_owned());
    }
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    for name in ["finalize", "authorizations", "url", "certificate"] {
        let found = body
            .get(name)
            .or_else(|| body.get("challenges")?.get(0)?.get(name));
        let text = found.and_then(|value| {
            value
                .as_str()
                .or_else(|| value.get(0).and_then(Value::as_str))
        });
        if let Some(text) = text {
            said.insert(name, text.to_owned());
        }
    }
}

fn replaced(text: &str, said: &BTreeMap<&'static str, String>) -> String {
    let mut text = text.to_owned();
    for (name, value) in said {
        text = text.replace(&format!("${name}"), value);
    }
    text
}

/// What is the same in every run.
struct Fixed {
    config: Arc<Config>,
    key: Box<dyn KeyPair>,
    jwk: Jwk,
}

fn fixed() -> Option<&'static Fixed> {
    static FIXED: OnceLock<Option<Fixed>> = OnceLock::new();
    FIXED.get_or_init(|| Fixed::new().ok()).as_ref()
}

impl Fixed {
    fn new() -> Result<Self, Failed> {
        let years = |n: u64| NOW.after(Duration::from_secs(n * 365 * 86_400));
        let root_key = RustCrypto.generate(KeyAlgorithm::EcP256, &[1; 32])?;
        let ca_key = RustCrypto.generate(KeyAlgorithm::EcP256, &[2; 32])?;
        let name = CaName::new("Fuzz Root", None, None)?;
        let (key, serial) = (root_key.public_key(), Serial::new(&[3; 32]));
        let draft = RootDraft::new(&name, key, serial, (NOW, years(20)), &RustCrypto)?;
        let root = draft.attach(&root_key.sign(draft.algorithm(), draft.message())?)?;
        let name = CaName::new("Fuzz E1", None, None)?;
        let draft = IntermediateDraft::new(
            &root,
            &name,
            ca_key.public_key(),
            Serial::new(&[4; 32]),
            (NOW, years(10)),
            None,
            None,
            &RustCrypto,
        )?;
        let intermediate = draft.attach(&root_key.sign(draft.algorithm(), draft.message())?)?;
        let issuer = Issuer::new("e1", &intermediate, &[root], 0..=0, &RustCrypto)?;
        let config = Config {
            base: Url::parse(BASE)?,
            publication_base: Url::parse("http://ca.example")?,
            provider: Arc::new(RustCrypto),
            policy: Policy::private(),
            authority: Authority::new(
                vec![issuer],
                vec![Profile::private()],
                LogList::default(),
                CrlTiming::default(),
            )?,
        };
        let key = RustCrypto.generate(KeyAlgorithm::EcP256, &[5; 32])?;
        let jwk = Jwk::from_public_key(key.public_key().clone());
        let config = Arc::new(config);
        Ok(Self { config, key, jwk })
    }

    /// `None` if the target can't be a URL.
    fn sign(&self, ca: &mut Ca, signer: &Signer, target: &str, payload: &[u8]) -> Option<Vec<u8>> {
        let url = Url::parse(&format!("{BASE}{target}")).ok()?;
        let algorithm = self.key.public_key().default_algorithm();
        let draft = Draft::new(algorithm, signer, Some(ca.nonce()), &url, payload);
        let signature = self.key.sign(algorithm, draft.signing_input()).ok()?;
        Some(draft.attach(&signature))
    }
}

/// A CA in memory. Jobs don't run: requests alone never make a certificate.
#[derive(Default)]
struct Ca {
    store: Memory,
    nonces: BTreeSet<Nonce>,
    counter: u64,
}

impl Ca {
    fn count(&mut self) -> [u8; 32] {
        self.counter += 1;
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&self.counter.to_be_bytes());
        bytes
    }

    fn nonce(&mut self) -> Nonce {
        let bytes = self.count();
        let nonce = Nonce::from_bytes(&bytes[16..]).unwrap_or_else(|_| unreachable!("16 bytes"));
        self.nonces.insert(nonce.clone());
        nonce
    }

    fn answer(
        &mut self,
        config: &Arc<Config>,
        request: &http::Request<Vec<u8>>,
    ) -> http::Response<Vec<u8>> {
        let arrival = Arrival {
            at: NOW,
            entropy: Entropy::new(self.count()),
            fresh_nonce: self.nonce(),
            ticket_seed: self.counter,
        };
        let mut exchange = Exchange::new(Arc::clone(config), arrival, request);
        match drive(&mut exchange, self, NOW) {
            Some(response) => response,
            None => unreachable!("every exchange ends in a reply"),
        }
    }
}

impl World for Ca {
    fn redeem(&mut self, nonce: &Nonce) -> Redeemed {
        if self.nonces.remove(nonce) {
            Redeemed::Accepted
        } else {
            Redeemed::Refused
        }
    }

    fn load(&mut self, reads: &[Read]) -> Result<Loaded, Unavailable> {
        self.store.load(reads).map_err(|_| Unavailable)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Read>, Unavailable> {
        self.store.scan(scan).map_err(|_| Unavailable)
    }

    fn commit(&mut self, commit: &Commit) -> Committed {
        self.store.commit(commit).unwrap_or(Committed::Unknown)
    }

    fn spawn(&mut self, _: JobId, _: Version) {}
}
