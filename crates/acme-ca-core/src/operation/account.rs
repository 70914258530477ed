//! RFC 8555 §7.3.2 and §7.3.6: an account is read, changed, deactivated.

use acme_types::{Account, AccountStatus, AccountUpdate, Timestamp};

use super::contact::contacts;
use super::{Context, Decision, Operation, Stop, url};
use crate::exchange::Reply;
use crate::rejection::Rejection;
use crate::schema::{AccountId, AccountRow, Read, Row, View, Write};

/// Reads or changes an account.
#[derive(Debug)]
pub(super) struct UpdateAccount(pub(super) AccountId);

impl Operation for UpdateAccount {
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&self, ctx: &Context<'_>, _: &View, _: Timestamp) -> Result<Decision, Stop> {
        let account = ctx.account()?;
        if account.id != self.0 {
            return Err(Rejection::ForeignAccount.into());
        }
        if ctx.payload.is_empty() {
            return Ok(Decision::reply(reply(ctx, account, 200)?));
        }
        let update: AccountUpdate = ctx.object()?;
        let mut changed = account.clone();
        // RFC 8555 §7.3.6 says nothing of other changes in the same request: none is made.
        if update.deactivates() {
            changed.status = AccountStatus::Deactivated;
        } else if let Some(given) = update.contact {
            changed.contact = contacts(given, &ctx.config.policy.orders)?;
        }
        let reply = reply(ctx, &changed, 200)?;
        if changed == *account {
            return Ok(Decision::reply(reply));
        }
        let event = match changed.status {
            AccountStatus::Valid => format!("account {} changed its contacts", account.id),
            AccountStatus::Deactivated | AccountStatus::Revoked => {
                format!("account {} deactivated itself", account.id)
            }
        };
        let writes = vec![Write::Put(Row::Account(changed))];
        Ok(Decision::write(writes, ctx.audit(event), reply))
    }
}

/// The account's object (RFC 8555 §7.1.2).
pub(super) fn object(ctx: &Context<'_>, row: &AccountRow) -> Result<Account, Rejection> {
    Ok(Account {
        status: row.status.into(),
        contact: row.contact.clone(),
        terms_of_service_agreed: row.terms_of_service_agreed.then_some(true),
        external_account_binding: None,
        orders: Some(url(ctx.urls().account_orders(&row.id))?),
    })
}

/// The reply that shows it, with its URL.
pub(super) fn reply(ctx: &Context<'_>, row: &AccountRow, status: u16) -> Result<Reply, Rejection> {
    show(ctx, row, &object(ctx, row)?, status)
}

pub(super) fn show(
    ctx: &Context<'_>,
    row: &AccountRow,
    object: &Account,
    status: u16,
) -> Result<Reply, Rejection> {
    let reply = Reply::json(status, object)?.location(&ctx.urls().account(&row.id));
    // RFC 8555 §7.3: the link "terms-of-service" tells which terms were meant.
    Ok(match &ctx.config.policy.orders.terms_of_service {
        Some(terms) => reply.link(terms.as_str(), "terms-of-service"),
        None => reply,
    })
}
