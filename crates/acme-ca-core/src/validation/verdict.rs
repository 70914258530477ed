use acme_types::{ChallengeType, Identifier, Problem, Timestamp, Token, Url};
use serde::{Deserialize, Serialize};

/// A perspective's name in the configuration.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PerspectiveId(pub String);

/// One attempt at one challenge, fresh for every attempt, so that no verdict of an earlier one
/// counts (BR §3.2.2.9).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct AttemptId(pub [u8; 16]);

/// What a perspective is asked to validate. All of it is public.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProbeRequest {
    /// The attempt.
    pub attempt: AttemptId,
    /// What is to be proved control of; a wildcard's base name.
    pub identifier: Identifier,
    /// Whether the certificate would carry the wildcard of it, which CAA must permit.
    pub wildcard: bool,
    /// By which method.
    pub method: ChallengeType,
    /// The challenge's token.
    pub token: Token,
    /// The key authorization (RFC 8555 §8.1).
    pub key_authorization: String,
    /// The account's URL, for CAA's `accounturi` (RFC 8657 §3).
    pub account: Url,
    /// Without a verdict by then the perspective counts as failed.
    pub deadline: Timestamp,
}

/// What a perspective found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// Who says so.
    pub perspective: PerspectiveId,
    /// Of which attempt.
    pub attempt: AttemptId,
    /// Whether control of the identifier was proved.
    pub control: Result<(), Problem>,
    /// Whether CAA permits issuance; not looked at if control wasn't proved.
    pub caa: Option<Result<(), Problem>>,
}
