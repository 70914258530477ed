//! Account key rollover (RFC 8555 §7.3.5): the new key signs that it takes over the account from
//! the old one (the inner JWS), and the old key signs that (the outer JWS, an ordinary request).

use acme_crypto::{Provider, SignatureAlgorithm};
use acme_types::{KeyChange, Url, strict};
use serde::Serialize;
use thiserror::Error;

use crate::error::{JwkError, JwsError};
use crate::{Draft, Jwk, Jws, Signer};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    account: &'a str,
    old_key: &'a Jwk,
}

/// The inner JWS, to be signed by the new key with `algorithm`. What [`Draft::attach`] gives is
/// the payload of the outer JWS, an ordinary request to the same `url` signed by the old key.
pub fn draft(
    algorithm: SignatureAlgorithm,
    new_key: &Jwk,
    url: &Url,
    account: &Url,
    old_key: &Jwk,
) -> Draft {
    let payload = Payload {
        account: account.as_str(),
        old_key,
    };
    // A struct of strings always serialises.
    let payload = serde_json::to_vec(&payload).unwrap_or_default();
    Draft::new(
        algorithm,
        &Signer::Jwk(new_key.clone()),
        None,
        url,
        &payload,
    )
}

/// A key change whose new key agrees; whether the account is the signer's is not yet known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    new_key: Jwk,
    account: Url,
    old_key: Jwk,
}

/// Why a key change is refused. Exhaustive, as [`JwsError`] is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyChangeError {
    /// The payload isn't a JWS that the new key signed, without a nonce.
    #[error("the inner JWS is refused")]
    Inner(#[source] JwsError),
    /// The `url` of the two JWS differ.
    #[error("the inner JWS is for another URL than the outer one")]
    Url,
    /// The inner payload isn't a keyChange object.
    #[error("the payload of the inner JWS is not a keyChange object")]
    Payload(#[source] acme_types::JsonError),
    /// `oldKey` isn't a JWK.
    #[error("`oldKey` is not a proper JWK")]
    OldKey(#[source] JwkError),
    /// `account` isn't the URL of the account that signed, byte for byte.
    #[error("`account` is not the account that signed")]
    WrongAccount,
    /// `oldKey` isn't the account's key.
    #[error("`oldKey` is not the key of the account")]
    WrongOldKey,
}

impl Request {
    /// Reads the payload of the outer JWS, and verifies the inner one with its own key: steps 2
    /// to 6 of RFC 8555 §7.3.5. That the outer one verifies is the caller's to know.
    ///
    /// # Errors
    /// Every [`KeyChangeError`] but the last two.
    pub fn parse(provider: &dyn Provider, outer: &Jws) -> Result<Self, KeyChangeError> {
        let inner = Jws::parse(outer.payload()).map_err(KeyChangeError::Inner)?;
        let new_key = inner.jwk().map_err(KeyChangeError::Inner)?;
        // "The inner JWS MUST omit the "nonce" header parameter."
        if inner.nonce().is_some() {
            return Err(KeyChangeError::Inner(JwsError::UnexpectedNonce));
        }
        inner
            .verify(provider, new_key.public_key())
            .map_err(KeyChangeError::Inner)?;
        let object: KeyChange =
            strict::from_slice(inner.payload()).map_err(KeyChangeError::Payload)?;
        let old_key = Jwk::from_json(object.old_key.as_bytes()).map_err(KeyChangeError::OldKey)?;
        // "The inner JWS MUST have the same "url" header parameter as the outer JWS."
        if inner.url() != outer.url() {
            return Err(KeyChangeError::Url);
        }
        Ok(Self {
            new_key: new_key.clone(),
            account: object.account,
            old_key,
        })
    }

    /// Steps 7 and 8 of RFC 8555 §7.3.5: it is about the account that signed, whose URL and key
    /// these are. Step 9, that no other account has the new key, is left.
    ///
    /// # Errors
    /// [`KeyChangeError::WrongAccount`], [`KeyChangeError::WrongOldKey`].
    pub fn check(&self, account_url: &str, account_key: &Jwk) -> Result<(), KeyChangeError> {
        if self.account.as_str() != account_url {
            return Err(KeyChangeError::WrongAccount);
        }
        if &self.old_key != account_key {
            return Err(KeyChangeError::WrongOldKey);
        }
        Ok(())
    }

    /// The key that takes over.
    pub const fn new_key(&self) -> &Jwk {
        &self.new_key
    }

    /// The key that is to be replaced.
    pub const fn old_key(&self) -> &Jwk {
        &self.old_key
    }

    /// The account.
    pub const fn account(&self) -> &Url {
        &self.account
    }
}

#[cfg(test)]
mod tests;
