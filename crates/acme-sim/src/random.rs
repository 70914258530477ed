use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A component's own stream of random numbers, split from the world's seed by label, so that one
/// component's draws don't shift another's.
#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream of this component in the world of this seed.
    pub fn new(seed: u64, component: &str) -> Self {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.to_be_bytes());
        for (to, from) in key[8..].iter_mut().zip(component.bytes()) {
            *to = from;
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.number() % (high - low + 1)
    }

    /// True with this probability in parts per thousand.
    pub fn chance(&mut self, per_mille: u16) -> bool {
        self.between(0, 999) < u64::from(per_mille)
    }

    /// 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}
