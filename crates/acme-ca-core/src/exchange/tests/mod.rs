//! Whole exchanges against the reference store, with real signatures.

mod accounts;
mod authority;
mod envelope;
mod finalize;
mod machine;
mod orders;
mod publication;
mod revocation;
mod world;
