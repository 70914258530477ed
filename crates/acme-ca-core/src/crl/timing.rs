use std::time::Duration;

/// BR §7.2: nextUpdate is "at most 10 days after the thisUpdate", and a second less, since both
/// ends count.
pub const CRL_LIFETIME_MAX: Duration = Duration::from_secs(10 * DAY - 1);
/// BR §4.9.7: a new CRL at least every four days, if certificates have no OCSP pointer.
const INTERVAL_MAX: Duration = Duration::from_secs(4 * DAY);
/// More often than this only makes load: a revocation makes a run of its own.
const INTERVAL_MIN: Duration = Duration::from_secs(60);
const DAY: u64 = 86_400;

/// How often CRLs are made, and how long each holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CrlTiming {
    interval: Duration,
    lifetime: Duration,
}

/// A timing that the rules don't allow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TimingError {
    /// Not between a minute and four days.
    #[error("a CRL must be made at least every four days, and at most every minute")]
    Interval,
    /// Longer than [`CRL_LIFETIME_MAX`], not in whole seconds, or shorter than two intervals.
    #[error("a CRL must hold for at least two intervals, and less than ten days")]
    Lifetime,
}

impl CrlTiming {
    /// CRLs made every `interval`, or sooner after a revocation, that hold for `lifetime`.
    ///
    /// # Errors
    /// [`TimingError`].
    pub fn new(interval: Duration, lifetime: Duration) -> Result<Self, TimingError> {
        if !(INTERVAL_MIN..=INTERVAL_MAX).contains(&interval) {
            return Err(TimingError::Interval);
        }
        let two = interval.saturating_mul(2);
        if lifetime.subsec_nanos() != 0 || !(two..=CRL_LIFETIME_MAX).contains(&lifetime) {
            return Err(TimingError::Lifetime);
        }
        Ok(Self { interval, lifetime })
    }

    /// How long after one regular CRL the next is made.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// From thisUpdate to nextUpdate.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

/// Every six hours, for nine days: an outage of a week is survived.
impl Default for CrlTiming {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(DAY / 4),
            lifetime: Duration::from_secs(9 * DAY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timing_keeps_the_baseline_requirements() {
        let check = |interval: u64, lifetime: u64, expected: Option<TimingError>| {
            let timing =
                CrlTiming::new(Duration::from_secs(interval), Duration::from_secs(lifetime));
            assert_eq!(timing.err(), expected);
        };
        let default = CrlTiming::default();
        assert_eq!(
            CrlTiming::new(default.interval, default.lifetime),
            Ok(default)
        );
        check(3_600, 10 * DAY - 1, None);
        check(3_600, 10 * DAY, Some(TimingError::Lifetime));
        check(3_600, 3_600, Some(TimingError::Lifetime));
        check(4 * DAY + 1, 9 * DAY, Some(TimingError::Interval));
        check(1, DAY, Some(TimingError::Interval));
    }
}
