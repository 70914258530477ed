//! How long the reply of a commit is kept. Its exchange alone ever asks for it, after an outcome
//! that nobody knew; no exchange lives for an hour, whatever its store does.

use std::time::Duration;

use acme_types::Timestamp;

use crate::schema::{Commit, Read, Scan, Write};

/// Longer than the longest exchange, and than clocks of nodes differ, by far.
pub const REPLY_RETENTION: Duration = Duration::from_secs(24 * 3_600);
/// How many go in one commit, which should stay small.
const SWEEP_MAX: usize = 500;

/// What finds the replies that nobody asks for any more, a commit's worth of them.
pub fn stale_replies(now: Timestamp) -> Scan {
    Scan::Replies {
        before: now.before(REPLY_RETENTION),
        limit: SWEEP_MAX,
    }
}

/// The commit that deletes what the scan found; `None` if that is nothing. Harmless beside others
/// that do the same, and if it is lost. There may be more as long as it isn't `None`.
pub fn sweep_replies(found: &[Read]) -> Option<Commit> {
    let replies = found.iter().filter(|read| matches!(read, Read::Reply(_)));
    let writes: Vec<Write> = replies.cloned().map(Write::Delete).collect();
    (!writes.is_empty()).then(|| Commit {
        writes,
        ..Commit::default()
    })
}
