//! RFC 8555 §7.4: an order is placed.
//!
//! Each identifier gets an authorization of its own, made with the order: none is reused, and no
//! pending order is given out twice.

use std::collections::BTreeSet;

use acme_types::{
    AuthorizationStatus, ChallengeType, Identifier, NewOrder, OrderStatus, RawIdentifier,
    Timestamp, Token,
};

use super::{Context, Decision, Operation, Stop, order, replaces};
use crate::issuance::Profile;
use crate::policy::OrderPolicy;
use crate::rejection::{BadIdentifier, IdentifierFault, Rejection, ValidityFault};
use crate::schema::{
    AccountOrderRow, AccountRow, AuthorizationId, AuthorizationRow, BucketKey, ChallengeRow,
    ChallengeState, OrderId, OrderRow, OrderState, Read, ReplacementRow, Row, Spend, View, Write,
};

/// Places an order.
#[derive(Debug)]
pub(super) struct PlaceOrder;

impl Operation for PlaceOrder {
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&self, ctx: &Context<'_>, view: &View, now: Timestamp) -> Result<Decision, Stop> {
        let account = ctx.account()?;
        let request: NewOrder<RawIdentifier> = ctx.object()?;
        let identifiers = identifiers(ctx, &request.identifiers)?;
        let profile = profile(ctx, request.profile.as_deref())?;
        if identifiers.len() > profile.names_max() {
            return Err(Rejection::TooManyIdentifiers {
                max: profile.names_max(),
            }
            .into());
        }
        validity(ctx, &request, profile)?;
        let replaces = match &request.replaces {
            Some(id) => Some(replaces::check(ctx, view, id, account, &identifiers, now)?),
            None => None,
        };
        let order_id = OrderId::new(ctx.at, &ctx.random("order", 0));
        let expires = ctx
            .at
            .after(ctx.config.policy.orders.order_lifetime)
            .truncate_to_secs();
        let mut writes = Vec::new();
        let mut authorizations = Vec::new();
        for (index, identifier) in identifiers.iter().enumerate() {
            let row = authorization(ctx, account, order_id, identifier, index, expires);
            authorizations.push(row.id);
            writes.push(Write::Put(Row::Authorization(row)));
        }
        let row = OrderRow {
            id: order_id,
            account: account.id,
            identifiers: identifiers.into_iter().collect(),
            authorizations,
            not_before: request.not_before,
            not_after: request.not_after,
            profile: profile.name().to_owned(),
            profile_requested: request.profile.is_some(),
            replaces,
            created_at: ctx.at,
            expires,
            state: OrderState::Open,
        };
        // RFC 9773 §5: the replaces field is echoed in the order.
        let reply = order::reply(ctx, &row, OrderStatus::Pending, request.replaces, 201)?;
        let event = format!(
            "order {order_id} placed by account {} for {:?} under profile {}",
            account.id, row.identifiers, row.profile
        );
        if let Some(serial) = replaces {
            let row = ReplacementRow {
                serial,
                order: order_id,
            };
            writes.push(Write::Put(Row::Replacement(row)));
        }
        let listed = AccountOrderRow {
            account: account.id,
            order: order_id,
        };
        writes.push(Write::Put(Row::AccountOrder(listed)));
        writes.push(Write::Put(Row::Order(row)));
        let spends = spends(ctx, account);
        Ok(Decision::write(writes, ctx.audit(event), reply).with_spends(spends))
    }
}

/// The order's identifiers: folded, sorted, without duplicates, all of them certified here. All
/// that is wrong is told at once (RFC 8555 §6.7.1).
fn identifiers(
    ctx: &Context<'_>,
    given: &[RawIdentifier],
) -> Result<BTreeSet<Identifier>, Rejection> {
    let max = ctx.config.policy.orders.identifiers_max;
    if given.is_empty() {
        return Err(Rejection::NoIdentifiers);
    }
    if given.len() > max {
        return Err(Rejection::TooManyIdentifiers { max });
    }
    let policy = &ctx.config.policy;
    let mut good = BTreeSet::new();
    let mut bad = Vec::new();
    for (index, raw) in given.iter().enumerate() {
        let place = index.saturating_add(1);
        let identifier = match Identifier::try_from(raw) {
            Ok(identifier) => identifier,
            Err(error) => {
                let fault = IdentifierFault::Syntax(error);
                bad.push(BadIdentifier {
                    place,
                    identifier: None,
                    fault,
                });
                continue;
            }
        };
        let fault = match policy.identifiers.check(&identifier) {
            Err(refusal) => Some(IdentifierFault::Policy(refusal)),
            Ok(()) if methods(ctx, &identifier).is_empty() => Some(IdentifierFault::NoMethod),
            Ok(()) if !policy.identifiers.redundant_names && is_covered(&identifier, given) => {
                Some(IdentifierFault::Redundant)
            }
            Ok(()) => None,
        };
        match fault {
            Some(fault) => {
                bad.push(BadIdentifier {
                    place,
                    identifier: Some(identifier),
                    fault,
                });
            }
            None => {
                good.insert(identifier);
            }
        }
    }
    if bad.is_empty() {
        Ok(good)
    } else {
        Err(Rejection::Identifiers(bad))
    }
}

/// Whether a wildcard of the same order covers the name.
fn is_covered(identifier: &Identifier, given: &[RawIdentifier]) -> bool {
    let Identifier::Dns(name) = identifier else {
        return false;
    };
    let wildcard = name.parent().and_then(|parent| parent.wildcard());
    !name.is_wildcard()
        && wildcard.is_some_and(|wildcard| {
            let is_it = |raw: &RawIdentifier| raw.value.eq_ignore_ascii_case(wildcard.as_str());
            given.iter().any(is_it)
        })
}

fn methods(ctx: &Context<'_>, identifier: &Identifier) -> Vec<ChallengeType> {
    let policy = &ctx.config.policy.validation;
    policy.methods_for(&identifier.base(), identifier.is_wildcard())
}

/// The profile asked for, or the default.
fn profile<'a>(ctx: &Context<'a>, asked: Option<&str>) -> Result<&'a Profile, Rejection> {
    let authority = &ctx.config.authority;
    match asked {
        Some(name) => authority.profile(name).ok_or(Rejection::ProfileUnknown),
        None => Ok(authority.default_profile()),
    }
}

/// RFC 8555 §7.4: "The server MUST return an error if it cannot fulfill the request as specified,
/// and it MUST NOT issue a certificate with contents other than those requested."
fn validity(
    ctx: &Context<'_>,
    request: &NewOrder<RawIdentifier>,
    profile: &Profile,
) -> Result<(), Rejection> {
    let (not_before, not_after) = (request.not_before, request.not_after);
    if not_before.is_none() && not_after.is_none() {
        return Ok(());
    }
    let policy: &OrderPolicy = &ctx.config.policy.orders;
    if !policy.requested_validity {
        return Err(Rejection::Validity(ValidityFault::NotAccepted));
    }
    let start = not_before.unwrap_or(ctx.at);
    if not_after.is_some_and(|end| end <= start || end <= ctx.at) {
        return Err(Rejection::Validity(ValidityFault::Order));
    }
    let lifetime = not_after.map(|end| end.since(start));
    let too_long = lifetime.is_some_and(|lifetime| lifetime > profile.parts().validity);
    // A start before now is backdating, one later than the order lives can't be meant.
    let too_early = start < ctx.at.before(profile.parts().backdate);
    let too_late = start > ctx.at.after(policy.order_lifetime);
    if too_long || too_early || too_late {
        return Err(Rejection::Validity(ValidityFault::OutOfRange));
    }
    Ok(())
}

fn authorization(
    ctx: &Context<'_>,
    account: &AccountRow,
    order: OrderId,
    identifier: &Identifier,
    index: usize,
    expires: Timestamp,
) -> AuthorizationRow {
    let id = AuthorizationId::new(ctx.at, &ctx.random("authorization", index));
    let challenge = |kind: ChallengeType| {
        // RFC 8555 §8.3: "at least 128 bits of entropy"; one token for each challenge.
        let label = format!("token {kind}");
        ChallengeRow {
            token: Token::from_entropy(&ctx.random(&label, index)),
            kind,
            state: ChallengeState::Pending,
            attempts: 0,
            error: None,
        }
    };
    AuthorizationRow {
        id,
        account: account.id,
        order: Some(order),
        identifier: identifier.base(),
        wildcard: identifier.is_wildcard(),
        status: AuthorizationStatus::Pending,
        created_at: ctx.at,
        expires,
        challenges: methods(ctx, identifier)
            .into_iter()
            .map(challenge)
            .collect(),
        caa_checked_at: None,
    }
}

fn spends(ctx: &Context<'_>, account: &AccountRow) -> Vec<Spend> {
    let rate = ctx.config.policy.orders.new_orders;
    let spend = rate.map(|rate| Spend {
        key: BucketKey::new(format!("new-orders:{}", account.id)),
        at: ctx.at,
        cost: rate.cost(),
        burst: rate.period,
    });
    spend.into_iter().collect()
}
