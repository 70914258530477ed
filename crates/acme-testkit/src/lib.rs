//! A DNS server, web and TLS targets and a real RFC 6962 log on loopback, for tests.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod background;

pub mod dns;
pub mod merkle;
