//! RFC 9773 §4: when a certificate should be renewed. Anybody may ask.

use acme_types::{CertificateId, Timestamp};

use super::{Context, Decision, Operation, Stop, replaces};
use crate::exchange::Reply;
use crate::issuance;
use crate::rejection::Rejection;
use crate::schema::{Read, Serial, View};

/// Reads the renewal information of the certificate with this identifier.
#[derive(Debug)]
pub(super) struct ReadRenewalInfo(pub(super) String);

impl Operation for ReadRenewalInfo {
    fn reads(&self) -> Vec<Read> {
        let id = CertificateId::parse(&self.0).ok();
        let serial = id.and_then(|id| Serial::from_der_integer(id.serial()));
        serial.map(Read::Certificate).into_iter().collect()
    }

    fn decide(&self, ctx: &Context<'_>, view: &View, now: Timestamp) -> Result<Decision, Stop> {
        let id = CertificateId::parse(&self.0).map_err(Rejection::CertificateId)?;
        let row = replaces::find(ctx, view, &id)?.ok_or(Rejection::NotFound)?;
        let revoked = view.revocation(row.shard, &row.serial)?.is_some();
        let (info, retry_after) = issuance::renewal_info(ctx.config, row, revoked, now);
        // RFC 9773 §4.3: "The server SHOULD include a Retry-After header".
        Ok(Decision::reply(
            Reply::json(200, &info)?.retry_after(retry_after),
        ))
    }
}
