//! The listeners: HTTPS for ACME, plain HTTP for what certificates point to (CRLs, RFC 5280
//! §4.2.1.13, and issuers' certificates, §4.2.2.1).
//!
//! Nothing is decided here. A request is read within its limits and handed to the [`Node`]; what
//! can't be read is answered with a problem document.

mod certificate;
mod handle;
mod listen;

pub use certificate::FrontCertificateError;
pub(crate) use certificate::{FrontCertificate, names};
pub(crate) use handle::{acme, publication};
pub(crate) use listen::{Listener, bind};
