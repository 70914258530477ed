//! Looking again and again at something that the server is working on.

use std::time::Duration;

use acme_types::Timestamp;

/// When to look next, and since when nothing happened.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Poll {
    pub(crate) at: Timestamp,
    since: Timestamp,
    looks: u32,
}

/// The longest pause between two looks that is chosen here; a server may choose a longer one.
const PAUSE_MAX: Duration = Duration::from_secs(30);
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// 1 s · 2⁵ is more than [`PAUSE_MAX`].
const DOUBLINGS_MAX: u32 = 5;

impl Poll {
    /// A first look, at once.
    pub(crate) fn start(now: Timestamp) -> Self {
        Self {
            at: now,
            since: now,
            looks: 0,
        }
    }

    /// A first look after a pause: when the server says, or in a second.
    pub(crate) fn after(now: Timestamp, retry_after: Option<Timestamp>) -> Self {
        Self {
            at: retry_after.unwrap_or_else(|| now.after(PAUSE_MIN)),
            since: now,
            looks: 0,
        }
    }

    /// The next look, when the server says or after a pause that grows; `None` when `patience` is
    /// used up by then.
    pub(crate) fn next(
        self,
        now: Timestamp,
        retry_after: Option<Timestamp>,
        patience: Duration,
    ) -> Option<Self> {
        let pause = PAUSE_MIN
            .saturating_mul(1 << self.looks.min(DOUBLINGS_MAX))
            .min(PAUSE_MAX);
        let at = retry_after.unwrap_or_else(|| now.after(pause));
        let looks = self.looks.saturating_add(1);
        (at.since(self.since) <= patience).then_some(Self { at, looks, ..self })
    }
}
