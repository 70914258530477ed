//! A world as it runs: what is to happen, when, and to whom.

use std::collections::BTreeMap;
use std::time::Duration;

use acme_ca_core::effect::Outcome;
use acme_ca_core::job::Job;
use acme_ca_core::schema::{Read, Scan};
use acme_ca_core::store::Memory;
use acme_client_core::{HttpOutcome, Outcome as ClientOutcome};
use acme_crypto::KeyPair;
use acme_types::{Answer, Ticket, Timestamp};

use crate::ca_node::{CaNode, MachineId};
use crate::client_node::{ClientNode, ReplyTo};
use crate::faults::{DOWN, DUE_SCAN_PERIOD, Faults, Plant};
use crate::ledger::{self, Ledger, Violation};
use crate::perform::{CaEffect, ClientEffect};
use crate::queue::Queue;
use crate::random::Random;
use crate::trace::Trace;
use crate::truth::Truth;
use crate::world::{Report, World};
use crate::{Broken, authority};

/// 2026-11-24T00:00:00Z, when every world begins.
pub(crate) const BEGIN: Timestamp = Timestamp::from_secs(1_795_478_400);
/// How long faults go on.
const FAULTS_FOR: Duration = Duration::from_secs(600);
/// How long all may take to end once faults have stopped: longer than every lease, expiry and
/// the longest back-off between them.
const LIVENESS: Duration = Duration::from_secs(3 * 86_400);
/// More events than any world needs: beyond it something runs in circles.
const EVENTS_MAX: u64 = 400_000;
/// How many commits a crash takes where the sync is skipped.
const UNSYNCED: usize = 3;

/// What is to happen.
pub(crate) enum Event {
    /// A request reaches the CA.
    Request(http::Request<Vec<u8>>, Option<ReplyTo>),
    /// The outcome of a request reaches its client.
    Response(ReplyTo, HttpOutcome),
    /// The world performs an effect of a client.
    ClientDo(usize, u32, ClientEffect),
    /// Its outcome reaches the client.
    ClientAnswer(usize, u32, Answer<ClientOutcome>),
    /// The world performs an effect of a machine of the CA.
    CaDo(u32, MachineId, CaEffect),
    /// Its outcome reaches the machine.
    CaAnswer(u32, MachineId, Answer<Outcome>),
    /// A machine asked to be polled now.
    WakeClient(usize, u32),
    /// A machine asked to be polled now.
    WakeCa(u32, MachineId),
    /// The CA's node looks for jobs that are due.
    DueScan(u32),
    /// A node starts again. `None` is the CA.
    Start(Option<usize>),
}

pub(crate) struct Run {
    pub(crate) world: World,
    pub(crate) now: Timestamp,
    pub(crate) queue: Queue<Event>,
    pub(crate) network: Random,
    pub(crate) effects: Random,
    pub(crate) store_random: Random,
    crash_random: Random,
    pub(crate) trace: Trace,
    pub(crate) ca: CaNode,
    pub(crate) issuer_key: Box<dyn KeyPair>,
    pub(crate) clients: Vec<ClientNode>,
    pub(crate) store: Memory,
    /// Where the sync is skipped: what the disk really has, older first.
    pub(crate) synced: Vec<Memory>,
    pub(crate) truth: Truth,
    pub(crate) ledger: Ledger,
    pub(crate) violation: Option<Violation>,
    pub(crate) commits: u64,
    crashes: u64,
    wakes: BTreeMap<(u8, u64), Timestamp>,
}

impl Run {
    pub(crate) fn new(world: World) -> Result<Self, Broken> {
        let seed = world.seed;
        let (config, issuer_key) = authority::found(BEGIN)?;
        let mut truth = Truth::default();
        let mut clients = Vec::new();
        for place in 0..world.clients_wanted {
            let names = [
                format!("c{place}.example.com"),
                format!("www.c{place}.example.com"),
            ];
            names.iter().for_each(|name| truth.give(name, place));
            clients.push(ClientNode::new(place, &names, seed)?);
        }
        // Somebody wants a certificate for a name of another's, and publishes what he likes, but
        // not there.
        let wanted = ["c0.example.com".to_owned()];
        clients.push(ClientNode::new(world.clients_wanted, &wanted, seed)?.into_impostor());
        let trace = Trace::new(world.keep_trace);
        let mut run = Self {
            world,
            now: BEGIN,
            queue: Queue::new(),
            network: Random::new(seed, "network"),
            effects: Random::new(seed, "effects"),
            store_random: Random::new(seed, "store"),
            crash_random: Random::new(seed, "crash"),
            trace,
            ca: CaNode::new(config, Random::new(seed, "ca")),
            issuer_key,
            clients,
            store: Memory::new(),
            synced: Vec::new(),
            truth,
            ledger: Ledger::default(),
            violation: None,
            commits: 0,
            crashes: 0,
            wakes: BTreeMap::new(),
        };
        run.queue.push(BEGIN, Event::DueScan(run.ca.life));
        for place in 0..run.clients.len() {
            run.queue.push(BEGIN, Event::Start(Some(place)));
        }
        Ok(run)
    }

    pub(crate) fn run_out(&mut self) -> Result<(), Violation> {
        let calm = BEGIN.after(FAULTS_FOR);
        let latest = calm.after(LIVENESS);
        while let Some((at, event)) = self.queue.pop() {
            self.now = at;
            if self.now >= calm {
                self.world.faults = Faults::NONE;
            }
            self.happen(event)
                .map_err(|broken| Violation(broken.to_string()))?;
            if let Some(violation) = self.violation.take() {
                return Err(violation);
            }
            self.maybe_crash();
            if self.now >= calm && self.is_quiet() {
                break;
            }
            if self.now >= latest || self.trace.events() > EVENTS_MAX {
                let stands = self
                    .clients
                    .iter()
                    .map(ClientNode::describe)
                    .collect::<Vec<_>>();
                return Err(Violation(format!("no end: {}", stands.join("; "))));
            }
        }
        self.ledger.keeps(&self.store)?;
        ledger::ended(&self.store)?;
        let bare = self.truth.is_bare();
        if bare {
            Ok(())
        } else {
            Err(Violation("a challenge response stays published".into()))
        }
    }

    fn is_quiet(&self) -> bool {
        self.ca.up
            && self.clients.iter().all(ClientNode::is_done)
            && ledger::ended(&self.store).is_ok()
    }

    fn happen(&mut self, event: Event) -> Result<(), Broken> {
        match event {
            Event::Request(request, from) => self.request(&request, from)?,
            Event::Response(to, outcome) => {
                let (client, life) = (to.client, to.life);
                if self.lives(client, life) {
                    self.note_acknowledged(client, &outcome);
                    self.client_accepts(client, to.ticket.with(outcome));
                }
            }
            Event::ClientDo(client, life, effect) => {
                if self.lives(client, life) {
                    self.client_does(client, effect)?;
                }
            }
            Event::ClientAnswer(client, life, answer) => {
                if self.lives(client, life) {
                    self.client_accepts(client, answer);
                }
            }
            Event::CaDo(life, machine, effect) => {
                if self.ca.up && self.ca.life == life {
                    self.ca_does(machine, effect);
                }
            }
            Event::CaAnswer(life, machine, answer) => {
                if self.ca.up && self.ca.life == life {
                    self.ca.accept(machine, answer, self.now);
                    self.settle_ca(machine);
                }
            }
            Event::WakeClient(client, life) => {
                if self.lives(client, life) {
                    self.wakes.remove(&(0, client as u64));
                    self.settle_client(client);
                }
            }
            Event::WakeCa(life, machine) => {
                if self.ca.up && self.ca.life == life {
                    self.wakes.remove(&wake_key(machine));
                    self.settle_ca(machine);
                }
            }
            Event::DueScan(life) => self.due_scan(life),
            Event::Start(None) => {
                self.trace.push(self.now, "ca", "starts");
                self.ca.start();
                self.queue.push(self.now, Event::DueScan(self.ca.life));
            }
            Event::Start(Some(client)) => {
                self.trace.push(self.now, &node(client), "starts");
                let now = self.now;
                self.clients[client].start(now)?;
                self.settle_client(client);
            }
        }
        Ok(())
    }

    fn lives(&self, client: usize, life: u32) -> bool {
        self.clients[client].up && self.clients[client].life == life
    }

    fn request(
        &mut self,
        request: &http::Request<Vec<u8>>,
        from: Option<ReplyTo>,
    ) -> Result<(), Broken> {
        if !self.ca.up {
            // Nobody listens: the client is told that nothing was sent.
            if let Some(to) = from {
                self.queue
                    .push(self.now, Event::Response(to, HttpOutcome::NotSent));
            }
            return Ok(());
        }
        let path = request.uri().path().to_owned();
        self.trace.push(
            self.now,
            "ca",
            &format!("receives {} {path}", request.method()),
        );
        let machine = self.ca.receive(request, from, self.now)?;
        self.settle_ca(machine);
        Ok(())
    }

    fn due_scan(&mut self, life: u32) {
        if !self.ca.up || self.ca.life != life {
            return;
        }
        self.queue
            .push(self.now.after(DUE_SCAN_PERIOD), Event::DueScan(life));
        if self.world.plant == Plant::DueJobsForgotten {
            return;
        }
        let scan = Scan::DueJobs {
            until: self.now,
            limit: 64,
        };
        for found in self.store.scan(&scan).unwrap_or_default() {
            if let Read::Due(_, id) = found
                && let Some(machine) = self.ca.add_job(id, self.now, Job::due)
            {
                self.trace
                    .push(self.now, "ca", &format!("takes up job {id}"));
                self.settle_ca(machine);
            }
        }
    }

    /// What a 201 named exists from then on.
    fn note_acknowledged(&mut self, client: usize, outcome: &HttpOutcome) {
        let HttpOutcome::Response(response) = outcome else {
            return;
        };
        let body = String::from_utf8_lossy(response.body());
        let line = format!(
            "hears {} {}",
            response.status(),
            body.replace(['\n', '\r'], " ")
        );
        self.trace.push(self.now, &node(client), &line);
        let location = response
            .headers()
            .get("location")
            .and_then(|value| value.to_str().ok());
        let Some((_, path)) = location.and_then(|url| url.split_once("/acme/")) else {
            return;
        };
        let read = match path.split_once('/') {
            Some(("order", id)) => id.parse().ok().map(Read::Order),
            Some(("account", id)) => id.parse().ok().map(Read::Account),
            _ => None,
        };
        if let (Some(read), true) = (read, response.status() == http::StatusCode::CREATED) {
            self.ledger.acknowledged(read);
        }
    }

    fn client_accepts(&mut self, client: usize, answer: Answer<ClientOutcome>) {
        if let Some(machine) = &mut self.clients[client].client {
            // A late answer is no longer awaited, and changes nothing.
            let _late = machine.accept(answer, self.now);
        }
        self.settle_client(client);
    }

    /// A machine is to be polled at this time, unless it is sooner anyway.
    pub(crate) fn wake(&mut self, at: Timestamp, key: (u8, u64), event: Event) {
        if at == Timestamp::NEVER || self.wakes.get(&key).is_some_and(|wake| *wake <= at) {
            return;
        }
        self.wakes.insert(key, at);
        self.queue.push(at.max(self.now), event);
    }

    fn maybe_crash(&mut self) {
        let per_mille = self.world.faults.crash;
        if per_mille == 0 || !self.crash_random.chance(per_mille) {
            return;
        }
        let victim = self.crash_random.between(0, self.clients.len() as u64) as usize;
        let back = Duration::from_millis(self.crash_random.between(DOWN.0, DOWN.1));
        let back = self.now.after(back);
        if victim == self.clients.len() {
            if self.ca.up {
                self.crashes += 1;
                self.trace.push(self.now, "ca", "crashes");
                self.ca.crash();
                self.wakes.retain(|(kind, _), _| *kind == 0);
                if let Some(durable) = self.synced.first() {
                    self.store = durable.clone();
                    self.synced.clear();
                }
                self.queue.push(back, Event::Start(None));
            }
        } else if self.clients[victim].up {
            self.crashes += 1;
            self.trace.push(self.now, &node(victim), "crashes");
            self.clients[victim].crash();
            self.wakes.remove(&(0, victim as u64));
            self.queue.push(back, Event::Start(Some(victim)));
        }
    }

    /// Where the sync is skipped, the disk lags behind.
    pub(crate) fn note_durable(&mut self) {
        self.commits += 1;
        if self.world.plant == Plant::SyncSkipped {
            self.synced.push(self.store.clone());
            if self.synced.len() > UNSYNCED {
                self.synced.remove(0);
            }
        }
    }

    pub(crate) fn report(&self) -> Report {
        Report {
            hash: self.trace.hash(),
            events: self.trace.events(),
            crashes: self.crashes,
            commits: self.commits,
            issued: self
                .clients
                .iter()
                .map(|client| client.kept().count())
                .sum(),
            took: self.now.since(BEGIN),
            lines: self.trace.lines().to_vec(),
        }
    }
}

pub(crate) fn node(client: usize) -> String {
    format!("client {client}")
}

pub(crate) fn wake_key(machine: MachineId) -> (u8, u64) {
    match machine {
        MachineId::Exchange(n) => (1, n),
        MachineId::Job(n) => (2, n),
        MachineId::Probe(n) => (3, n),
    }
}

/// A ticket's answer, or nothing if the effect's outcome is lost.
pub(crate) type MaybeAnswer<O> = Option<Answer<O>>;

/// Shorthand for what perform.rs needs.
pub(crate) fn answer<K: acme_types::Effect>(
    ticket: Ticket<K>,
    outcome: K::Outcome,
) -> MaybeAnswer<K::Erased> {
    Some(ticket.with(outcome))
}
