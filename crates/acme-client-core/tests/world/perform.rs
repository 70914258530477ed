//! What the shell does, and what must be true when it does it.

use acme_client_core::*;
use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{HashAlgorithm, Provider};
use acme_types::Ticket;

use super::{MAC_KEY, World, ca};

impl World {
    pub(super) fn perform(&mut self, step: Step) {
        if self.happens(self.faults.forgotten) {
            return;
        }
        match step {
            Step::Http(fetch, ticket) => {
                let outcome = self.http(&fetch);
                self.answer(ticket, outcome);
            }
            Step::Sign(key, input, ticket) => {
                let outcome = self.sign(&key, &input);
                self.answer(ticket, outcome);
            }
            Step::Save(record, snapshot, ticket) => {
                let outcome = self.save(record, snapshot);
                self.answer(ticket, outcome);
            }
            Step::Present(id, response, ticket) => {
                let outcome = self.present(id, response);
                self.answer(ticket, outcome);
            }
            Step::Retract(id, response, ticket) => {
                if self.happens(self.faults.retract_failed) {
                    return self.answer(ticket, RetractOutcome::Failed);
                }
                self.trace
                    .push(format!("retract {:?}", response.challenge_type()));
                self.check_holders(id, &response);
                self.published.remove(&response);
                self.answer(ticket, RetractOutcome::Retracted);
            }
            Step::Event(id, event, ticket) => {
                self.trace
                    .push(format!("{id}: {event:?}").chars().take(200).collect());
                if matches!(event, Event::Issued(_) | Event::Failed(_) | Event::Revoked) {
                    self.done.insert(id);
                }
                self.events.push((id, event));
                self.answer(ticket, ());
            }
            Step::Wait(_) => {}
        }
    }

    /// No job's response is retracted for another.
    pub(super) fn check_holders(&mut self, id: JobId, response: &ChallengeResponse) {
        let Some(holders) = self.holders.get_mut(response) else {
            return;
        };
        holders.remove(&id);
        let client = &self.client;
        let holds = |id: &&JobId| client.status(**id) == Some(JobStatus::Active);
        let victim = holders
            .iter()
            .find(holds)
            .filter(|_| self.ca.may_need(response));
        assert_eq!(victim, None, "retracted for {id} only: {response:?}");
    }

    pub(super) fn answer<K>(&mut self, ticket: Ticket<K>, outcome: K::Outcome)
    where
        K: acme_types::Effect<Erased = Outcome>,
    {
        // What isn't awaited any more is no fault: a deadline passed, a job ended.
        let _ = self.client.answer(ticket, outcome, self.now);
    }

    pub(super) fn http(&mut self, fetch: &Fetch) -> HttpOutcome {
        let request = &fetch.request;
        self.trace
            .push(format!("{} {}", request.method(), request.uri()));
        self.check_barriers(request);
        if self.happens(self.faults.not_sent) {
            return HttpOutcome::NotSent;
        }
        if self.happens(self.faults.request_lost) {
            return HttpOutcome::Unknown;
        }
        if self.happens(self.faults.server_error) {
            let body = b"<html>500</html>".to_vec();
            return HttpOutcome::Response(
                http::Response::builder()
                    .status(500)
                    .body(body)
                    .expect("a response"),
            );
        }
        if let Some(mut instead) = self.instead.take() {
            let outcome = instead(request, &mut self.ca);
            self.instead = Some(instead);
            if let Some(outcome) = outcome {
                return outcome;
            }
        }
        let mut response = self.ca.handle(request, &self.published, self.now);
        if let Some(edit) = &mut self.edit {
            edit(request, &mut response);
        }
        self.trace.push(format!("  {}", response.status()));
        let here = self
            .lost_replies
            .is_some_and(|path| request.uri().path().starts_with(path));
        if here || self.happens(self.faults.reply_lost) {
            return HttpOutcome::Unknown;
        }
        if response.body().len() > fetch.response_max {
            return HttpOutcome::TooLarge;
        }
        HttpOutcome::Response(response)
    }

    /// Nothing that can't be repeated leaves before it is recorded.
    pub(super) fn check_barriers(&self, request: &http::Request<Vec<u8>>) {
        let path = request.uri().path();
        if path == "/new-account" {
            let account = self
                .store
                .get(&Record::Account)
                .expect("saved before newAccount");
            let text = String::from_utf8_lossy(account.as_bytes());
            assert!(text.contains(r#""opening":true"#) || text.contains("only_existing\":true"));
        }
        if path == "/new-order" || path.starts_with("/finalize") {
            assert!(
                self.store.keys().any(|record| *record != Record::Account),
                "{path}"
            );
        }
        if let Some(number) = path.strip_prefix("/finalize/") {
            let order = format!("{}/order/{number}\"", ca::BASE);
            let saved =
                |snapshot: &Snapshot| String::from_utf8_lossy(snapshot.as_bytes()).contains(&order);
            assert!(
                self.store.values().any(saved),
                "the order's URL is saved before finalize"
            );
        }
    }

    pub(super) fn sign(&mut self, key: &KeyRef, input: &SigningInput) -> SignOutcome {
        if self.happens(self.faults.sign_failed) {
            return SignOutcome::Failed;
        }
        let thumbprint = match key {
            KeyRef::ExternalAccount(kid) => {
                assert_eq!(kid, "kid-1");
                let tag = RustCrypto.mac(HashAlgorithm::Sha256, MAC_KEY, &input.message);
                return SignOutcome::Signed(tag);
            }
            KeyRef::Account(it) | KeyRef::NextAccount(it) | KeyRef::Certificate(it) => it,
        };
        let SigningAlgorithm::Signature(algorithm) = input.algorithm else {
            panic!("no MAC")
        };
        let key = &self.keys[&thumbprint.to_string()];
        SignOutcome::Signed(key.sign(algorithm, &input.message).expect("the key fits"))
    }

    pub(super) fn save(&mut self, record: Record, snapshot: Snapshot) -> SaveOutcome {
        if self.happens(self.faults.save_failed) {
            return SaveOutcome::Failed;
        }
        let known = self.store.get(&record).map_or(0, Snapshot::revision);
        if snapshot.revision() >= known {
            self.store.insert(record, snapshot);
        }
        SaveOutcome::Saved
    }

    pub(super) fn present(&mut self, id: JobId, response: ChallengeResponse) -> PresentOutcome {
        if self.happens(self.faults.present_failed) {
            return PresentOutcome::Failed;
        }
        if self.refused_types.contains(&response.challenge_type()) {
            return PresentOutcome::Refused;
        }
        let saved = String::from_utf8_lossy(self.store[&Record::Job(id)].as_bytes()).into_owned();
        let own = serde_json::to_string(&response).expect("JSON");
        assert!(saved.contains(&own), "saved before it is presented");
        self.trace
            .push(format!("present {:?}", response.challenge_type()));
        self.holders.entry(response.clone()).or_default().insert(id);
        self.published.insert(response);
        PresentOutcome::Presented
    }
}
