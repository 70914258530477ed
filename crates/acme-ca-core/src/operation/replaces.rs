//! RFC 9773 §5: the certificate that an order replaces.

use std::collections::BTreeSet;

use acme_types::{CertificateId, Identifier, OrderStatus, Timestamp};

use super::order::authorizations;
use super::{Context, Stop, order_status};
use crate::rejection::{Rejection, ReplacesFault};
use crate::schema::{AccountRow, CertificateRow, Serial, View};

/// The certificate with this identifier, issued by one of this CA's issuers.
pub(super) fn find<'a>(
    ctx: &Context<'_>,
    view: &'a View,
    id: &CertificateId,
) -> Result<Option<&'a CertificateRow>, Stop> {
    let Some(serial) = Serial::from_der_integer(id.serial()) else {
        return Ok(None);
    };
    let found = view.certificate(&serial)?.filter(|row| {
        let issuer = ctx.config.authority.issuer(&row.issuer);
        row.der.is_some()
            && issuer.is_some_and(|issuer| {
                issuer.authority_key_identifier() == id.authority_key_identifier()
            })
    });
    Ok(found)
}

/// RFC 9773 §5: "Servers SHOULD check that the identified certificate and the newOrder request
/// correspond to the same ACME Account, that they share at least one identifier, and that the
/// identified certificate has not already been marked as replaced by a different Order that is not
/// "invalid"."
pub(super) fn check(
    ctx: &Context<'_>,
    view: &View,
    id: &CertificateId,
    account: &AccountRow,
    identifiers: &BTreeSet<Identifier>,
    now: Timestamp,
) -> Result<Serial, Stop> {
    let refuse = |fault| Err(Stop::Rejected(Rejection::Replaces(fault)));
    let Some(certificate) = find(ctx, view, id)? else {
        return refuse(ReplacesFault::Unknown);
    };
    if certificate.account != account.id {
        return refuse(ReplacesFault::Foreign);
    }
    if certificate.not_after < ctx.at {
        return refuse(ReplacesFault::Expired);
    }
    if !certificate
        .identifiers
        .iter()
        .any(|old| identifiers.contains(old))
    {
        return refuse(ReplacesFault::Disjoint);
    }
    if let Some(replacement) = view.replacement(&certificate.serial)? {
        let order = view.order(&replacement.order)?.ok_or(Rejection::Internal)?;
        let authorizations = authorizations(view, order)?;
        if order_status(order, &authorizations, now) != OrderStatus::Invalid {
            return Err(Rejection::AlreadyReplaced.into());
        }
    }
    Ok(certificate.serial)
}
