//! RFC 8555 §7.5.1 and §8.2: a client responds to a challenge, again if an attempt failed.

use acme_types::{AuthorizationStatus, ChallengeType, EmptyObject, Timestamp};

use super::authorization::{object, own};
use super::{Context, Decision, Operation, Stop, authorization_status};
use crate::exchange::Reply;
use crate::job::{lease_of, move_due};
use crate::rejection::Rejection;
use crate::schema::{
    AuthorizationId, AuthorizationRow, ChallengeRow, ChallengeState, JobId, JobRow, JobState, Read,
    Row, View, Write,
};

/// Responds to the challenge of this type, or reads it.
#[derive(Debug)]
pub(super) struct Respond(pub(super) AuthorizationId, pub(super) ChallengeType);

impl Operation for Respond {
    fn reads(&self) -> Vec<Read> {
        vec![Read::Authorization(self.0)]
    }

    fn decide(&self, ctx: &Context<'_>, view: &View, now: Timestamp) -> Result<Decision, Stop> {
        let row = own(ctx, view, &self.0)?;
        let place = row
            .challenges
            .iter()
            .position(|challenge| challenge.kind == self.1);
        let place = place.ok_or(Rejection::NotFound)?;
        let challenge = row.challenges.get(place).ok_or(Rejection::NotFound)?;
        if ctx.payload.is_empty() {
            return Ok(Decision::reply(reply(ctx, row, challenge)?));
        }
        // RFC 8555 §7.5.1: "an empty JSON body ("{}")"; §8: "The server MUST ignore any fields in
        // the response object that are not specified as response fields for this type".
        let EmptyObject {} = ctx.object()?;
        match challenge.state {
            // A client that asks again is answered; what is under way or done isn't disturbed.
            ChallengeState::Processing { .. } | ChallengeState::Valid { .. } => {
                return Ok(Decision::reply(reply(ctx, row, challenge)?));
            }
            ChallengeState::Invalid => return Err(Rejection::ChallengeFailed.into()),
            ChallengeState::Pending | ChallengeState::Retryable { .. } => {}
        }
        match authorization_status(row, now) {
            AuthorizationStatus::Pending => {}
            // Met by another challenge.
            AuthorizationStatus::Valid => return Ok(Decision::reply(reply(ctx, row, challenge)?)),
            _ if row.expires <= now => return Err(Rejection::NotFound.into()),
            AuthorizationStatus::Invalid
            | AuthorizationStatus::Deactivated
            | AuthorizationStatus::Expired
            | AuthorizationStatus::Revoked => return Err(Rejection::AuthorizationFinal.into()),
        }
        let offered = ctx
            .config
            .policy
            .validation
            .methods_for(&row.identifier, row.wildcard);
        if !offered.contains(&self.1) {
            return Err(Rejection::MethodOff.into());
        }
        // One at a time: an authorization makes one transition (invariant I21).
        let at_it = |other: &ChallengeRow| matches!(other.state, ChallengeState::Processing { .. });
        if row.challenges.iter().any(at_it) {
            return Err(Rejection::ChallengeBusy.into());
        }
        begin(ctx, row, place)
    }
}

/// The next attempt: the challenge is processing, and the job that validates it is born.
fn begin(ctx: &Context<'_>, row: &AuthorizationRow, place: usize) -> Result<Decision, Stop> {
    let id = JobId::new(ctx.at, &ctx.random("validation", 0));
    let mut row = row.clone();
    let challenge = row.challenges.get_mut(place).ok_or(Rejection::Internal)?;
    challenge.state = ChallengeState::Processing { job: id };
    challenge.attempts = challenge.attempts.saturating_add(1);
    let challenge = challenge.clone();
    let state = JobState::Validation {
        authorization: row.id,
        challenge: challenge.kind.clone(),
    };
    let due = ctx.at.after(lease_of(ctx.config, &state));
    let job = JobRow {
        id,
        due,
        attempt: 1,
        state,
    };
    let reply = reply(ctx, &row, &challenge)?;
    let event = format!(
        "authorization {}: attempt {} at {} begun",
        row.id, challenge.attempts, challenge.kind
    );
    let mut writes = move_due(due, &job);
    writes.push(Write::Put(Row::Authorization(row)));
    Ok(Decision::write(writes, ctx.audit(event), reply).with_spawn(id))
}

fn reply(
    ctx: &Context<'_>,
    row: &AuthorizationRow,
    challenge: &ChallengeRow,
) -> Result<Reply, Rejection> {
    let object = object(ctx, row, challenge)?;
    // RFC 8555 §7.1: "The "up" link relation is used with challenge resources to indicate the
    // authorization resource to which a challenge belongs."
    let reply = Reply::json(200, &object)?
        .location(object.url.as_str())
        .link(&ctx.urls().authorization(&row.id), "up");
    Ok(match challenge.state {
        // RFC 8555 §8.2: "The server MUST provide information about its retry state to the client
        // via the "error" field in the challenge and the Retry-After HTTP header field".
        ChallengeState::Processing { .. } => {
            reply.retry_after(ctx.config.policy.orders.processing_retry_after)
        }
        ChallengeState::Retryable { retry_after } => reply.retry_after(retry_after.since(ctx.at)),
        ChallengeState::Pending | ChallengeState::Valid { .. } | ChallengeState::Invalid => reply,
    })
}
