//! States as RFC 8555 §7.1.6 has them, derived from what is stored and the time.

use acme_types::{AuthorizationStatus, ChallengeStatus, Identifier, OrderStatus, Timestamp};

use crate::schema::{AuthorizationRow, ChallengeState, OrderRow, OrderState};

/// An order's state.
///
/// RFC 8555 §7.1.6: "pending" until all authorizations are "valid", then "ready"; an order "moves
/// to the "invalid" state" if it expires before, or one of its authorizations reaches a final
/// state other than "valid". `authorizations` are all of the order's; fewer are doubt, and doubt
/// is not "ready".
pub fn order_status(
    order: &OrderRow,
    authorizations: &[&AuthorizationRow],
    now: Timestamp,
) -> OrderStatus {
    match &order.state {
        OrderState::Valid { .. } => return OrderStatus::Valid,
        OrderState::Invalid { .. } => return OrderStatus::Invalid,
        OrderState::Processing { .. } => return OrderStatus::Processing,
        OrderState::Open if order.expires <= now => return OrderStatus::Invalid,
        OrderState::Open => {}
    }
    let mut ready = authorizations.len() == order.authorizations.len();
    for authorization in authorizations {
        match authorization_status(authorization, now) {
            AuthorizationStatus::Valid => {}
            AuthorizationStatus::Pending => ready = false,
            AuthorizationStatus::Invalid
            | AuthorizationStatus::Deactivated
            | AuthorizationStatus::Expired
            | AuthorizationStatus::Revoked => return OrderStatus::Invalid,
        }
    }
    if ready {
        OrderStatus::Ready
    } else {
        OrderStatus::Pending
    }
}

/// Whether these are the order's authorizations: each the account's own, made for this order and
/// for one of its names, and one for every name. Rows as newOrder writes them always are; status
/// alone would let damaged ones pass (invariant I1).
pub(crate) fn covers(order: &OrderRow, authorizations: &[&AuthorizationRow]) -> bool {
    let is_for = |row: &AuthorizationRow, wanted: &Identifier| {
        wanted.base() == row.identifier && wanted.is_wildcard() == row.wildcard
    };
    let own = |row: &&AuthorizationRow| {
        let named = order.identifiers.iter().any(|wanted| is_for(row, wanted));
        row.account == order.account && row.order == Some(order.id) && named
    };
    let proved = |wanted: &Identifier| authorizations.iter().any(|row| is_for(row, wanted));
    !order.identifiers.is_empty()
        && authorizations.iter().all(own)
        && order.identifiers.iter().all(proved)
}

/// When the order ceases to be usable, as things stand: RFC 8555 §7.1.3, "the timestamp after
/// which the server will consider this order invalid". One authorization that ends takes the
/// order with it, until the order is finalized.
pub(super) fn order_expires(order: &OrderRow, authorizations: &[&AuthorizationRow]) -> Timestamp {
    match &order.state {
        OrderState::Open => {
            let ends = authorizations
                .iter()
                .map(|authorization| authorization.expires);
            ends.fold(order.expires, Timestamp::min)
        }
        OrderState::Processing { .. } | OrderState::Valid { .. } | OrderState::Invalid { .. } => {
            order.expires
        }
    }
}

/// An authorization's state. A valid one expires; a pending one that wasn't met in time has
/// failed: RFC 8555 §7.1.6 has no way from "pending" to "expired".
pub fn authorization_status(row: &AuthorizationRow, now: Timestamp) -> AuthorizationStatus {
    match row.status {
        AuthorizationStatus::Valid if row.expires <= now => AuthorizationStatus::Expired,
        AuthorizationStatus::Pending if row.expires <= now => AuthorizationStatus::Invalid,
        status => status,
    }
}

/// A challenge's state. RFC 8555 §8.2: while the client may ask for another attempt, it stays
/// "processing", with an error.
pub(super) fn challenge_status(state: &ChallengeState) -> ChallengeStatus {
    match state {
        ChallengeState::Pending => ChallengeStatus::Pending,
        ChallengeState::Processing { .. } | ChallengeState::Retryable { .. } => {
            ChallengeStatus::Processing
        }
        ChallengeState::Valid { .. } => ChallengeStatus::Valid,
        ChallengeState::Invalid => ChallengeStatus::Invalid,
    }
}
