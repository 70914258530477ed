//! The one convention of all machines: effects go out with a ticket, outcomes come back with it.
//!
//! A machine has `poll(now) -> Step`, which hands out what the world must do, and
//! `answer(ticket, outcome, now)`, which takes what came of it. A [`Ticket`] is move-only, so each
//! effect is answered at most once; dropping a ticket is the same as losing the answer. [`Answer`]
//! is a ticket together with its outcome, the kind erased, for channels and spawned tasks.

mod ticket;

pub use ticket::{Answer, Effect, Misuse, Ticket, TicketId, Tickets};
