//! A client, a CA and everything between them in virtual time, one thread, from one seed.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of it"
)]

pub mod ca;
pub mod edited;
mod perform;
pub mod x509;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use acme_client_core::*;
use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_csr::CsrDraft;
use acme_jws::Jwk;
use acme_types::{Identifier, Timestamp, Url};
use ca::Ca;
pub use ca::Policy;

pub const MAC_KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
pub const START: Timestamp = Timestamp::from_secs(1_800_000_000);
/// More steps than any test needs: what takes more runs in circles.
const STEPS_MAX: usize = 50_000;

/// What goes wrong, in percent.
#[derive(Clone, Copy, Default)]
pub struct Faults {
    pub request_lost: u64,
    pub reply_lost: u64,
    pub not_sent: u64,
    pub server_error: u64,
    pub save_failed: u64,
    pub sign_failed: u64,
    pub present_failed: u64,
    pub retract_failed: u64,
    /// An effect whose ticket is dropped.
    pub forgotten: u64,
    pub crash: u64,
}

type Mangle = Box<dyn FnMut(&http::Request<Vec<u8>>, &mut Ca) -> Option<HttpOutcome>>;
type Edit = Box<dyn FnMut(&http::Request<Vec<u8>>, &mut http::Response<Vec<u8>>)>;

pub struct World {
    pub client: Client,
    pub ca: Ca,
    pub now: Timestamp,
    pub config: Config,
    pub intent: AccountIntent,
    pub keys: BTreeMap<String, Arc<dyn KeyPair>>,
    pub store: BTreeMap<Record, Snapshot>,
    pub published: BTreeSet<ChallengeResponse>,
    holders: BTreeMap<ChallengeResponse, BTreeSet<JobId>>,
    pub refused_types: BTreeSet<acme_types::ChallengeType>,
    pub events: Vec<(JobId, Event)>,
    pub wanted: BTreeMap<JobId, IssueJob>,
    pub done: BTreeSet<JobId>,
    pub faults: Faults,
    /// Faults end here.
    pub healed_at: Timestamp,
    pub instead: Option<Mangle>,
    pub edit: Option<Edit>,
    /// Replies from here are lost.
    pub lost_replies: Option<&'static str>,
    pub trace: Vec<String>,
    pub crashes: u32,
    /// Crash before this step; for exhaustive runs.
    pub crash_at: Option<usize>,
    pub steps: usize,
    stop_at: Option<usize>,
    /// Retractions come last.
    pub slow_retractions: bool,
    pending: Vec<Step>,
    random: u64,
}

pub fn provider() -> Arc<dyn Provider> {
    Arc::new(RustCrypto)
}

pub fn key(byte: u8) -> Arc<dyn KeyPair> {
    Arc::from(
        RustCrypto
            .generate(KeyAlgorithm::EcP256, &[byte; 32])
            .expect("a key"),
    )
}

pub fn dns(name: &str) -> Identifier {
    Identifier::dns(name).expect("a name")
}

pub fn csr(names: &[&str], key: &dyn KeyPair) -> Vec<u8> {
    let names: Vec<_> = names.iter().map(|name| dns(name)).collect();
    let algorithm = key.public_key().default_algorithm();
    let draft = CsrDraft::new(&names, key.public_key(), algorithm).expect("a draft");
    let signature = key.sign(algorithm, draft.message()).expect("a signature");
    draft.attach(&signature).expect("a CSR").as_der().to_vec()
}

pub fn config() -> Config {
    let url = Url::parse(&format!("{}/directory", ca::BASE)).expect("a URL");
    Config::new(provider(), url)
}

impl World {
    pub fn new(seed: u64, policy: Policy) -> Self {
        Self::with(seed, policy, config(), |intent| intent.agree_to_terms())
    }

    pub fn with(
        seed: u64,
        policy: Policy,
        config: Config,
        intent: impl FnOnce(AccountIntent) -> AccountIntent,
    ) -> Self {
        let account = key(1);
        let intent = intent(AccountIntent::new(AccountKey::new(account.public_key())));
        let mut world = Self {
            client: Client::new(config.clone(), intent.clone(), seed, START),
            ca: Ca::new(policy),
            now: START,
            config,
            intent,
            keys: BTreeMap::new(),
            store: BTreeMap::new(),
            published: BTreeSet::new(),
            holders: BTreeMap::new(),
            refused_types: BTreeSet::new(),
            events: Vec::new(),
            wanted: BTreeMap::new(),
            done: BTreeSet::new(),
            faults: Faults::default(),
            healed_at: Timestamp::NEVER,
            instead: None,
            edit: None,
            lost_replies: None,
            trace: Vec::new(),
            crashes: 0,
            crash_at: None,
            steps: 0,
            stop_at: None,
            slow_retractions: false,
            pending: Vec::new(),
            random: seed,
        };
        world.hold(account);
        world
    }

    /// Gives the shell a key to sign with.
    pub fn hold(&mut self, key: Arc<dyn KeyPair>) {
        let jwk = Jwk::from_public_key(key.public_key().clone());
        self.keys
            .insert(jwk.thumbprint(&RustCrypto).to_string(), key);
    }

    pub fn issue(&mut self, id: u64, names: &[&str]) {
        self.issue_job(
            id,
            IssueJob::new(&csr(names, &*key(100 + id as u8))).expect("a CSR"),
        );
    }

    pub fn issue_job(&mut self, id: u64, job: IssueJob) {
        self.wanted.insert(JobId(id), job.clone());
        self.client
            .issue(JobId(id), job, self.now)
            .expect("a free name");
    }

    /// Cancels a job. Requests of it may still arrive, and find nothing published.
    pub fn cancel(&mut self, id: u64) {
        self.ca.expects_presented = false;
        self.client.cancel(JobId(id), self.now);
    }

    pub fn draw(&mut self, below: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.random >> 33) % below
    }

    fn happens(&mut self, percent: u64) -> bool {
        self.now < self.healed_at && percent > 0 && self.draw(100) < percent
    }

    /// Runs for so many steps.
    pub fn run_steps(&mut self, steps: usize) {
        self.stop_at = Some(self.steps + steps);
        self.run();
        self.stop_at = None;
    }

    /// Runs until nothing is left to do, or only after `until`.
    pub fn run_until(&mut self, until: Timestamp) {
        loop {
            self.steps += 1;
            if self.stop_at.is_some_and(|at| self.steps >= at) {
                return;
            }
            assert!(
                self.steps < STEPS_MAX,
                "runs in circles: {:#?}",
                self.tail()
            );
            if self.crash_at == Some(self.steps) || self.happens(self.faults.crash) {
                self.crash();
            }
            match self.client.poll(self.now) {
                Step::Wait(at) => {
                    if !self.pending.is_empty() {
                        let mut pick = self.draw(self.pending.len() as u64) as usize;
                        let quick = |step: &Step| !matches!(step, Step::Retract(..));
                        if self.slow_retractions {
                            pick = self.pending.iter().position(quick).unwrap_or(pick);
                        }
                        let step = self.pending.swap_remove(pick);
                        self.perform(step);
                    } else if at == Timestamp::NEVER || at > until {
                        return;
                    } else {
                        self.now = self.now.max(at);
                    }
                }
                step => self.pending.push(step),
            }
        }
    }

    pub fn run(&mut self) {
        self.run_until(self.now.after(Duration::from_secs(7 * 86_400)));
    }

    pub fn tail(&self) -> &[String] {
        &self.trace[self.trace.len().saturating_sub(40)..]
    }

    /// The process dies: what was saved is all there is, and what is in flight may still arrive.
    pub fn crash(&mut self) {
        self.crashes += 1;
        self.trace.push("crash".to_owned());
        for step in std::mem::take(&mut self.pending) {
            if let Step::Http(fetch, _) = step
                && self.draw(2) == 0
            {
                self.http(&fetch);
            }
        }
        let seed = self.draw(u64::MAX >> 33) | 1 << 40;
        let snapshots = self.store.values().map(|snapshot| {
            Snapshot::from_bytes(snapshot.as_bytes().to_vec()).expect("what was written is read")
        });
        let (config, intent) = (self.config.clone(), self.intent.clone());
        self.client = Client::restore(config, intent, snapshots, seed, self.now).expect("restored");
        for (id, job) in self.wanted.clone() {
            if !self.done.contains(&id) && self.client.status(id).is_none() {
                self.client.issue(id, job, self.now).expect("a free name");
            }
        }
    }

    pub fn issued(&self, id: u64) -> &Issued {
        let found = self
            .events
            .iter()
            .rev()
            .find_map(|(of, event)| match event {
                Event::Issued(issued) if *of == JobId(id) => Some(issued),
                _ => None,
            });
        found.unwrap_or_else(|| panic!("job {id} has no certificate: {:#?}", self.tail()))
    }

    pub fn failed(&self, id: u64) -> &Failure {
        let found = self
            .events
            .iter()
            .rev()
            .find_map(|(of, event)| match event {
                Event::Failed(failure) if *of == JobId(id) => Some(failure),
                _ => None,
            });
        found.unwrap_or_else(|| panic!("job {id} did not fail: {:#?}", self.tail()))
    }

    pub fn delayed(&self, id: JobId) -> &Delay {
        let found = self.events.iter().find_map(|(of, event)| match event {
            Event::Delayed(delay) if *of == id => Some(delay),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("{id} was not delayed: {:#?}", self.tail()))
    }

    /// What must be true when all is done.
    pub fn check_clean(&self) {
        assert!(
            self.published.is_empty(),
            "left published: {:?}",
            self.published
        );
        assert_eq!(
            self.client.jobs(),
            0,
            "{:?}\n{:#?}",
            self.client,
            self.tail()
        );
        assert_eq!(self.client.awaited(), 0);
        for (record, snapshot) in &self.store {
            assert!(
                *record == Record::Account || snapshot.ended(),
                "{record:?} did not end"
            );
        }
    }
}
