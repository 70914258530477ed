//! What all jobs of a client share.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use acme_types::{Ticket, Tickets, Timestamp};

use super::backoff::Jitter;
use super::nonces::Nonces;
use super::publications::Publications;
use super::timers::{Due, TimerId, Timers};
use crate::flow::Slot;
use crate::{ChallengeResponse, JobId};

#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) tickets: Tickets,
    in_flight: BTreeMap<u64, InFlight>,
    pub(crate) timers: Timers,
    /// What is ready to be handed out. An entry whose place has moved on is skipped.
    pub(crate) ready: VecDeque<Ready>,
    pub(crate) nonces: Nonces,
    pub(crate) jitter: Jitter,
    pub(crate) publications: Publications,
    /// Jobs that wait for their turn, by what they stand on.
    pub(crate) queues: Queues,
    /// Jobs that have their turn.
    pub(crate) active: usize,
}

/// Something to hand out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ready {
    Place(JobId, Slot),
    Save(JobId),
    Nonce,
}

#[derive(Debug, Default)]
pub(crate) struct Queues {
    pub(crate) directory: VecDeque<JobId>,
    pub(crate) account: VecDeque<JobId>,
}

/// An effect that was handed out.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) owner: Owner,
    pub(crate) kind: Kind,
    timer: TimerId,
    /// What is being retracted.
    retracting: Option<ChallengeResponse>,
}

/// Whose effect it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    Place(JobId, Slot),
    /// The revision that is being saved.
    Save(JobId, u64),
    Nonce,
}

/// Of which kind its outcome must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Http,
    Sign,
    Save,
    Present,
    Retract,
    Event,
}

impl Desk {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            tickets: Tickets::new(seed),
            in_flight: BTreeMap::new(),
            timers: Timers::default(),
            ready: VecDeque::new(),
            nonces: Nonces::default(),
            jitter: Jitter::new(seed),
            publications: Publications::default(),
            queues: Queues::default(),
            active: 0,
        }
    }

    /// A ticket for an effect that is handed out now, and its number.
    pub(crate) fn issue<K>(
        &mut self,
        owner: Owner,
        kind: Kind,
        now: Timestamp,
        time: Duration,
    ) -> (u64, Timestamp, Ticket<K>) {
        let (number, ticket) = self.tickets.issue();
        let deadline = now.after(time);
        let timer = self.timers.set(deadline, Due::Effect(number));
        self.in_flight.insert(
            number,
            InFlight {
                owner,
                kind,
                timer,
                retracting: None,
            },
        );
        (number, deadline, ticket)
    }

    /// The effect of this number retracts this response.
    pub(crate) fn note_retraction(&mut self, number: u64, response: &ChallengeResponse) {
        if let Some(found) = self.in_flight.get_mut(&number) {
            found.retracting = Some(response.clone());
            self.publications.begin_retraction(response);
        }
    }

    /// What is in flight under this number.
    pub(crate) fn peek(&self, number: u64) -> Option<&InFlight> {
        self.in_flight.get(&number)
    }

    /// Takes it off: it was answered, or is no longer awaited.
    pub(crate) fn take(&mut self, number: u64) -> Option<Owner> {
        let found = self.in_flight.remove(&number)?;
        self.timers.call_off(found.timer);
        if let Some(response) = &found.retracting {
            self.publications.end_retraction(response);
        }
        Some(found.owner)
    }

    /// How many effects are awaited.
    pub(crate) fn awaited(&self) -> usize {
        self.in_flight.len()
    }
}
