//! Which challenge is taken, and what a failed one means.

use acme_types::{Authorization, ChallengeStatus, ChallengeType, Identifier, Problem, ProblemType};

use super::proof::{Fall, ProofStep, Trial};
use super::{IssueRecord, Publication};
use crate::failure::IdentifierFailure;
use crate::flow::{Ground, Kept};
use crate::operation::challenge;

/// Takes the preferred challenge among those that can be presented.
pub(super) fn choose(
    record: &mut Kept<IssueRecord>,
    identifier: Identifier,
    authorization: &Authorization,
    ground: Ground<'_>,
) -> ProofStep {
    let types = record
        .job
        .preference(&identifier, ground.config.challenges())
        .to_vec();
    let excluded = |kind: &ChallengeType| {
        record
            .excluded
            .iter()
            .any(|(of, failed)| *of == identifier && failed == kind)
    };
    let account = ground.account;
    let mut offered = types
        .iter()
        .filter(|kind| !excluded(kind))
        .filter_map(|kind| {
            let offer = authorization.challenge(kind)?;
            let url = ground.config.admit(offer.url.clone()).ok()?;
            let response = challenge::response(
                ground.config,
                account?,
                ground.thumbprint,
                &identifier,
                offer,
            )?;
            Some((kind.clone(), url, offer.status, response))
        });
    let chosen = offered.next();
    let alternatives = offered.next().is_some();
    drop(offered);
    let Some((kind, challenge, status, response)) = chosen else {
        let failure = IdentifierFailure {
            identifier,
            challenge: None,
            problem: None,
        };
        let (another, unprovable) = (false, true);
        return ProofStep::Leaving(Some(Box::new(Fall {
            failure,
            another,
            unprovable,
        })));
    };
    let known = record
        .publications
        .iter()
        .find(|known| known.response == response);
    let publication = match known {
        Some(known) => known.number,
        None => {
            let record = record.change();
            let number = record.next_publication;
            record.next_publication = number.wrapping_add(1);
            record.publications.push(Publication { number, response });
            number
        }
    };
    let in_work = matches!(
        status.as_known(),
        Some(ChallengeStatus::Processing | ChallengeStatus::Valid)
    );
    let (triggers, heard) = (0, false);
    ProofStep::Chosen(Trial {
        publication,
        challenge,
        kind,
        in_work,
        triggers,
        heard,
        attempt_failed: false,
        retries: 0,
        alternatives,
    })
}

/// Why an authorization is invalid: RFC 8555 §8: the error is in the challenge.
pub(super) fn fall_of(
    identifier: Identifier,
    authorization: &Authorization,
    step: &ProofStep,
) -> Fall {
    let failed = authorization
        .known_challenges()
        .find(|challenge| challenge.error.is_some())
        .or_else(|| {
            authorization
                .known_challenges()
                .find(|challenge| challenge.status == ChallengeStatus::Invalid)
        });
    let (tried, alternatives) = match step {
        ProofStep::Polling(trial, _) | ProofStep::Triggering(trial) => {
            (Some(trial.kind.clone()), trial.alternatives)
        }
        // Read for the first time, after a restart: what else was offered isn't known any more.
        _ => (None, false),
    };
    let challenge = failed.map(|challenge| challenge.kind.clone()).or(tried);
    let problem = failed
        .and_then(|challenge| challenge.error.clone())
        .map(Box::new);
    let another = alternatives && problem.as_deref().is_none_or(may_differ_by_challenge);
    let failure = IdentifierFailure {
        identifier,
        challenge,
        problem,
    };
    Fall {
        failure,
        another,
        unprovable: false,
    }
}

/// Could another challenge type end otherwise? Not if the CA won't issue for the name at all.
fn may_differ_by_challenge(problem: &Problem) -> bool {
    const FINAL: [ProblemType; 5] = [
        ProblemType::CAA,
        ProblemType::REJECTED_IDENTIFIER,
        ProblemType::UNSUPPORTED_IDENTIFIER,
        ProblemType::RATE_LIMITED,
        ProblemType::SERVER_INTERNAL,
    ];
    !FINAL.contains(&problem.kind)
}
