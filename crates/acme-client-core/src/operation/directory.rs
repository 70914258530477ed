//! The directory (RFC 8555 §7.1.1).

use acme_types::{Directory, DirectoryMeta, Url};

use super::{Read, Reply, Request};
use crate::Config;
use crate::failure::Operation;

/// The directory's URLs, each at a known origin.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Endpoints {
    /// The directory itself.
    pub directory: Url,
    /// Where nonces are given out.
    pub new_nonce: Url,
    /// Where accounts are made.
    pub new_account: Url,
    /// Where orders are placed.
    pub new_order: Url,
    /// Where certificates are revoked, if this CA says.
    pub revoke_certificate: Option<Url>,
    /// Where account keys are changed, if this CA says.
    pub key_change: Option<Url>,
    /// Where renewal information is read (RFC 9773), if this CA has any.
    pub renewal_info: Option<Url>,
    /// What the CA says of itself.
    pub meta: DirectoryMeta,
}

/// Unsigned: "the client … sends a GET".
pub fn request(url: &Url) -> Request {
    Request::get(Operation::Directory, url)
}

/// Reads the directory. What an ordinary order needs must be there; the rest is optional, and a
/// URL that may not be followed counts as absent there.
///
/// # Errors
/// A [`crate::Failure`]: not a directory, or a needed URL that may not be followed.
pub fn read(config: &Config, reply: &Reply) -> Read<Endpoints> {
    let directory: Directory = reply.json()?;
    let optional = |url: Option<Url>| url.and_then(|url| config.admit(url).ok());
    Ok(Endpoints {
        directory: reply.url.clone(),
        new_nonce: reply.admit(config, directory.new_nonce)?,
        new_account: reply.admit(config, directory.new_account)?,
        new_order: reply.admit(config, directory.new_order)?,
        revoke_certificate: optional(directory.revoke_certificate),
        key_change: optional(directory.key_change),
        renewal_info: optional(directory.renewal_info),
        meta: directory.meta,
    })
}
