//! The client under servers: chains, what was stored, and a whole session of any answers.
//!
//! A session is text, an answer per line: `STATUS|HEADERS|BODY`. HEADERS are `name: value` with
//! `;;` between them; the value `fresh` is another one each time, for nonces. After the last line
//! the server is gone.

use std::sync::{Arc, OnceLock};

use acme_client_core::certificate::{CHAIN_BYTES_MAX, CHAIN_LEN_MAX, CertificateFacts, Chain};
use acme_client_core::{
    AccountIntent, AccountKey, Client, Config, Event, HttpOutcome, IssueJob, JobId, Outcome,
    PresentOutcome, RetractOutcome, SaveOutcome, SignOutcome, SigningAlgorithm, Snapshot, Step,
};
use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_csr::CsrDraft;
use acme_types::{Answer, Identifier, Timestamp, Url};

use crate::text_of;

/// The most steps of one session. A certificate takes about fifty; what waits politely for a
/// server that is gone takes more.
const STEPS_MAX: usize = 400;

/// A chain as it is downloaded.
pub fn chain(data: &[u8]) {
    let Ok(chain) = Chain::from_pem(data) else {
        return;
    };
    assert!(data.len() <= CHAIN_BYTES_MAX);
    assert!((1..=CHAIN_LEN_MAX).contains(&chain.certificates().len()));
    assert_eq!(
        Chain::from_pem(chain.to_pem().as_bytes()).as_ref(),
        Ok(&chain)
    );
    for der in chain.certificates() {
        let _ = CertificateFacts::from_der(der);
    }
}

/// What was stored, of whatever version or of nobody: a client comes of it or an error.
pub fn snapshot(data: &[u8]) {
    let Ok(snapshot) = Snapshot::from_bytes(data.to_vec()) else {
        return;
    };
    assert_eq!(snapshot.as_bytes(), data);
    let now = Timestamp::from_secs(1_795_500_000);
    let (Some(fixed), Some(config)) = (fixed(), config()) else {
        unreachable!("the client of the tests can be made")
    };
    if let Ok(mut client) = Client::restore(config, fixed.intent(), [snapshot], 7, now) {
        let mut session = Session::new(now, "");
        session.drive(fixed, &mut client);
    }
}

/// See the module.
pub fn client(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let (Some(fixed), Some(config)) = (fixed(), config()) else {
        unreachable!("the client of the tests can be made")
    };
    let now = Timestamp::from_secs(1_795_500_000);
    let mut client = Client::new(config.clone(), fixed.intent(), 7, now);
    let Ok(job) = IssueJob::new(&fixed.csr) else {
        unreachable!("its own request is well formed")
    };
    assert_eq!(client.issue(JobId(1), job, now), Ok(()));
    let mut session = Session::new(now, text);
    session.drive(fixed, &mut client);
    // Whatever the servers said, what was saved is good enough to go on from.
    let saved = session.saved.into_values();
    let restored = Client::restore(config, fixed.intent(), saved, 8, session.now);
    assert!(restored.is_ok());
}

struct Session<'a> {
    now: Timestamp,
    answers: std::str::Lines<'a>,
    fresh: u64,
    saved: std::collections::BTreeMap<acme_client_core::Record, Snapshot>,
}

impl<'a> Session<'a> {
    fn new(now: Timestamp, answers: &'a str) -> Self {
        Self {
            now,
            answers: answers.lines(),
            fresh: 0,
            saved: std::collections::BTreeMap::new(),
        }
    }

    fn drive(&mut self, fixed: &Fixed, client: &mut Client) {
        for _ in 0..STEPS_MAX {
            let answer: Answer<Outcome> = match client.poll(self.now) {
                Step::Http(_, ticket) => ticket.with(self.http()),
                Step::Sign(_, input, ticket) => {
                    let signed = match input.algorithm {
                        SigningAlgorithm::Signature(algorithm) => {
                            fixed.account.sign(algorithm, &input.message).ok()
                        }
                        SigningAlgorithm::Mac(_) => None,
                    };
                    ticket.with(signed.map_or(SignOutcome::Failed, SignOutcome::Signed))
                }
                Step::Save(record, snapshot, ticket) => {
                    self.saved.insert(record, snapshot);
                    ticket.with(SaveOutcome::Saved)
                }
                Step::Present(_, _, ticket) => ticket.with(PresentOutcome::Presented),
                Step::Retract(_, _, ticket) => ticket.with(RetractOutcome::Retracted),
                Step::Event(_, event, ticket) => {
                    if let Event::Issued(issued) = &event {
                        // Only what was ordered: the key and the names are in the request.
                        assert!(!issued.chain.leaf().is_empty());
                    }
                    ticket.with(())
                }
                Step::Wait(Timestamp::NEVER) => return,
                Step::Wait(until) => {
                    assert!(until >= self.now, "time goes on");
                    self.now = until.max(self.now);
                    continue;
                }
            };
            assert_eq!(client.accept(answer, self.now), Ok(()));
        }
    }

    fn http(&mut self) -> HttpOutcome {
        let Some(line) = self.answers.next() else {
            return HttpOutcome::NotSent;
        };
        let mut parts = line.splitn(3, '|');
        let status = match parts.next() {
            Some("lost") => return HttpOutcome::Unknown,
            Some("long") => return HttpOutcome::TooLarge,
            status => status.and_then(|status| status.parse::<u16>().ok()),
        };
        let mut response = http::Response::builder().status(status.unwrap_or(200));
        for header in parts.next().unwrap_or_default().split(";;") {
            if let Some((name, value)) = header.split_once(": ") {
                self.fresh += 1;
                let fresh = format!("nonce-{:018}", self.fresh);
                let value = if value == "fresh" { &fresh } else { value };
                response = response.header(name, value);
            }
        }
        let body = parts.next().unwrap_or_default().replace("\\n", "\n");
        match response.body(body.into_bytes()) {
            Ok(response) => HttpOutcome::Response(response),
            Err(_) => HttpOutcome::Unknown,
        }
    }
}

/// What is the same in every run.
struct Fixed {
    account: Box<dyn KeyPair>,
    csr: Vec<u8>,
}

impl Fixed {
    fn new() -> Option<Self> {
        let account = RustCrypto.generate(KeyAlgorithm::EcP256, &[7; 32]).ok()?;
        let key = RustCrypto.generate(KeyAlgorithm::EcP256, &[8; 32]).ok()?;
        let names = [Identifier::dns("example.com").ok()?];
        let algorithm = key.public_key().default_algorithm();
        let draft = CsrDraft::new(&names, key.public_key(), algorithm).ok()?;
        let csr = draft
            .attach(&key.sign(algorithm, draft.message()).ok()?)
            .ok()?;
        let csr = csr.as_der().to_vec();
        Some(Self { account, csr })
    }

    fn intent(&self) -> AccountIntent {
        AccountIntent::new(AccountKey::new(self.account.public_key())).agree_to_terms()
    }
}

fn fixed() -> Option<&'static Fixed> {
    static FIXED: OnceLock<Option<Fixed>> = OnceLock::new();
    FIXED.get_or_init(Fixed::new).as_ref()
}

fn config() -> Option<Config> {
    let directory = Url::parse("https://ca.example/directory").ok()?;
    Some(Config::new(Arc::new(RustCrypto), directory))
}
