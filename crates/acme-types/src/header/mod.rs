//! Header values: `Retry-After`, `Link`, `Replay-Nonce`, media types, HTTP dates.

pub mod http_date;
mod link;
pub mod media_type;
mod nonce;
mod retry_after;

pub use link::{LINKS_MAX, Link, parse_links};
pub use nonce::{REPLAY_NONCE, replay_nonce};
pub use retry_after::{RETRY_AFTER_MAX, RETRY_AFTER_MIN, RetryAfter};
