//! RFC 8555 §7.1.2.1: an account's orders, in pages.

use acme_types::{Orders, Timestamp};

use super::{Context, Decision, Operation, Stop, need, url};
use crate::exchange::Reply;
use crate::rejection::Rejection;
use crate::schema::{AccountId, OrderId, OrderRow, OrderState, Read, Scan, View};

/// Lists the orders of an account after one of them.
#[derive(Debug)]
pub(super) struct ListOrders(pub(super) AccountId, pub(super) Option<OrderId>);

impl Operation for ListOrders {
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&self, ctx: &Context<'_>, view: &View, now: Timestamp) -> Result<Decision, Stop> {
        ctx.post_as_get()?;
        let account = ctx.account()?;
        if account.id != self.0 {
            return Err(Rejection::ForeignAccount.into());
        }
        let page = ctx.config.policy.orders.orders_per_page.max(1);
        // One more than a page, to know whether there is a next one.
        let limit = page.saturating_add(1);
        let scan = Scan::AccountOrders {
            account: account.id,
            after: self.1,
            limit,
        };
        let found = ctx.scanned.ok_or(Stop::Unscanned(scan))?;
        let ids: Vec<OrderId> = found
            .iter()
            .filter_map(|read| order_of(read, &self.0))
            .collect();
        let shown = ids.get(..page).unwrap_or(&ids);
        need(view, shown.iter().copied().map(Read::Order))?;
        let mut orders = Vec::with_capacity(shown.len());
        for id in shown {
            if view.order(id)?.is_some_and(|order| is_listed(order, now)) {
                orders.push(url(ctx.urls().order(id))?);
            }
        }
        let reply = Reply::json(200, &Orders { orders })?;
        let more = ids.len() > shown.len();
        Ok(Decision::reply(match shown.last() {
            Some(last) if more => {
                reply.link(&ctx.urls().account_orders_after(&self.0, last), "next")
            }
            _ => reply,
        }))
    }
}

fn order_of(read: &Read, of: &AccountId) -> Option<OrderId> {
    match read {
        Read::AccountOrder(account, order) if account == of => Some(*order),
        _ => None,
    }
}

/// RFC 8555 §7.1.2.1: "The server SHOULD include pending orders and SHOULD NOT include orders
/// that are invalid in the array of URLs." An order that an authorization made invalid is still
/// listed until it expires: to know would take all its authorizations.
fn is_listed(order: &OrderRow, now: Timestamp) -> bool {
    match order.state {
        OrderState::Open => now < order.expires,
        OrderState::Processing { .. } | OrderState::Valid { .. } => true,
        OrderState::Invalid { .. } => false,
    }
}
