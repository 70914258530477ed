//! A CA on the reference store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use acme_crypto::rustcrypto::RustCrypto;
use acme_types::{Nonce, Timestamp, Url};
use serde_json::Value;

use crate::effect::{Redeemed, Unavailable};
use crate::exchange::{Arrival, Exchange, World, drive};
use crate::policy::Policy;
use crate::schema::{Commit, Committed, JobId, Loaded, Read, Row, Scan, Version, View, Write};
use crate::store::Memory;
use crate::{Config, Entropy};

pub(super) const BASE: &str = "https://ca.example";

/// What happens to the next commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// It is made, but nobody learns it.
    UnknownMade,
    /// It isn't made, and nobody learns it.
    UnknownLost,
    /// A conflict that wasn't there.
    Conflict,
}

pub(super) struct Ca {
    pub(super) config: Arc<Config>,
    pub(super) store: Memory,
    pub(super) now: Timestamp,
    pub(super) spawned: Vec<(JobId, Version)>,
    pub(super) faults: VecDeque<Fault>,
    pub(super) unavailable: bool,
    pub(super) commits: usize,
    nonces: BTreeSet<Nonce>,
    counter: u64,
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
        if self.unavailable {
            return Err(Unavailable);
        }
        Ok(self.store.load(reads).unwrap())
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Read>, Unavailable> {
        if self.unavailable {
            return Err(Unavailable);
        }
        Ok(self.store.scan(scan).unwrap())
    }

    fn commit(&mut self, commit: &Commit) -> Committed {
        match self.faults.pop_front() {
            Some(Fault::Conflict) => Committed::Conflict,
            Some(Fault::UnknownLost) => Committed::Unknown,
            Some(Fault::UnknownMade) => {
                self.commits += 1;
                self.store.commit(commit).unwrap();
                Committed::Unknown
            }
            None => {
                let committed = self.store.commit(commit).unwrap();
                self.commits += usize::from(matches!(committed, Committed::Done(_)));
                committed
            }
        }
    }

    fn spawn(&mut self, job: JobId, version: Version) {
        self.spawned.push((job, version));
    }
}

impl Ca {
    pub(super) fn new() -> Self {
        Self::with(Policy::private())
    }

    pub(super) fn with(policy: Policy) -> Self {
        let now = Timestamp::from_rfc3339("2026-11-24T12:00:00Z").unwrap();
        let config = Config {
            base: Url::parse(BASE).unwrap(),
            publication_base: Url::parse("http://pub.ca.example").unwrap(),
            provider: Arc::new(RustCrypto),
            policy,
            authority: super::authority::authority(now),
        };
        Self {
            config: Arc::new(config),
            store: Memory::new(),
            now,
            spawned: Vec::new(),
            faults: VecDeque::new(),
            unavailable: false,
            commits: 0,
            nonces: BTreeSet::new(),
            counter: 0,
        }
    }

    /// A CA whose policy is changed.
    pub(super) fn adjust(change: impl FnOnce(&mut Policy)) -> Self {
        let mut policy = Policy::private();
        change(&mut policy);
        Self::with(policy)
    }

    fn count(&mut self) -> [u8; 32] {
        self.counter += 1;
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&self.counter.to_be_bytes());
        bytes
    }

    /// A nonce that is good for one request.
    pub(super) fn nonce(&mut self) -> Nonce {
        let bytes = self.count();
        let nonce = Nonce::from_bytes(&bytes[..16]).unwrap();
        self.nonces.insert(nonce.clone());
        nonce
    }

    /// As if this nonce had never been seen.
    pub(super) fn revive(&mut self, nonce: &str) {
        self.nonces.insert(Nonce::parse(nonce).unwrap());
    }

    pub(super) fn exchange(&mut self, request: &http::Request<Vec<u8>>) -> Exchange {
        let arrival = Arrival {
            at: self.now,
            entropy: Entropy::new(self.count()),
            fresh_nonce: self.nonce(),
            ticket_seed: self.counter,
        };
        Exchange::new(Arc::clone(&self.config), arrival, request)
    }

    pub(super) fn send(&mut self, request: &http::Request<Vec<u8>>) -> Got {
        let mut exchange = self.exchange(request);
        let now = self.now;
        Got::of(drive(&mut exchange, self, now).unwrap())
    }

    pub(super) fn get(&mut self, target: &str) -> Got {
        self.send(&request("GET", target, Vec::new(), &[]))
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
    }

    /// A row that must be there.
    pub(super) fn row(&self, read: Read) -> Row {
        let mut view = View::new();
        view.extend(self.store.load(std::slice::from_ref(&read)).unwrap());
        view.row(&read).unwrap().unwrap().clone()
    }

    pub(super) fn has(&self, read: Read) -> bool {
        self.store.load(&[read]).unwrap().0[0].1.is_some()
    }

    /// Puts rows as a job would have.
    pub(super) fn put(&mut self, rows: Vec<Row>) {
        let writes = rows.into_iter().map(Write::Put).collect();
        let commit = Commit {
            writes,
            ..Commit::default()
        };
        assert!(matches!(self.store.commit(&commit), Ok(Committed::Done(_))));
    }
}

pub(super) fn request(
    method: &str,
    target: &str,
    body: Vec<u8>,
    headers: &[(&str, &str)],
) -> http::Request<Vec<u8>> {
    let mut builder = http::Request::builder().method(method).uri(target);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body).unwrap()
}

pub(super) fn post(target: &str, body: Vec<u8>) -> http::Request<Vec<u8>> {
    request(
        "POST",
        target,
        body,
        &[("content-type", "application/jose+json")],
    )
}

/// What came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, Vec<String>>,
    pub(super) body: Vec<u8>,
}

impl Got {
    pub(super) fn of(response: http::Response<Vec<u8>>) -> Self {
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in response.headers() {
            let value = value.to_str().unwrap().to_owned();
            headers
                .entry(name.as_str().to_owned())
                .or_default()
                .push(value);
        }
        Self {
            status: response.status().as_u16(),
            headers,
            body: response.into_body(),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|values| values[0].as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(super) fn location(&self) -> String {
        self.header("location").unwrap_or_default().to_owned()
    }

    /// The problem's type without its prefix, and the HTTP status: the two things that the tables
    /// of tests fix. `("", status)` for what is no problem.
    pub(super) fn outcome(&self) -> (String, u16) {
        let json = self.json();
        let is_problem = self.header("content-type") == Some("application/problem+json");
        let kind = json["type"].as_str().filter(|_| is_problem).unwrap_or("");
        let kind = kind
            .strip_prefix("urn:ietf:params:acme:error:")
            .unwrap_or(kind);
        if is_problem {
            assert_eq!(json["status"], self.status);
            assert!(
                json["detail"]
                    .as_str()
                    .is_some_and(|detail| !detail.is_empty())
            );
        }
        (kind.to_owned(), self.status)
    }

    pub(super) fn is(&self, kind: &str, status: u16, what: &str) {
        assert_eq!(
            self.outcome(),
            (kind.to_owned(), status),
            "{what}: {}",
            self.json()
        );
    }
}
