//! What a CA remembers: the closed list of questions ([`Read`]), the closed list of records
//! ([`Row`]), and the one way to change them ([`Commit`]).
//!
//! A store is an ordered map from keys to versioned rows. It needs to know nothing of ACME: keys
//! and rows are bytes to it, and every rule is in the guards of a commit.

mod codec;
mod commit;
mod id;
mod read;
mod row;
mod scan;
mod view;

pub use codec::CodecError;
pub use commit::{AuditEvent, BucketKey, Commit, Committed, Spend, Version, Write};
pub use id::{
    AccountId, AuditId, AuthorizationId, ExchangeId, IdError, JobId, OrderId, Serial, Shard,
};
pub use read::Read;
pub use row::{
    AccountKeyRow, AccountOrderRow, AccountRow, AuditRow, AuthorizationForRow, AuthorizationRow,
    BlockedKeyRow, BucketRow, CertificateRow, ChallengeRow, ChallengeState, CrlShardRow, DueRow,
    IntentRow, IntentState, JobRow, JobState, OrderRow, OrderState, ReplacementRow, ReplyRow,
    RevocationRow, Row,
};
pub use scan::Scan;
pub use view::{Loaded, Missing, View};
