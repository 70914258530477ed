//! Handing in the CSR (RFC 8555 §7.4).

use std::collections::BTreeSet;

use acme_types::{Finalize, Identifier, Order, Url};

use super::{Read, Reply, Request, Signer, order};
use crate::Config;
use crate::failure::Operation;

/// Hands in the CSR (PKCS#10, DER).
pub fn request(finalize: &Url, csr: &[u8]) -> Request {
    let payload = Finalize { csr: csr.to_vec() };
    Request::post(Operation::Finalize, finalize, Signer::Account, &payload)
}

/// Reads the order as it stands afterwards. `Location` is ignored: not all servers send it, and
/// the order's URL is known.
///
/// # Errors
/// As [`order::read`].
pub fn read(config: &Config, reply: &Reply, identifiers: &BTreeSet<Identifier>) -> Read<Order> {
    order::read(config, reply, identifiers)
}
