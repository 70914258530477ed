//! Certificate Transparency: a real RFC 6962 log on loopback, and what a client of any log needs.
//!
//! [`CtLog`] is the log. The rest is pure and works with any log: the structures of RFC 6962
//! §3.2–3.5 with their TLS encoding ([`SignedCertificateTimestamp`], [`LogEntry`],
//! [`SignedTreeHead`]), their signatures, and the way from a precertificate or a final
//! certificate to the one TBSCertificate that both share. Proofs are in [`crate::merkle`].

mod certificate;
mod chain;
mod digitally_signed;
mod entry;
mod fault;
mod http;
mod log;
mod sct;
mod server;
mod tls_encoding;
mod tree_head;

pub use certificate::{CertificateError, POISON, SCT_LIST};
pub use chain::ChainError;
pub use digitally_signed::{DigitallySigned, SignatureError};
pub use entry::{Chain, LogEntry, TimestampedEntry};
pub use fault::{Fault, Message};
pub use sct::{LogId, SignedCertificateTimestamp, decode_sct_list, encode_sct_list};
pub use server::{CtLog, Request};
pub use tls_encoding::EncodingError;
pub use tree_head::SignedTreeHead;
