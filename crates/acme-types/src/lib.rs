#![doc = include_str!("../README.md")]
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
mod dns_name;
mod header;
mod identifier;
mod json;
mod machine;
pub mod pem;
mod problem;
mod registry;
mod timestamp;
mod token;
mod url;
mod wire;

pub use dns_name::{DNS_LABEL_LEN_MAX, DNS_NAME_LEN_MAX, DnsName, DnsNameError};
pub use header::{
    LINKS_MAX, Link, REPLAY_NONCE, RETRY_AFTER_MAX, RETRY_AFTER_MIN, RetryAfter, http_date,
    media_type, parse_links, replay_nonce,
};
pub use identifier::{Identifier, IdentifierError, RawIdentifier, tls_alpn_01_server_name};
pub use json::{FieldPath, JsonError, JsonObject, strict, tolerant};
pub use machine::{Answer, Effect, Misuse, Ticket, TicketId, Tickets};
pub use problem::{PROBLEM_DETAIL_LEN_MAX, Problem, ProblemType, SUBPROBLEMS_MAX, Subproblem};
pub use registry::{ChallengeType, IdentifierType, REGISTERED_NAME_LEN_MAX, RegisteredNameError};
pub use timestamp::Timestamp;
pub use token::{NONCE_LEN_MAX, Nonce, TOKEN_LEN_MAX, TOKEN_LEN_MIN, Token, TokenError};
pub use url::{Origin, URL_LEN_MAX, Url, UrlError};
pub use wire::{
    Account, AccountStatus, AccountUpdate, Authorization, AuthorizationStatus, CertificateId,
    CertificateIdError, Challenge, ChallengeStatus, Deactivation, Directory, DirectoryMeta,
    EmptyObject, Finalize, KeyChange, Known, LIST_LEN_MAX, NewAccount, NewOrder, Order,
    OrderStatus, Orders, RenewalInfo, RevocationReason, RevokeCertificate, SuggestedWindow,
};
