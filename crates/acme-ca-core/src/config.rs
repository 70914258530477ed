use std::sync::Arc;

use acme_crypto::Provider;
use acme_types::{Timestamp, Url};

use crate::Entropy;
use crate::issuance::Authority;
use crate::policy::Policy;

/// What a CA is: passed to every machine, stored in none.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where clients reach the CA, without a final slash: `https://ca.example`. Every URL is made
    /// from it, never from a request's Host header.
    pub base: Url,
    /// Where CRLs and issuer certificates are published over plain HTTP, without a final slash.
    pub publication_base: Url,
    /// Hashes, MACs and verification.
    pub provider: Arc<dyn Provider>,
    /// What is allowed.
    pub policy: Policy,
    /// Issuers, profiles, logs.
    pub authority: Authority,
}

/// What a job starts with: fresh at every start.
#[derive(Clone, Debug)]
pub struct JobArrival {
    /// When the job was started here.
    pub at: Timestamp,
    /// 32 CSPRNG bytes.
    pub entropy: Entropy,
    /// The seed of its tickets.
    pub ticket_seed: u64,
}
