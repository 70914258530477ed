//! What a cause says of its parts.

use acme_jws::JwsError;
use acme_types::{DnsNameError, IdentifierError, ProblemType};

use super::table::Cause;
use super::{
    BadIdentifier, CsrFault, IdentifierFault, KeyChangeFault, Rejection, ReplacesFault,
    ValidityFault,
};
use crate::policy::IdentifierRefusal;

/// RFC 8555 §6.2 and §6.5 fix three types; all else is "malformed".
pub(super) fn of_jws(error: &JwsError) -> Cause {
    let kind = match error {
        JwsError::SignatureAlgorithm => ProblemType::BAD_SIGNATURE_ALGORITHM,
        JwsError::PublicKey(_) | JwsError::KeyMismatch { .. } => ProblemType::BAD_PUBLIC_KEY,
        JwsError::MissingNonce => ProblemType::BAD_NONCE,
        JwsError::Json(_)
        | JwsError::GeneralSerialization
        | JwsError::UnprotectedHeader
        | JwsError::Member { .. }
        | JwsError::Base64Url { .. }
        | JwsError::Header(_)
        | JwsError::HeaderMember { .. }
        | JwsError::CriticalExtension
        | JwsError::UnencodedPayload
        | JwsError::TwoSigners
        | JwsError::NoSigner
        | JwsError::JwkWanted
        | JwsError::KidWanted
        | JwsError::NonceSyntax(_)
        | JwsError::UnexpectedNonce
        | JwsError::MalformedJwk(_)
        | JwsError::BadSignature => ProblemType::MALFORMED,
    };
    // RFC 8555 §6.2: "The problem document detail SHOULD describe the reason for rejecting the
    // public key".
    (kind, 400, chain(error).into())
}

/// An error and its causes. None of those that come here holds text of the request.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut detail = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        detail = format!("{detail}: {source}");
        cause = source.source();
    }
    detail
}

impl KeyChangeFault {
    pub(super) fn detail(self) -> &'static str {
        match self {
            Self::Inner => "the inner JWS must be a JWS with a \"jwk\" and no \"nonce\"",
            Self::Url => "the \"url\" of the inner JWS is not the outer one",
            Self::Payload => "the payload of the inner JWS is not a keyChange object",
            Self::Signature => "the signature of the inner JWS is invalid",
            Self::Account => "the \"account\" is not the signer's URL",
            Self::OldKey => "the \"oldKey\" is not the account's key",
        }
    }
}

impl ValidityFault {
    pub(super) fn detail(self) -> &'static str {
        match self {
            Self::NotAccepted => "notBefore and notAfter can't be asked for here",
            Self::Order => "notAfter must be later than notBefore and than now",
            Self::OutOfRange => "notBefore or notAfter is outside what the profile has",
        }
    }
}

impl ReplacesFault {
    pub(super) fn cause(self) -> (ProblemType, u16, &'static str) {
        use ProblemType as T;
        match self {
            Self::Unknown => (
                T::MALFORMED,
                404,
                "\"replaces\" names no certificate of this CA",
            ),
            Self::Foreign => (
                T::UNAUTHORIZED,
                403,
                "\"replaces\" names a certificate of another account",
            ),
            Self::Expired => (
                T::MALFORMED,
                400,
                "\"replaces\" names an expired certificate",
            ),
            Self::Disjoint => (
                T::MALFORMED,
                400,
                "\"replaces\" names a certificate with none of the order's identifiers",
            ),
        }
    }
}

impl CsrFault {
    pub(super) fn detail(self) -> &'static str {
        match self {
            Self::Refused(_) => "the CSR is refused",
            Self::Extension => "the CSR asks for an extension that is not given",
            Self::Identifiers => "the names of the CSR are not the order's identifiers",
            Self::AccountKey => "the key of the CSR is an account's key",
            Self::KeyBlocked => "the key of the CSR is blocked",
            Self::KeyKind => "keys of this kind are not certified here",
            Self::CaKey => "the key of the CSR is one of the CA's own",
        }
    }
}

impl IdentifierFault {
    pub(super) fn kind(self) -> ProblemType {
        match self {
            Self::Syntax(IdentifierError::UnsupportedType)
            | Self::Policy(IdentifierRefusal::Type) => ProblemType::UNSUPPORTED_IDENTIFIER,
            Self::Syntax(IdentifierError::Dns(DnsNameError::ReservedLabel)) => {
                ProblemType::REJECTED_IDENTIFIER
            }
            Self::Syntax(_) | Self::Redundant | Self::Policy(IdentifierRefusal::TooManyLabels) => {
                ProblemType::MALFORMED
            }
            Self::Policy(
                IdentifierRefusal::SingleLabel
                | IdentifierRefusal::NoPublicSuffix
                | IdentifierRefusal::PublicSuffix
                | IdentifierRefusal::SpecialSuffix
                | IdentifierRefusal::ForeignSuffix
                | IdentifierRefusal::Wildcard
                | IdentifierRefusal::Blocked
                | IdentifierRefusal::Address
                | IdentifierRefusal::ReservedAddress,
            )
            | Self::NoMethod => ProblemType::REJECTED_IDENTIFIER,
        }
    }

    pub(super) fn detail(self) -> String {
        match self {
            Self::Syntax(IdentifierError::Dns(error)) => error.to_string(),
            Self::Syntax(error) => error.to_string(),
            Self::Policy(refusal) => refusal.to_string(),
            Self::Redundant => "a wildcard of the same order covers the name".to_owned(),
            Self::NoMethod => "no challenge is on offer for the identifier".to_owned(),
        }
    }
}

/// RFC 8555 §6.7.1: one cause is the problem itself; several of one type have that type, several
/// of different types are `compound`.
pub(super) fn of_identifiers(bad: &[BadIdentifier]) -> Cause {
    let Some(first) = bad.first() else {
        return Rejection::Internal.cause();
    };
    let detail = format!("identifier {}: {}", first.place, first.fault.detail());
    if bad.len() == 1 {
        return (first.fault.kind(), 400, detail.into());
    }
    let same = bad
        .iter()
        .all(|other| other.fault.kind() == first.fault.kind());
    let kind = if same {
        first.fault.kind()
    } else {
        ProblemType::COMPOUND
    };
    let detail = format!(
        "{} identifiers are not certified; see \"subproblems\"",
        bad.len()
    );
    (kind, 400, detail.into())
}
