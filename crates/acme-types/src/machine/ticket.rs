use std::fmt;
use std::marker::PhantomData;

/// One kind of effect of one machine: what the shell is asked to do, seen from its outcome.
pub trait Effect {
    /// What the shell brings back for an effect of this kind.
    type Outcome;
    /// The machine's enum over the outcomes of all its kinds.
    type Erased;
    /// Forgets the kind.
    fn erase(outcome: Self::Outcome) -> Self::Erased;
}

/// The right to answer one effect, once.
///
/// Move-only on purpose: an effect can't be answered twice. To drop it is to lose the answer; the
/// machine will count the effect as unanswered when its deadline passes.
#[must_use = "a dropped ticket is a lost answer"]
pub struct Ticket<K> {
    id: TicketId,
    kind: PhantomData<fn() -> K>,
}

impl<K: Effect> Ticket<K> {
    /// The answer to this ticket's effect, its kind erased.
    pub fn with(self, outcome: K::Outcome) -> Answer<K::Erased> {
        Answer {
            id: self.id,
            outcome: K::erase(outcome),
        }
    }
}

impl<K> Ticket<K> {
    /// The ticket's identity, for logs and traces.
    pub fn id(&self) -> TicketId {
        self.id
    }
}

impl<K> fmt::Debug for Ticket<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({})", self.id)
    }
}

/// Which ticket: the machine's seed, fresh at every start, and a number within it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TicketId {
    seed: u64,
    number: u64,
}

impl fmt::Display for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}/{}", self.seed as u32, self.number)
    }
}

/// An outcome with the ticket of the effect that it answers.
#[derive(Debug)]
#[must_use = "an answer that isn't given to its machine is lost"]
pub struct Answer<O> {
    id: TicketId,
    outcome: O,
}

impl<O> Answer<O> {
    /// The identity of the ticket that is answered.
    pub fn id(&self) -> TicketId {
        self.id
    }

    /// Takes the answer apart. For machines.
    pub fn into_parts(self) -> (TicketId, O) {
        (self.id, self.outcome)
    }
}

/// A machine's issuer of tickets.
///
/// The seed must be fresh at every start of the machine (a resume included), so that a ticket of
/// before is known to be one.
#[derive(Debug)]
pub struct Tickets {
    seed: u64,
    next: u64,
}

impl Tickets {
    /// An issuer whose tickets carry this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, next: 0 }
    }

    /// A new ticket and its number; numbers rise by one and never repeat.
    pub fn issue<K>(&mut self) -> (u64, Ticket<K>) {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        let id = TicketId {
            seed: self.seed,
            number,
        };
        (
            number,
            Ticket {
                id,
                kind: PhantomData,
            },
        )
    }

    /// The number of a ticket that this issuer made.
    ///
    /// # Errors
    /// [`Misuse::ForeignTicket`] for a ticket of another machine, or of before a resume.
    pub fn number(&self, id: TicketId) -> Result<u64, Misuse> {
        if id.seed == self.seed && id.number < self.next {
            Ok(id.number)
        } else {
            Err(Misuse::ForeignTicket)
        }
    }
}

/// The caller broke the convention of the machines; nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// The ticket is another machine's, or was handed out before a resume.
    #[error("the ticket was not issued by this machine since it started")]
    ForeignTicket,
    /// The effect is no longer awaited: its deadline passed, or its job ended.
    #[error("the effect is no longer awaited")]
    NotAwaited,
    /// The outcome is of another kind than the effect.
    #[error("the outcome is of another kind than the effect it answers")]
    WrongKind,
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ping;
    impl Effect for Ping {
        type Outcome = u8;
        type Erased = u8;
        fn erase(outcome: u8) -> u8 {
            outcome
        }
    }

    #[test]
    fn a_ticket_of_another_start_is_foreign() {
        let mut before = Tickets::new(1);
        let (_, ticket) = before.issue::<Ping>();
        let (id, outcome) = ticket.with(7).into_parts();
        assert_eq!(outcome, 7);
        assert_eq!(before.number(id), Ok(0));
        assert_eq!(Tickets::new(2).number(id), Err(Misuse::ForeignTicket));
        assert_eq!(Tickets::new(1).number(id), Err(Misuse::ForeignTicket));
    }
}
