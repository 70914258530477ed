//! RFC 8555 §7.2: a fresh nonce. The nonce itself is put on every reply of this resource.

use acme_types::Timestamp;

use super::{Context, Decision, Operation, Stop};
use crate::exchange::Reply;
use crate::schema::{Read, View};

/// Gives out a nonce.
#[derive(Debug)]
pub(super) struct GiveNonce {
    pub(super) is_head: bool,
}

impl Operation for GiveNonce {
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&self, ctx: &Context<'_>, _: &View, _: Timestamp) -> Result<Decision, Stop> {
        ctx.post_as_get()?;
        // RFC 8555 §7.2: "The server's response MUST include a Replay-Nonce header field
        // containing a fresh nonce and SHOULD have status code 200 (OK)", and 204 for GET.
        Ok(Decision::reply(Reply::empty(if self.is_head {
            200
        } else {
            204
        })))
    }
}
