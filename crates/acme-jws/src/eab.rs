//! External account binding (RFC 8555 §7.3.4): a JWS with a MAC by which the CA's customer
//! approves of an account key.

use std::fmt;

use acme_crypto::{HashAlgorithm, Provider};
use acme_types::Url;
use thiserror::Error;

use crate::error::{JwkError, JwsError};
use crate::jws::Envelope;
use crate::members::text;
use crate::{Draft as JwsDraft, Jwk};

/// RFC 7518 §3.2: "A key of the same size as the hash output or larger MUST be used". Counted in
/// bytes for HS256; a CA that hands out shorter keys than this hands out guessable ones.
pub const MAC_KEY_LEN_MIN: usize = 32;

/// A binding that waits for its MAC.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft(JwsDraft);

/// A binding of `jwk` for a newAccount request to `url`. `kid` is the key identifier that the CA
/// gave out with the MAC key; `hash` is that of the HMAC: HS256, HS384 or HS512.
pub fn draft(kid: &str, url: &Url, jwk: &Jwk, hash: HashAlgorithm) -> Draft {
    Draft(JwsDraft::with_mac(
        mac_name(hash),
        kid,
        url,
        jwk.to_json().as_bytes(),
    ))
}

impl Draft {
    /// What the MAC is made of.
    pub fn message(&self) -> &[u8] {
        self.0.signing_input()
    }

    /// The JSON object for `externalAccountBinding`.
    pub fn attach(&self, tag: &[u8]) -> Vec<u8> {
        self.0.attach(tag)
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A binding that is well formed; its MAC is not verified until [`Binding::verify`] says so.
///
/// `Debug` leaves out the key identifier and the MAC.
#[derive(Clone, PartialEq, Eq)]
pub struct Binding {
    hash: HashAlgorithm,
    kid: String,
    jwk: Jwk,
    message: String,
    tag: Vec<u8>,
}

/// Why a binding is refused. Exhaustive, as [`JwsError`] is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BindingError {
    /// The value isn't a JWS as RFC 8555 §6.2 wants it, but for what a binding has otherwise.
    #[error("the external account binding is not a proper JWS")]
    Jws(#[source] JwsError),
    /// "The "alg" field MUST indicate a MAC-based algorithm": HS256, HS384 or HS512 here.
    #[error("the algorithm of the external account binding is not a MAC that is supported")]
    Algorithm,
    /// "The key identifier MUST be an ASCII string", and it must be there.
    #[error("the key identifier of the external account binding is absent or not ASCII")]
    KeyIdentifier,
    /// "The "nonce" field MUST NOT be present".
    #[error("the external account binding has a nonce")]
    Nonce,
    /// "The "url" field MUST be set to the same value as the outer JWS".
    #[error("the external account binding is for another URL than the request")]
    Url,
    /// The payload isn't a JWK.
    #[error("the payload of the external account binding is not a JWK")]
    Payload(#[source] JwkError),
    /// The payload is another key than the outer JWS's.
    #[error("the external account binding is for another key than the request's")]
    Key,
    /// The MAC doesn't verify, or the MAC key is shorter than [`MAC_KEY_LEN_MIN`].
    #[error("the MAC of the external account binding does not verify")]
    BadMac,
}

impl Binding {
    /// Reads the value of `externalAccountBinding` in a newAccount request to `outer_url`, signed
    /// by `outer_jwk`: steps 1, 2 and 5 of RFC 8555 §7.3.4, which need no MAC key. Keys are
    /// compared, not their texts.
    ///
    /// # Errors
    /// Every [`BindingError`] but [`BindingError::BadMac`].
    pub fn parse(object: &[u8], outer_url: &str, outer_jwk: &Jwk) -> Result<Self, BindingError> {
        let envelope = Envelope::parse(object).map_err(BindingError::Jws)?;
        let header = &envelope.header;
        let hash = text(header, "alg")
            .and_then(mac_of)
            .ok_or(BindingError::Algorithm)?;
        if header.contains_key("nonce") {
            return Err(BindingError::Nonce);
        }
        if header.contains_key("jwk") {
            return Err(BindingError::Jws(JwsError::KidWanted));
        }
        let kid = text(header, "kid")
            .filter(|kid| !kid.is_empty() && kid.is_ascii())
            .ok_or(BindingError::KeyIdentifier)?;
        if text(header, "url") != Some(outer_url) {
            return Err(BindingError::Url);
        }
        let jwk = Jwk::from_json(&envelope.payload).map_err(BindingError::Payload)?;
        if &jwk != outer_jwk {
            return Err(BindingError::Key);
        }
        let kid = kid.to_owned();
        let Envelope {
            signing_input,
            signature,
            ..
        } = envelope;
        Ok(Self {
            hash,
            kid,
            jwk,
            message: signing_input,
            tag: signature,
        })
    }

    /// The key identifier: which MAC key is to be looked up.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The hash of the MAC.
    pub const fn hash(&self) -> HashAlgorithm {
        self.hash
    }

    /// The account key that is bound.
    pub const fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// Step 4 of RFC 8555 §7.3.4, in constant time. The MAC must be there in full.
    ///
    /// # Errors
    /// [`BindingError::BadMac`].
    pub fn verify(&self, provider: &dyn Provider, mac_key: &[u8]) -> Result<(), BindingError> {
        if mac_key.len() < MAC_KEY_LEN_MIN {
            return Err(BindingError::BadMac);
        }
        provider
            .verify_mac(self.hash, mac_key, self.message.as_bytes(), &self.tag)
            .map_err(|_| BindingError::BadMac)
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding")
            .field("hash", &self.hash)
            .field("jwk", &self.jwk)
            .finish_non_exhaustive()
    }
}

/// RFC 7518 §3.2.
const MACS: [(&str, HashAlgorithm); 3] = [
    ("HS256", HashAlgorithm::Sha256),
    ("HS384", HashAlgorithm::Sha384),
    ("HS512", HashAlgorithm::Sha512),
];

fn mac_of(name: &str) -> Option<HashAlgorithm> {
    MACS.into_iter()
        .find(|(known, _)| *known == name)
        .map(|(_, hash)| hash)
}

fn mac_name(hash: HashAlgorithm) -> &'static str {
    // A hash without a MAC's name can't be made today; such a binding would be refused.
    MACS.into_iter()
        .find(|(_, known)| *known == hash)
        .map_or("", |(name, _)| name)
}

#[cfg(test)]
mod tests;
