//! RFC 8555 §7.5 and §7.5.2: an authorization is read, or given up.

use acme_types::{Authorization, AuthorizationStatus, Challenge, Deactivation, Known, Timestamp};

use super::status::challenge_status;
use super::{Context, Decision, Operation, Stop, authorization_status, url};
use crate::exchange::Reply;
use crate::rejection::Rejection;
use crate::schema::{
    AuthorizationId, AuthorizationRow, ChallengeRow, ChallengeState, Read, Row, View, Write,
};

/// Reads or deactivates an authorization.
#[derive(Debug)]
pub(super) struct ReadAuthorization(pub(super) AuthorizationId);

impl Operation for ReadAuthorization {
    fn reads(&self) -> Vec<Read> {
        vec![Read::Authorization(self.0)]
    }

    fn decide(&self, ctx: &Context<'_>, view: &View, now: Timestamp) -> Result<Decision, Stop> {
        let row = own(ctx, view, &self.0)?;
        if ctx.payload.is_empty() {
            return Ok(Decision::reply(reply(ctx, row, now)?));
        }
        ctx.object::<Deactivation>()
            .map_err(|_| Rejection::AuthorizationUpdate)?;
        match authorization_status(row, now) {
            AuthorizationStatus::Pending | AuthorizationStatus::Valid => {}
            // Asked again, because the first answer was lost.
            AuthorizationStatus::Deactivated => return Ok(Decision::reply(reply(ctx, row, now)?)),
            AuthorizationStatus::Invalid
            | AuthorizationStatus::Expired
            | AuthorizationStatus::Revoked => return Err(Rejection::AuthorizationFinal.into()),
        }
        let changed = AuthorizationRow {
            status: AuthorizationStatus::Deactivated,
            ..row.clone()
        };
        let reply = reply(ctx, &changed, now)?;
        let event = format!(
            "authorization {} deactivated by account {}",
            row.id, row.account
        );
        // A validation under way finds it no longer pending, and ends.
        let writes = vec![Write::Put(Row::Authorization(changed))];
        Ok(Decision::write(writes, ctx.audit(event), reply))
    }
}

/// The signer's authorization; another's looks like none (invariant I33).
pub(super) fn own<'a>(
    ctx: &Context<'_>,
    view: &'a View,
    id: &AuthorizationId,
) -> Result<&'a AuthorizationRow, Stop> {
    let account = ctx.account()?;
    let row = view
        .authorization(id)?
        .filter(|row| row.account == account.id);
    Ok(row.ok_or(Rejection::NotFound)?)
}

fn reply(ctx: &Context<'_>, row: &AuthorizationRow, now: Timestamp) -> Result<Reply, Rejection> {
    let status = authorization_status(row, now);
    let mut challenges = Vec::new();
    for challenge in row
        .challenges
        .iter()
        .filter(|challenge| is_shown(challenge, status))
    {
        challenges.push(Known::Known(object(ctx, row, challenge)?));
    }
    let authorization = Authorization {
        identifier: row.identifier.clone().into(),
        status: status.into(),
        expires: Some(row.expires),
        challenges,
        wildcard: row.wildcard,
    };
    let reply = Reply::json(200, &authorization)?;
    let at_it = |challenge: &ChallengeRow| match challenge.state {
        ChallengeState::Processing { .. } => true,
        ChallengeState::Pending
        | ChallengeState::Retryable { .. }
        | ChallengeState::Valid { .. }
        | ChallengeState::Invalid => false,
    };
    Ok(
        match status == AuthorizationStatus::Pending && row.challenges.iter().any(at_it) {
            true => reply.retry_after(ctx.config.policy.orders.processing_retry_after),
            false => reply,
        },
    )
}

/// RFC 8555 §7.1.4: "For pending authorizations, the challenges that the client can fulfill … For
/// valid authorizations, the challenge that was validated. For invalid authorizations, the
/// challenge that was attempted and failed." One that nobody tried shows them all.
fn is_shown(challenge: &ChallengeRow, status: AuthorizationStatus) -> bool {
    match status {
        AuthorizationStatus::Pending => true,
        AuthorizationStatus::Valid | AuthorizationStatus::Expired => {
            matches!(challenge.state, ChallengeState::Valid { .. })
        }
        AuthorizationStatus::Invalid
        | AuthorizationStatus::Deactivated
        | AuthorizationStatus::Revoked => challenge.state != ChallengeState::Pending,
    }
}

/// A challenge's object (RFC 8555 §7.1.5).
pub(super) fn object(
    ctx: &Context<'_>,
    row: &AuthorizationRow,
    challenge: &ChallengeRow,
) -> Result<Challenge, Rejection> {
    Ok(Challenge {
        kind: challenge.kind.clone(),
        url: url(ctx.urls().challenge(&row.id, &challenge.kind))?,
        status: challenge_status(&challenge.state).into(),
        validated: match challenge.state {
            ChallengeState::Valid { validated } => Some(validated),
            ChallengeState::Pending
            | ChallengeState::Processing { .. }
            | ChallengeState::Retryable { .. }
            | ChallengeState::Invalid => None,
        },
        error: challenge.error.clone(),
        token: Some(challenge.token.clone().into()),
    })
}
