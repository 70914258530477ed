//! How long to wait before the next try, and the spread that keeps clients apart.

use std::time::Duration;

/// The first pause between two tries of one request.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// 1 s · 2⁶ is more than [`PAUSE_MAX`].
const DOUBLINGS_MAX: u32 = 6;

/// Pauses between attempts of a job: 1 min, 10 min, 100 min, then a day (the ladder that the
/// integration guide of Let's Encrypt asks for).
const LADDER: [Duration; 4] = [
    Duration::from_secs(60),
    Duration::from_secs(600),
    Duration::from_secs(6_000),
    Duration::from_secs(86_400),
];

/// Numbers for jitter from a seed (SplitMix64). Not for secrets.
#[derive(Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The pause before try `attempt` + 1 of a request: doubled each time, and up to a half
    /// longer.
    pub(crate) fn pause(&mut self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(DOUBLINGS_MAX);
        let pause = PAUSE_MIN.saturating_mul(1 << doublings).min(PAUSE_MAX);
        self.spread(pause, 2)
    }

    /// The pause after a job's attempt number `failures` failed: the ladder, and up to a tenth
    /// longer.
    pub(crate) fn rung(&mut self, failures: u32) -> Duration {
        let at = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
        let [.., last] = LADDER;
        self.spread(LADDER.get(at).copied().unwrap_or(last), 10)
    }

    /// `pause`, up to one `part`th longer.
    fn spread(&mut self, pause: Duration, part: u32) -> Duration {
        let most = pause.checked_div(part).unwrap_or_default().as_millis();
        let most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        let more = self.next().checked_rem(most).unwrap_or_default();
        pause.saturating_add(Duration::from_millis(more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_cap_and_never_wrap() {
        let mut jitter = Jitter::new(7);
        let mut last = Duration::ZERO;
        for attempt in [1, 2, 3, 4, 5, 6, 7, 8, 1_000_000, u32::MAX] {
            let pause = jitter.pause(attempt);
            assert!(pause >= PAUSE_MIN && pause <= PAUSE_MAX.saturating_mul(3) / 2);
            assert!(attempt > 6 || pause >= last * 2 / 3, "{attempt}");
            last = pause;
        }
        for (failures, secs) in [(0, 60), (1, 60), (2, 600), (3, 6_000), (4, 86_400)] {
            let rung = jitter.rung(failures).as_secs();
            assert!(
                (secs..=secs + secs / 10).contains(&rung),
                "{failures}: {rung}"
            );
        }
        assert!(jitter.rung(u32::MAX) >= Duration::from_secs(86_400));
    }

    #[test]
    fn a_seed_gives_the_same_numbers() {
        let numbers = |seed| {
            let mut jitter = Jitter::new(seed);
            [jitter.next(), jitter.next(), jitter.next()]
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
    }
}
