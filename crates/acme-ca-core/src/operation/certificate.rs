//! RFC 8555 §7.4.2: a certificate is downloaded with its chain.

use acme_types::{Timestamp, pem};

use super::{Context, Decision, Operation, Stop};
use crate::exchange::Reply;
use crate::rejection::Rejection;
use crate::schema::{Read, Serial, View};

/// Reads a certificate.
#[derive(Debug)]
pub(super) struct ReadCertificate(pub(super) Serial);

impl Operation for ReadCertificate {
    fn reads(&self) -> Vec<Read> {
        vec![Read::Certificate(self.0)]
    }

    fn decide(&self, ctx: &Context<'_>, view: &View, _: Timestamp) -> Result<Decision, Stop> {
        let account = ctx.account()?;
        let own = view
            .certificate(&self.0)?
            .filter(|row| row.account == account.id);
        let row = own.ok_or(Rejection::NotFound)?;
        // A presumed certificate is nobody's to download.
        let der = row.der.clone().ok_or(Rejection::NotFound)?;
        ctx.post_as_get()?;
        let issuer = ctx
            .config
            .authority
            .issuer(&row.issuer)
            .ok_or(Rejection::Internal)?;
        let mut chain = vec![der];
        chain.extend_from_slice(issuer.chain());
        // RFC 8555 §9.1: the end-entity certificate first, each certified by the next.
        let body = pem::chain_from_der(&chain).into_bytes();
        let reply = Reply::bytes(200, "application/pem-certificate-chain", body);
        Ok(Decision::reply(reply))
    }
}
