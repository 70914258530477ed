use acme_crypto::{KeyError, KeyKind, SignatureAlgorithm};
use acme_types::{JsonError, TokenError};
use thiserror::Error;

/// Why a request body isn't a JWS that RFC 8555 §6.2 allows, or doesn't verify. Names members,
/// never holds their values.
///
/// Exhaustive on purpose: a CA maps each cause to an error type in one `match` without a
/// catch-all arm, so a new cause must not slip by. RFC 8555 §6.2 and §6.5 fix three of the
/// types, badSignatureAlgorithm, badPublicKey and badNonce; all others are "malformed".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JwsError {
    /// The body isn't a JSON object, or not a strict one.
    #[error("the body is not a proper JSON object")]
    Json(#[source] JsonError),
    /// There is a `signatures` member: the general serialization.
    #[error("the JWS is not in the flattened serialization")]
    GeneralSerialization,
    /// There is a `header` member, even if it's empty.
    #[error("the JWS has an unprotected header")]
    UnprotectedHeader,
    /// A member of the JWS is absent or not a string.
    #[error("the member `{member}` of the JWS is absent or not a string")]
    Member {
        /// Which one: `protected`, `payload` or `signature`.
        member: &'static str,
    },
    /// A member of the JWS isn't canonical base64url without padding (RFC 8555 §6.1).
    #[error("the member `{member}` of the JWS is not base64url without padding")]
    Base64Url {
        /// Which one: `protected`, `payload` or `signature`.
        member: &'static str,
    },
    /// The protected header isn't a JSON object, or not a strict one.
    #[error("the protected header is not a proper JSON object")]
    Header(#[source] JsonError),
    /// A member of the protected header is absent or of the wrong type.
    #[error("the member `{member}` of the protected header is absent or of the wrong type")]
    HeaderMember {
        /// Which one: `alg`, `jwk`, `kid`, `nonce` or `url`.
        member: &'static str,
    },
    /// There is a `crit` member. RFC 7515 §4.1.11: what isn't understood must be refused, and no
    /// extension is understood here.
    #[error("the protected header has a critical extension")]
    CriticalExtension,
    /// There is a `b64` member (RFC 7797), whatever its value: RFC 8555 §6.2.
    #[error("the unencoded payload option is used")]
    UnencodedPayload,
    /// Both `jwk` and `kid`.
    #[error("the protected header has both `jwk` and `kid`")]
    TwoSigners,
    /// Neither `jwk` nor `kid`.
    #[error("the protected header has neither `jwk` nor `kid`")]
    NoSigner,
    /// There is a `kid` where the resource wants a `jwk`.
    #[error("the request must be signed with a `jwk`")]
    JwkWanted,
    /// There is a `jwk` where the resource wants a `kid`.
    #[error("the request must be signed with a `kid`")]
    KidWanted,
    /// The nonce isn't base64url, or too long. RFC 8555 §6.5.2: "malformed".
    #[error("the nonce is malformed")]
    NonceSyntax(#[source] TokenError),
    /// There is no nonce. RFC 8555 §6.5: badNonce.
    #[error("there is no nonce")]
    MissingNonce,
    /// There is a nonce in an inner JWS, which has none.
    #[error("the inner JWS has a nonce")]
    UnexpectedNonce,
    /// `alg` isn't supported; `none`, MACs and names in other case among them.
    /// RFC 8555 §6.2: badSignatureAlgorithm.
    #[error("the signature algorithm is not supported")]
    SignatureAlgorithm,
    /// The `jwk` isn't a JWK, or one that may not verify signatures: "malformed".
    #[error("the JWK is malformed")]
    MalformedJwk(#[source] MalformedJwk),
    /// The `jwk` is a key that isn't accepted. RFC 8555 §6.2: badPublicKey.
    #[error("the public key is not accepted")]
    PublicKey(#[source] RefusedKey),
    /// `alg` is supported, but isn't this key's. RFC 8555 §6.2: badPublicKey.
    #[error("{algorithm} does not fit a key of type {key}")]
    KeyMismatch {
        /// What the header says.
        algorithm: SignatureAlgorithm,
        /// What the key is.
        key: KeyKind,
    },
    /// The signature isn't this key's over this JWS.
    #[error("the signature does not verify")]
    BadSignature,
}

impl From<JwkError> for JwsError {
    fn from(error: JwkError) -> Self {
        match error {
            JwkError::Malformed(malformed) => Self::MalformedJwk(malformed),
            JwkError::Refused(refused) => Self::PublicKey(refused),
        }
    }
}

/// Why something isn't a public key in JWK form that is accepted here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JwkError {
    /// It isn't a JWK, or one for another use.
    #[error("the JWK is malformed")]
    Malformed(#[source] MalformedJwk),
    /// It's a JWK, but the key isn't accepted.
    #[error("the public key is not accepted")]
    Refused(#[source] RefusedKey),
}

/// What is wrong with a JWK, apart from the key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MalformedJwk {
    /// Not a JSON object, or not a strict one.
    #[error("the JWK is not a proper JSON object")]
    Json(#[source] JsonError),
    /// A member is absent or of the wrong type.
    #[error("the member `{member}` of the JWK is absent or of the wrong type")]
    Member {
        /// Which one.
        member: &'static str,
    },
    /// A member isn't canonical base64url without padding.
    #[error("the member `{member}` of the JWK is not base64url without padding")]
    Base64Url {
        /// Which one.
        member: &'static str,
    },
    /// There is a member of a private key. Nothing of it is kept.
    #[error("the JWK has a private member")]
    PrivateMember,
    /// `use` is something else than `sig` (RFC 7517 §4.2).
    #[error("the JWK is not for signatures")]
    Use,
    /// `key_ops` doesn't have `verify`, or has something twice (RFC 7517 §4.3).
    #[error("the JWK is not for verification")]
    KeyOperations,
    /// `alg` differs from that of the JWS (RFC 7517 §4.4).
    #[error("the JWK is for another algorithm than the JWS")]
    Algorithm,
}

/// Why a well-formed key isn't accepted: badPublicKey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RefusedKey {
    /// `kty` isn't EC, OKP or RSA; so symmetric keys.
    #[error("the type of the key is not supported")]
    Type,
    /// `crv` isn't P-256, P-384 or Ed25519.
    #[error("the curve of the key is not supported")]
    Curve,
    /// The key itself.
    #[error("the key is refused")]
    Key(#[source] KeyError),
}

impl From<MalformedJwk> for JwkError {
    fn from(malformed: MalformedJwk) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<RefusedKey> for JwkError {
    fn from(refused: RefusedKey) -> Self {
        Self::Refused(refused)
    }
}
