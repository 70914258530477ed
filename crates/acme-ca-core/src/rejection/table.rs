use std::borrow::Cow;
use std::time::Duration;

use acme_crypto::SignatureAlgorithm;
use acme_jws::JwsError;
use acme_types::{DnsNameError, IdentifierError, OrderStatus, Problem, ProblemType, Subproblem};

use super::{
    BadIdentifier, CsrFault, IdentifierFault, KeyChangeFault, Rejection, ReplacesFault,
    ValidityFault,
};
use crate::Config;
use crate::exchange::Reply;
use crate::policy::IdentifierRefusal;
use crate::route::Urls;

/// The most identifiers that a refusal names one by one.
const SUBPROBLEMS_MAX: usize = 100;

type Cause = (ProblemType, u16, Cow<'static, str>);

impl Rejection {
    /// The type, the HTTP status and the detail of the problem document.
    pub fn cause(&self) -> Cause {
        use ProblemType as T;
        let (kind, status, detail) = match self {
            Self::NotFound => (T::MALFORMED, 404, "there is no such resource"),
            Self::MethodNotAllowed(_) => (
                T::MALFORMED,
                405,
                "the resource does not answer this method",
            ),
            Self::Misdirected => (T::MALFORMED, 421, "the request is for another server"),
            Self::MediaType => (
                T::MALFORMED,
                415,
                "the Content-Type must be application/jose+json",
            ),
            Self::ContentEncoding => (T::MALFORMED, 415, "the body must not be encoded"),
            Self::BodyTooLarge => (T::MALFORMED, 413, "the body is too long"),
            Self::Jws(error) => return of_jws(error),
            Self::NonceRefused => (
                T::BAD_NONCE,
                400,
                "the nonce of the JWS is not acceptable; use the new one",
            ),
            Self::UrlMismatch => (
                T::UNAUTHORIZED,
                403,
                "the \"url\" of the JWS is not the request's URL",
            ),
            Self::AccountUrl => (T::MALFORMED, 400, "the \"kid\" is not an account's URL"),
            Self::AccountUnknown => (
                T::ACCOUNT_DOES_NOT_EXIST,
                400,
                "the \"kid\" names no account",
            ),
            Self::AccountClosed => (T::UNAUTHORIZED, 401, "the account is no longer valid"),
            Self::Payload(error) => {
                return (T::MALFORMED, 400, format!("the payload: {error}").into());
            }
            Self::PayloadNotEmpty => (
                T::MALFORMED,
                400,
                "the payload must be empty: this is read by POST-as-GET",
            ),
            Self::ForeignAccount => (T::UNAUTHORIZED, 403, "the URL is not the signer's account"),
            Self::NoAccount => (
                T::ACCOUNT_DOES_NOT_EXIST,
                400,
                "there is no account with this key",
            ),
            Self::TermsNotAgreed => (
                T::USER_ACTION_REQUIRED,
                403,
                "the terms of service must be agreed to",
            ),
            Self::TooManyContacts { max } => {
                let detail = format!("an account has at most {max} contacts");
                return (T::INVALID_CONTACT, 400, detail.into());
            }
            Self::ContactInvalid => (
                T::INVALID_CONTACT,
                400,
                "a contact is not the mailto: URL of one address",
            ),
            Self::ContactUnsupported => {
                (T::UNSUPPORTED_CONTACT, 400, "contacts must be mailto: URLs")
            }
            Self::ExternalAccountRequired => (
                T::EXTERNAL_ACCOUNT_REQUIRED,
                403,
                "an account needs an external account binding here",
            ),
            Self::ExternalAccountMalformed => (
                T::MALFORMED,
                400,
                "the external account binding is malformed",
            ),
            Self::ExternalAccountRefused => (
                T::UNAUTHORIZED,
                403,
                "the external account binding is not accepted",
            ),
            Self::KeyBlocked => (T::BAD_PUBLIC_KEY, 400, "the public key is blocked"),
            Self::KeyRetired => (
                T::BAD_PUBLIC_KEY,
                400,
                "the public key was an account's before; make a new one",
            ),
            Self::KeyChange(fault) => (T::MALFORMED, 400, fault.detail()),
            Self::KeyUnchanged => (T::MALFORMED, 400, "the new key is the present one"),
            // RFC 8555 §7.3.5: "a Conflict (409) response".
            Self::KeyInUse(_) => (
                T::MALFORMED,
                409,
                "the new key has an account; see Location",
            ),
            Self::NoIdentifiers => (T::MALFORMED, 400, "an order has at least one identifier"),
            Self::TooManyIdentifiers { max } => {
                let detail = format!("an order has at most {max} identifiers");
                return (T::MALFORMED, 400, detail.into());
            }
            Self::Identifiers(bad) => return of_identifiers(bad),
            Self::Validity(fault) => (T::MALFORMED, 400, fault.detail()),
            Self::ProfileUnknown => (
                T::INVALID_PROFILE,
                400,
                "there is no such profile; see the directory",
            ),
            Self::Replaces(fault) => fault.cause(),
            // RFC 9773 §5 asks for this type; §7.4 there for 409.
            Self::AlreadyReplaced => (
                T::ALREADY_REPLACED,
                409,
                "the certificate was replaced by another order",
            ),
            Self::RateLimited { .. } => (
                T::RATE_LIMITED,
                429,
                "the account made too many orders; see Retry-After",
            ),
            Self::AuthorizationUpdate => (
                T::MALFORMED,
                400,
                "an authorization can only be deactivated",
            ),
            Self::AuthorizationFinal => {
                (T::MALFORMED, 400, "the authorization is in a final state")
            }
            Self::ChallengeBusy => (
                T::MALFORMED,
                400,
                "another challenge of this authorization is being validated",
            ),
            Self::ChallengeFailed => (T::MALFORMED, 400, "the challenge has failed"),
            Self::MethodOff => (T::MALFORMED, 400, "the challenge is no longer on offer"),
            Self::OrderNotReady(status) => {
                let detail = format!("the order is {status}, not ready");
                return (
                    T::ORDER_NOT_READY,
                    403,
                    not_ready(*status).unwrap_or(detail.into()),
                );
            }
            Self::Csr(CsrFault::Refused(error)) => return (T::BAD_CSR, 400, chain(error).into()),
            Self::Csr(fault) => (T::BAD_CSR, 400, fault.detail()),
            Self::Profile => (
                T::INVALID_PROFILE,
                400,
                "the order's profile is no longer issued under",
            ),
            Self::CaaTooOld => (
                T::CAA,
                403,
                "CAA was looked at too long ago: make a new order",
            ),
            Self::Issuance(_) => (
                T::SERVER_INTERNAL,
                500,
                "nothing can be issued at present; try again later",
            ),
            Self::CertificateMalformed => (
                T::MALFORMED,
                400,
                "the certificate is not the DER of one certificate",
            ),
            Self::CertificateUnknown => (
                T::MALFORMED,
                404,
                "the certificate was not issued by this CA",
            ),
            Self::CertificateExpired => (T::UNAUTHORIZED, 403, "the certificate has expired"),
            Self::RevocationUnauthorized => (
                T::UNAUTHORIZED,
                403,
                "the signer may not revoke this certificate",
            ),
            Self::RevocationReason { allowed } => {
                let detail = format!("the reason must be one of {allowed:?}");
                return (T::BAD_REVOCATION_REASON, 400, detail.into());
            }
            Self::AlreadyRevoked => (T::ALREADY_REVOKED, 400, "the certificate is revoked"),
            Self::CertificateId(error) => return (T::MALFORMED, 400, error.to_string().into()),
            Self::Unavailable | Self::Contention => (
                T::SERVER_INTERNAL,
                500,
                "the request could not be completed; try again later",
            ),
            Self::Rounds | Self::Internal => {
                (T::SERVER_INTERNAL, 500, "the server failed on this request")
            }
        };
        (kind, status, Cow::Borrowed(detail))
    }

    /// The reply: the problem document, and the headers that go with this cause.
    pub(crate) fn reply(&self, config: &Config) -> Reply {
        let (kind, status, detail) = self.cause();
        let problem = Problem::new(kind).with_detail(detail).with_status(status);
        let orders = &config.policy.orders;
        match self {
            Self::MethodNotAllowed(methods) => {
                Reply::problem(status, &problem).header("allow", methods.allow())
            }
            // RFC 8555 §6.2: "an "algorithms" field with an array of supported "alg" values".
            Self::Jws(JwsError::SignatureAlgorithm) => {
                let names = SignatureAlgorithm::ALL.map(SignatureAlgorithm::name);
                Reply::problem(status, &problem.with_algorithms(names))
            }
            // RFC 8555 §7.3.3: the link, and "the "instance" field".
            Self::TermsNotAgreed => match &orders.terms_of_service {
                Some(url) => Reply::problem(status, &problem.with_instance(url.as_str()))
                    .link(url.as_str(), "terms-of-service"),
                None => Reply::problem(status, &problem),
            },
            Self::KeyInUse(account) => {
                Reply::problem(status, &problem).location(&Urls::new(config).account(account))
            }
            Self::Identifiers(bad) => Reply::problem(status, &with_subproblems(problem, bad)),
            Self::RateLimited { retry_after } => {
                Reply::problem(status, &problem).retry_after(*retry_after)
            }
            Self::Issuance(_)
            | Self::Unavailable
            | Self::Contention
            | Self::Rounds
            | Self::Internal => {
                let retry_after = orders.unavailable_retry_after.max(Duration::from_secs(1));
                Reply::problem(status, &problem).retry_after(retry_after)
            }
            _ => Reply::problem(status, &problem),
        }
    }
}

fn not_ready(status: OrderStatus) -> Option<Cow<'static, str>> {
    (status == OrderStatus::Pending).then_some(Cow::Borrowed(
        "the order is pending: some of its authorizations are not valid yet",
    ))
}

/// RFC 8555 §6.2 and §6.5 fix three types; all else is "malformed".
fn of_jws(error: &JwsError) -> Cause {
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
fn chain(error: &dyn std::error::Error) -> String {
    let mut detail = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        detail = format!("{detail}: {source}");
        cause = source.source();
    }
    detail
}

impl KeyChangeFault {
    fn detail(self) -> &'static str {
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
    fn detail(self) -> &'static str {
        match self {
            Self::NotAccepted => "notBefore and notAfter can't be asked for here",
            Self::Order => "notAfter must be later than notBefore and than now",
            Self::OutOfRange => "notBefore or notAfter is outside what the profile has",
        }
    }
}

impl ReplacesFault {
    fn cause(self) -> (ProblemType, u16, &'static str) {
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
    fn detail(self) -> &'static str {
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
    fn kind(self) -> ProblemType {
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

    fn detail(self) -> String {
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
fn of_identifiers(bad: &[BadIdentifier]) -> Cause {
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

fn with_subproblems(problem: Problem, bad: &[BadIdentifier]) -> Problem {
    bad.iter()
        .take(SUBPROBLEMS_MAX)
        .fold(problem, |problem, bad| {
            let detail = format!("identifier {}: {}", bad.place, bad.fault.detail());
            problem.with_subproblem(Subproblem {
                kind: bad.fault.kind(),
                detail: Some(detail),
                status: None,
                identifier: bad.identifier.clone().map(Into::into),
            })
        })
}
