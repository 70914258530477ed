//! Changing the account's key (RFC 8555 §7.3.5).

use acme_types::Url;

use super::{Content, Read, Reply, Request, Signer};
use crate::failure::Operation;

/// Sends the inner JWS, which the new key has signed, under the old key's signature.
pub fn request(url: &Url, inner: Vec<u8>) -> Request {
    Request {
        operation: Operation::KeyChange,
        url: url.clone(),
        content: Content::Post(Signer::Account, inner),
    }
}

/// Done.
///
/// # Errors
/// The server's refusal. 409 means that the new key has an account already: perhaps this one,
/// when a reply was lost.
pub fn read(reply: &Reply) -> Read<()> {
    reply.success().map(drop)
}
