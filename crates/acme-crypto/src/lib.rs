//! Hash, MAC, verification and key pairs behind one small object-safe trait, [`Provider`].
//!
//! There are two back ends, each a feature: [`rustcrypto`] (default, pure Rust, deterministic
//! signatures) and `aws_lc` (feature `aws-lc-rs`, faster, needs a C compiler). The caller makes
//! one and passes it on; no feature changes what another crate gets. Both accept and refuse the
//! same inputs, because what can be checked before the arithmetic is checked here, once:
//! [`PublicKey`] holds only keys that are safe to verify with, and the syntax of a signature is
//! judged before a back end sees it.
//!
//! No I/O, clock or randomness: entropy comes in as a value.
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

mod algorithm;
#[cfg(feature = "aws-lc-rs")]
pub mod aws_lc;
pub mod ecdsa_der;
mod error;
#[cfg(any(feature = "rustcrypto", feature = "aws-lc-rs"))]
mod private_key;
mod provider;
mod public_key;
#[cfg(feature = "rustcrypto")]
pub mod rustcrypto;
mod signature;
mod subject_public_key;
mod x509;

pub use algorithm::{HashAlgorithm, KeyAlgorithm, KeyKind, SignatureAlgorithm};
pub use error::{CryptoError, KeyError};
pub use provider::{KeyPair, Provider};
pub use public_key::{Components, Curve, PublicKey};
pub use signature::check_signature_syntax;
pub use x509::{fixed_signature_from_x509, x509_signature_bytes};

#[cfg(all(doctest, feature = "rustcrypto"))]
#[doc = include_str!("../README.md")]
struct Readme;
