//! A CA in this process, blocking and without a socket: a request goes in, its reply comes out,
//! and what it spawned has run. For examples and for tests that want a CA and no world.

use std::collections::BTreeSet;
use std::sync::Arc;

use acme_ca_core::effect::{Redeemed, Signed, Submitted, Unavailable};
use acme_ca_core::exchange::{self, Arrival, Exchange};
use acme_ca_core::job::{self, Job};
use acme_ca_core::schema::{Commit, Committed, JobId, Loaded, Read, Scan, Version};
use acme_ca_core::store::Memory;
use acme_ca_core::validation::{
    HandshakeOutcome, NetworkFailure, PerspectiveId, Probe, ProbeRequest, Step as ProbeStep,
    Verdict,
};
use acme_ca_core::{Config, Entropy, JobArrival};
use acme_client_core::ChallengeResponse;
use acme_crypto::KeyPair;
use acme_types::{Nonce, Timestamp, Url};

use crate::random::Random;
use crate::truth::Truth;
use crate::{Broken, authority};

/// The CA: private policy, http-01 and dns-01, P-256, everything in memory. Every name is under
/// the control of whoever publishes for it here.
pub struct InProcessCa {
    config: Arc<Config>,
    inside: Inside,
    truth: Truth,
    issuer_key: Box<dyn KeyPair>,
    random: Random,
}

/// What an exchange reaches.
struct Inside {
    store: Memory,
    nonces: BTreeSet<Nonce>,
    spawned: Vec<(JobId, Version)>,
}

impl InProcessCa {
    /// A new CA, made at this time from this seed.
    ///
    /// # Errors
    /// [`Broken`]: never, for a time between 1971 and 2100.
    pub fn new(seed: u64, now: Timestamp) -> Result<Self, Broken> {
        let (config, issuer_key) = authority::found(now)?;
        let inside = Inside {
            store: Memory::new(),
            nonces: BTreeSet::new(),
            spawned: Vec::new(),
        };
        let (truth, random) = (Truth::default(), Random::new(seed, "in-process CA"));
        Ok(Self {
            config,
            inside,
            truth,
            issuer_key,
            random,
        })
    }

    /// Its directory (RFC 8555 §7.1.1).
    ///
    /// # Errors
    /// None.
    pub fn directory(&self) -> Result<Url, Broken> {
        Ok(self.config.base.join("/directory")?)
    }

    /// Publishes a challenge response where the CA looks.
    pub fn publish(&mut self, response: &ChallengeResponse) {
        self.truth.give(&response.identifier().to_string(), 0);
        self.truth.present(0, response);
    }

    /// Takes it back.
    pub fn withdraw(&mut self, response: &ChallengeResponse) {
        self.truth.retract(0, response);
    }

    /// Answers a request, and runs what it spawned.
    pub fn handle(
        &mut self,
        request: &http::Request<Vec<u8>>,
        now: Timestamp,
    ) -> http::Response<Vec<u8>> {
        let reply = self.exchange(request, now);
        while let Some((id, version)) = self.inside.spawned.pop() {
            self.run(id, version, now);
        }
        reply.unwrap_or_else(|| {
            let mut refusal = http::Response::new(Vec::new());
            *refusal.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            refusal
        })
    }

    fn exchange(
        &mut self,
        request: &http::Request<Vec<u8>>,
        now: Timestamp,
    ) -> Option<http::Response<Vec<u8>>> {
        let fresh_nonce = Nonce::from_bytes(&self.random.bytes()).ok()?;
        self.inside.nonces.insert(fresh_nonce.clone());
        let arrival = Arrival {
            at: now,
            entropy: Entropy::new(self.random.bytes()),
            fresh_nonce,
            ticket_seed: self.random.number(),
        };
        let mut exchange = Exchange::new(self.config.clone(), arrival, request);
        exchange::drive(&mut exchange, &mut self.inside, now)
    }

    fn run(&mut self, id: JobId, version: Version, now: Timestamp) {
        let arrival = JobArrival {
            at: now,
            entropy: Entropy::new(self.random.bytes()),
            ticket_seed: self.random.number(),
        };
        let mut job = Job::born(self.config.clone(), arrival, id, version);
        loop {
            use exchange::World as _;
            let answered = match job.poll(now) {
                job::Step::Load(reads, ticket) => job.answer(ticket, self.inside.load(&reads), now),
                job::Step::Scan(scan, ticket) => job.answer(ticket, self.inside.scan(&scan), now),
                job::Step::Commit(commit, ticket) => {
                    job.answer(ticket, self.inside.commit(&commit), now)
                }
                job::Step::Probe(perspective, request, ticket) => {
                    let verdict = self.probe(perspective, request, now).ok_or(Unavailable);
                    job.answer(ticket, verdict, now)
                }
                job::Step::Sign(_, algorithm, message, ticket) => {
                    let signed = self.issuer_key.sign(algorithm, &message);
                    let signed = signed.map_or(Signed::NotSigned, Signed::Signature);
                    job.answer(ticket, signed, now)
                }
                job::Step::Submit(_, _, _, ticket) => {
                    job.answer(ticket, Submitted::Unreachable, now)
                }
                job::Step::Spawn(id, version) => {
                    self.inside.spawned.push((id, version));
                    Ok(())
                }
                // Ended, or waiting for what isn't answered at once: the due scan's matter.
                job::Step::Wait(_) => return,
            };
            if answered.is_err() {
                return;
            }
        }
    }

    fn probe(
        &mut self,
        perspective: PerspectiveId,
        request: ProbeRequest,
        now: Timestamp,
    ) -> Option<Verdict> {
        let seed = self.random.number();
        let mut probe = Probe::new(self.config.clone(), perspective, request, seed);
        loop {
            let answered = match probe.poll(now) {
                ProbeStep::Dns(question, ticket) => {
                    probe.answer(ticket, self.truth.resolve(&question), now)
                }
                ProbeStep::Fetch(request, ticket) => {
                    probe.answer(ticket, self.truth.fetch(&request), now)
                }
                ProbeStep::Handshake(_, ticket) => {
                    let refused = HandshakeOutcome::NotConnected(NetworkFailure::Refused);
                    probe.answer(ticket, refused, now)
                }
                ProbeStep::Done(verdict) => return Some(verdict),
                ProbeStep::Wait(_) => return None,
            };
            answered.ok()?;
        }
    }
}

impl exchange::World for Inside {
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

    fn spawn(&mut self, job: JobId, version: Version) {
        self.spawned.push((job, version));
    }
}

impl std::fmt::Debug for InProcessCa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InProcessCa")
            .field("base", &self.config.base)
            .finish_non_exhaustive()
    }
}
