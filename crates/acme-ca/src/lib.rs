//! The certificate authority: HTTPS front, stores, resolvers, perspectives, CT submission, and the acme-ca command.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod store;
