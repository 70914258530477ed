//! Fresh nonces (RFC 8555 §7.2).

use acme_types::Nonce;

use super::{Content, Endpoints, Read, Reply, Request};
use crate::failure::{Misbehaviour, Operation};

/// Asks for a nonce. The ways are tried in turn, because servers differ in what they offer: HEAD
/// newNonce, GET newNonce, and the directory, which many answer with a nonce.
pub fn request(endpoints: &Endpoints, turn: u32) -> Request {
    let (url, content) = match turn % 3 {
        0 => (&endpoints.new_nonce, Content::Head),
        1 => (&endpoints.new_nonce, Content::Get),
        _ => (&endpoints.directory, Content::Get),
    };
    Request {
        operation: Operation::NewNonce,
        url: url.clone(),
        content,
    }
}

/// Reads the nonce, whatever the status.
///
/// # Errors
/// There is none.
pub fn read(reply: &Reply) -> Read<Nonce> {
    match reply.nonce() {
        Some(nonce) => Ok(nonce),
        None if reply.status().is_success() => Err(reply.misbehaved(Misbehaviour::NoNonce)),
        None => Err(reply.refusal()),
    }
}
