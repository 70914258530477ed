//! RFC 8555 §7.1.3 and §7.4: an order is read.

use acme_types::{CertificateId, Order, OrderStatus, Timestamp};

use super::status::order_expires;
use super::{Context, Decision, Operation, Stop, need, order_status, url};
use crate::exchange::Reply;
use crate::rejection::Rejection;
use crate::schema::{AuthorizationRow, OrderId, OrderRow, OrderState, Read, View};

/// Reads an order.
#[derive(Debug)]
pub(super) struct ReadOrder(pub(super) OrderId);

impl Operation for ReadOrder {
    fn reads(&self) -> Vec<Read> {
        vec![Read::Order(self.0)]
    }

    fn decide(&self, ctx: &Context<'_>, view: &View, now: Timestamp) -> Result<Decision, Stop> {
        let order = own(ctx, view, &self.0)?;
        ctx.post_as_get()?;
        let authorizations = authorizations(view, order)?;
        let status = order_status(order, &authorizations, now);
        let certificate = replaced_id(ctx, view, order)?;
        let expires = order_expires(order, &authorizations);
        let shown = OrderRow {
            expires,
            ..order.clone()
        };
        Ok(Decision::reply(reply(
            ctx,
            &shown,
            status,
            certificate,
            200,
        )?))
    }
}

/// The signer's order; another's looks like none (invariant I33).
pub(super) fn own<'a>(
    ctx: &Context<'_>,
    view: &'a View,
    id: &OrderId,
) -> Result<&'a OrderRow, Stop> {
    let account = ctx.account()?;
    let order = view.order(id)?.filter(|order| order.account == account.id);
    Ok(order.ok_or(Rejection::NotFound)?)
}

/// An order's authorizations, all or the demand for those that weren't loaded.
pub(super) fn authorizations<'a>(
    view: &'a View,
    order: &OrderRow,
) -> Result<Vec<&'a AuthorizationRow>, Stop> {
    need(
        view,
        order
            .authorizations
            .iter()
            .copied()
            .map(Read::Authorization),
    )?;
    let mut rows = Vec::with_capacity(order.authorizations.len());
    for id in &order.authorizations {
        // An order without one of its authorizations is damage, and never ready.
        rows.extend(view.authorization(id)?);
    }
    Ok(rows)
}

/// What the order's `replaces` is on the wire: the certificate names the issuer.
pub(super) fn replaced_id(
    ctx: &Context<'_>,
    view: &View,
    order: &OrderRow,
) -> Result<Option<CertificateId>, Stop> {
    let Some(serial) = &order.replaces else {
        return Ok(None);
    };
    let certificate = view.certificate(serial)?.ok_or(Rejection::Internal)?;
    // An issuer that was retired since then can't be named any more.
    let Some(issuer) = ctx.config.authority.issuer(&certificate.issuer) else {
        return Ok(None);
    };
    let key = issuer.authority_key_identifier().to_vec();
    let id = CertificateId::new(key, serial.as_bytes().to_vec());
    Ok(Some(id.map_err(|_| Rejection::Internal)?))
}

/// The reply that shows an order.
pub(super) fn reply(
    ctx: &Context<'_>,
    row: &OrderRow,
    status: OrderStatus,
    replaces: Option<CertificateId>,
    http_status: u16,
) -> Result<Reply, Rejection> {
    let urls = ctx.urls();
    let mut authorizations = Vec::with_capacity(row.authorizations.len());
    for id in &row.authorizations {
        authorizations.push(url(urls.authorization(id))?);
    }
    let (error, certificate) = match &row.state {
        OrderState::Open | OrderState::Processing { .. } => (None, None),
        OrderState::Valid { serial } => (None, Some(url(urls.certificate(serial))?)),
        OrderState::Invalid { problem } => (Some(problem.clone()), None),
    };
    let object = Order {
        status: status.into(),
        expires: Some(row.expires),
        identifiers: row.identifiers.iter().cloned().map(Into::into).collect(),
        not_before: row.not_before,
        not_after: row.not_after,
        error,
        authorizations,
        finalize: url(urls.finalize(&row.id))?,
        certificate,
        replaces,
        profile: row.profile_requested.then(|| row.profile.clone()),
    };
    let reply = Reply::json(http_status, &object)?.location(&urls.order(&row.id));
    // RFC 8555 §7.4: "processing": "The client should send a POST-as-GET request after the time
    // given in the Retry-After header field of the response, if any."
    Ok(match status {
        OrderStatus::Processing => {
            reply.retry_after(ctx.config.policy.orders.processing_retry_after)
        }
        OrderStatus::Pending | OrderStatus::Ready | OrderStatus::Valid | OrderStatus::Invalid => {
            reply
        }
    })
}
