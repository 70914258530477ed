use std::time::Duration;

/// Named probabilities, in parts per thousand, and what they happen to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Faults {
    /// A request or a response is lost on the network.
    pub network_loss: u16,
    /// A request is delivered twice.
    pub network_duplicate: u16,
    /// A message takes much longer than others, and so arrives out of order.
    pub network_late: u16,
    /// An effect is never answered.
    pub effect_lost: u16,
    /// An effect's answer comes much later than others.
    pub effect_late: u16,
    /// A client's save fails.
    pub save_fails: u16,
    /// A commit meets a conflict that isn't there.
    pub store_conflict: u16,
    /// A commit's outcome is unknown; half of them are durable.
    pub commit_unknown: u16,
    /// A load or a scan fails.
    pub store_unavailable: u16,
    /// A signer doesn't know whether it signed.
    pub sign_unknown: u16,
    /// A node crashes after any one event.
    pub crash: u16,
}

impl Faults {
    /// A world in which everything works, in an order that nobody promised.
    pub const NONE: Self = Self {
        network_loss: 0,
        network_duplicate: 0,
        network_late: 0,
        effect_lost: 0,
        effect_late: 0,
        save_fails: 0,
        store_conflict: 0,
        commit_unknown: 0,
        store_unavailable: 0,
        sign_unknown: 0,
        crash: 0,
    };

    /// A bad day: everything fails now and then.
    pub const ALL: Self = Self {
        network_loss: 50,
        network_duplicate: 30,
        network_late: 80,
        effect_lost: 15,
        effect_late: 50,
        save_fails: 30,
        store_conflict: 60,
        commit_unknown: 30,
        store_unavailable: 20,
        sign_unknown: 30,
        crash: 4,
    };
}

/// How long things take: a draw between the two.
pub(crate) const NETWORK_DELAY: (u64, u64) = (1, 80);
pub(crate) const EFFECT_DELAY: (u64, u64) = (0, 30);
/// How long late things take, in milliseconds: longer than most deadlines.
pub(crate) const LATE_DELAY: (u64, u64) = (1_000, 90_000);
/// How long a crashed node stays down, in milliseconds.
pub(crate) const DOWN: (u64, u64) = (10, 20_000);
/// How often the CA's node scans for due jobs.
pub(crate) const DUE_SCAN_PERIOD: Duration = Duration::from_secs(1);

/// A bug planted in the world's shell, to see that the invariants catch its like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Plant {
    /// None.
    #[default]
    Nothing,
    /// Safety: the store commits without looking at guards.
    GuardsIgnored,
    /// Lost state: the store says "durable" before it is, and a crash takes the last commits.
    SyncSkipped,
    /// Liveness: nobody ever looks for jobs whose holder died.
    DueJobsForgotten,
}
