//! RFC 8555 §7.3: an account is made, or found.

use acme_types::{AccountStatus, NewAccount, Timestamp};

use super::contact::contacts;
use super::{Context, Decision, Operation, Stop, account, external_account};
use crate::rejection::Rejection;
use crate::schema::{AccountId, AccountKeyRow, AccountRow, Read, Row, View, Write};

/// Makes or finds the account of the key that signed.
#[derive(Debug)]
pub(super) struct MakeAccount;

impl Operation for MakeAccount {
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&self, ctx: &Context<'_>, view: &View, _: Timestamp) -> Result<Decision, Stop> {
        let key = ctx.key()?;
        let provider = ctx.config.provider.as_ref();
        let thumbprint = key.thumbprint(provider);
        let request: NewAccount = ctx.object()?;
        if let Some(found) = view.account_key(&thumbprint)? {
            return existing(ctx, view, &found.account, request.only_return_existing);
        }
        // RFC 8555 §7.3.1: "If a client sends such a request and an account does not exist, then
        // the server MUST return an error response with status code 400 (Bad Request) and type
        // "urn:ietf:params:acme:error:accountDoesNotExist"."
        if request.only_return_existing {
            return Err(Rejection::NoAccount.into());
        }
        let policy = &ctx.config.policy.orders;
        let spki = provider.sha256(&key.public_key().to_spki_der());
        if view.blocked_key(&spki)?.is_some() {
            return Err(Rejection::KeyBlocked.into());
        }
        if policy.terms_of_service.is_some() && !request.terms_of_service_agreed {
            return Err(Rejection::TermsNotAgreed.into());
        }
        let contact = contacts(request.contact, policy)?;
        let binding = request.external_account_binding.as_ref();
        let external_account = external_account::check(ctx, key, binding)?;
        let row = AccountRow {
            id: AccountId::new(ctx.at, &ctx.random("account", 0)),
            key: key.clone(),
            status: AccountStatus::Valid,
            contact,
            terms_of_service_agreed: request.terms_of_service_agreed,
            created_at: ctx.at,
            external_account,
        };
        let mut object = account::object(ctx, &row)?;
        // RFC 8555 §7.3.4: "The account object the CA returns MUST include an
        // "externalAccountBinding" field with the same value as the field in the request", and
        // MUST NOT if the CA didn't verify it.
        if row.external_account.is_some() {
            object.external_account_binding = request.external_account_binding;
        }
        let reply = account::show(ctx, &row, &object, 201)?;
        let event = format!("account {} made with key {thumbprint}", row.id);
        let key_row = AccountKeyRow {
            thumbprint,
            account: row.id,
        };
        let writes = vec![
            Write::Put(Row::AccountKey(key_row)),
            Write::Put(Row::Account(row)),
        ];
        Ok(Decision::write(writes, ctx.audit(event), reply))
    }
}

/// RFC 8555 §7.3.1: "If the server receives a newAccount request signed with a key for which it
/// already has an account registered with the provided account key, then it MUST return a response
/// with status code 200 (OK) and provide the URL of that account in the Location header field."
fn existing(
    ctx: &Context<'_>,
    view: &View,
    id: &AccountId,
    only_return_existing: bool,
) -> Result<Decision, Stop> {
    let row = view.account(id)?.ok_or(Rejection::Internal)?;
    // A key that its account was changed away from isn't an account's, and won't be one again.
    if row.key != *ctx.key()? {
        let rejection = if only_return_existing {
            Rejection::NoAccount
        } else {
            Rejection::KeyRetired
        };
        return Err(rejection.into());
    }
    match row.status {
        AccountStatus::Valid => Ok(Decision::reply(account::reply(ctx, row, 200)?)),
        AccountStatus::Deactivated | AccountStatus::Revoked => Err(Rejection::AccountClosed.into()),
    }
}
