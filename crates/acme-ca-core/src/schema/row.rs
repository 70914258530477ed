//! The closed list of records. A row's fields are what format 1 holds, in this order: a change is
//! a new format.

use acme_jws::{Jwk, Thumbprint};
use acme_types::{
    AccountStatus, AuthorizationStatus, ChallengeType, Identifier, Problem, RevocationReason,
    Timestamp, Token,
};
use serde::{Deserialize, Serialize};

use super::codec::json;
use super::{
    AccountId, AuditId, AuthorizationId, BucketKey, ExchangeId, JobId, OrderId, Read, Serial, Shard,
};

/// One record. [`Row::read`] is the question that it answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each variant is its row's name")]
pub enum Row {
    Account(AccountRow),
    AccountKey(AccountKeyRow),
    Order(OrderRow),
    AccountOrder(AccountOrderRow),
    Authorization(AuthorizationRow),
    AuthorizationFor(AuthorizationForRow),
    Intent(IntentRow),
    Certificate(CertificateRow),
    Replacement(ReplacementRow),
    Revocation(RevocationRow),
    CrlShard(CrlShardRow),
    BlockedKey(BlockedKeyRow),
    Job(JobRow),
    Due(DueRow),
    Reply(ReplyRow),
    Bucket(BucketRow),
    Audit(AuditRow),
}

impl Row {
    /// The question that this row answers.
    pub fn read(&self) -> Read {
        match self {
            Self::Account(row) => Read::Account(row.id),
            Self::AccountKey(row) => Read::AccountKey(row.thumbprint),
            Self::Order(row) => Read::Order(row.id),
            Self::AccountOrder(row) => Read::AccountOrder(row.account, row.order),
            Self::Authorization(row) => Read::Authorization(row.id),
            Self::AuthorizationFor(row) => {
                Read::AuthorizationFor(row.account, row.identifier.clone())
            }
            Self::Intent(row) => Read::Intent(row.serial),
            Self::Certificate(row) => Read::Certificate(row.serial),
            Self::Replacement(row) => Read::Replacement(row.serial),
            Self::Revocation(row) => Read::Revocation(row.shard, row.serial),
            Self::CrlShard(row) => Read::CrlShard(row.shard),
            Self::BlockedKey(row) => Read::BlockedKey(row.spki_sha256),
            Self::Job(row) => Read::Job(row.id),
            Self::Due(row) => Read::Due(row.due, row.job),
            Self::Reply(row) => Read::Reply(row.exchange),
            Self::Bucket(row) => Read::Bucket(row.key.clone()),
            Self::Audit(row) => Read::Audit(row.id),
        }
    }
}

/// An account (RFC 8555 §7.1.2).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccountRow {
    /// Its id, the last part of its URL.
    pub id: AccountId,
    /// Its current key.
    #[serde(with = "json")]
    pub key: Jwk,
    /// valid, deactivated or revoked.
    #[serde(with = "json")]
    pub status: AccountStatus,
    /// Contact URLs, as given.
    pub contact: Vec<String>,
    /// Whether the terms of service were agreed to.
    pub terms_of_service_agreed: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// The key id of the external account that it is bound to (RFC 8555 §7.3.4).
    pub external_account: Option<String>,
}

/// Which account has a key. Stays when the account is deactivated, so that nobody makes another
/// with the same key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccountKeyRow {
    /// The key's thumbprint (RFC 7638).
    pub thumbprint: Thumbprint,
    /// Its account.
    pub account: AccountId,
}

/// An order (RFC 8555 §7.1.3). `pending`, `ready` and what follows from its authorizations are
/// derived, not stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OrderRow {
    /// Its id, the last part of its URL.
    pub id: OrderId,
    /// Whose it is.
    pub account: AccountId,
    /// Folded, sorted, without duplicates; immutable.
    #[serde(with = "json")]
    pub identifiers: Vec<Identifier>,
    /// One authorization for each identifier, in the same order.
    pub authorizations: Vec<AuthorizationId>,
    /// The requested notBefore.
    pub not_before: Option<Timestamp>,
    /// The requested notAfter.
    pub not_after: Option<Timestamp>,
    /// The profile (draft-ietf-acme-profiles): always one, the default if none was asked for.
    pub profile: String,
    /// Whether the client asked for the profile by name; only then it is echoed.
    pub profile_requested: bool,
    /// The certificate that this order replaces (RFC 9773 §5).
    pub replaces: Option<Serial>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ceases to be usable unless it is valid.
    pub expires: Timestamp,
    /// What has come of it.
    pub state: OrderState,
}

/// What is stored of an order's state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum OrderState {
    /// Not finalized: pending, ready or invalid, as its authorizations and the time say.
    Open,
    /// Finalized; a job is issuing under this serial.
    Processing {
        /// The serial of the current intent.
        serial: Serial,
        /// The issuance job.
        job: JobId,
    },
    /// Issued.
    Valid {
        /// The certificate's serial.
        serial: Serial,
    },
    /// Failed for good.
    Invalid {
        /// Why, as the order's `error`.
        #[serde(with = "json")]
        problem: Problem,
    },
}

/// That an account has an order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccountOrderRow {
    /// The account.
    pub account: AccountId,
    /// Its order.
    pub order: OrderId,
}

/// An authorization with its challenges (RFC 8555 §7.1.4). `expired` is derived.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AuthorizationRow {
    /// Its id, the last part of its URL.
    pub id: AuthorizationId,
    /// Whose it is.
    pub account: AccountId,
    /// The order that it was made for.
    pub order: Option<OrderId>,
    /// The identifier, a wildcard's base name without the `*.`.
    #[serde(with = "json")]
    pub identifier: Identifier,
    /// Whether the order named the wildcard of `identifier`.
    pub wildcard: bool,
    /// pending, valid, invalid, deactivated or revoked.
    #[serde(with = "json")]
    pub status: AuthorizationStatus,
    /// When it was made; a token is no older (BR: at most 30 days).
    pub created_at: Timestamp,
    /// When it ceases to count.
    pub expires: Timestamp,
    /// One for each method on offer.
    pub challenges: Vec<ChallengeRow>,
    /// When CAA last permitted issuance; set when it became valid.
    pub caa_checked_at: Option<Timestamp>,
}

/// A challenge (RFC 8555 §7.1.5, §8).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChallengeRow {
    /// The method, the last part of its URL.
    #[serde(with = "json")]
    pub kind: ChallengeType,
    /// Its token.
    #[serde(with = "json")]
    pub token: Token,
    /// Where it is.
    pub state: ChallengeState,
    /// How many attempts were made or begun.
    pub attempts: u16,
    /// What was wrong at the last attempt.
    #[serde(with = "json")]
    pub error: Option<Problem>,
}

/// Where a challenge is (RFC 8555 §7.1.6).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ChallengeState {
    /// Not responded to.
    Pending,
    /// An attempt is under way.
    Processing {
        /// The validation job.
        job: JobId,
    },
    /// The last attempt failed; the client may ask for the next one (RFC 8555 §8.2). On the wire
    /// this is `processing` with an error.
    Retryable {
        /// Not before this.
        retry_after: Timestamp,
    },
    /// Validated.
    Valid {
        /// When.
        validated: Timestamp,
    },
    /// Failed for good.
    Invalid,
}

/// An account's newest valid authorization for an identifier.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AuthorizationForRow {
    /// The account.
    pub account: AccountId,
    /// The identifier, a wildcard with its `*.`.
    #[serde(with = "json")]
    pub identifier: Identifier,
    /// The authorization.
    pub authorization: AuthorizationId,
    /// When it ceases to count.
    pub expires: Timestamp,
}

/// What will be signed, durable before it is (invariant I11), and what is needed to start over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IntentRow {
    /// The serial, this intent's alone.
    pub serial: Serial,
    /// The order.
    pub order: OrderId,
    /// The order's account.
    pub account: AccountId,
    /// The issuer's name in the configuration.
    pub issuer: String,
    /// The profile's name.
    pub profile: String,
    /// SHA-256 of the profile as it was at finalize (invariant I9).
    pub profile_sha256: [u8; 32],
    /// The CSR, DER.
    pub csr: Vec<u8>,
    /// The certificate's names, as in the order.
    #[serde(with = "json")]
    pub identifiers: Vec<Identifier>,
    /// The TBSCertificate that is to be signed first: the precertificate's, or the certificate's
    /// where the profile has no CT.
    pub tbs: Vec<u8>,
    /// notBefore.
    pub not_before: Timestamp,
    /// notAfter, inclusive.
    pub not_after: Timestamp,
    /// The shard whose CRL would list it.
    pub shard: Shard,
    /// When the intent was made.
    pub created_at: Timestamp,
    /// What came of it.
    pub state: IntentState,
}

/// What came of an intent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum IntentState {
    /// Its job is at it, or died at it.
    Open,
    /// A certificate was stored.
    Issued,
    /// Whether a signature was made isn't known: a precertificate is presumed, and is revoked.
    Presumed,
    /// No signature was asked for.
    Dropped,
}

/// A certificate, or the presumption of one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CertificateRow {
    /// Its serial.
    pub serial: Serial,
    /// The issuer's name in the configuration.
    pub issuer: String,
    /// The order.
    pub order: OrderId,
    /// The order's account.
    pub account: AccountId,
    /// Its names, as in the order.
    #[serde(with = "json")]
    pub identifiers: Vec<Identifier>,
    /// The final certificate, DER. `None`: presumed only.
    pub der: Option<Vec<u8>>,
    /// The precertificate, DER, where there was one.
    pub precertificate: Option<Vec<u8>>,
    /// SHA-256 of the SPKI that it certifies.
    pub spki_sha256: [u8; 32],
    /// notBefore.
    pub not_before: Timestamp,
    /// notAfter, inclusive.
    pub not_after: Timestamp,
    /// The shard whose CRL would list it.
    pub shard: Shard,
}

/// Which order replaced a certificate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReplacementRow {
    /// The certificate replaced.
    pub serial: Serial,
    /// The order that replaces it.
    pub order: OrderId,
}

/// A revocation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RevocationRow {
    /// The shard whose CRL lists it.
    pub shard: Shard,
    /// The certificate revoked.
    pub serial: Serial,
    /// When.
    pub revoked_at: Timestamp,
    /// Why.
    #[serde(with = "json")]
    pub reason: RevocationReason,
    /// The certificate's notAfter: the entry stays until one CRL after it (RFC 5280 §3.3).
    pub not_after: Timestamp,
}

/// A shard's newest CRL.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CrlShardRow {
    /// The shard.
    pub shard: Shard,
    /// The CRL number, strictly rising.
    pub number: u64,
    /// thisUpdate.
    pub this_update: Timestamp,
    /// nextUpdate.
    pub next_update: Timestamp,
    /// The CRL, DER.
    pub der: Vec<u8>,
}

/// A key that may not be certified.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BlockedKeyRow {
    /// SHA-256 of its SPKI.
    pub spki_sha256: [u8; 32],
    /// Since when.
    pub blocked_at: Timestamp,
}

/// Long work, at a resume point. Born leased: until `due` it is whose commit made it, after that
/// anyone's who wins the commit that moves `due`. The row's version is the fencing token.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// When anyone may take it.
    pub due: Timestamp,
    /// How often it was taken; 1 at birth.
    pub attempt: u32,
    /// What is to be done.
    pub state: JobState,
}

/// What a job is to do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum JobState {
    /// Validate a challenge.
    Validation {
        /// Its authorization.
        authorization: AuthorizationId,
        /// Its method.
        #[serde(with = "json")]
        challenge: ChallengeType,
    },
    /// Issue for an order under an intent.
    Issuance {
        /// The order.
        order: OrderId,
        /// The intent.
        serial: Serial,
    },
    /// Make a shard's next CRL.
    CrlRun {
        /// The shard.
        shard: Shard,
    },
}

/// That a job is due at a time. Moved in every commit that moves the job's `due`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DueRow {
    /// The job's `due`.
    pub due: Timestamp,
    /// The job.
    pub job: JobId,
}

/// The reply that an exchange's commit came with, read first after an unknown outcome.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReplyRow {
    /// The exchange.
    pub exchange: ExchangeId,
    /// When.
    pub at: Timestamp,
    /// The HTTP status.
    pub status: u16,
    /// The headers that depend on the decision, name and value.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The job that the commit gave birth to, for this node to start.
    pub spawn: Option<JobId>,
}

/// A rate limit's bucket (GCRA).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BucketRow {
    /// Which bucket.
    pub key: BucketKey,
    /// The theoretical arrival time.
    pub stored: Timestamp,
}

/// An audit event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its id, ordered by time.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// What was decided, on what, in one line.
    pub event: String,
}
