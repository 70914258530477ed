//! What the jobs would do between the requests: validate, issue.

use std::sync::Arc;
use std::time::Duration;

use acme_crypto::KeyPair;
use acme_csr::CsrDraft;
use acme_types::{AuthorizationStatus, ChallengeType, Identifier, Timestamp, base64url};
use serde_json::{Value, json};

use super::authority::{ISSUER, issuer_key};
use super::client::{Client, challenges, path_of};
use super::world::Ca;
use crate::effect::Signed;
use crate::exchange::World;
use crate::job::{Job, Step};
use crate::schema::{
    AuthorizationRow, CertificateRow, ChallengeState, JobId, OrderRow, OrderState, Read, Row,
};
use crate::validation::Verdict;
use crate::{Entropy, JobArrival};

pub(super) fn csr(key: &dyn KeyPair, names: &[&str]) -> Vec<u8> {
    let identifier = |name: &&str| match name.parse() {
        Ok(address) => Identifier::Ip(address),
        Err(_) => Identifier::dns(name).unwrap(),
    };
    let names: Vec<Identifier> = names.iter().map(identifier).collect();
    let algorithm = key.public_key().default_algorithm();
    let draft = CsrDraft::new(&names, key.public_key(), algorithm).unwrap();
    draft
        .attach(&key.sign(algorithm, draft.message()).unwrap())
        .unwrap()
        .as_der()
        .to_vec()
}

pub(super) fn payload(csr: &[u8]) -> Value {
    json!({ "csr": base64url::encode(csr) })
}

/// Meets every authorization of an order by dns-01 (by the first method, where there is none), as
/// a perspective would find it.
pub(super) fn validate(ca: &mut Ca, client: &Client, order: &Value) {
    for url in order["authorizations"].as_array().unwrap() {
        let authorization = client.post_as_get(ca, &path_of(url)).json();
        let is_dns = |challenge: &&Value| challenge["type"] == "dns-01";
        let challenge = challenges(&authorization).find(is_dns);
        let challenge = challenge
            .or_else(|| challenges(&authorization).next())
            .unwrap();
        let challenge = path_of(&challenge["url"]);
        let got = client.post(ca, &challenge, &json!({}));
        assert_eq!(got.json()["status"], "processing");
        let (job, _) = *ca.spawned.last().unwrap();
        run(ca, job);
        let got = client.post_as_get(ca, &challenge).json();
        assert_eq!(got["status"], "valid");
        assert!(got["validated"].is_string());
    }
}

/// An authorization as it might stand in a store, whatever led to it.
pub(super) fn authorize(ca: &mut Ca, path: &str, change: impl FnOnce(&mut AuthorizationRow)) {
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    let Row::Authorization(mut row) = ca.row(Read::Authorization(id)) else {
        panic!()
    };
    row.status = AuthorizationStatus::Valid;
    row.caa_checked_at = Some(ca.now);
    row.expires = ca.now.after(Duration::from_secs(7 * 3_600));
    for challenge in &mut row.challenges {
        if challenge.kind == ChallengeType::DNS_01 {
            challenge.state = ChallengeState::Valid { validated: ca.now };
        }
    }
    change(&mut row);
    ca.put(vec![Row::Authorization(row)]);
}

/// An order that is ready: its path.
pub(super) fn ready(ca: &mut Ca, client: &Client, names: &[&str]) -> String {
    let (path, order) = client.order(ca, names);
    validate(ca, client, &order);
    assert_eq!(client.post_as_get(ca, &path).json()["status"], "ready");
    path
}

pub(super) fn order_row(ca: &Ca, path: &str) -> OrderRow {
    match ca.row(Read::Order(
        path.rsplit('/').next().unwrap().parse().unwrap(),
    )) {
        Row::Order(row) => row,
        other => panic!("{other:?}"),
    }
}

/// Runs the job that the order was finalized with, the signer at hand.
pub(super) fn issue(ca: &mut Ca, path: &str) -> CertificateRow {
    let OrderState::Processing { job, .. } = order_row(ca, path).state else {
        panic!()
    };
    run(ca, job);
    let OrderState::Valid { serial } = order_row(ca, path).state else {
        panic!()
    };
    match ca.row(Read::Certificate(serial)) {
        Row::Certificate(row) => row,
        other => panic!("{other:?}"),
    }
}

/// Runs a job that an exchange gave birth to, to its end.
pub(super) fn run(ca: &mut Ca, id: JobId) {
    let (_, version) = *ca.spawned.iter().find(|spawned| spawned.0 == id).unwrap();
    let entropy = Entropy::new([ca.spawned.len() as u8; 32]);
    let arrival = JobArrival {
        at: ca.now,
        entropy,
        ticket_seed: 1,
    };
    let mut job = Job::born(Arc::clone(&ca.config), arrival, id, version);
    let now = ca.now;
    loop {
        match job.poll(now) {
            Step::Load(reads, ticket) => {
                let loaded = ca.load(&reads);
                job.answer(ticket, loaded, now).unwrap();
            }
            Step::Commit(commit, ticket) => {
                let committed = ca.commit(&commit);
                job.answer(ticket, committed, now).unwrap();
            }
            Step::Sign(issuer, algorithm, message, ticket) => {
                assert_eq!(issuer, ISSUER);
                let signature = issuer_key().sign(algorithm, &message).unwrap();
                job.answer(ticket, Signed::Signature(signature), now)
                    .unwrap();
            }
            Step::Probe(perspective, request, ticket) => {
                let attempt = request.attempt;
                let (control, caa) = (Ok(()), Some(Ok(())));
                let verdict = Verdict {
                    perspective,
                    attempt,
                    control,
                    caa,
                };
                job.answer(ticket, Ok(verdict), now).unwrap();
            }
            Step::Wait(Timestamp::NEVER) => return,
            step => panic!("{step:?}"),
        }
    }
}

/// From an order to a certificate.
pub(super) fn certificate(
    ca: &mut Ca,
    client: &Client,
    key: &dyn KeyPair,
    names: &[&str],
) -> CertificateRow {
    let path = ready(ca, client, names);
    let got = client.post(ca, &format!("{path}/finalize"), &payload(&csr(key, names)));
    got.is("", 200, "finalize");
    issue(ca, &path)
}
