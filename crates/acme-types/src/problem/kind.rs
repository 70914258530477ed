use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const PREFIX: &str = "urn:ietf:params:acme:error:";
/// The prefix of the drafts, which some CAs still send.
const PREFIX_OF_DRAFTS: &str = "urn:acme:error:";
/// The longest type that is kept; a longer one counts as `about:blank`.
const PROBLEM_TYPE_LEN_MAX: usize = 256;

/// The type of a problem: a URI, those of ACME being in a registry that grows (RFC 8555 §9.7.3).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProblemType(Cow<'static, str>);

macro_rules! registry {
    ($($(#[$doc:meta])* $constant:ident = $name:literal,)+) => {
        impl ProblemType {
            $(
                $(#[$doc])*
                pub const $constant: Self =
                    Self(Cow::Borrowed(concat!("urn:ietf:params:acme:error:", $name)));
            )+

            /// All that the registry has.
            pub const REGISTERED: &'static [Self] = &[$(Self::$constant),+];
        }
    };
}

registry! {
    /// The request named an account that doesn't exist (RFC 8555 §6.7).
    ACCOUNT_DOES_NOT_EXIST = "accountDoesNotExist",
    /// The certificate was already marked as replaced (RFC 9773 §5).
    ALREADY_REPLACED = "alreadyReplaced",
    /// The certificate has already been revoked (RFC 8555 §6.7).
    ALREADY_REVOKED = "alreadyRevoked",
    /// An order for automatic renewal was canceled (RFC 8739 §3.2.1).
    AUTO_RENEWAL_CANCELED = "autoRenewalCanceled",
    /// An order for automatic renewal has expired (RFC 8739 §3.2.1).
    AUTO_RENEWAL_EXPIRED = "autoRenewalExpired",
    /// A cancellation of automatic renewal wasn't valid (RFC 8739 §3.2.1).
    AUTO_RENEWAL_CANCELLATION_INVALID = "autoRenewalCancellationInvalid",
    /// Certificates that are renewed automatically can't be revoked (RFC 8739 §3.2.1).
    AUTO_RENEWAL_REVOCATION_NOT_SUPPORTED = "autoRenewalRevocationNotSupported",
    /// The attestation statement wasn't acceptable (draft-ietf-acme-device-attest).
    BAD_ATTESTATION_STATEMENT = "badAttestationStatement",
    /// The CSR isn't acceptable (RFC 8555 §6.7).
    BAD_CSR = "badCSR",
    /// The anti-replay nonce isn't acceptable (RFC 8555 §6.7).
    BAD_NONCE = "badNonce",
    /// The JWS was signed by a public key that the server doesn't support (RFC 8555 §6.7).
    BAD_PUBLIC_KEY = "badPublicKey",
    /// The revocation reason isn't allowed (RFC 8555 §6.7).
    BAD_REVOCATION_REASON = "badRevocationReason",
    /// The JWS was signed with an algorithm that the server doesn't support (RFC 8555 §6.7).
    BAD_SIGNATURE_ALGORITHM = "badSignatureAlgorithm",
    /// CAA records forbid the CA to issue (RFC 8555 §6.7).
    CAA = "caa",
    /// See the subproblems (RFC 8555 §6.7).
    COMPOUND = "compound",
    /// The server couldn't connect to the validation target (RFC 8555 §6.7).
    CONNECTION = "connection",
    /// A DNS query failed during validation (RFC 8555 §6.7).
    DNS = "dns",
    /// The account needs an external account binding (RFC 8555 §6.7).
    EXTERNAL_ACCOUNT_REQUIRED = "externalAccountRequired",
    /// What was found didn't match the challenge (RFC 8555 §6.7).
    INCORRECT_RESPONSE = "incorrectResponse",
    /// A contact URL of an account wasn't valid (RFC 8555 §6.7).
    INVALID_CONTACT = "invalidContact",
    /// The profile isn't one of the server's (draft-ietf-acme-profiles).
    INVALID_PROFILE = "invalidProfile",
    /// The request was malformed (RFC 8555 §6.7).
    MALFORMED = "malformed",
    /// The CAA records of an onion service are needed (RFC 9799).
    ONION_CAA_REQUIRED = "onionCAARequired",
    /// The order isn't ready to be finalized (RFC 8555 §6.7).
    ORDER_NOT_READY = "orderNotReady",
    /// The request exceeds a rate limit (RFC 8555 §6.7).
    RATE_LIMITED = "rateLimited",
    /// The server won't issue for the identifier (RFC 8555 §6.7).
    REJECTED_IDENTIFIER = "rejectedIdentifier",
    /// The server had an internal error (RFC 8555 §6.7).
    SERVER_INTERNAL = "serverInternal",
    /// TLS failed during validation (RFC 8555 §6.7).
    TLS = "tls",
    /// The client lacks authorization (RFC 8555 §6.7).
    UNAUTHORIZED = "unauthorized",
    /// The delegation isn't known (RFC 9115).
    UNKNOWN_DELEGATION = "unknownDelegation",
    /// A contact URL has a scheme that isn't supported (RFC 8555 §6.7).
    UNSUPPORTED_CONTACT = "unsupportedContact",
    /// An identifier is of a type that isn't supported (RFC 8555 §6.7).
    UNSUPPORTED_IDENTIFIER = "unsupportedIdentifier",
    /// A person must visit the `instance` URL (RFC 8555 §6.7).
    USER_ACTION_REQUIRED = "userActionRequired",
}

impl ProblemType {
    /// Nothing beyond the HTTP status (RFC 7807 §4.2); also what a missing type means.
    pub const ABOUT_BLANK: Self = Self(Cow::Borrowed("about:blank"));

    /// Reads a type. The drafts' prefix becomes the RFC's; what is empty or longer than 256 bytes
    /// is [`ProblemType::ABOUT_BLANK`].
    pub fn from_uri(uri: &str) -> Self {
        match uri.strip_prefix(PREFIX_OF_DRAFTS) {
            _ if uri.is_empty() || uri.len() > PROBLEM_TYPE_LEN_MAX => Self::ABOUT_BLANK,
            Some(name) => Self(Cow::Owned(format!("{PREFIX}{name}"))),
            None => Self(Cow::Owned(uri.to_owned())),
        }
    }

    /// The whole URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the prefix of ACME's own types, as in `badNonce`.
    pub fn name(&self) -> Option<&str> {
        self.0.strip_prefix(PREFIX)
    }
}

impl fmt::Display for ProblemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ProblemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProblemType({:?})", self.name().unwrap_or(&self.0))
    }
}

impl Serialize for ProblemType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ProblemType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|uri| Self::from_uri(&uri))
    }
}
