//! Reading an order (RFC 8555 §7.4).

use std::collections::BTreeSet;

use acme_types::{Identifier, Order, Url};

use super::{Read, Reply, Request};
use crate::Config;
use crate::failure::{Misbehaviour, Operation};

/// The most authorizations an order may have: ten times what any public CA allows.
pub const AUTHORIZATIONS_MAX: usize = 1_000;

/// Reads the order.
pub fn request(order: &Url) -> Request {
    Request::post_as_get(Operation::Order, order)
}

/// Reads an order that must be for these identifiers.
///
/// # Errors
/// The server's refusal; an order for other identifiers, with too many authorizations, or with
/// URLs that may not be followed.
pub fn read(config: &Config, reply: &Reply, identifiers: &BTreeSet<Identifier>) -> Read<Order> {
    let mut order: Order = reply.json()?;
    // RFC 8555 §7.1.3: the identifiers "MUST NOT change". Order and repetition don't matter.
    let named = order
        .identifiers
        .iter()
        .map(|identifier| identifier.as_known().cloned());
    if named.collect::<Option<BTreeSet<_>>>().as_ref() != Some(identifiers) {
        return Err(reply.misbehaved(Misbehaviour::IdentifiersChanged));
    }
    let mut authorizations: Vec<Url> = Vec::new();
    for url in order.authorizations {
        let url = reply.admit(config, url)?;
        if !authorizations.contains(&url) {
            authorizations.push(url);
        }
        if authorizations.len() > AUTHORIZATIONS_MAX {
            return Err(reply.misbehaved(Misbehaviour::TooManyAuthorizations));
        }
    }
    order.authorizations = authorizations;
    order.finalize = reply.admit(config, order.finalize)?;
    order.certificate = order
        .certificate
        .map(|url| reply.admit(config, url))
        .transpose()?;
    Ok(order)
}
