//! The shell: it polls machines, performs what they ask for, and decides nothing but how badly
//! the world behaves.

use acme_ca_core::effect::{
    Dns, Fetch as FetchTicket, Handshake, Load, Outcome, Redeem, Save as CaSave,
    Scan as ScanTicket, Sign as CaSign, Signed, Submit, Submitted, Unavailable,
};
use acme_ca_core::exchange::Step as ExchangeStep;
use acme_ca_core::job::{Job, Step as JobStep};
use acme_ca_core::schema::{Commit, Committed, JobId, Read, Scan, Version};
use acme_ca_core::validation::{
    DnsQuestion, FetchRequest, HandshakeOutcome, NetworkFailure, Step as ProbeStep,
};
use acme_client_core::{
    ChallengeResponse, Event as ClientEvent, HttpOutcome, JobId as ClientJobId, KeyRef,
    PresentOutcome, Record, RetractOutcome, Save, SaveOutcome, Sign, SignOutcome, SigningInput,
    Snapshot, Step as ClientStep,
};
use acme_crypto::SignatureAlgorithm;
use acme_types::{Answer, Nonce, Ticket, Timestamp};

use crate::Broken;
use crate::authority::ISSUER;
use crate::ca_node::{Asked, Machine, MachineId};
use crate::client_node::ReplyTo;
use crate::faults::{EFFECT_DELAY, LATE_DELAY, NETWORK_DELAY, Plant};
use crate::ledger::Violation;
use crate::run::{Event, Run, answer, node, wake_key};

/// More polls in a row than any machine needs.
const POLLS_MAX: usize = 10_000;

pub(crate) enum ClientEffect {
    Sign(KeyRef, SigningInput, Ticket<Sign>),
    Save(Record, Snapshot, Ticket<Save>),
    Present(ChallengeResponse, Ticket<acme_client_core::Present>),
    Retract(ChallengeResponse, Ticket<acme_client_core::Retract>),
    Keep(ClientJobId, ClientEvent, Ticket<ClientEvent>),
}

pub(crate) enum CaEffect {
    Redeem(Nonce, Ticket<Redeem>),
    Load(Vec<Read>, Ticket<Load>),
    Scan(Scan, Ticket<ScanTicket>),
    Commit(Commit, Ticket<CaSave>),
    Sign(String, SignatureAlgorithm, Vec<u8>, Ticket<CaSign>),
    Submit(Ticket<Submit>),
    Dns(DnsQuestion, Ticket<Dns>),
    Fetch(FetchRequest, Ticket<FetchTicket>),
    Handshake(Ticket<Handshake>),
}

impl Run {
    pub(crate) fn settle_client(&mut self, place: usize) {
        for _ in 0..POLLS_MAX {
            let life = self.clients[place].life;
            let Some(client) = &mut self.clients[place].client else {
                return;
            };
            let effect = match client.poll(self.now) {
                ClientStep::Http(fetch, ticket) => {
                    let to = ReplyTo {
                        client: place,
                        life,
                        ticket,
                    };
                    self.send(fetch.request, to);
                    continue;
                }
                ClientStep::Wait(at) => {
                    self.wake(at, (0, place as u64), Event::WakeClient(place, life));
                    return;
                }
                ClientStep::Sign(key, input, ticket) => ClientEffect::Sign(key, input, ticket),
                ClientStep::Save(record, snapshot, ticket) => {
                    ClientEffect::Save(record, snapshot, ticket)
                }
                ClientStep::Present(_, response, ticket) => ClientEffect::Present(response, ticket),
                ClientStep::Retract(_, response, ticket) => ClientEffect::Retract(response, ticket),
                ClientStep::Event(job, event, ticket) => ClientEffect::Keep(job, event, ticket),
            };
            let at = self.effect_time();
            self.queue.push(at, Event::ClientDo(place, life, effect));
        }
        self.violation = Some(Violation(format!("client {place} asks without end")));
    }

    pub(crate) fn settle_ca(&mut self, machine: MachineId) {
        let life = self.ca.life;
        for _ in 0..POLLS_MAX {
            let Some(asked) = self.ca.poll(machine, self.now) else {
                return;
            };
            let effect = match asked {
                Asked::Exchange(ExchangeStep::Spawn(job, version))
                | Asked::Job(JobStep::Spawn(job, version)) => {
                    self.spawn(job, version);
                    continue;
                }
                Asked::Exchange(ExchangeStep::Reply(response)) => {
                    self.reply(machine, response);
                    return;
                }
                Asked::Job(JobStep::Probe(perspective, request, ticket)) => {
                    let probe = self.ca.add_probe(perspective, request, machine, ticket);
                    self.settle_ca(probe);
                    continue;
                }
                Asked::Probe(ProbeStep::Done(verdict)) => {
                    if let Some(Machine::Probe(_, parent, ticket)) = self.ca.remove(machine) {
                        let answer = ticket.with(Ok(verdict));
                        let at = self.effect_time();
                        self.answer_ca(at, parent, answer);
                    }
                    return;
                }
                Asked::Exchange(ExchangeStep::Wait(at))
                | Asked::Job(JobStep::Wait(at))
                | Asked::Probe(ProbeStep::Wait(at)) => {
                    if at == Timestamp::NEVER {
                        self.ca.remove(machine);
                    }
                    self.wake(at, wake_key(machine), Event::WakeCa(life, machine));
                    return;
                }
                Asked::Exchange(ExchangeStep::Redeem(nonce, t)) => CaEffect::Redeem(nonce, t),
                Asked::Exchange(ExchangeStep::Load(reads, t))
                | Asked::Job(JobStep::Load(reads, t)) => CaEffect::Load(reads, t),
                Asked::Exchange(ExchangeStep::Scan(scan, t))
                | Asked::Job(JobStep::Scan(scan, t)) => CaEffect::Scan(scan, t),
                Asked::Exchange(ExchangeStep::Commit(commit, t))
                | Asked::Job(JobStep::Commit(commit, t)) => CaEffect::Commit(commit, t),
                Asked::Job(JobStep::Sign(issuer, algorithm, message, t)) => {
                    CaEffect::Sign(issuer, algorithm, message, t)
                }
                Asked::Job(JobStep::Submit(_, _, _, t)) => CaEffect::Submit(t),
                Asked::Probe(ProbeStep::Dns(question, t)) => CaEffect::Dns(question, t),
                Asked::Probe(ProbeStep::Fetch(request, t)) => CaEffect::Fetch(request, t),
                Asked::Probe(ProbeStep::Handshake(_, t)) => CaEffect::Handshake(t),
            };
            let at = self.effect_time();
            self.queue.push(at, Event::CaDo(life, machine, effect));
        }
        self.violation = Some(Violation(format!("{machine:?} asks without end")));
    }

    fn spawn(&mut self, id: JobId, version: Version) {
        let born = |config, arrival, id| Job::born(config, arrival, id, version);
        if let Some(machine) = self.ca.add_job(id, self.now, born) {
            self.trace.push(self.now, "ca", &format!("starts job {id}"));
            self.settle_ca(machine);
        }
    }

    /// A request leaves its client: it may be lost, late, or arrive twice.
    fn send(&mut self, request: http::Request<Vec<u8>>, to: ReplyTo) {
        let line = format!("sends {} {}", request.method(), request.uri().path());
        self.trace.push(self.now, &node(to.client), &line);
        let faults = self.world.faults;
        if self.network.chance(faults.network_duplicate) {
            let at = self.network_time();
            self.queue.push(at, Event::Request(request.clone(), None));
        }
        let at = self.network_time();
        if self.network.chance(faults.network_loss) {
            self.lose(at, to);
        } else {
            self.queue.push(at, Event::Request(request, Some(to)));
        }
    }

    /// Lost: half of the clients learn of it, the others wait for their deadline.
    fn lose(&mut self, at: Timestamp, to: ReplyTo) {
        if self.network.chance(500) {
            self.queue
                .push(at, Event::Response(to, HttpOutcome::Unknown));
        }
    }

    fn reply(&mut self, machine: MachineId, response: http::Response<Vec<u8>>) {
        let line = format!("replies {}", response.status());
        self.trace.push(self.now, "ca", &line);
        let Some(Machine::Exchange(_, Some(to))) = self.ca.remove(machine) else {
            return;
        };
        let at = self.network_time();
        if self.network.chance(self.world.faults.network_loss) {
            self.lose(at, to);
        } else {
            self.queue
                .push(at, Event::Response(to, HttpOutcome::Response(response)));
        }
    }

    pub(crate) fn client_does(&mut self, place: usize, effect: ClientEffect) -> Result<(), Broken> {
        let faults = self.world.faults;
        let name = node(place);
        let answered = match effect {
            ClientEffect::Sign(key, input, ticket) => {
                let outcome = match self.clients[place].sign(&key, &input) {
                    Some(signature) => SignOutcome::Signed(signature),
                    None => SignOutcome::Failed,
                };
                answer(ticket, outcome)
            }
            ClientEffect::Save(record, snapshot, ticket) => {
                let line = format!("saves {record:?} revision {}", snapshot.revision());
                self.trace.push(self.now, &name, &line);
                let outcome = if self.effects.chance(faults.save_fails) {
                    SaveOutcome::Failed
                } else {
                    self.clients[place].save(record, snapshot)
                };
                answer(ticket, outcome)
            }
            ClientEffect::Present(response, ticket) => {
                let line = format!("presents {}", response.challenge_type().as_str());
                self.trace.push(self.now, &name, &line);
                self.truth.present(place, &response);
                answer(ticket, PresentOutcome::Presented)
            }
            ClientEffect::Retract(response, ticket) => {
                self.trace.push(self.now, &name, "retracts");
                self.truth.retract(place, &response);
                answer(ticket, RetractOutcome::Retracted)
            }
            ClientEffect::Keep(job, event, ticket) => {
                self.trace
                    .push(self.now, &name, &format!("{job}: {}", event_name(&event)));
                if let Some(chain) = self.clients[place].keep(job, &event) {
                    self.check_issued(place, &chain);
                }
                let now = self.now;
                self.clients[place].submit(now)?;
                answer(ticket, ())
            }
        };
        let life = self.clients[place].life;
        if let Some(answer) = answered
            && !self.effects.chance(faults.effect_lost)
        {
            let at = self.answer_time();
            self.queue
                .push(at, Event::ClientAnswer(place, life, answer));
        }
        // The application may have given the machine its next job.
        self.settle_client(place);
        Ok(())
    }

    /// What a client was issued stands in the store, for names that it controls.
    fn check_issued(&mut self, place: usize, chain: &[Vec<u8>]) {
        let Some(leaf) = chain.first() else { return };
        let stored = self.store.rows().any(|row| {
            matches!(&row, Ok((_, acme_ca_core::schema::Row::Certificate(row)))
                if row.der.as_ref() == Some(leaf)
                    && row.identifiers == self.clients[place].identifiers())
        });
        if !stored {
            let what = format!("client {place} holds a certificate that the CA doesn't know");
            self.violation = Some(Violation(what));
        }
    }

    pub(crate) fn ca_does(&mut self, machine: MachineId, effect: CaEffect) {
        let faults = self.world.faults;
        let unavailable = self.store_random.chance(faults.store_unavailable);
        let answered: Answer<Outcome> = match effect {
            CaEffect::Redeem(nonce, ticket) => {
                let outcome = self.ca.redeem(&nonce);
                if outcome == acme_ca_core::effect::Redeemed::Accepted {
                    let checked = self.ledger.accepted(&nonce);
                    self.note(checked);
                }
                ticket.with(outcome)
            }
            CaEffect::Load(_, ticket) if unavailable => ticket.with(Err(Unavailable)),
            CaEffect::Load(reads, ticket) => {
                ticket.with(self.store.load(&reads).map_err(|_| Unavailable))
            }
            CaEffect::Scan(_, ticket) if unavailable => ticket.with(Err(Unavailable)),
            CaEffect::Scan(scan, ticket) => {
                ticket.with(self.store.scan(&scan).map_err(|_| Unavailable))
            }
            CaEffect::Commit(commit, ticket) => ticket.with(self.commit(machine, &commit)),
            CaEffect::Sign(issuer, algorithm, message, ticket) => {
                ticket.with(self.sign(&issuer, algorithm, &message))
            }
            CaEffect::Submit(ticket) => ticket.with(Submitted::Unreachable),
            CaEffect::Dns(question, ticket) => ticket.with(self.truth.resolve(&question)),
            CaEffect::Fetch(request, ticket) => ticket.with(self.truth.fetch(&request)),
            CaEffect::Handshake(ticket) => {
                ticket.with(HandshakeOutcome::NotConnected(NetworkFailure::Refused))
            }
        };
        if !self.effects.chance(faults.effect_lost) {
            let at = self.answer_time();
            self.answer_ca(at, machine, answered);
        }
    }

    fn commit(&mut self, machine: MachineId, commit: &Commit) -> Committed {
        let faults = self.world.faults;
        if self.store_random.chance(faults.store_conflict) {
            return Committed::Conflict;
        }
        let unknown = self.store_random.chance(faults.commit_unknown);
        if unknown && self.store_random.chance(500) {
            return Committed::Unknown;
        }
        let unguarded = Commit {
            guards: Vec::new(),
            ..commit.clone()
        };
        let ignored = self.world.plant == Plant::GuardsIgnored;
        let before = self.store.clone();
        let outcome = self.store.commit(if ignored { &unguarded } else { commit });
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                self.note(Err(Violation(format!(
                    "{machine:?} broke the store's rules: {error}"
                ))));
                return Committed::Unknown;
            }
        };
        if let Committed::Done(version) = outcome {
            self.trace.push(
                self.now,
                "ca",
                &format!("{machine:?} commits {}", version.0),
            );
            let owner = |identifier: &acme_types::Identifier,
                         account: &acme_ca_core::schema::AccountRow| {
                let owner = self.truth.owner(identifier);
                owner.is_some_and(|place| self.clients[place].owns(&account.key))
            };
            let checked = self.ledger.commits(commit, &before, self.now, &owner);
            self.note(checked);
            self.note_durable();
        }
        if unknown { Committed::Unknown } else { outcome }
    }

    fn sign(&mut self, issuer: &str, algorithm: SignatureAlgorithm, message: &[u8]) -> Signed {
        if issuer != ISSUER {
            return Signed::NotSigned;
        }
        let unknown = self.store_random.chance(self.world.faults.sign_unknown);
        if unknown && self.store_random.chance(500) {
            return Signed::Unknown;
        }
        let checked = self.ledger.signs(message, &self.store);
        self.note(checked);
        self.trace.push(self.now, "ca", "signs");
        match self.issuer_key.sign(algorithm, message) {
            Ok(signature) if !unknown => Signed::Signature(signature),
            Ok(_) => Signed::Unknown,
            Err(_) => Signed::NotSigned,
        }
    }

    fn note(&mut self, checked: Result<(), Violation>) {
        if let Err(violation) = checked {
            self.violation.get_or_insert(violation);
        }
    }

    fn answer_ca(&mut self, at: Timestamp, machine: MachineId, answer: Answer<Outcome>) {
        self.queue
            .push(at, Event::CaAnswer(self.ca.life, machine, answer));
    }

    fn network_time(&mut self) -> Timestamp {
        let late = self.network.chance(self.world.faults.network_late);
        let (low, high) = if late { LATE_DELAY } else { NETWORK_DELAY };
        let millis = self.network.between(low, high);
        self.now.after(std::time::Duration::from_millis(millis))
    }

    fn effect_time(&mut self) -> Timestamp {
        let millis = self.effects.between(EFFECT_DELAY.0, EFFECT_DELAY.1);
        self.now.after(std::time::Duration::from_millis(millis))
    }

    fn answer_time(&mut self) -> Timestamp {
        let late = self.effects.chance(self.world.faults.effect_late);
        let (low, high) = if late { LATE_DELAY } else { EFFECT_DELAY };
        let millis = self.effects.between(low, high);
        self.now.after(std::time::Duration::from_millis(millis))
    }
}

fn event_name(event: &ClientEvent) -> String {
    match event {
        ClientEvent::Failed(failure) => format!("failed: {failure}"),
        ClientEvent::Delayed(delay) => format!("delayed: {}", delay.failure),
        ClientEvent::Issued(_) => "issued".to_owned(),
        ClientEvent::Revoked => "revoked".to_owned(),
        other => format!("{other:?}").chars().take(60).collect(),
    }
}
