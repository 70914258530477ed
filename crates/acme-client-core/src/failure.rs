//! Why something did not succeed: whose fault first, and nothing lost that the server said.

use std::fmt;

use acme_types::{ChallengeType, Identifier, Problem, ProblemType, Timestamp};
use serde::{Deserialize, Serialize};

/// What went wrong, as data that a scheduler can act on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{operation}: {fault}")]
#[non_exhaustive]
pub struct Failure {
    /// Whose fault.
    pub fault: Fault,
    /// What was being done.
    pub operation: Operation,
    /// The HTTP status, if there was a response.
    #[serde(default)]
    pub status: Option<u16>,
    /// The server's problem document. Its text is the server's: escape it before showing it.
    #[serde(default)]
    pub problem: Option<Box<Problem>>,
    /// When the server said to come back, already clamped.
    #[serde(default)]
    pub retry_after: Option<Timestamp>,
    /// What was wrong with which identifier.
    #[serde(default)]
    pub identifiers: Vec<IdentifierFailure>,
}

/// What was wrong with one identifier.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IdentifierFailure {
    /// Which.
    pub identifier: Identifier,
    /// The challenge that was tried.
    #[serde(default)]
    pub challenge: Option<ChallengeType>,
    /// What the server said of it.
    #[serde(default)]
    pub problem: Option<Box<Problem>>,
}

/// Whose fault a failure is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The server refused, and said why: see [`Failure::problem`].
    #[error("the server refused")]
    ServerRefused,
    /// The server has trouble of its own (5xx), or wants fewer requests (429).
    #[error("the server is not available")]
    ServerUnavailable,
    /// The server broke the protocol.
    #[error("the server broke the protocol: {0}")]
    ServerMisbehaved(Misbehaviour),
    /// No request reached the server.
    #[error("the server could not be reached")]
    Unreachable,
    /// Requests were sent, and no answer came.
    #[error("the server did not answer")]
    Unanswered,
    /// The order or the authorization stayed as it was for too long.
    #[error("the server did not come to an end in time")]
    Unfinished,
    /// No challenge type that is offered can be presented here.
    #[error("no offered challenge can be presented")]
    NoChallenge,
    /// The shell could not sign.
    #[error("the key could not be used")]
    Signing,
    /// The shell could not present a challenge response.
    #[error("the challenge response could not be presented")]
    Presenting,
    /// A key, an identifier or a certificate of the caller's doesn't fit the purpose.
    #[error("the request can't be made from what was given")]
    Unsuitable,
}

/// How a server broke the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// A body that is not the object it should be.
    #[error("malformed body")]
    MalformedBody,
    /// A response longer than any honest one.
    #[error("response too large")]
    TooLarge,
    /// A status that the operation doesn't have.
    #[error("unexpected status")]
    UnexpectedStatus,
    /// The URL of a new resource is missing.
    #[error("no Location header")]
    MissingLocation,
    /// A URL that is none.
    #[error("bad URL")]
    BadUrl,
    /// A URL without TLS.
    #[error("URL without TLS")]
    PlainHttp,
    /// A URL at an origin that is not this CA's.
    #[error("URL at a foreign origin")]
    ForeignOrigin,
    /// An order's URL that is another resource's.
    #[error("one URL for two resources")]
    UrlReused,
    /// RFC 8555 §7.1.3: an order's identifiers are those that were asked for.
    #[error("the order is for other identifiers")]
    IdentifiersChanged,
    /// An authorization that is not for one of the order's identifiers, or two for one.
    #[error("the authorizations don't fit the order")]
    AuthorizationMismatch,
    /// More authorizations than an order can need.
    #[error("too many authorizations")]
    TooManyAuthorizations,
    /// Fresh nonces are refused, again and again.
    #[error("every nonce is refused")]
    NoncesRefused,
    /// No nonce can be had.
    #[error("no nonce given")]
    NoNonce,
    /// The certificate is not the one that was ordered.
    #[error("wrong certificate: {0}")]
    Certificate(#[from] CertificateFault),
}

/// What is wrong with a certificate that was downloaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFault {
    /// Not a PEM chain of CERTIFICATE blocks and nothing else (RFC 8555 §9.1, §11.4).
    #[error("not a PEM certificate chain")]
    Pem,
    /// A certificate that is not DER of RFC 5280.
    #[error("not an X.509 certificate")]
    Der,
    /// For another public key.
    #[error("another public key")]
    Key,
    /// For other names.
    #[error("other names")]
    Names,
    /// Not valid now, or for no time, or for an absurdly long one.
    #[error("validity")]
    Validity,
    /// Not usable by a server or client: a CA's certificate, a precertificate, another purpose.
    #[error("purpose")]
    Purpose,
    /// A certificate of the chain is not issued by the next one.
    #[error("the chain does not link")]
    Chain,
    /// A signature in the chain does not verify.
    #[error("signature")]
    Signature,
}

/// What to make of a failure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Class {
    /// It may work later, unchanged.
    Later,
    /// Somebody must do something first, outside of ACME.
    Action,
    /// The same request will always fail.
    Permanent,
}

/// An operation of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Operation {
    /// RFC 8555 §7.1.1.
    Directory,
    /// RFC 8555 §7.2.
    NewNonce,
    /// RFC 8555 §7.3.
    NewAccount,
    /// RFC 8555 §7.3.2, §7.3.6.
    Account,
    /// RFC 8555 §7.4.
    NewOrder,
    /// RFC 8555 §7.4, the order read again.
    Order,
    /// RFC 8555 §7.5.
    Authorization,
    /// RFC 8555 §7.5.1.
    Challenge,
    /// RFC 8555 §7.4.
    Finalize,
    /// RFC 8555 §7.4.2.
    Certificate,
    /// RFC 8555 §7.6.
    RevokeCertificate,
    /// RFC 8555 §7.3.5.
    KeyChange,
    /// RFC 9773.
    RenewalInfo,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "directory",
            Self::NewNonce => "newNonce",
            Self::NewAccount => "newAccount",
            Self::Account => "account",
            Self::NewOrder => "newOrder",
            Self::Order => "order",
            Self::Authorization => "authorization",
            Self::Challenge => "challenge",
            Self::Finalize => "finalize",
            Self::Certificate => "certificate",
            Self::RevokeCertificate => "revokeCert",
            Self::KeyChange => "keyChange",
            Self::RenewalInfo => "renewalInfo",
        })
    }
}

impl Failure {
    pub(crate) fn new(operation: Operation, fault: Fault) -> Self {
        Self {
            fault,
            operation,
            status: None,
            problem: None,
            retry_after: None,
            identifiers: Vec::new(),
        }
    }

    pub(crate) fn misbehaved(operation: Operation, how: Misbehaviour) -> Self {
        Self::new(operation, Fault::ServerMisbehaved(how))
    }

    pub(crate) fn with_identifiers(mut self, identifiers: Vec<IdentifierFailure>) -> Self {
        self.identifiers = identifiers;
        self
    }

    /// Is the server's problem of this type?
    pub fn is(&self, kind: &ProblemType) -> bool {
        self.problem
            .as_ref()
            .is_some_and(|problem| problem.kind == *kind)
    }

    /// What to make of it.
    pub fn class(&self) -> Class {
        match self.fault {
            Fault::ServerRefused => self
                .problem
                .as_ref()
                .map_or(Class::Later, |problem| class_of(&problem.kind)),
            Fault::NoChallenge | Fault::Unsuitable => Class::Permanent,
            Fault::ServerUnavailable
            | Fault::ServerMisbehaved(_)
            | Fault::Unreachable
            | Fault::Unanswered
            | Fault::Unfinished
            | Fault::Signing
            | Fault::Presenting => Class::Later,
        }
    }
}

/// RFC 8555 §6.7: which refusals time can heal.
fn class_of(kind: &ProblemType) -> Class {
    const PERMANENT: [ProblemType; 10] = [
        ProblemType::MALFORMED,
        ProblemType::REJECTED_IDENTIFIER,
        ProblemType::UNSUPPORTED_IDENTIFIER,
        ProblemType::UNSUPPORTED_CONTACT,
        ProblemType::INVALID_CONTACT,
        ProblemType::BAD_CSR,
        ProblemType::BAD_PUBLIC_KEY,
        ProblemType::BAD_SIGNATURE_ALGORITHM,
        ProblemType::BAD_REVOCATION_REASON,
        ProblemType::INVALID_PROFILE,
    ];
    const ACTION: [ProblemType; 3] = [
        ProblemType::USER_ACTION_REQUIRED,
        ProblemType::EXTERNAL_ACCOUNT_REQUIRED,
        ProblemType::ACCOUNT_DOES_NOT_EXIST,
    ];
    if PERMANENT.contains(kind) {
        Class::Permanent
    } else if ACTION.contains(kind) {
        Class::Action
    } else {
        Class::Later
    }
}
