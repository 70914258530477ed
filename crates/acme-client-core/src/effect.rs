//! The kinds of effects and what comes of them.

use acme_types::Effect;

use crate::Event;

/// Marks the ticket of [`crate::Step::Http`].
#[derive(Debug)]
pub enum Http {}

/// Marks the ticket of [`crate::Step::Sign`].
#[derive(Debug)]
pub enum Sign {}

/// Marks the ticket of [`crate::Step::Save`].
#[derive(Debug)]
pub enum Save {}

/// Marks the ticket of [`crate::Step::Present`].
#[derive(Debug)]
pub enum Present {}

/// Marks the ticket of [`crate::Step::Retract`].
#[derive(Debug)]
pub enum Retract {}

/// What came of one HTTP request, sent once: no retry, no redirect followed, no cache.
#[derive(Clone, Debug)]
pub enum HttpOutcome {
    /// A response, whatever its status, its body complete.
    Response(http::Response<Vec<u8>>),
    /// No byte of the request can have reached the server: name not resolved, connection refused,
    /// TLS not agreed.
    NotSent,
    /// The server may or may not have acted: connection lost, time over, response cut short.
    Unknown,
    /// The response was longer than [`crate::Fetch::response_max`]; the rest was not read.
    TooLarge,
}

/// What came of a request for a signature or a message authentication code.
#[derive(Clone, PartialEq, Eq)]
pub enum SignOutcome {
    /// The signature: ECDSA as fixed-width r‖s (RFC 7518 §3.4); or the tag of a MAC.
    Signed(Vec<u8>),
    /// The key can't be used now. Asked again, with back-off.
    Failed,
}

impl std::fmt::Debug for SignOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Signed(_) => "Signed",
            Self::Failed => "Failed",
        })
    }
}

/// What came of a save.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SaveOutcome {
    /// Durable: it survives a crash of the machine from now on.
    Saved,
    /// Not known to be durable. Asked again, with back-off; what depends on it waits.
    Failed,
}

/// What came of presenting a challenge response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PresentOutcome {
    /// The response is published where a validator will find it, propagation included.
    Presented,
    /// This response can't be published here: another challenge type is tried, if there is one.
    Refused,
    /// It failed this time. Asked again, with back-off.
    Failed,
}

/// What came of retracting a challenge response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RetractOutcome {
    /// The response is no longer published; also if it never was.
    Retracted,
    /// It failed this time. Asked again, with back-off.
    Failed,
}

/// The outcome of an effect of any kind.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Of [`crate::Step::Http`].
    Http(HttpOutcome),
    /// Of [`crate::Step::Sign`].
    Sign(SignOutcome),
    /// Of [`crate::Step::Save`].
    Save(SaveOutcome),
    /// Of [`crate::Step::Present`].
    Present(PresentOutcome),
    /// Of [`crate::Step::Retract`].
    Retract(RetractOutcome),
    /// Of [`crate::Step::Event`]: the caller has kept it.
    Event(()),
}

impl Effect for Http {
    type Outcome = HttpOutcome;
    type Erased = Outcome;
    fn erase(outcome: HttpOutcome) -> Outcome {
        Outcome::Http(outcome)
    }
}

impl Effect for Sign {
    type Outcome = SignOutcome;
    type Erased = Outcome;
    fn erase(outcome: SignOutcome) -> Outcome {
        Outcome::Sign(outcome)
    }
}

impl Effect for Save {
    type Outcome = SaveOutcome;
    type Erased = Outcome;
    fn erase(outcome: SaveOutcome) -> Outcome {
        Outcome::Save(outcome)
    }
}

impl Effect for Present {
    type Outcome = PresentOutcome;
    type Erased = Outcome;
    fn erase(outcome: PresentOutcome) -> Outcome {
        Outcome::Present(outcome)
    }
}

impl Effect for Retract {
    type Outcome = RetractOutcome;
    type Erased = Outcome;
    fn erase(outcome: RetractOutcome) -> Outcome {
        Outcome::Retract(outcome)
    }
}

impl Effect for Event {
    type Outcome = ();
    type Erased = Outcome;
    fn erase((): ()) -> Outcome {
        Outcome::Event(())
    }
}
