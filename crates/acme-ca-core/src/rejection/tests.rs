use std::time::Duration;

use acme_csr::CsrError;
use acme_jws::{JwsError, MalformedJwk, RefusedKey};
use acme_types::{CertificateIdError, Identifier, IdentifierError, OrderStatus, Timestamp};

use super::*;
use crate::policy::IdentifierRefusal;
use crate::schema::AccountId;

fn identifiers(faults: &[IdentifierFault]) -> Rejection {
    let bad = faults
        .iter()
        .enumerate()
        .map(|(place, fault)| BadIdentifier {
            place: place + 1,
            identifier: Some(Identifier::dns("example.com").unwrap()),
            fault: *fault,
        });
    Rejection::Identifiers(bad.collect())
}

/// Every cause has one type and one status, and a detail that says something.
#[test]
fn every_cause_has_its_type_and_status() {
    use Rejection as R;
    let account = AccountId::new(Timestamp::EPOCH, &[0; 32]);
    let policy = IdentifierFault::Policy;
    for (rejection, kind, status) in [
        (R::NotFound, "malformed", 404),
        (R::MethodNotAllowed(Methods::Post), "malformed", 405),
        (R::Misdirected, "malformed", 421),
        (R::MediaType, "malformed", 415),
        (R::ContentEncoding, "malformed", 415),
        (R::BodyTooLarge, "malformed", 413),
        (
            R::Jws(JwsError::SignatureAlgorithm),
            "badSignatureAlgorithm",
            400,
        ),
        (
            R::Jws(JwsError::PublicKey(RefusedKey::Type)),
            "badPublicKey",
            400,
        ),
        (R::Jws(JwsError::MissingNonce), "badNonce", 400),
        (
            R::Jws(JwsError::MalformedJwk(MalformedJwk::PrivateMember)),
            "malformed",
            400,
        ),
        (R::Jws(JwsError::BadSignature), "malformed", 400),
        (R::NonceRefused, "badNonce", 400),
        (R::UrlMismatch, "unauthorized", 403),
        (R::AccountUrl, "malformed", 400),
        (R::AccountUnknown, "accountDoesNotExist", 400),
        (R::AccountClosed, "unauthorized", 401),
        (R::Payload(JsonError::NotAnObject), "malformed", 400),
        (R::PayloadNotEmpty, "malformed", 400),
        (R::ForeignAccount, "unauthorized", 403),
        (R::NoAccount, "accountDoesNotExist", 400),
        (R::TermsNotAgreed, "userActionRequired", 403),
        (R::TooManyContacts { max: 1 }, "invalidContact", 400),
        (R::ContactInvalid, "invalidContact", 400),
        (R::ContactUnsupported, "unsupportedContact", 400),
        (R::ExternalAccountRequired, "externalAccountRequired", 403),
        (R::ExternalAccountMalformed, "malformed", 400),
        (R::ExternalAccountRefused, "unauthorized", 403),
        (R::KeyBlocked, "badPublicKey", 400),
        (R::KeyRetired, "badPublicKey", 400),
        (R::KeyChange(KeyChangeFault::OldKey), "malformed", 400),
        (R::KeyUnchanged, "malformed", 400),
        (R::KeyInUse(account), "malformed", 409),
        (R::NoIdentifiers, "malformed", 400),
        (R::TooManyIdentifiers { max: 1 }, "malformed", 400),
        (identifiers(&[]), "serverInternal", 500),
        (
            identifiers(&[policy(IdentifierRefusal::Type)]),
            "unsupportedIdentifier",
            400,
        ),
        (
            identifiers(&[policy(IdentifierRefusal::TooManyLabels)]),
            "malformed",
            400,
        ),
        (
            identifiers(&[policy(IdentifierRefusal::Blocked)]),
            "rejectedIdentifier",
            400,
        ),
        (
            identifiers(&[IdentifierFault::Syntax(IdentifierError::Ip)]),
            "malformed",
            400,
        ),
        (
            identifiers(&[IdentifierFault::NoMethod; 2]),
            "rejectedIdentifier",
            400,
        ),
        (
            identifiers(&[IdentifierFault::NoMethod, IdentifierFault::Redundant]),
            "compound",
            400,
        ),
        (R::Validity(ValidityFault::Order), "malformed", 400),
        (R::ProfileUnknown, "invalidProfile", 400),
        (R::Replaces(ReplacesFault::Unknown), "malformed", 404),
        (R::Replaces(ReplacesFault::Foreign), "unauthorized", 403),
        (R::Replaces(ReplacesFault::Expired), "malformed", 400),
        (R::Replaces(ReplacesFault::Disjoint), "malformed", 400),
        (R::AlreadyReplaced, "alreadyReplaced", 409),
        (
            R::RateLimited {
                retry_after: Duration::from_secs(1),
            },
            "rateLimited",
            429,
        ),
        (R::AuthorizationUpdate, "malformed", 400),
        (R::AuthorizationFinal, "malformed", 400),
        (R::ChallengeBusy, "malformed", 400),
        (R::ChallengeFailed, "malformed", 400),
        (R::MethodOff, "malformed", 400),
        (R::OrderNotReady(OrderStatus::Pending), "orderNotReady", 403),
        (R::OrderNotReady(OrderStatus::Valid), "orderNotReady", 403),
        (
            R::Csr(CsrFault::Refused(CsrError::NoIdentifier)),
            "badCSR",
            400,
        ),
        (R::Csr(CsrFault::AccountKey), "badCSR", 400),
        (R::Profile, "invalidProfile", 400),
        (R::from(IssuanceError::NoProfile), "invalidProfile", 400),
        (R::from(IssuanceError::Key), "badCSR", 400),
        (R::from(IssuanceError::StaleLogs), "serverInternal", 500),
        (R::CaaTooOld, "caa", 403),
        (R::CertificateMalformed, "malformed", 400),
        (R::CertificateUnknown, "malformed", 404),
        (R::CertificateExpired, "unauthorized", 403),
        (R::RevocationUnauthorized, "unauthorized", 403),
        (
            R::RevocationReason { allowed: vec![1] },
            "badRevocationReason",
            400,
        ),
        (R::AlreadyRevoked, "alreadyRevoked", 400),
        (
            R::CertificateId(CertificateIdError::Parts),
            "malformed",
            400,
        ),
        (R::Unavailable, "serverInternal", 500),
        (R::Contention, "serverInternal", 500),
        (R::Rounds, "serverInternal", 500),
        (R::Internal, "serverInternal", 500),
    ] {
        let (found, code, detail) = rejection.cause();
        assert_eq!((found.name(), code), (Some(kind), status), "{rejection:?}");
        assert!(detail.len() > 10, "{rejection:?}");
    }
}
