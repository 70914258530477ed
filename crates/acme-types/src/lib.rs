//! Wire objects of ACME (RFC 8555 and its extensions), problem documents, header values,
//! timestamps, and the one convention that all machines of this workspace share.
//!
//! No cryptography, no I/O, no clock: everything here is a function of its input.
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

pub mod base64url;
mod machine;
mod timestamp;
mod url;

pub use machine::{Answer, Effect, Misuse, Ticket, TicketId, Tickets};
pub use timestamp::Timestamp;
pub use url::{Origin, URL_LEN_MAX, Url, UrlError};
