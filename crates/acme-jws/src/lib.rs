//! Keys and signatures as ACME writes them in JSON: JWK and its thumbprint (RFC 7517, RFC 7638),
//! the flattened JWS of RFC 8555 §6.2, key authorizations (§8.1), external account binding
//! (§7.3.4) and key change (§7.3.5).
//!
//! Nothing here signs: a [`Draft`] is what is to be signed, and takes the signature. Nothing here
//! has a clock, randomness or a key of its own. Reading is strict: this is the CA's door.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod draft;
pub mod eab;
mod error;
mod jwk;
mod jws;
mod key_authorization;
pub mod key_change;
mod members;
mod thumbprint;

pub use draft::Draft;
pub use error::{JwkError, JwsError, MalformedJwk, RefusedKey};
pub use jwk::Jwk;
pub use jws::{Jws, Signer};
pub use key_authorization::{KeyAuthorization, dns_account_01_label};
pub use thumbprint::{Thumbprint, ThumbprintError};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
