use serde::{Deserialize, Serialize};

use super::member::{lenient_default, list, problem, time};
use super::{AuthorizationStatus, ChallengeStatus, Known, is_false};
use crate::{ChallengeType, Identifier, Problem, Timestamp, Token, Url};

/// An account's authorization for an identifier (RFC 8555 §7.1.4). Read tolerantly.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Authorization {
    /// What it is for; a wildcard name without its `*.`.
    #[serde(default)]
    pub identifier: Known<Identifier>,
    /// The authorization's state.
    #[serde(default)]
    pub status: Known<AuthorizationStatus>,
    /// When it ends.
    #[serde(default, with = "time", skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The challenges on offer, or the one that was met or failed. One that isn't understood
    /// costs only itself.
    #[serde(default, deserialize_with = "list")]
    pub challenges: Vec<Known<Challenge>>,
    /// Whether it is for the wildcard name.
    #[serde(
        default,
        deserialize_with = "lenient_default",
        skip_serializing_if = "is_false"
    )]
    pub wildcard: bool,
}

impl Authorization {
    /// The challenges that were understood.
    pub fn known_challenges(&self) -> impl Iterator<Item = &Challenge> {
        self.challenges.iter().filter_map(Known::as_known)
    }

    /// The challenge of this type.
    pub fn challenge(&self, kind: &ChallengeType) -> Option<&Challenge> {
        self.known_challenges()
            .find(|challenge| challenge.kind == *kind)
    }
}

/// A way to prove control of an identifier (RFC 8555 §8). Read tolerantly: only `type` and `url`
/// are insisted on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Challenge {
    /// Which way.
    #[serde(rename = "type")]
    pub kind: ChallengeType,
    /// Where the client says that it is ready.
    pub url: Url,
    /// The challenge's state.
    #[serde(default)]
    pub status: Known<ChallengeStatus>,
    /// When it was met.
    #[serde(default, with = "time", skip_serializing_if = "Option::is_none")]
    pub validated: Option<Timestamp>,
    /// Why it failed, or why the last attempt did.
    #[serde(
        default,
        deserialize_with = "problem",
        skip_serializing_if = "Option::is_none"
    )]
    pub error: Option<Problem>,
    /// The token. Some types have none; `Unknown` is one that must not be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Known<Token>>,
}

impl Challenge {
    /// The token, if there is one that may be used.
    pub fn usable_token(&self) -> Option<&Token> {
        self.token.as_ref().and_then(Known::as_known)
    }
}

/// The response to a challenge that has nothing to say but "ready" (RFC 8555 §8): `{}`. Unknown
/// members are ignored; what is no object is refused by the strict reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct EmptyObject {}
