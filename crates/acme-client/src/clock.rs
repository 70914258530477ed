//! The wall clock and the random source: the shell brings both to the machine as values.

use std::time::{SystemTime, UNIX_EPOCH};

use acme_types::Timestamp;

/// Now, by the system's clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::EPOCH.after(since)
}

/// Bytes of the system's random source.
///
/// # Errors
/// The system has none to give.
pub fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

/// A number that no other start has: for tickets and the names of jobs.
///
/// # Errors
/// As [`random`].
pub fn fresh_number() -> std::io::Result<u64> {
    random().map(u64::from_le_bytes)
}
