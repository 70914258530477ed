//! Who signed. Part of every decision: after a conflict it is asked again, and the signature is
//! verified again if the account has another key by then.

use acme_crypto::Provider;
use acme_jws::Jwk;
use acme_types::AccountStatus;

use super::parse::{Claim, Signed};
use crate::operation::{Signer, Stop};
use crate::rejection::Rejection;
use crate::schema::{Read, View};

/// The signer's rows: an account's own; or which account has a key, and whether it is blocked.
pub(super) fn reads(signed: &Signed, provider: &dyn Provider) -> Vec<Read> {
    match signed.claim() {
        Ok(Claim::Key(key)) => {
            let spki = provider.sha256(&key.public_key().to_spki_der());
            vec![
                Read::AccountKey(key.thumbprint(provider)),
                Read::BlockedKey(spki),
            ]
        }
        Ok(Claim::Account(id)) => vec![Read::Account(*id)],
        Err(_) => Vec::new(),
    }
}

/// Who signed, with a signature that verifies under the signer's present key. `verified` is the
/// key that it was last verified with.
pub(super) fn authenticate<'a>(
    provider: &dyn Provider,
    signed: Option<&'a Signed>,
    view: &'a View,
    verified: &mut Option<Jwk>,
) -> Result<Signer<'a>, Stop> {
    let Some(signed) = signed else {
        return Ok(Signer::Nobody);
    };
    match signed.claim()? {
        Claim::Key(key) => {
            verify(provider, signed, key, verified)?;
            Ok(Signer::Key(key))
        }
        Claim::Account(id) => {
            // RFC 8555 §6.2: "... accountDoesNotExist".
            let account = view.account(id)?.ok_or(Rejection::AccountUnknown)?;
            verify(provider, signed, &account.key, verified)?;
            match account.status {
                AccountStatus::Valid => Ok(Signer::Account(account)),
                // RFC 8555 §7.3.6: "the server MUST ... 401 (Unauthorized)".
                AccountStatus::Deactivated | AccountStatus::Revoked => {
                    Err(Rejection::AccountClosed.into())
                }
            }
        }
    }
}

fn verify(
    provider: &dyn Provider,
    signed: &Signed,
    key: &Jwk,
    verified: &mut Option<Jwk>,
) -> Result<(), Rejection> {
    if verified.as_ref() == Some(key) {
        return Ok(());
    }
    signed.jws().verify(provider, key.public_key())?;
    *verified = Some(key.clone());
    Ok(())
}
