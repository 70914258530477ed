//! Placing an order (RFC 8555 §7.4).

use std::collections::BTreeSet;

use acme_types::{Identifier, NewOrder, Order, Url};

use super::{Endpoints, Read, Reply, Request, Signer, order};
use crate::Config;
use crate::failure::{Misbehaviour, Operation};

/// An order that the server has.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Placed {
    /// The order's URL.
    pub url: Url,
    /// The order.
    pub order: Order,
}

/// Places an order.
pub fn request(endpoints: &Endpoints, order: &NewOrder) -> Request {
    Request::post(
        Operation::NewOrder,
        &endpoints.new_order,
        Signer::Account,
        order,
    )
}

/// Reads the order that was placed, which must be for these identifiers.
///
/// # Errors
/// As [`order::read`]; a missing `Location`, or one that is another resource's.
pub fn read(config: &Config, reply: &Reply, identifiers: &BTreeSet<Identifier>) -> Read<Placed> {
    let order = order::read(config, reply, identifiers)?;
    let url = reply.location(config)?;
    let taken = url == reply.url || url == order.finalize || order.authorizations.contains(&url);
    if taken {
        return Err(reply.misbehaved(Misbehaviour::UrlReused));
    }
    Ok(Placed { url, order })
}
