use std::time::Duration;

use acme_types::{Misuse, Ticket, Tickets, Timestamp};

/// How long a job waits for its store. Past it a load is asked for again, and a commit counts as
/// of unknown outcome: a store that is slower than this is as good as down, and the lease is
/// longer.
pub(crate) const STORE_PATIENCE: Duration = Duration::from_secs(10);

/// How often a job asks the store for the same thing before it gives up and leaves the row to
/// whoever finds it due.
pub(crate) const STORE_TRIES_MAX: u8 = 4;

/// One effect that a job wants: not asked for yet, or out under a ticket until a deadline.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Awaited {
    out: Option<(u64, Timestamp)>,
    asked: u8,
}

impl Awaited {
    /// Not asked for.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A ticket, if the effect isn't out; its deadline is `until`.
    pub(crate) fn ask<K>(&mut self, tickets: &mut Tickets, until: Timestamp) -> Option<Ticket<K>> {
        if self.out.is_some() {
            return None;
        }
        let (number, ticket) = tickets.issue();
        self.out = Some((number, until));
        self.asked = self.asked.saturating_add(1);
        Some(ticket)
    }

    /// When the effect that is out is given up.
    pub(crate) fn until(&self) -> Option<Timestamp> {
        self.out.map(|(_, until)| until)
    }

    /// How often it was asked for.
    pub(crate) fn asked(&self) -> u8 {
        self.asked
    }

    /// Whether it is out and its deadline has passed.
    pub(crate) fn is_overdue(&self, now: Timestamp) -> bool {
        self.until().is_some_and(|until| until <= now)
    }

    /// Whether it is out under this number.
    pub(crate) fn awaits(&self, number: u64) -> bool {
        self.out.is_some_and(|(awaited, _)| awaited == number)
    }

    /// It is no longer out: it may be asked for again, and a late answer is not awaited.
    pub(crate) fn give_up(&mut self) {
        self.out = None;
    }

    /// Takes the answer to this number.
    ///
    /// # Errors
    /// [`Misuse::NotAwaited`] if another number or none is out; nothing changed.
    pub(crate) fn settle(&mut self, number: u64) -> Result<(), Misuse> {
        if self.awaits(number) {
            self.out = None;
            Ok(())
        } else {
            Err(Misuse::NotAwaited)
        }
    }
}
