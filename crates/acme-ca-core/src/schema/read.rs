use acme_jws::Thumbprint;
use acme_types::{Identifier, Timestamp};
use serde::{Deserialize, Serialize};

use super::codec::{self, CodecError};
use super::{
    AccountId, AuditId, AuthorizationId, BucketKey, ExchangeId, JobId, OrderId, Serial, Shard,
};

/// The closed list of questions that a machine may ask a store. Each names one row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Read {
    /// An account.
    Account(AccountId),
    /// Which account has this key (invariant I29: at most one, ever).
    AccountKey(Thumbprint),
    /// An order.
    Order(OrderId),
    /// That an account has an order: what the account's list is made of (RFC 8555 §7.1.2.1).
    AccountOrder(AccountId, OrderId),
    /// An authorization with its challenges.
    Authorization(AuthorizationId),
    /// The account's newest valid authorization for an identifier (RFC 8555 §7.6).
    AuthorizationFor(AccountId, Identifier),
    /// What will be signed, durable before it is.
    Intent(Serial),
    /// A certificate, or the presumption of one.
    Certificate(Serial),
    /// Which order replaced a certificate (RFC 9773 §5).
    Replacement(Serial),
    /// A revocation, in the shard whose CRL lists it.
    Revocation(Shard, Serial),
    /// A shard's newest CRL.
    CrlShard(Shard),
    /// A key that may not be certified, by the SHA-256 of its SPKI.
    BlockedKey([u8; 32]),
    /// A job.
    Job(JobId),
    /// That a job is due at a time: what the due scan finds.
    Due(Timestamp, JobId),
    /// The reply that an exchange's commit came with.
    Reply(ExchangeId),
    /// A rate limit's bucket.
    Bucket(BucketKey),
    /// An audit event.
    Audit(AuditId),
}

/// The first byte of a key. Never reused, never renumbered: stores hold them.
pub(super) mod kind {
    pub(crate) const ACCOUNT: u8 = 1;
    pub(crate) const ACCOUNT_KEY: u8 = 2;
    pub(crate) const ORDER: u8 = 3;
    pub(crate) const ACCOUNT_ORDER: u8 = 4;
    pub(crate) const AUTHORIZATION: u8 = 5;
    pub(crate) const AUTHORIZATION_FOR: u8 = 6;
    pub(crate) const INTENT: u8 = 7;
    pub(crate) const CERTIFICATE: u8 = 8;
    pub(crate) const REPLACEMENT: u8 = 9;
    pub(crate) const REVOCATION: u8 = 10;
    pub(crate) const CRL_SHARD: u8 = 11;
    pub(crate) const BLOCKED_KEY: u8 = 12;
    pub(crate) const JOB: u8 = 13;
    pub(crate) const DUE: u8 = 14;
    pub(crate) const REPLY: u8 = 15;
    pub(crate) const BUCKET: u8 = 16;
    pub(crate) const AUDIT: u8 = 17;
}

impl Read {
    /// The row's key in a store. Keys of one kind sort as their fields do.
    pub fn key(&self) -> Vec<u8> {
        match self {
            Self::Account(id) => codec::key(kind::ACCOUNT, &[id.as_bytes()]),
            Self::AccountKey(thumbprint) => codec::key(kind::ACCOUNT_KEY, &[thumbprint.as_bytes()]),
            Self::Order(id) => codec::key(kind::ORDER, &[id.as_bytes()]),
            Self::AccountOrder(account, order) => {
                codec::key(kind::ACCOUNT_ORDER, &[account.as_bytes(), order.as_bytes()])
            }
            Self::Authorization(id) => codec::key(kind::AUTHORIZATION, &[id.as_bytes()]),
            Self::AuthorizationFor(account, identifier) => codec::key(
                kind::AUTHORIZATION_FOR,
                &[
                    account.as_bytes(),
                    codec::identifier_text(identifier).as_bytes(),
                ],
            ),
            Self::Intent(serial) => codec::key(kind::INTENT, &[serial.as_bytes()]),
            Self::Certificate(serial) => codec::key(kind::CERTIFICATE, &[serial.as_bytes()]),
            Self::Replacement(serial) => codec::key(kind::REPLACEMENT, &[serial.as_bytes()]),
            Self::Revocation(shard, serial) => codec::key(
                kind::REVOCATION,
                &[&shard.0.to_be_bytes(), serial.as_bytes()],
            ),
            Self::CrlShard(shard) => codec::key(kind::CRL_SHARD, &[&shard.0.to_be_bytes()]),
            Self::BlockedKey(hash) => codec::key(kind::BLOCKED_KEY, &[hash]),
            Self::Job(id) => codec::key(kind::JOB, &[id.as_bytes()]),
            Self::Due(at, id) => {
                codec::key(kind::DUE, &[&at.as_millis().to_be_bytes(), id.as_bytes()])
            }
            Self::Reply(id) => codec::key(kind::REPLY, &[id.as_bytes()]),
            Self::Bucket(bucket) => codec::key(kind::BUCKET, &[bucket.as_str().as_bytes()]),
            Self::Audit(id) => codec::key(kind::AUDIT, &[id.as_bytes()]),
        }
    }

    /// The question whose row has this key.
    ///
    /// # Errors
    /// [`CodecError`] if no question has it: the store is another version's, or damaged.
    pub fn from_key(key: &[u8]) -> Result<Self, CodecError> {
        let mut parts = codec::KeyReader::new(key);
        let read = match parts.kind()? {
            kind::ACCOUNT => Self::Account(AccountId::from_bytes(parts.array()?)),
            kind::ACCOUNT_KEY => Self::AccountKey(Thumbprint::new(parts.array()?)),
            kind::ORDER => Self::Order(OrderId::from_bytes(parts.array()?)),
            kind::ACCOUNT_ORDER => Self::AccountOrder(
                AccountId::from_bytes(parts.array()?),
                OrderId::from_bytes(parts.array()?),
            ),
            kind::AUTHORIZATION => Self::Authorization(AuthorizationId::from_bytes(parts.array()?)),
            kind::AUTHORIZATION_FOR => Self::AuthorizationFor(
                AccountId::from_bytes(parts.array()?),
                codec::identifier_from_text(parts.text()?)?,
            ),
            kind::INTENT => Self::Intent(parts.serial()?),
            kind::CERTIFICATE => Self::Certificate(parts.serial()?),
            kind::REPLACEMENT => Self::Replacement(parts.serial()?),
            kind::REVOCATION => {
                Self::Revocation(Shard(u16::from_be_bytes(parts.array()?)), parts.serial()?)
            }
            kind::CRL_SHARD => Self::CrlShard(Shard(u16::from_be_bytes(parts.array()?))),
            kind::BLOCKED_KEY => Self::BlockedKey(parts.array()?),
            kind::JOB => Self::Job(JobId::from_bytes(parts.array()?)),
            kind::DUE => Self::Due(
                Timestamp::from_millis(u64::from_be_bytes(parts.array()?)),
                JobId::from_bytes(parts.array()?),
            ),
            kind::REPLY => Self::Reply(ExchangeId::from_bytes(parts.array()?)),
            kind::BUCKET => Self::Bucket(BucketKey::new(parts.text()?)),
            kind::AUDIT => Self::Audit(AuditId::from_bytes(parts.array()?)),
            _ => return Err(CodecError::Key),
        };
        parts.end()?;
        Ok(read)
    }
}
