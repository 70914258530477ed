use std::borrow::Cow;

use acme_types::{OrderStatus, ProblemType};

use super::detail::{chain, of_identifiers, of_jws};
use super::{CsrFault, Rejection};

/// Type, HTTP status and detail of a problem document.
pub(super) type Cause = (ProblemType, u16, Cow<'static, str>);

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
}

fn not_ready(status: OrderStatus) -> Option<Cow<'static, str>> {
    (status == OrderStatus::Pending).then_some(Cow::Borrowed(
        "the order is pending: some of its authorizations are not valid yet",
    ))
}
