//! Why a request is refused, one variant per cause, and the one table from causes to the wire
//! (RFC 8555 §6.7).

mod detail;
mod document;
mod table;

use std::time::Duration;

use acme_csr::CsrError;
use acme_jws::JwsError;
use acme_types::{CertificateIdError, Identifier, IdentifierError, JsonError, OrderStatus};

use crate::issuance::IssuanceError;
use crate::policy::IdentifierRefusal;
pub use crate::route::Methods;
use crate::schema::AccountId;

/// Why a request is refused. Holds the evidence that the client may see, and nothing of the
/// request's text but identifiers that are well formed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Rejection {
    // HTTP
    /// No such resource, or somebody else's: both look the same (invariant I33).
    NotFound,
    /// The resource doesn't answer this method.
    MethodNotAllowed(Methods),
    /// The request target names another host.
    Misdirected,
    /// The Content-Type isn't exactly `application/jose+json` (RFC 8555 §6.2).
    MediaType,
    /// The body is encoded.
    ContentEncoding,
    /// The body is longer than is read.
    BodyTooLarge,

    // JWS
    /// The body isn't a JWS that RFC 8555 §6.2 allows, lacks a nonce, or doesn't verify.
    Jws(JwsError),
    /// The nonce was never given out, was seen before, or is too old.
    NonceRefused,
    /// `url` isn't the request's (RFC 8555 §6.4).
    UrlMismatch,
    /// The `kid` isn't an account's URL.
    AccountUrl,
    /// The `kid` names no account.
    AccountUnknown,
    /// The account is deactivated or revoked (RFC 8555 §7.3.6).
    AccountClosed,
    /// The payload isn't the object that the resource wants.
    Payload(JsonError),
    /// The payload isn't empty, which a POST-as-GET's is (RFC 8555 §6.3).
    PayloadNotEmpty,

    // Accounts
    /// The account is another one than the signer's.
    ForeignAccount,
    /// No account has this key, and none was to be made (RFC 8555 §7.3.1).
    NoAccount,
    /// The terms of service weren't agreed to (RFC 8555 §7.3).
    TermsNotAgreed,
    /// More contacts than are kept.
    TooManyContacts {
        /// The most that are.
        max: usize,
    },
    /// A contact that isn't the `mailto:` URL of one address (RFC 8555 §7.3).
    ContactInvalid,
    /// A contact of another scheme than `mailto:`.
    ContactUnsupported,
    /// An external account binding is needed (RFC 8555 §7.3.4).
    ExternalAccountRequired,
    /// The external account binding isn't what RFC 8555 §7.3.4 wants.
    ExternalAccountMalformed,
    /// The external account's key id is unknown, or its MAC is wrong: which, isn't said.
    ExternalAccountRefused,
    /// The key is blocked.
    KeyBlocked,
    /// The key was an account's before a key change; it is nobody's again (invariant I29).
    KeyRetired,
    /// The inner JWS of a key change isn't what RFC 8555 §7.3.5 wants.
    KeyChange(KeyChangeFault),
    /// The new key is the old one.
    KeyUnchanged,
    /// The new key has an account.
    KeyInUse(AccountId),

    // Orders
    /// No identifier.
    NoIdentifiers,
    /// More identifiers than an order may have.
    TooManyIdentifiers {
        /// The most it may have.
        max: usize,
    },
    /// Identifiers that aren't certified, and why. At least one.
    Identifiers(Vec<BadIdentifier>),
    /// notBefore and notAfter can't be had.
    Validity(ValidityFault),
    /// No such profile.
    ProfileUnknown,
    /// `replaces` names nothing that this order could replace (RFC 9773 §5).
    Replaces(ReplacesFault),
    /// The certificate was replaced by another order (RFC 9773 §5).
    AlreadyReplaced,
    /// The account made too many orders.
    RateLimited {
        /// When there may be room.
        retry_after: Duration,
    },

    // Authorizations and challenges
    /// An authorization can only be deactivated (RFC 8555 §7.5.2).
    AuthorizationUpdate,
    /// The authorization is in a final state.
    AuthorizationFinal,
    /// Another challenge of the authorization is being validated.
    ChallengeBusy,
    /// The challenge has failed for good.
    ChallengeFailed,
    /// The method is no longer on offer.
    MethodOff,

    // Finalize
    /// The order isn't ready (RFC 8555 §7.4).
    OrderNotReady(OrderStatus),
    /// The CSR isn't acceptable.
    Csr(CsrFault),
    /// The order's profile is gone, or doesn't have what the order asks for any more.
    Profile,
    /// Nothing can be issued: the CA's own fault.
    Issuance(IssuanceError),
    /// CAA was looked at too long ago.
    CaaTooOld,

    // Certificates, revocation, renewal information
    /// The certificate isn't DER, or something follows it.
    CertificateMalformed,
    /// This CA has issued no such certificate.
    CertificateUnknown,
    /// The certificate has expired.
    CertificateExpired,
    /// The signer may not revoke it (RFC 8555 §7.6).
    RevocationUnauthorized,
    /// The reason isn't one that clients may give.
    RevocationReason {
        /// Those that they may.
        allowed: Vec<u8>,
    },
    /// It is revoked.
    AlreadyRevoked,
    /// Not a certificate's identifier (RFC 9773 §4.1).
    CertificateId(CertificateIdError),

    // Ours
    /// The store didn't answer.
    Unavailable,
    /// Others kept changing what this request is about, or commits kept being of unknown outcome.
    Contention,
    /// The decision asked for more and more: a bug.
    Rounds,
    /// What can't be written as a reply, or contradicts itself: a bug, or a damaged store.
    Internal,
}

/// Why the inner JWS of a key change isn't one (RFC 8555 §7.3.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum KeyChangeFault {
    /// It isn't a JWS with a `jwk` and without a nonce.
    Inner,
    /// Its `url` isn't the outer one.
    Url,
    /// Its payload isn't a keyChange object.
    Payload,
    /// The new key didn't sign it.
    Signature,
    /// `account` isn't the signer's URL.
    Account,
    /// `oldKey` isn't the account's key.
    OldKey,
}

/// An identifier that isn't certified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadIdentifier {
    /// Its place in the order, from 1.
    pub place: usize,
    /// It, if it is one at all.
    pub identifier: Option<Identifier>,
    /// Why not.
    pub fault: IdentifierFault,
}

/// Why an identifier isn't certified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum IdentifierFault {
    /// It is none.
    Syntax(IdentifierError),
    /// It isn't certified here.
    Policy(IdentifierRefusal),
    /// A wildcard of the same order covers it.
    Redundant,
    /// No method is on offer that could prove control of it.
    NoMethod,
}

/// Why notBefore and notAfter can't be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ValidityFault {
    /// This CA sets them by itself.
    NotAccepted,
    /// notAfter isn't later than notBefore, or is past.
    Order,
    /// Longer than the profile has it, or starting too early or too late.
    OutOfRange,
}

/// Why a certificate can't be replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ReplacesFault {
    /// This CA has issued no such certificate.
    Unknown,
    /// Another account's.
    Foreign,
    /// It has expired.
    Expired,
    /// It has no identifier in common with the order.
    Disjoint,
}

/// Why a CSR isn't acceptable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CsrFault {
    /// Not PKCS#10, with contents that are never certified, or not signed by its own key.
    Refused(CsrError),
    /// It asks for an extension that isn't given: a CA's, or OCSP stapling.
    Extension,
    /// Its names aren't the order's.
    Identifiers,
    /// Its key is an account's (RFC 8555 §11.1).
    AccountKey,
    /// Its key is blocked.
    KeyBlocked,
    /// Keys of this kind aren't certified.
    KeyKind,
    /// Its key is one of the CA's own.
    CaKey,
}

impl From<IssuanceError> for Rejection {
    fn from(error: IssuanceError) -> Self {
        match error {
            IssuanceError::Key => Self::Csr(CsrFault::KeyKind),
            IssuanceError::IssuerKey => Self::Csr(CsrFault::CaKey),
            IssuanceError::OtherNames => Self::Csr(CsrFault::Identifiers),
            // Both fit when the order was placed.
            IssuanceError::NoProfile | IssuanceError::ProfileChanged | IssuanceError::Names => {
                Self::Profile
            }
            IssuanceError::Validity => Self::Validity(ValidityFault::OutOfRange),
            IssuanceError::NoIssuer
            | IssuanceError::StaleLogs
            | IssuanceError::TooFewLogs
            | IssuanceError::Csr
            | IssuanceError::Encoding
            | IssuanceError::Lint(_) => Self::Issuance(error),
        }
    }
}

impl From<JwsError> for Rejection {
    fn from(error: JwsError) -> Self {
        Self::Jws(error)
    }
}

#[cfg(test)]
mod tests;
