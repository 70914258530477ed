//! The wall clock, the one place that looks at it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use acme_types::Timestamp;

/// Timers longer than this are set again when they fire: the wall clock may have been moved.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// Now. A clock set to before 1970 counts as 1970.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// What is left until then; nothing if it has passed.
pub(crate) fn left(until: Timestamp) -> Duration {
    until.since(now())
}

/// Until then, or a while: the caller looks at the clock again.
pub(crate) async fn sleep_until(until: Timestamp) {
    tokio::time::sleep(left(until).min(SLEEP_MAX)).await;
}

/// The future's output, or `None` if it isn't there by then.
pub(crate) async fn by<F: Future>(deadline: Timestamp, future: F) -> Option<F::Output> {
    tokio::time::timeout(left(deadline), future).await.ok()
}
