//! The CA's node: what a server process holds in memory, and loses in a crash.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use acme_ca_core::effect::{Outcome, Redeemed};
use acme_ca_core::exchange::{Arrival, Exchange};
use acme_ca_core::job::Job;
use acme_ca_core::schema::JobId;
use acme_ca_core::validation::Probe;
use acme_ca_core::{Config, Entropy, JobArrival, effect, exchange, job, validation};
use acme_types::{Answer, Nonce, Ticket, Timestamp};

use crate::Broken;
use crate::client_node::ReplyTo;
use crate::random::Random;

/// Which machine of the CA's node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum MachineId {
    Exchange(u64),
    Job(u64),
    Probe(u64),
}

pub(crate) enum Machine {
    Exchange(Box<Exchange>, Option<ReplyTo>),
    Job(Box<Job>),
    /// A perspective at work, and the ticket of the job that waits for its verdict.
    Probe(Box<Probe>, MachineId, Ticket<effect::Perspective>),
}

/// What any machine of the node asks for.
pub(crate) enum Asked {
    Exchange(exchange::Step),
    Job(job::Step),
    Probe(validation::Step),
}

pub(crate) struct CaNode {
    pub(crate) config: Arc<Config>,
    pub(crate) up: bool,
    /// How often it was started: what was asked for in an earlier life comes to nothing.
    pub(crate) life: u32,
    pub(crate) machines: BTreeMap<MachineId, Machine>,
    pub(crate) running: BTreeSet<JobId>,
    nonces: BTreeSet<Vec<u8>>,
    random: Random,
    next: u64,
}

impl CaNode {
    pub(crate) fn new(config: Arc<Config>, random: Random) -> Self {
        Self {
            config,
            up: true,
            life: 0,
            machines: BTreeMap::new(),
            running: BTreeSet::new(),
            nonces: BTreeSet::new(),
            random,
            next: 0,
        }
    }

    /// All that isn't in the store is gone, the nonces among it.
    pub(crate) fn crash(&mut self) {
        self.up = false;
        self.machines.clear();
        self.running.clear();
        self.nonces.clear();
    }

    pub(crate) fn start(&mut self) {
        self.up = true;
        self.life += 1;
    }

    pub(crate) fn redeem(&mut self, nonce: &Nonce) -> Redeemed {
        if self.nonces.remove(nonce.as_str().as_bytes()) {
            Redeemed::Accepted
        } else {
            Redeemed::Refused
        }
    }

    pub(crate) fn receive(
        &mut self,
        request: &http::Request<Vec<u8>>,
        from: Option<ReplyTo>,
        now: Timestamp,
    ) -> Result<MachineId, Broken> {
        let fresh_nonce = Nonce::from_bytes(&self.random.bytes())?;
        self.nonces.insert(fresh_nonce.as_str().as_bytes().to_vec());
        let arrival = Arrival {
            at: now,
            entropy: Entropy::new(self.random.bytes()),
            fresh_nonce,
            ticket_seed: self.random.number(),
        };
        let exchange = Exchange::new(self.config.clone(), arrival, request);
        Ok(self.add(
            MachineId::Exchange,
            Machine::Exchange(Box::new(exchange), from),
        ))
    }

    pub(crate) fn add_job(
        &mut self,
        id: JobId,
        now: Timestamp,
        make: impl FnOnce(Arc<Config>, JobArrival, JobId) -> Job,
    ) -> Option<MachineId> {
        if !self.running.insert(id) {
            return None;
        }
        let arrival = JobArrival {
            at: now,
            entropy: Entropy::new(self.random.bytes()),
            ticket_seed: self.random.number(),
        };
        let job = make(self.config.clone(), arrival, id);
        Some(self.add(MachineId::Job, Machine::Job(Box::new(job))))
    }

    pub(crate) fn add_probe(
        &mut self,
        perspective: validation::PerspectiveId,
        request: validation::ProbeRequest,
        parent: MachineId,
        ticket: Ticket<effect::Perspective>,
    ) -> MachineId {
        let seed = self.random.number();
        let probe = Probe::new(self.config.clone(), perspective, request, seed);
        self.add(
            MachineId::Probe,
            Machine::Probe(Box::new(probe), parent, ticket),
        )
    }

    pub(crate) fn poll(&mut self, id: MachineId, now: Timestamp) -> Option<Asked> {
        Some(match self.machines.get_mut(&id)? {
            Machine::Exchange(exchange, _) => Asked::Exchange(exchange.poll(now)),
            Machine::Job(job) => Asked::Job(job.poll(now)),
            Machine::Probe(probe, ..) => Asked::Probe(probe.poll(now)),
        })
    }

    /// Gives an answer to its machine. An answer that is no longer awaited is late, and changes
    /// nothing.
    pub(crate) fn accept(
        &mut self,
        id: MachineId,
        answer: Answer<Outcome>,
        now: Timestamp,
    ) -> bool {
        let taken = match self.machines.get_mut(&id) {
            Some(Machine::Exchange(exchange, _)) => exchange.accept(answer, now),
            Some(Machine::Job(job)) => job.accept(answer, now),
            Some(Machine::Probe(probe, ..)) => probe.accept(answer, now),
            None => return false,
        };
        taken.is_ok()
    }

    pub(crate) fn remove(&mut self, id: MachineId) -> Option<Machine> {
        let machine = self.machines.remove(&id)?;
        if let Machine::Job(job) = &machine {
            self.running.remove(&job.id());
        }
        Some(machine)
    }

    fn add(&mut self, kind: fn(u64) -> MachineId, machine: Machine) -> MachineId {
        let id = kind(self.next);
        self.next += 1;
        self.machines.insert(id, machine);
        id
    }
}
