//! The effects of all machines of the CA, and one enum over their outcomes.
//!
//! A `Step` enum says what a machine asks for; the types here say what kind of answer its ticket
//! takes.

use acme_types::Effect;

use crate::schema::{Committed, Loaded, Read};
use crate::validation::{DnsOutcome, FetchOutcome, HandshakeOutcome, Verdict};

/// Any outcome, for [`acme_types::Answer`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(
    missing_docs,
    reason = "each variant is the outcome of the effect of the same name"
)]
#[expect(
    clippy::large_enum_variant,
    reason = "one lives from an answer to its machine"
)]
pub enum Outcome {
    Redeem(Redeemed),
    Load(Result<Loaded, Unavailable>),
    Scan(Result<Vec<Read>, Unavailable>),
    Save(Committed),
    Perspective(Result<Verdict, Unavailable>),
    Sign(Signed),
    Submit(Submitted),
    Dns(DnsOutcome),
    Fetch(FetchOutcome),
    Handshake(HandshakeOutcome),
}

/// It could not be had; nothing changed. Doubt is refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unavailable")]
pub struct Unavailable;

/// What became of a nonce.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Redeemed {
    /// It was ours, was never seen before, and is dead now.
    Accepted,
    /// Never issued, seen before, or too old.
    Refused,
}

/// What came of a request for a signature.
#[derive(Clone, PartialEq, Eq)]
pub enum Signed {
    /// The signature: ECDSA as r||s of fixed width, the rest as the algorithm has it.
    Signature(Vec<u8>),
    /// The signer is sure that it made none.
    NotSigned,
    /// It may have made one.
    Unknown,
}

impl std::fmt::Debug for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Signature(_) => "Signature(..)",
            Self::NotSigned => "NotSigned",
            Self::Unknown => "Unknown",
        })
    }
}

/// What a log answered to a submission.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Submitted {
    /// An HTTP response, its body cut at the submission's limit.
    Response {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// No response.
    Unreachable,
}

macro_rules! effects {
    ($($(#[$doc:meta])* $name:ident -> $outcome:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl Effect for $name {
            type Outcome = $outcome;
            type Erased = Outcome;
            fn erase(outcome: $outcome) -> Outcome {
                Outcome::$name(outcome)
            }
        }
    )*};
}

effects! {
    /// Redeem a nonce at the node that issued it.
    Redeem -> Redeemed;
    /// Load rows, at one durable point in time.
    Load -> Result<Loaded, Unavailable>;
    /// Scan for keys.
    Scan -> Result<Vec<Read>, Unavailable>;
    /// Commit.
    Save -> Committed;
    /// Have a perspective validate.
    Perspective -> Result<Verdict, Unavailable>;
    /// Have an issuer's key sign.
    Sign -> Signed;
    /// Submit a chain to a log.
    Submit -> Submitted;
    /// Ask a resolver.
    Dns -> DnsOutcome;
    /// Make one HTTP request.
    Fetch -> FetchOutcome;
    /// Make one TLS handshake.
    Handshake -> HandshakeOutcome;
}
