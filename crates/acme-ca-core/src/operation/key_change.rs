//! RFC 8555 §7.3.5: an account gets another key.

use acme_jws::JwsError;
use acme_jws::key_change::{KeyChangeError, Request};
use acme_types::Timestamp;

use super::{Context, Decision, Operation, Stop, account, need};
use crate::rejection::{KeyChangeFault, Rejection};
use crate::schema::{AccountKeyRow, AccountRow, Read, Row, View, Write};

/// Changes the key of the account that signed.
#[derive(Debug)]
pub(super) struct ChangeKey;

impl Operation for ChangeKey {
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&self, ctx: &Context<'_>, view: &View, _: Timestamp) -> Result<Decision, Stop> {
        let row = ctx.account()?;
        let outer = ctx.jws.ok_or(Rejection::Internal)?;
        let provider = ctx.config.provider.as_ref();
        let request = Request::parse(provider, outer)?;
        request.check(&ctx.urls().account(&row.id), &row.key)?;
        let new_key = request.new_key();
        if *new_key == row.key {
            return Err(Rejection::KeyUnchanged.into());
        }
        let thumbprint = new_key.thumbprint(provider);
        let spki = provider.sha256(&new_key.public_key().to_spki_der());
        need(view, [Read::AccountKey(thumbprint), Read::BlockedKey(spki)])?;
        // Kept when a key is changed away from: a key has one account, ever (invariant I29).
        if let Some(found) = view.account_key(&thumbprint)? {
            return Err(Rejection::KeyInUse(found.account).into());
        }
        if view.blocked_key(&spki)?.is_some() {
            return Err(Rejection::KeyBlocked.into());
        }
        let changed = AccountRow {
            key: new_key.clone(),
            ..row.clone()
        };
        let reply = account::reply(ctx, &changed, 200)?;
        let event = format!("account {} changed its key to {thumbprint}", row.id);
        let key_row = AccountKeyRow {
            thumbprint,
            account: row.id,
        };
        let writes = vec![
            Write::Put(Row::AccountKey(key_row)),
            Write::Put(Row::Account(changed)),
        ];
        Ok(Decision::write(writes, ctx.audit(event), reply))
    }
}

impl From<KeyChangeError> for Rejection {
    fn from(error: KeyChangeError) -> Self {
        let fault = match error {
            // RFC 8555 §6.2: what the new key is refused for has a type of its own.
            KeyChangeError::Inner(
                error @ (JwsError::SignatureAlgorithm
                | JwsError::PublicKey(_)
                | JwsError::KeyMismatch { .. }),
            ) => return Self::Jws(error),
            KeyChangeError::Inner(JwsError::BadSignature) => KeyChangeFault::Signature,
            KeyChangeError::Inner(_) => KeyChangeFault::Inner,
            KeyChangeError::Url => KeyChangeFault::Url,
            KeyChangeError::Payload(_) | KeyChangeError::OldKey(_) => KeyChangeFault::Payload,
            KeyChangeError::WrongAccount => KeyChangeFault::Account,
            KeyChangeError::WrongOldKey => KeyChangeFault::OldKey,
        };
        Self::KeyChange(fault)
    }
}

impl From<KeyChangeError> for Stop {
    fn from(error: KeyChangeError) -> Self {
        Self::Rejected(error.into())
    }
}
