use acme_types::Timestamp;

use super::read::kind;
use super::{AccountId, OrderId, Read, Serial, Shard, codec};

/// A question that many rows answer. What it finds is a hint: keys, in order, that a machine
/// loads and guards one by one before it relies on them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scan {
    /// [`Read::Due`] keys of jobs that anyone may take, oldest first.
    DueJobs {
        /// Due at this time or earlier.
        until: Timestamp,
        /// At most this many.
        limit: usize,
    },
    /// [`Read::AccountOrder`] keys of an account, oldest first.
    AccountOrders {
        /// Whose.
        account: AccountId,
        /// After this one.
        after: Option<OrderId>,
        /// At most this many.
        limit: usize,
    },
    /// [`Read::Revocation`] keys of a shard, by serial.
    Revocations {
        /// Which shard.
        shard: Shard,
        /// After this one.
        after: Option<Serial>,
        /// At most this many.
        limit: usize,
    },
    /// [`Read::Reply`] keys, oldest first.
    Replies {
        /// Of exchanges that arrived before this time.
        before: Timestamp,
        /// At most this many.
        limit: usize,
    },
    /// [`Read::Audit`] keys, oldest first.
    Audit {
        /// From this time.
        from: Timestamp,
        /// At most this many.
        limit: usize,
    },
}

impl Scan {
    /// The range of keys, from the first to before the second, and how many at most.
    pub fn range(&self) -> (Vec<u8>, Vec<u8>, usize) {
        match self {
            Self::DueJobs { until, limit } => {
                let end = until.as_millis().saturating_add(1).to_be_bytes();
                (
                    codec::key(kind::DUE, &[]),
                    codec::key(kind::DUE, &[&end]),
                    *limit,
                )
            }
            Self::AccountOrders {
                account,
                after,
                limit,
            } => {
                let prefix = codec::key(kind::ACCOUNT_ORDER, &[account.as_bytes()]);
                let start = match after {
                    Some(order) => past(Read::AccountOrder(*account, *order).key()),
                    None => prefix.clone(),
                };
                (start, end_of(prefix), *limit)
            }
            Self::Revocations {
                shard,
                after,
                limit,
            } => {
                let prefix = codec::key(kind::REVOCATION, &[&shard.0.to_be_bytes()]);
                let start = match after {
                    Some(serial) => past(Read::Revocation(*shard, *serial).key()),
                    None => prefix.clone(),
                };
                (start, end_of(prefix), *limit)
            }
            Self::Replies { before, limit } => {
                let time = before.as_millis().to_be_bytes();
                let end = codec::key(kind::REPLY, &[time.get(2..).unwrap_or(&[])]);
                (codec::key(kind::REPLY, &[]), end, *limit)
            }
            Self::Audit { from, limit } => {
                let time = from.as_millis().to_be_bytes();
                let start = codec::key(kind::AUDIT, &[time.get(2..).unwrap_or(&[])]);
                (start, end_of(codec::key(kind::AUDIT, &[])), *limit)
            }
        }
    }
}

/// The first key after this one.
fn past(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

/// The first key after all that start so.
fn end_of(mut prefix: Vec<u8>) -> Vec<u8> {
    while let Some(last) = prefix.pop() {
        if let Some(next) = last.checked_add(1) {
            prefix.push(next);
            break;
        }
    }
    prefix
}
