//! A client, a CA and everything between them in virtual time, one thread, from one seed.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of it"
)]

pub mod ca;
pub mod x509;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use acme_client_core::*;
use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{HashAlgorithm, KeyAlgorithm, KeyPair, Provider};
use acme_csr::CsrDraft;
use acme_jws::Jwk;
use acme_types::{Identifier, Ticket, Timestamp, Url};
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
                        let pick = self.draw(self.pending.len() as u64) as usize;
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

    fn perform(&mut self, step: Step) {
        if self.happens(self.faults.forgotten) {
            return;
        }
        match step {
            Step::Http(fetch, ticket) => {
                let outcome = self.http(&fetch);
                self.answer(ticket, outcome);
            }
            Step::Sign(key, input, ticket) => {
                let outcome = self.sign(&key, &input);
                self.answer(ticket, outcome);
            }
            Step::Save(record, snapshot, ticket) => {
                let outcome = self.save(record, snapshot);
                self.answer(ticket, outcome);
            }
            Step::Present(id, response, ticket) => {
                let outcome = self.present(id, response);
                self.answer(ticket, outcome);
            }
            Step::Retract(id, response, ticket) => {
                if self.happens(self.faults.retract_failed) {
                    return self.answer(ticket, RetractOutcome::Failed);
                }
                self.trace
                    .push(format!("retract {:?}", response.challenge_type()));
                self.check_holders(id, &response);
                self.published.remove(&response);
                self.answer(ticket, RetractOutcome::Retracted);
            }
            Step::Event(id, event, ticket) => {
                self.trace
                    .push(format!("{id}: {event:?}").chars().take(200).collect());
                if matches!(event, Event::Issued(_) | Event::Failed(_) | Event::Revoked) {
                    self.done.insert(id);
                }
                self.events.push((id, event));
                self.answer(ticket, ());
            }
            Step::Wait(_) => {}
        }
    }

    /// No job's response is retracted for another.
    fn check_holders(&mut self, id: JobId, response: &ChallengeResponse) {
        let Some(holders) = self.holders.get_mut(response) else {
            return;
        };
        holders.remove(&id);
        let client = &self.client;
        let holds = |id: &&JobId| client.status(**id) == Some(JobStatus::Active);
        let victim = holders
            .iter()
            .find(holds)
            .filter(|_| self.ca.may_need(response));
        assert_eq!(victim, None, "retracted for {id} only: {response:?}");
    }

    fn answer<K>(&mut self, ticket: Ticket<K>, outcome: K::Outcome)
    where
        K: acme_types::Effect<Erased = Outcome>,
    {
        // What isn't awaited any more is no fault: a deadline passed, a job ended.
        let _ = self.client.answer(ticket, outcome, self.now);
    }

    fn http(&mut self, fetch: &Fetch) -> HttpOutcome {
        let request = &fetch.request;
        self.trace
            .push(format!("{} {}", request.method(), request.uri()));
        self.check_barriers(request);
        if self.happens(self.faults.not_sent) {
            return HttpOutcome::NotSent;
        }
        if self.happens(self.faults.request_lost) {
            return HttpOutcome::Unknown;
        }
        if self.happens(self.faults.server_error) {
            let body = b"<html>500</html>".to_vec();
            return HttpOutcome::Response(
                http::Response::builder()
                    .status(500)
                    .body(body)
                    .expect("a response"),
            );
        }
        if let Some(mut instead) = self.instead.take() {
            let outcome = instead(request, &mut self.ca);
            self.instead = Some(instead);
            if let Some(outcome) = outcome {
                return outcome;
            }
        }
        let mut response = self.ca.handle(request, &self.published, self.now);
        if let Some(edit) = &mut self.edit {
            edit(request, &mut response);
        }
        self.trace.push(format!("  {}", response.status()));
        let here = self
            .lost_replies
            .is_some_and(|path| request.uri().path().starts_with(path));
        if here || self.happens(self.faults.reply_lost) {
            return HttpOutcome::Unknown;
        }
        if response.body().len() > fetch.response_max {
            return HttpOutcome::TooLarge;
        }
        HttpOutcome::Response(response)
    }

    /// Nothing that can't be repeated leaves before it is recorded.
    fn check_barriers(&self, request: &http::Request<Vec<u8>>) {
        let path = request.uri().path();
        if path == "/new-account" {
            let account = self
                .store
                .get(&Record::Account)
                .expect("saved before newAccount");
            let text = String::from_utf8_lossy(account.as_bytes());
            assert!(text.contains(r#""opening":true"#) || text.contains("only_existing\":true"));
        }
        if path == "/new-order" || path.starts_with("/finalize") {
            assert!(
                self.store.keys().any(|record| *record != Record::Account),
                "{path}"
            );
        }
        if let Some(number) = path.strip_prefix("/finalize/") {
            let order = format!("{}/order/{number}\"", ca::BASE);
            let saved =
                |snapshot: &Snapshot| String::from_utf8_lossy(snapshot.as_bytes()).contains(&order);
            assert!(
                self.store.values().any(saved),
                "the order's URL is saved before finalize"
            );
        }
    }

    fn sign(&mut self, key: &KeyRef, input: &SigningInput) -> SignOutcome {
        if self.happens(self.faults.sign_failed) {
            return SignOutcome::Failed;
        }
        let thumbprint = match key {
            KeyRef::ExternalAccount(kid) => {
                assert_eq!(kid, "kid-1");
                let tag = RustCrypto.mac(HashAlgorithm::Sha256, MAC_KEY, &input.message);
                return SignOutcome::Signed(tag);
            }
            KeyRef::Account(it) | KeyRef::NextAccount(it) | KeyRef::Certificate(it) => it,
        };
        let SigningAlgorithm::Signature(algorithm) = input.algorithm else {
            panic!("no MAC")
        };
        let key = &self.keys[&thumbprint.to_string()];
        SignOutcome::Signed(key.sign(algorithm, &input.message).expect("the key fits"))
    }

    fn save(&mut self, record: Record, snapshot: Snapshot) -> SaveOutcome {
        if self.happens(self.faults.save_failed) {
            return SaveOutcome::Failed;
        }
        let known = self.store.get(&record).map_or(0, Snapshot::revision);
        if snapshot.revision() >= known {
            self.store.insert(record, snapshot);
        }
        SaveOutcome::Saved
    }

    fn present(&mut self, id: JobId, response: ChallengeResponse) -> PresentOutcome {
        if self.happens(self.faults.present_failed) {
            return PresentOutcome::Failed;
        }
        if self.refused_types.contains(&response.challenge_type()) {
            return PresentOutcome::Refused;
        }
        let saved = String::from_utf8_lossy(self.store[&Record::Job(id)].as_bytes()).into_owned();
        let own = serde_json::to_string(&response).expect("JSON");
        assert!(saved.contains(&own), "saved before it is presented");
        self.trace
            .push(format!("present {:?}", response.challenge_type()));
        self.holders.entry(response.clone()).or_default().insert(id);
        self.published.insert(response);
        PresentOutcome::Presented
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
