//! Reading and giving up an authorization (RFC 8555 §7.5, §7.5.2).

use acme_types::{Authorization, Deactivation, Identifier, Url};

use super::{Read, Reply, Request, Signer};
use crate::failure::{Misbehaviour, Operation};

/// Reads the authorization.
pub fn request(authorization: &Url) -> Request {
    Request::post_as_get(Operation::Authorization, authorization)
}

/// Gives it up, so that a failed order leaves nothing pending behind.
pub fn deactivate(authorization: &Url) -> Request {
    Request::post(
        Operation::Authorization,
        authorization,
        Signer::Account,
        &Deactivation,
    )
}

/// Reads an authorization, and the identifier as the order names it: a wildcard with its `*.`.
///
/// # Errors
/// The server's refusal, or a body that is no authorization.
pub fn read(reply: &Reply) -> Read<(Identifier, Authorization)> {
    let authorization: Authorization = reply.json()?;
    let named = authorization.identifier.as_known();
    let named = named.ok_or_else(|| reply.misbehaved(Misbehaviour::MalformedBody))?;
    // RFC 8555 §7.1.4: `wildcard` is true for authorizations of orders "containing a DNS
    // identifier with a wildcard", and the identifier itself is the base name.
    let identifier = match named {
        Identifier::Dns(name) if authorization.wildcard && !name.is_wildcard() => {
            name.wildcard().map(Identifier::Dns)
        }
        other => Some(other.clone()),
    };
    let identifier =
        identifier.ok_or_else(|| reply.misbehaved(Misbehaviour::AuthorizationMismatch))?;
    Ok((identifier, authorization))
}
