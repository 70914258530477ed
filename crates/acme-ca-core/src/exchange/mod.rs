//! One HTTP request and its reply, as a machine: parse → redeem the nonce → load what the path
//! names, and the signer → authenticate → decide ⇄ load → commit → reply (RFC 8555 §6).
//!
//! ```text
//! Redeem ──► Load ◄──► decide ──► Commit ──► Spawn ──► Reply
//!              ▲ Scan ◄──┘ │        │ conflict, unknown
//!              └───────────┼────────┘
//!                          └──────────► Reply (nothing to write, or a rejection)
//! ```
//! - A nonce is redeemed before anything else of the request is believed, once, and never given
//!   back. If its redemption isn't answered in time it counts as refused.
//! - A conflict means: load and decide again with the same arrival, a bounded number of times. The
//!   same ids come out, because they are expanded from the arrival's entropy.
//! - Every commit writes a row with the reply, under the exchange's own id, and guards its
//!   absence. After an outcome that isn't known that row is loaded with the rest: if it stands, it
//!   is the answer; if not, the decision is made again, and the row's guard sees to it that only
//!   one of the two commits ever happens.
//!
//! What isn't here: there is no step that waits for a row to change; nothing asks for it yet.

mod authenticate;
mod drive;
mod machine;
mod parse;
mod reply;
mod retention;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use acme_types::{Answer, Effect, Misuse, Nonce, Ticket, Tickets, Timestamp};

pub use self::drive::{World, drive};
pub use self::parse::BODY_LEN_MAX;
pub use self::reply::Reply;
pub use self::retention::{REPLY_RETENTION, stale_replies, sweep_replies};

use self::machine::{Machine, State, Want};
use crate::effect::{Load, Outcome, Redeem, Save, Scan as ScanEffect};
use crate::schema::{Commit, ExchangeId, JobId, Read, Scan, Version};
use crate::{Config, Entropy};

/// What an exchange starts with. Ids, windows and audit use `at`, so that a decision made again
/// comes out the same.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When the request came.
    pub at: Timestamp,
    /// 32 CSPRNG bytes, this request's alone.
    pub entropy: Entropy,
    /// The nonce that the reply carries.
    pub fresh_nonce: Nonce,
    /// The seed of the tickets.
    pub ticket_seed: u64,
}

/// What an exchange asks of the shell. Exhaustive: a shell that compiles handles everything.
#[derive(Debug)]
pub enum Step {
    /// Redeem this nonce, at the node that issued it.
    Redeem(Nonce, Ticket<Redeem>),
    /// Load these rows, at one durable point in time.
    Load(Vec<Read>, Ticket<Load>),
    /// Scan for keys.
    Scan(Scan, Ticket<ScanEffect>),
    /// Commit this.
    Commit(Commit, Ticket<Save>),
    /// This node may start the job of this version at once. Handed out once, before the reply; a
    /// lost one is found by the due scan.
    Spawn(JobId, Version),
    /// The reply. Handed out once; the exchange is finished.
    Reply(http::Response<Vec<u8>>),
    /// Nothing is to be done before this; [`Timestamp::NEVER`]: finished.
    Wait(Timestamp),
}

/// One HTTP request and its reply.
pub struct Exchange {
    machine: Machine,
    state: State,
    in_flight: Option<InFlight>,
    tickets: Tickets,
}

/// The one effect that is out. An exchange never has two.
struct InFlight {
    number: u64,
    deadline: Timestamp,
}

impl Exchange {
    /// Reads the request. Nothing is asked of the world yet.
    ///
    /// The body is refused beyond [`BODY_LEN_MAX`]; a shell stops reading there.
    pub fn new(config: Arc<Config>, arrival: Arrival, request: &http::Request<Vec<u8>>) -> Self {
        let tickets = Tickets::new(arrival.ticket_seed);
        let (machine, state) = Machine::begin(config, arrival, request);
        Self {
            machine,
            state,
            in_flight: None,
            tickets,
        }
    }

    /// The exchange's id, under which its commit keeps the reply.
    pub fn id(&self) -> ExchangeId {
        self.machine.id
    }

    /// What to do next.
    pub fn poll(&mut self, now: Timestamp) -> Step {
        if let Some(out) = &self.in_flight {
            if now < out.deadline {
                return Step::Wait(out.deadline);
            }
            self.in_flight = None;
            self.state = self.machine.unanswered(self.state.take(), now);
        }
        match self.state.want() {
            Want::Redeem(nonce) => Step::Redeem(nonce, self.issue(now)),
            Want::Load(reads) => Step::Load(reads, self.issue(now)),
            Want::Scan(scan) => Step::Scan(scan, self.issue(now)),
            Want::Commit(commit) => Step::Commit(commit, self.issue(now)),
            Want::Spawn(job, version) => {
                self.state = self.state.take().spawned();
                Step::Spawn(job, version)
            }
            Want::Reply => match self.state.take().into_reply() {
                Some(reply) => Step::Reply(self.machine.finish(reply)),
                None => Step::Wait(Timestamp::NEVER),
            },
        }
    }

    /// The outcome of an effect.
    ///
    /// # Errors
    /// [`Misuse`], and nothing changed.
    pub fn answer<K>(
        &mut self,
        ticket: Ticket<K>,
        outcome: K::Outcome,
        now: Timestamp,
    ) -> Result<(), Misuse>
    where
        K: Effect<Erased = Outcome>,
    {
        self.accept(ticket.with(outcome), now)
    }

    /// The same with the kind erased.
    ///
    /// # Errors
    /// [`Misuse`], and nothing changed.
    pub fn accept(&mut self, answer: Answer<Outcome>, now: Timestamp) -> Result<(), Misuse> {
        let (id, outcome) = answer.into_parts();
        let number = self.tickets.number(id)?;
        if self.in_flight.as_ref().map(|out| out.number) != Some(number) {
            return Err(Misuse::NotAwaited);
        }
        if !self.state.awaits(&outcome) {
            return Err(Misuse::WrongKind);
        }
        self.in_flight = None;
        self.state = self.machine.answered(self.state.take(), outcome, now);
        Ok(())
    }

    fn issue<K>(&mut self, now: Timestamp) -> Ticket<K> {
        let (number, ticket) = self.tickets.issue();
        self.in_flight = Some(InFlight {
            number,
            deadline: now.after(machine::EFFECT_TIME_MAX),
        });
        ticket
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exchange({}, {})", self.machine.id, self.state.name())
    }
}
