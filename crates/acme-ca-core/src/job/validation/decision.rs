//! What a validation commits, as a function of the rows that it sees.

use acme_jws::KeyAuthorization;
use acme_types::{
    AccountStatus, AuthorizationStatus, ChallengeType, Problem, ProblemType, Timestamp, Url,
};

use super::asking::{Found, Question};
use crate::config::{Config, JobArrival};
use crate::job::{Lease, delete};
use crate::operation::authorization_status;
use crate::route::Urls;
use crate::schema::{
    AccountRow, AuditEvent, AuthorizationForRow, AuthorizationId, AuthorizationRow, ChallengeRow,
    ChallengeState, Commit, Missing, Read, Row, View, Write,
};
use crate::validation::{AttemptId, ProbeRequest};

/// How often a validation may be taken before it counts as failed: one whose holders all die is
/// not begun for ever.
const TAKEN_MAX: u32 = 5;

/// What a decision looks at.
pub(super) struct Situation<'a> {
    pub(super) config: &'a Config,
    pub(super) arrival: &'a JobArrival,
    pub(super) lease: &'a Lease,
    pub(super) authorization: AuthorizationId,
    pub(super) method: &'a ChallengeType,
    pub(super) view: &'a View,
    pub(super) now: Timestamp,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Next {
    /// Ask the perspectives.
    Ask(Box<Question>),
    /// Commit this, and the job is over.
    Save(Commit),
    /// The job is not, or no longer, this holder's.
    End,
}

/// What the rows say of the attempt.
enum Standing<'a> {
    /// It may go on.
    Open {
        row: &'a AuthorizationRow,
        challenge: &'a ChallengeRow,
        account: &'a AccountRow,
    },
    /// It is nobody's any more: the authorization reached another end, or its account did.
    Moot(&'a AuthorizationRow),
    /// There is no such attempt.
    Gone,
    /// The job was taken from this holder, or is done.
    Lost,
}

/// What comes of the attempt.
enum End {
    Valid {
        began: Timestamp,
    },
    /// May be tried again, if attempts are left.
    Failed(Problem),
    /// No other attempt can help.
    Hopeless(Problem),
}

impl<'a> Situation<'a> {
    /// Before anybody is asked.
    pub(super) fn begin(&self) -> Result<Next, Missing> {
        let (row, challenge, account) = match self.standing()? {
            Standing::Open {
                row,
                challenge,
                account,
            } => (row, challenge, account),
            closed => return Ok(self.close(closed)),
        };
        let policy = &self.config.policy.validation;
        if !policy
            .methods_for(&row.identifier, row.wildcard)
            .contains(self.method)
        {
            let problem = unauthorized("this method is not on offer any more");
            return Ok(self.end(row, challenge, End::Hopeless(problem), None));
        }
        // BR §3.2.2.4.19: a token "MUST NOT be used for more than 30 days from its creation".
        if row.created_at.after(policy.token_lifetime) <= self.now {
            let problem = unauthorized("the challenge's token is too old");
            return Ok(self.end(row, challenge, End::Hopeless(problem), None));
        }
        if self.lease.row.attempt > TAKEN_MAX {
            let problem = internal("the validation could not be finished");
            return Ok(self.end(row, challenge, End::Failed(problem), None));
        }
        Ok(match self.question(row, challenge, account) {
            Some(question) => Next::Ask(Box::new(question)),
            None => {
                let problem = internal("the account has no URL");
                self.end(row, challenge, End::Failed(problem), None)
            }
        })
    }

    /// After they have been.
    pub(super) fn settle(&self, found: &Found) -> Result<Next, Missing> {
        let (row, challenge, account) = match self.standing()? {
            Standing::Open {
                row,
                challenge,
                account,
            } => (row, challenge, account),
            closed => return Ok(self.close(closed)),
        };
        let policy = &self.config.policy.validation;
        let key = account.key.thumbprint(self.config.provider.as_ref());
        let end = if key != found.key {
            // What was found was published for another key than the account has now.
            End::Failed(unauthorized(
                "the account's key was changed during the attempt",
            ))
        } else if !policy
            .methods_for(&row.identifier, row.wildcard)
            .contains(self.method)
        {
            End::Hopeless(unauthorized("this method is not on offer any more"))
        } else {
            match &found.corroboration.outcome {
                Ok(()) => End::Valid { began: found.began },
                Err(problem) => End::Failed(problem.clone()),
            }
        };
        Ok(self.end(row, challenge, end, Some(found)))
    }

    fn standing(&self) -> Result<Standing<'a>, Missing> {
        let id = self.lease.row.id;
        if self.view.job(&id)?.is_none()
            || self.view.version(&Read::Job(id)) != Some(self.lease.version)
        {
            return Ok(Standing::Lost);
        }
        let Some(row) = self.view.authorization(&self.authorization)? else {
            return Ok(Standing::Gone);
        };
        let is_it = |challenge: &&ChallengeRow| {
            challenge.kind == *self.method
                && challenge.state == ChallengeState::Processing { job: id }
        };
        let Some(challenge) = row.challenges.iter().find(is_it) else {
            return Ok(Standing::Gone);
        };
        let account = self.view.account(&row.account)?;
        let account = account.filter(|account| account.status == AccountStatus::Valid);
        Ok(match (authorization_status(row, self.now), account) {
            (AuthorizationStatus::Pending, Some(account)) => Standing::Open {
                row,
                challenge,
                account,
            },
            _ => Standing::Moot(row),
        })
    }

    /// Nothing is to be validated: the job goes, and a challenge doesn't stay `processing`.
    fn close(&self, standing: Standing<'_>) -> Next {
        match standing {
            Standing::Lost | Standing::Open { .. } => Next::End,
            Standing::Gone => self.save(None, Vec::new(), "nothing to validate".to_owned()),
            Standing::Moot(row) => {
                let problem = unauthorized("the authorization was given up during the attempt");
                let row = with_challenge(row, self.method, ChallengeState::Invalid, Some(problem));
                let event = format!("authorization {}: given up at {}", row.id, self.method);
                self.save(Some(row), Vec::new(), event)
            }
        }
    }

    fn question(
        &self,
        row: &AuthorizationRow,
        challenge: &ChallengeRow,
        account: &AccountRow,
    ) -> Option<Question> {
        let provider = self.config.provider.as_ref();
        let random = self.arrival.entropy.expand(provider, "attempt", 0);
        let (attempt, _) = random.split_first_chunk::<16>()?;
        let key = account.key.thumbprint(provider);
        // RFC 8555 §8.3: "the server constructs and stores the key authorization from the
        // challenge "token" value and the current client account key".
        let key_authorization = KeyAuthorization::new(&challenge.token, &key);
        let request = ProbeRequest {
            attempt: AttemptId(*attempt),
            identifier: row.identifier.clone(),
            wildcard: row.wildcard,
            method: self.method.clone(),
            token: challenge.token.clone(),
            key_authorization: key_authorization.as_str().to_owned(),
            account: Url::parse(&Urls::new(self.config).account(&account.id)).ok()?,
            deadline: self.now.after(self.config.policy.validation.deadline),
        };
        Some(Question { request, key })
    }

    /// The verdict's rows (RFC 8555 §7.1.6, §8.2).
    fn end(
        &self,
        row: &AuthorizationRow,
        challenge: &ChallengeRow,
        end: End,
        found: Option<&Found>,
    ) -> Next {
        let policy = &self.config.policy.validation;
        let (state, error, word) = match &end {
            End::Valid { .. } => (
                ChallengeState::Valid {
                    validated: self.now,
                },
                None,
                "valid",
            ),
            // "it is only marked "invalid" once the server has given up".
            End::Failed(problem) if challenge.attempts < policy.attempts_max => {
                let retry_after = self.now.after(policy.retry_delay);
                (
                    ChallengeState::Retryable { retry_after },
                    Some(problem),
                    "failed",
                )
            }
            End::Failed(problem) | End::Hopeless(problem) => {
                (ChallengeState::Invalid, Some(problem), "invalid")
            }
        };
        let event = event(row, challenge, word, error, found);
        let status = match &state {
            ChallengeState::Valid { .. } => AuthorizationStatus::Valid,
            ChallengeState::Invalid => AuthorizationStatus::Invalid,
            ChallengeState::Pending
            | ChallengeState::Processing { .. }
            | ChallengeState::Retryable { .. } => row.status,
        };
        let mut row = with_challenge(row, self.method, state, error.cloned());
        row.status = status;
        let mut more = Vec::new();
        if let End::Valid { began } = end {
            row.expires = self.now.after(policy.valid_lifetime);
            row.caa_checked_at = Some(began);
            more.extend(newest(&row));
        }
        self.save(Some(row), more, event)
    }

    fn save(&self, row: Option<AuthorizationRow>, more: Vec<Write>, event: String) -> Next {
        let mut writes = delete(&self.lease.row);
        writes.extend(row.map(|row| Write::Put(Row::Authorization(row))));
        writes.extend(more);
        let audit = vec![AuditEvent {
            at: self.now,
            event,
        }];
        Next::Save(Commit::new(self.view, writes).with_audit(audit))
    }
}

/// The row by which a later order finds the authorization (RFC 8555 §7.6): the newest wins.
fn newest(row: &AuthorizationRow) -> Option<Write> {
    let identifier = match (&row.identifier, row.wildcard) {
        (acme_types::Identifier::Dns(name), true) => acme_types::Identifier::Dns(name.wildcard()?),
        (identifier, _) => identifier.clone(),
    };
    Some(Write::Put(Row::AuthorizationFor(AuthorizationForRow {
        account: row.account,
        identifier,
        authorization: row.id,
        expires: row.expires,
    })))
}

fn with_challenge(
    row: &AuthorizationRow,
    method: &ChallengeType,
    state: ChallengeState,
    error: Option<Problem>,
) -> AuthorizationRow {
    let mut row = row.clone();
    if let Some(challenge) = row.challenges.iter_mut().find(|one| one.kind == *method) {
        challenge.state = state;
        challenge.error = error;
    }
    row
}

/// BR §5.4.1: which perspectives passed and failed, with their regions and the count.
fn event(
    row: &AuthorizationRow,
    challenge: &ChallengeRow,
    word: &str,
    problem: Option<&Problem>,
    found: Option<&Found>,
) -> String {
    let mut event = format!(
        "authorization {}: attempt {} at {} {word}",
        row.id, challenge.attempts, challenge.kind
    );
    if let Some(problem) = problem {
        event.push_str(&format!(" ({})", problem.kind.name().unwrap_or("other")));
    }
    if let Some(Found { corroboration, .. }) = found {
        let (control, caa) = (&corroboration.control, &corroboration.caa);
        event.push_str(&format!("; control {control}; caa {caa}"));
    }
    event
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(ProblemType::UNAUTHORIZED).with_detail(detail)
}

fn internal(detail: &str) -> Problem {
    Problem::new(ProblemType::SERVER_INTERNAL).with_detail(detail)
}
