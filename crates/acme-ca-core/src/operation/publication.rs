//! What anybody may read, mostly over plain HTTP: CRLs (RFC 5280 §5) and issuers' certificates
//! (RFC 5280 §4.2.2.1). Both are signed themselves.

use std::time::Duration;

use acme_types::Timestamp;

use super::{Context, Decision, Operation, Stop};
use crate::exchange::Reply;
use crate::rejection::Rejection;
use crate::schema::{Read, Shard, View};

/// A revocation should not wait long in somebody's cache.
const CRL_CACHE_MAX: Duration = Duration::from_secs(300);
/// An issuer's certificate never changes under its name.
const ISSUER_CACHE: Duration = Duration::from_secs(86_400);

/// Reads a shard's CRL.
#[derive(Debug)]
pub(super) struct ReadCrl(pub(super) Shard);

impl Operation for ReadCrl {
    fn reads(&self) -> Vec<Read> {
        vec![Read::CrlShard(self.0)]
    }

    fn decide(&self, _: &Context<'_>, view: &View, now: Timestamp) -> Result<Decision, Stop> {
        let row = view.crl_shard(self.0)?.ok_or(Rejection::NotFound)?;
        let age = row.next_update.since(now).min(CRL_CACHE_MAX);
        Ok(public("application/pkix-crl", row.der.clone(), age))
    }
}

/// Reads an issuer's certificate.
#[derive(Debug)]
pub(super) struct ReadIssuer(pub(super) String);

impl Operation for ReadIssuer {
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&self, ctx: &Context<'_>, _: &View, _: Timestamp) -> Result<Decision, Stop> {
        let issuer = ctx
            .config
            .authority
            .issuer(&self.0)
            .ok_or(Rejection::NotFound)?;
        Ok(public(
            "application/pkix-cert",
            issuer.certificate_der().to_vec(),
            ISSUER_CACHE,
        ))
    }
}

fn public(content_type: &str, body: Vec<u8>, age: Duration) -> Decision {
    let cache = format!("public, max-age={}", age.as_secs());
    Decision::reply(Reply::bytes(200, content_type, body).header("cache-control", cache))
}
