//! Authorizations and their validation.

use std::collections::BTreeSet;

use acme_client_core::ChallengeResponse;
use acme_jws::KeyAuthorization;
use acme_types::{AuthorizationStatus, ChallengeType, Deactivation, strict};
use serde_json::{Value, json};

use super::{AuthorizationRow, BASE, Ca, Reply, problem, reply};

impl Ca {
    pub(super) fn authorization(
        &mut self,
        number: usize,
        account: usize,
        payload: &[u8],
        published: &BTreeSet<ChallengeResponse>,
    ) -> Reply {
        if self
            .authorizations
            .get(number)
            .is_none_or(|row| row.account != account)
        {
            return problem(404, "malformed");
        }
        if !payload.is_empty() {
            let Deactivation = strict::from_slice(payload).expect("a deactivation");
            self.authorizations[number].status = AuthorizationStatus::Deactivated;
        }
        let (reads, failing) = (self.policy.reads, self.policy.failing.clone());
        let attempts_failing = self.policy.attempts_failing;
        let row = &mut self.authorizations[number];
        if let (AuthorizationStatus::Pending, Some((kind, left)), false) =
            (row.status, &mut row.tried, row.awaits_retry)
        {
            if *left < reads {
                *left += 1;
            } else if row.attempts < attempts_failing {
                row.attempts += 1;
                row.awaits_retry = true;
                row.problem = Some(json!({"type": "urn:ietf:params:acme:error:dns"}));
            } else {
                let kind = kind.clone();
                let found = self.finds(number, &kind, published);
                assert!(
                    found || failing.contains(&kind) || !self.expects_presented,
                    "validated before it was published"
                );
                let row = &mut self.authorizations[number];
                if found && !failing.contains(&kind) {
                    row.status = AuthorizationStatus::Valid;
                } else {
                    row.status = AuthorizationStatus::Invalid;
                    let kind = "urn:ietf:params:acme:error:connection";
                    row.problem = Some(json!({"type": kind, "detail": "refused", "status": 400}));
                }
            }
        }
        self.paced(reply(200, &self.authorization_body(number)))
    }

    pub(super) fn authorization_body(&self, number: usize) -> Value {
        let row = &self.authorizations[number];
        let challenges = self.policy.offered.iter().map(|kind| {
            let tried = row.tried.as_ref().is_some_and(|(tried, _)| tried == kind);
            let status = match row.status {
                AuthorizationStatus::Valid if tried => "valid",
                AuthorizationStatus::Invalid if tried => "invalid",
                AuthorizationStatus::Pending if tried && row.awaits_retry => "processing",
                _ => "pending",
            };
            let mut challenge = json!({
                "type": kind.as_str(),
                "url": format!("{BASE}/challenge/{kind}/{number}"),
                "status": status,
                "token": row.token,
            });
            if let (true, Some(problem)) = (tried, &row.problem) {
                challenge["error"] = problem.clone();
            }
            challenge
        });
        let mut challenges: Vec<_> = challenges.collect();
        challenges.push(json!({"type": "dns-persist-01", "url": format!("{BASE}/x"), "odd": 1}));
        let mut body = json!({
            "status": row.status.as_str(),
            "identifier": row.identifier.base(),
            "expires": "2096-01-01T00:00:00.123+01:00",
            "challenges": challenges,
        });
        if row.identifier.is_wildcard() {
            body["wildcard"] = json!(true);
        }
        body
    }

    pub(super) fn challenge(
        &mut self,
        number: usize,
        kind: ChallengeType,
        published: &BTreeSet<ChallengeResponse>,
    ) -> Reply {
        let waiting = |row: &AuthorizationRow| {
            row.status == AuthorizationStatus::Pending && (row.tried.is_none() || row.awaits_retry)
        };
        if self
            .authorizations
            .get(number)
            .is_none_or(|row| !waiting(row))
        {
            return problem(400, "malformed");
        }
        assert!(
            self.finds(number, &kind, published) || !self.expects_presented,
            "triggered before it was published"
        );
        let order = self
            .orders
            .iter()
            .find(|order| order.authorizations.contains(&number));
        for other in order
            .map(|order| order.authorizations.clone())
            .unwrap_or_default()
        {
            let row = &self.authorizations[other];
            let kinds = &self.policy.offered;
            let ready = !waiting(row) || kinds.iter().any(|k| self.finds(other, k, published));
            assert!(
                ready || self.policy.reuses_pending || !self.expects_presented,
                "triggered before all responses of the order were published"
            );
        }
        let row = &mut self.authorizations[number];
        (row.tried, row.awaits_retry, row.problem) = (Some((kind, 0)), false, None);
        reply(
            200,
            &json!({"type": "x", "url": format!("{BASE}/x"), "status": "processing"}),
        )
    }

    /// Could a validation still look for it?
    pub fn may_need(&self, response: &ChallengeResponse) -> bool {
        let only = BTreeSet::from([response.clone()]);
        self.authorizations.iter().enumerate().any(|(number, row)| {
            row.status == AuthorizationStatus::Pending
                && self.finds(number, &response.challenge_type(), &only)
        })
    }

    pub(super) fn finds(
        &self,
        number: usize,
        kind: &ChallengeType,
        published: &BTreeSet<ChallengeResponse>,
    ) -> bool {
        let row = &self.authorizations[number];
        let thumbprint = self.accounts[row.account].thumbprint(&self.provider);
        let wanted = KeyAuthorization::new(&row.token, &thumbprint);
        published
            .iter()
            .filter(|found| *found.identifier() == row.identifier)
            .any(|found| {
                found.challenge_type() == *kind
                    && match found {
                        ChallengeResponse::Http01 { path, body, .. } => {
                            path.ends_with(row.token.as_str()) && body == wanted.as_str()
                        }
                        ChallengeResponse::Dns01 { name, value, .. } => {
                            name.starts_with("_acme-challenge.")
                                && *value == wanted.dns_01_value(&self.provider)
                        }
                        ChallengeResponse::TlsAlpn01 { digest, .. } => {
                            *digest == wanted.tls_alpn_01_digest(&self.provider)
                        }
                        _ => false,
                    }
            })
    }
}
