//! Downloading a certificate (RFC 8555 §7.4.2).

use acme_types::Url;

use super::{Read, Reply, Request};
use crate::Config;
use crate::certificate::Chain;
use crate::failure::{Misbehaviour, Operation};

/// The most alternate chains that are looked at.
pub const ALTERNATES_MAX: usize = 5;

/// A chain that was downloaded, unchecked, and where its alternates are.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Downloaded {
    /// The chain.
    pub chain: Chain,
    /// `Link: …;rel="alternate"`, [`ALTERNATES_MAX`] at most.
    pub alternates: Vec<Url>,
}

/// Downloads the chain.
pub fn request(certificate: &Url) -> Request {
    Request::post_as_get(Operation::Certificate, certificate)
}

/// Reads the chain.
///
/// # Errors
/// The server's refusal, or anything but a PEM chain. The media type isn't looked at: the blocks
/// speak for themselves.
pub fn read(config: &Config, reply: &Reply) -> Read<Downloaded> {
    let chain = Chain::from_pem(reply.success()?.body())
        .map_err(|fault| reply.misbehaved(Misbehaviour::Certificate(fault)))?;
    let mut alternates = reply.links("alternate", config);
    alternates.retain(|url| *url != reply.url);
    alternates.truncate(ALTERNATES_MAX);
    Ok(Downloaded { chain, alternates })
}
