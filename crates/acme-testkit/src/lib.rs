#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod authority;
mod background;
pub mod ct;
mod der;
pub mod dns;
pub mod merkle;
pub mod site;
pub mod tls;
pub mod web;
