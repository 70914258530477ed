//! Whole exchanges against the reference store, with real signatures.

mod accounts;
mod authority;
mod authorizations;
mod client;
mod external;
mod finalize;
mod header;
mod http;
mod issued;
mod jws;
mod key_change;
mod machine;
mod order_terms;
mod orders;
mod publication;
mod revocation;
mod world;
