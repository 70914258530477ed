//! RFC 8555 §7.4: an order is finalized with a CSR.
//!
//! The intent (serial, all that will be signed) is durable, with the job that signs it, before
//! this operation replies.

use acme_crypto::PublicKey;
use acme_csr::{Csr, Extension};
use acme_jws::Jwk;
use acme_types::{Finalize, Identifier, OrderStatus, Timestamp};
use der::Decode;
use x509_cert::ext::pkix::BasicConstraints;

use super::order::{authorizations, own, replaced_id, reply};
use super::{Context, Decision, Operation, Stop, covers, need, order_status};
use crate::issuance;
use crate::job::{lease_of, move_due};
use crate::rejection::{BadIdentifier, CsrFault, IdentifierFault, Rejection};
use crate::schema::{
    AuthorizationRow, ChallengeState, JobId, JobRow, JobState, OrderId, OrderRow, OrderState, Read,
    Row, Serial, View, Write,
};

/// Finalizes an order.
#[derive(Debug)]
pub(super) struct FinalizeOrder(pub(super) OrderId);

impl Operation for FinalizeOrder {
    fn reads(&self) -> Vec<Read> {
        vec![Read::Order(self.0)]
    }

    fn decide(&self, ctx: &Context<'_>, view: &View, now: Timestamp) -> Result<Decision, Stop> {
        let order = own(ctx, view, &self.0)?;
        let request: Finalize = ctx.object()?;
        let csr = Csr::parse(&request.csr);
        let serial = Serial::new(&ctx.random("serial", 0));
        let key_reads = csr.iter().flat_map(|csr| key_reads(ctx, csr.public_key()));
        let authorization_reads = order
            .authorizations
            .iter()
            .copied()
            .map(Read::Authorization);
        let replaced = order.replaces.map(Read::Certificate);
        let reads = authorization_reads.chain(key_reads).chain(replaced);
        need(view, reads.chain([Read::Intent(serial)]))?;
        let authorizations = authorizations(view, order)?;
        is_ready(ctx, order, &authorizations, now)?;
        let csr = csr.map_err(|error| Rejection::Csr(CsrFault::Refused(error)))?;
        check_csr(ctx, view, order, &csr)?;
        // The absence of this serial is guarded: it is nobody else's (invariant I8).
        if view.intent(&serial)?.is_some() {
            return Err(Rejection::Internal.into());
        }
        let intent =
            issuance::intent(ctx.config, order, &csr, serial, ctx.at).map_err(Rejection::from)?;
        let id = JobId::new(ctx.at, &ctx.random("issuance", 0));
        let state = JobState::Issuance {
            order: order.id,
            serial,
        };
        let due = ctx.at.after(lease_of(ctx.config, &state));
        let job = JobRow {
            id,
            due,
            attempt: 1,
            state,
        };
        let changed = OrderRow {
            state: OrderState::Processing { serial, job: id },
            ..order.clone()
        };
        let replaces = replaced_id(ctx, view, order)?;
        let reply = reply(ctx, &changed, OrderStatus::Processing, replaces, 200)?;
        let event = format!(
            "order {} finalized by account {}: serial {serial} intended",
            order.id, order.account
        );
        let mut writes = move_due(due, &job);
        writes.push(Write::Put(Row::Intent(intent)));
        writes.push(Write::Put(Row::Order(changed)));
        Ok(Decision::write(writes, ctx.audit(event), reply).with_spawn(id))
    }
}

/// RFC 8555 §7.4: "A request to finalize an order will result in error if the order is not in the
/// "ready" state. In such cases, the server MUST return a 403 (Forbidden) error with a problem
/// document of type "orderNotReady"."
fn is_ready(
    ctx: &Context<'_>,
    order: &OrderRow,
    authorizations: &[&AuthorizationRow],
    now: Timestamp,
) -> Result<(), Rejection> {
    if order.state == OrderState::Open && order.expires <= now {
        return Err(Rejection::NotFound);
    }
    match order_status(order, authorizations, now) {
        OrderStatus::Ready => {}
        status @ (OrderStatus::Pending
        | OrderStatus::Processing
        | OrderStatus::Valid
        | OrderStatus::Invalid) => return Err(Rejection::OrderNotReady(status)),
    }
    if !covers(order, authorizations) {
        return Err(Rejection::Internal);
    }
    let policy = &ctx.config.policy;
    let mut bad = Vec::new();
    for (index, row) in authorizations.iter().enumerate() {
        let identifier = named(row);
        let place = index.saturating_add(1);
        if let Err(refusal) = policy.identifiers.check(&identifier) {
            let fault = IdentifierFault::Policy(refusal);
            bad.push(BadIdentifier {
                place,
                identifier: Some(identifier),
                fault,
            });
            continue;
        }
        // A method that was taken off the list since then proves nothing any more.
        let offered = policy.validation.methods_for(&row.identifier, row.wildcard);
        let proved = row.challenges.iter().any(|challenge| {
            matches!(challenge.state, ChallengeState::Valid { .. })
                && offered.contains(&challenge.kind)
        });
        if !proved {
            let fault = IdentifierFault::NoMethod;
            bad.push(BadIdentifier {
                place,
                identifier: Some(identifier),
                fault,
            });
            continue;
        }
        // BR §3.2.2.8.1: CAA within 8 hours before issuance.
        let fresh = row
            .caa_checked_at
            .is_some_and(|at| now < at.after(policy.orders.caa_age_max));
        if !fresh {
            return Err(Rejection::CaaTooOld);
        }
    }
    if bad.is_empty() {
        Ok(())
    } else {
        Err(Rejection::Identifiers(bad))
    }
}

/// The identifier as the order names it.
fn named(row: &AuthorizationRow) -> Identifier {
    match &row.identifier {
        Identifier::Dns(name) if row.wildcard => name
            .wildcard()
            .map_or(row.identifier.clone(), Identifier::Dns),
        other => other.clone(),
    }
}

/// Whether the CSR may be certified for this order.
fn check_csr(ctx: &Context<'_>, view: &View, order: &OrderRow, csr: &Csr) -> Result<(), Stop> {
    let refuse = |fault| Stop::Rejected(Rejection::Csr(fault));
    let authority = &ctx.config.authority;
    let profile = authority
        .profile(&order.profile)
        .ok_or(Rejection::Profile)?;
    if !profile.parts().keys.contains(&csr.public_key().kind()) {
        return Err(refuse(CsrFault::KeyKind));
    }
    let verified = csr.verify(ctx.config.provider.as_ref());
    verified.map_err(|error| refuse(CsrFault::Refused(error)))?;
    // RFC 8555 §7.4: "The CSR MUST indicate the exact same set of requested identifiers as the
    // initial newOrder request."
    if !csr.identifiers().iter().eq(order.identifiers.iter()) {
        return Err(refuse(CsrFault::Identifiers));
    }
    // RFC 8555 §7.4: "If the CSR requests extensions that the CA is not willing to include in the
    // certificate". What is in the profile or harmless to leave out isn't looked at.
    if csr.extensions().iter().any(is_refused) {
        return Err(refuse(CsrFault::Extension));
    }
    let [account_key, blocked_key] = key_reads(ctx, csr.public_key());
    // RFC 8555 §11.1: "ACME clients and servers MUST verify that a CSR submitted in a finalize
    // request does not contain a public key for any known account key pair."
    if view.row(&account_key)?.is_some() {
        return Err(refuse(CsrFault::AccountKey));
    }
    if view.row(&blocked_key)?.is_some() {
        return Err(refuse(CsrFault::KeyBlocked));
    }
    Ok(())
}

/// RFC 7633: OCSP stapling, which can't be done without OCSP.
const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";

fn is_refused(extension: &Extension) -> bool {
    let is_authority = || BasicConstraints::from_der(extension.value()).map_or(true, |b| b.ca);
    extension.is(TLS_FEATURE) || extension.is(BASIC_CONSTRAINTS) && is_authority()
}

/// Whether a key is an account's, and whether it is blocked.
fn key_reads(ctx: &Context<'_>, key: &PublicKey) -> [Read; 2] {
    let provider = ctx.config.provider.as_ref();
    let thumbprint = Jwk::from_public_key(key.clone()).thumbprint(provider);
    [
        Read::AccountKey(thumbprint),
        Read::BlockedKey(provider.sha256(&key.to_spki_der())),
    ]
}
