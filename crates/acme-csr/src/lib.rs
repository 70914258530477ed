//! Certificate signing requests of ACME (PKCS#10, RFC 2986; RFC 8555 §7.4), and the certificate of
//! tls-alpn-01 (RFC 8737 §3): draft, sign, attach; and a strict reader of requests.
//!
//! Nothing here signs: a draft is what is to be signed, and takes the signature.
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

mod attributes;
mod csr;
mod draft;
mod encode;
mod error;
mod extension;
mod names;
mod subject;
pub mod tls_alpn;

pub use csr::{CSR_LEN_MAX, Csr};
pub use draft::CsrDraft;
pub use error::{CsrError, NameKind};
pub use extension::{EXTENSIONS_MAX, Extension};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
