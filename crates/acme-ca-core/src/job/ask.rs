use acme_types::{Ticket, Tickets, Timestamp};

use super::{Awaited, STORE_PATIENCE, STORE_TRIES_MAX, Step};

/// The step for a load or a scan that a job waits for: asked for, waited for, or, past its
/// deadline, asked for again, up to [`STORE_TRIES_MAX`] times. `None`: given up.
pub(crate) fn read_step<K>(
    awaited: &mut Awaited,
    tickets: &mut Tickets,
    now: Timestamp,
    step: impl FnOnce(Ticket<K>) -> Step,
) -> Option<Step> {
    if awaited.is_overdue(now) {
        awaited.give_up();
    }
    if awaited.until().is_none() && awaited.asked() >= STORE_TRIES_MAX {
        return None;
    }
    Some(once_step(
        awaited,
        tickets,
        now,
        now.after(STORE_PATIENCE),
        step,
    ))
}

/// The step for an effect that is asked for once, until a deadline; what a missed deadline means
/// is decided before.
pub(crate) fn once_step<K>(
    awaited: &mut Awaited,
    tickets: &mut Tickets,
    now: Timestamp,
    until: Timestamp,
    step: impl FnOnce(Ticket<K>) -> Step,
) -> Step {
    match awaited.ask(tickets, until) {
        Some(ticket) => step(ticket),
        None => Step::Wait(awaited.until().unwrap_or(now)),
    }
}
