//! Issuance as a whole: what is drafted is read by others, and what was changed is found.

mod ceremony;
mod certificates;
mod corresponding;
mod drafting;
mod judges;
mod pkilint;
mod timestamps;
pub(crate) mod world;

pub(crate) use judges::{Judge, vectors};
