//! The body of an ACME request, read strictly (RFC 8555 §6.2).
//!
//! What comes first decides when several things are wrong: the shape of the JWS, then that of the
//! protected header, then whether `alg` is supported, then the key. Whether the nonce and the
//! signature are good is asked later, in that order.

use std::fmt;

use acme_crypto::{CryptoError, Provider, PublicKey, SignatureAlgorithm};
use acme_types::{Nonce, base64url, strict};
use serde_json::Value;

use crate::Jwk;
use crate::error::{JwsError, MalformedJwk};
use crate::members::{Members, take_text, text};

/// A JWS that is well formed. Nothing of it is verified until [`Jws::verify`] says so.
///
/// `Debug` leaves out payload, nonce and signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Jws {
    algorithm: SignatureAlgorithm,
    signer: Signer,
    nonce: Option<Nonce>,
    url: String,
    envelope: Envelope,
}

/// Who says that they signed (RFC 8555 §6.2): either a key, or the URL of an account.
///
/// Exhaustive: RFC 8555 has these two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The key itself: newAccount, and revokeCert by a certificate's key.
    Jwk(Jwk),
    /// The account's URL, exactly as it came.
    Kid(String),
}

impl Jws {
    /// Reads a request body: the flattened JSON serialization with one signature and a protected
    /// header that has `alg`, `url`, either `jwk` or `kid`, and perhaps a nonce. Members that
    /// aren't understood are ignored (RFC 7515 §4, §7.2.1), except critical ones.
    ///
    /// # Errors
    /// Every [`JwsError`] but those about verification, wanted signers and a missing nonce.
    pub fn parse(body: &[u8]) -> Result<Self, JwsError> {
        let envelope = Envelope::parse(body)?;
        let header = &envelope.header;
        let algorithm = text(header, "alg").ok_or(JwsError::HeaderMember { member: "alg" })?;
        let url = text(header, "url").ok_or(JwsError::HeaderMember { member: "url" })?;
        let nonce = nonce(header)?;
        let signer = signer(header)?;
        let algorithm =
            SignatureAlgorithm::from_name(algorithm).ok_or(JwsError::SignatureAlgorithm)?;
        let signer = match signer {
            RawSigner::Kid(kid) => Signer::Kid(kid.to_owned()),
            RawSigner::Jwk(members) => Signer::Jwk(jwk_of(members, algorithm)?),
        };
        Ok(Self {
            algorithm,
            signer,
            nonce,
            url: url.to_owned(),
            envelope,
        })
    }

    /// The algorithm of the signature.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// Who says that they signed.
    pub const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The key in the header.
    ///
    /// # Errors
    /// [`JwsError::JwkWanted`]: there is a `kid`.
    pub const fn jwk(&self) -> Result<&Jwk, JwsError> {
        match &self.signer {
            Signer::Jwk(jwk) => Ok(jwk),
            Signer::Kid(_) => Err(JwsError::JwkWanted),
        }
    }

    /// The account's URL in the header, exactly as it came.
    ///
    /// # Errors
    /// [`JwsError::KidWanted`]: there is a `jwk`.
    pub fn kid(&self) -> Result<&str, JwsError> {
        match &self.signer {
            Signer::Jwk(_) => Err(JwsError::KidWanted),
            Signer::Kid(kid) => Ok(kid),
        }
    }

    /// The nonce, if there is one.
    pub const fn nonce(&self) -> Option<&Nonce> {
        self.nonce.as_ref()
    }

    /// The nonce.
    ///
    /// # Errors
    /// [`JwsError::MissingNonce`].
    pub fn required_nonce(&self) -> Result<&Nonce, JwsError> {
        self.nonce().ok_or(JwsError::MissingNonce)
    }

    /// The URL in the header, exactly as it came. RFC 8555 §6.4: the server compares it to the
    /// request's as a string.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The payload, decoded. Empty in a POST-as-GET (RFC 8555 §6.3).
    pub fn payload(&self) -> &[u8] {
        &self.envelope.payload
    }

    /// Whether the payload is the empty string: a POST-as-GET (RFC 8555 §6.3).
    pub fn is_post_as_get(&self) -> bool {
        self.envelope.payload.is_empty()
    }

    /// Whether `key` signed this, over the very bytes that came.
    ///
    /// # Errors
    /// [`JwsError::KeyMismatch`], [`JwsError::BadSignature`].
    pub fn verify(&self, provider: &dyn Provider, key: &PublicKey) -> Result<(), JwsError> {
        let Envelope {
            signing_input,
            signature,
            ..
        } = &self.envelope;
        match provider.verify(self.algorithm, key, signing_input.as_bytes(), signature) {
            Ok(()) => Ok(()),
            Err(CryptoError::AlgorithmMismatch { algorithm, key }) => {
                Err(JwsError::KeyMismatch { algorithm, key })
            }
            Err(_) => Err(JwsError::BadSignature),
        }
    }
}

impl fmt::Debug for Jws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws")
            .field("algorithm", &self.algorithm)
            .field("signer", &self.signer)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// The flattened serialization, decoded; the members of the header not yet judged.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) header: Members,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    /// As it came, never encoded again (RFC 7515 §5.2 step 8).
    pub(crate) signing_input: String,
}

impl Envelope {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, JwsError> {
        let mut members: Members = strict::from_slice(body).map_err(JwsError::Json)?;
        // RFC 8555 §6.2: "The JWS MUST NOT have multiple signatures", "The JWS Unprotected Header
        // MUST NOT be used".
        if members.contains_key("signatures") {
            return Err(JwsError::GeneralSerialization);
        }
        if members.contains_key("header") {
            return Err(JwsError::UnprotectedHeader);
        }
        let mut signing_input = take(&mut members, "protected")?;
        let encoded_payload = take(&mut members, "payload")?;
        let header = decode("protected", &signing_input)?;
        let payload = decode("payload", &encoded_payload)?;
        let signature = decode("signature", &take(&mut members, "signature")?)?;
        let header: Members = strict::from_slice(&header).map_err(JwsError::Header)?;
        // RFC 8555 §6.2: "The JWS Unencoded Payload Option MUST NOT be used".
        if header.contains_key("b64") {
            return Err(JwsError::UnencodedPayload);
        }
        if header.contains_key("crit") {
            return Err(JwsError::CriticalExtension);
        }
        signing_input.push('.');
        signing_input.push_str(&encoded_payload);
        Ok(Self {
            header,
            payload,
            signature,
            signing_input,
        })
    }
}

fn take(members: &mut Members, member: &'static str) -> Result<String, JwsError> {
    take_text(members, member).ok_or(JwsError::Member { member })
}

fn decode(member: &'static str, text: &str) -> Result<Vec<u8>, JwsError> {
    base64url::decode(text).map_err(|_| JwsError::Base64Url { member })
}

fn nonce(header: &Members) -> Result<Option<Nonce>, JwsError> {
    match header.get("nonce") {
        None => Ok(None),
        Some(Value::String(nonce)) => Nonce::parse(nonce).map(Some).map_err(JwsError::NonceSyntax),
        Some(_) => Err(JwsError::HeaderMember { member: "nonce" }),
    }
}

enum RawSigner<'a> {
    Jwk(&'a Members),
    Kid(&'a str),
}

/// RFC 8555 §6.2: "The "jwk" and "kid" fields are mutually exclusive. Servers MUST reject
/// requests that contain both."
fn signer(header: &Members) -> Result<RawSigner<'_>, JwsError> {
    match (header.get("jwk"), header.get("kid")) {
        (Some(_), Some(_)) => Err(JwsError::TwoSigners),
        (None, None) => Err(JwsError::NoSigner),
        (Some(Value::Object(members)), None) => Ok(RawSigner::Jwk(members)),
        (Some(_), None) => Err(JwsError::HeaderMember { member: "jwk" }),
        (None, Some(Value::String(kid))) => Ok(RawSigner::Kid(kid)),
        (None, Some(_)) => Err(JwsError::HeaderMember { member: "kid" }),
    }
}

fn jwk_of(members: &Members, algorithm: SignatureAlgorithm) -> Result<Jwk, JwsError> {
    let jwk = Jwk::from_members(members)?;
    match members.get("alg") {
        None => {}
        Some(Value::String(name)) if name == algorithm.name() => {}
        Some(Value::String(_)) => return Err(JwsError::MalformedJwk(MalformedJwk::Algorithm)),
        Some(_) => {
            return Err(JwsError::MalformedJwk(MalformedJwk::Member {
                member: "alg",
            }));
        }
    }
    let key = jwk.public_key();
    if !key.fits(algorithm) {
        return Err(JwsError::KeyMismatch {
            algorithm,
            key: key.kind(),
        });
    }
    Ok(jwk)
}

#[cfg(test)]
mod tests;
