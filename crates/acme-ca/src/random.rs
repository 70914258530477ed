//! The operating system's random source, the one place that asks it.

use acme_ca_core::Entropy;

/// Random bytes.
///
/// # Panics
/// If the system has no random source. Without one a CA must not do anything, and there is no one
/// to give an error to that could help.
#[expect(clippy::expect_used, reason = "no random source: nothing may go on")]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system's random source");
    bytes
}

/// 32 random bytes for a machine.
pub(crate) fn entropy() -> Entropy {
    Entropy::new(bytes())
}

/// A seed for tickets.
pub(crate) fn seed() -> u64 {
    u64::from_be_bytes(bytes())
}
