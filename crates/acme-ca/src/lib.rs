//! The certificate authority: HTTPS front, stores, resolvers, perspectives, CT submission, and the
//! `acme-ca` command. What a CA decides is in [`acme_ca_core`]; here it is carried out.
//!
//! [`Server::start`] is the whole of it in one process; [`store`] is for who brings another store.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod ceremony;
mod clock;
#[doc(hidden)]
pub mod command;
mod folder;
mod front;
pub mod network;
pub mod node;
pub mod nonce;
pub mod perspective;
mod problem;
mod random;
pub mod resolver;
mod rows;
mod server;
pub mod signer;
mod stop;
pub mod store;
pub mod submission;
mod worker;

pub use ceremony::{AuthorityError, ISSUER};
pub use folder::FolderError;
pub use front::FrontCertificateError;
pub use server::{PublicationConfig, Server, ServerConfig, StartError};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
