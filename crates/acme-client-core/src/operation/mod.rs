//! One file per ACME operation: what to send, and what to make of the reply.
//!
//! Pure functions. No nonces, no signatures, no retries: those are [`crate::Client`]'s. A request
//! is a value; a reply is read into a checked type or into a [`Failure`].

pub mod account;
pub mod authorization;
pub mod certificate;
pub mod challenge;
pub mod directory;
pub mod finalize;
pub mod key_change;
pub mod new_account;
pub mod new_order;
pub mod nonce;
pub mod order;
pub mod renewal_info;
mod reply;
pub mod revoke;

use acme_crypto::PublicKey;
use acme_types::Url;
pub use directory::Endpoints;
pub use reply::Reply;

use crate::KeyRef;
use crate::failure::{Failure, Operation};

/// Largest body of anything but a certificate chain: an order of a thousand names stays below it.
pub const RESPONSE_BYTES_MAX: usize = 1024 * 1024;

/// A request as the protocol has it: not yet signed, no nonce.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// What it does.
    pub operation: Operation,
    /// Where it goes.
    pub url: Url,
    /// How.
    pub content: Content,
}

/// What a request carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// HEAD, unsigned.
    Head,
    /// GET, unsigned.
    Get,
    /// POST-as-GET (RFC 8555 §6.3): signed by the account, an empty payload.
    PostAsGet,
    /// POST of this payload.
    Post(Signer, Vec<u8>),
}

/// Who signs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signer {
    /// The account, named by its URL (RFC 8555 §6.2: `kid`).
    Account,
    /// The account's key, before there is a URL (`jwk`).
    AccountKey,
    /// Another key, which names itself (`jwk`): a certificate's (RFC 8555 §7.6), or the one that
    /// is to become the account's (§7.3.5).
    Key(KeyRef, PublicKey),
}

impl Request {
    fn get(operation: Operation, url: &Url) -> Self {
        Self {
            operation,
            url: url.clone(),
            content: Content::Get,
        }
    }

    fn post_as_get(operation: Operation, url: &Url) -> Self {
        Self {
            operation,
            url: url.clone(),
            content: Content::PostAsGet,
        }
    }

    fn post<T: serde::Serialize>(
        operation: Operation,
        url: &Url,
        signer: Signer,
        payload: &T,
    ) -> Self {
        // Wire objects are trees of strings, numbers and lists, which JSON can always write.
        let payload = serde_json::to_vec(payload).unwrap_or_default();
        Self {
            operation,
            url: url.clone(),
            content: Content::Post(signer, payload),
        }
    }

    /// May it be repeated without a thought? Reads may.
    pub fn is_read(&self) -> bool {
        !matches!(self.content, Content::Post(..))
    }

    /// The longest reply that is taken, in bytes.
    pub fn response_max(&self) -> usize {
        match self.operation {
            Operation::Certificate => crate::certificate::CHAIN_BYTES_MAX,
            _ => RESPONSE_BYTES_MAX,
        }
    }
}

/// What an operation makes of a reply.
pub type Read<T> = Result<T, Failure>;
