//! A client's node: the machine, its durable records, and an application on top that wants a
//! certificate, then its successor, then the first one revoked.

use std::collections::BTreeMap;
use std::sync::Arc;

use acme_client_core::{
    AccountIntent, AccountKey, Client, Config, Event, Http, IssueJob, JobId, JobStatus, KeyRef,
    Record, RevokeJob, SaveOutcome, SigningAlgorithm, SigningInput, Snapshot,
};
use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_csr::CsrDraft;
use acme_jws::Jwk;
use acme_types::{ChallengeType, Identifier, Ticket, Timestamp, Url};

use crate::Broken;
use crate::authority::BASE;
use crate::random::Random;

/// Whom a response goes to.
#[derive(Debug)]
pub(crate) struct ReplyTo {
    pub(crate) client: usize,
    pub(crate) life: u32,
    pub(crate) ticket: Ticket<Http>,
}

const ISSUE: JobId = JobId(1);
const RENEW: JobId = JobId(2);
const REVOKE: JobId = JobId(3);

pub(crate) struct ClientNode {
    pub(crate) place: usize,
    pub(crate) up: bool,
    pub(crate) life: u32,
    pub(crate) client: Option<Client>,
    identifiers: Vec<Identifier>,
    account_key: Box<dyn KeyPair>,
    certificate_keys: Vec<Box<dyn KeyPair>>,
    first: ChallengeType,
    /// It wants what isn't its own: it never ends well, and nobody waits for it.
    impostor: bool,
    random: Random,
    disk: Disk,
}

/// What survives a crash.
#[derive(Default)]
struct Disk {
    records: BTreeMap<Record, Snapshot>,
    /// Leaf and chain of what was issued, by job.
    issued: BTreeMap<JobId, Vec<Vec<u8>>>,
    revoked: bool,
    failed: Vec<String>,
}

impl ClientNode {
    pub(crate) fn new(place: usize, names: &[String], seed: u64) -> Result<Self, Broken> {
        let mut random = Random::new(seed, &format!("client {place}"));
        let mut key = || RustCrypto.generate(KeyAlgorithm::EcP256, &random.bytes());
        let account_key = key()?;
        let certificate_keys = vec![key()?, key()?];
        let identifiers = names
            .iter()
            .map(|name| Identifier::dns(name))
            .collect::<Result<_, _>>()?;
        let http_first = random.chance(500);
        let first = if http_first {
            ChallengeType::HTTP_01
        } else {
            ChallengeType::DNS_01
        };
        Ok(Self {
            place,
            up: true,
            life: 0,
            client: None,
            identifiers,
            account_key,
            certificate_keys,
            first,
            impostor: false,
            random,
            disk: Disk::default(),
        })
    }

    /// The same for one that wants what isn't its own.
    pub(crate) fn into_impostor(mut self) -> Self {
        self.impostor = true;
        self
    }

    /// Starts the process: from nothing, or from what is on disk.
    pub(crate) fn start(&mut self, now: Timestamp) -> Result<(), Broken> {
        self.up = true;
        self.life += 1;
        let second = if self.first == ChallengeType::HTTP_01 {
            ChallengeType::DNS_01
        } else {
            ChallengeType::HTTP_01
        };
        let directory = Url::parse(&format!("{BASE}/directory"))?;
        let config = Config::new(Arc::new(RustCrypto), directory)
            .with_challenges([self.first.clone(), second]);
        let seed = self.random.number();
        let key = AccountKey::new(self.account_key.public_key());
        let intent = AccountIntent::new(key).agree_to_terms();
        let client = Client::restore(
            config,
            intent,
            self.disk.records.values().cloned(),
            seed,
            now,
        )?;
        self.client = Some(client);
        self.submit(now)
    }

    pub(crate) fn crash(&mut self) {
        self.up = false;
        self.client = None;
    }

    /// Gives the machine the job that is due and that it doesn't have.
    pub(crate) fn submit(&mut self, now: Timestamp) -> Result<(), Broken> {
        let Some(job) = self.next_job() else {
            return Ok(());
        };
        let csr = |place: usize| -> Result<Vec<u8>, Broken> {
            let key = &self.certificate_keys[place];
            let algorithm = key.public_key().default_algorithm();
            let draft = CsrDraft::new(&self.identifiers, key.public_key(), algorithm)?;
            Ok(draft
                .attach(&key.sign(algorithm, draft.message())?)?
                .as_der()
                .to_vec())
        };
        let Some(client) = &mut self.client else {
            return Ok(());
        };
        if client.status(job).is_some() {
            return Ok(());
        }
        match (
            job,
            self.disk.issued.get(&ISSUE).and_then(|chain| chain.first()),
        ) {
            (ISSUE, _) => client.issue(job, IssueJob::new(&csr(0)?)?, now)?,
            (RENEW, Some(leaf)) => {
                let facts = acme_client_core::certificate::CertificateFacts::from_der(leaf)?;
                let mut issue = IssueJob::new(&csr(1)?)?;
                if let Some(id) = facts.id.clone() {
                    issue = issue.replacing(id);
                }
                client.issue(job, issue, now)?;
            }
            (REVOKE, Some(leaf)) => client.revoke(job, RevokeJob::by_account(leaf), now)?,
            _ => {}
        }
        Ok(())
    }

    fn next_job(&self) -> Option<JobId> {
        if !self.disk.issued.contains_key(&ISSUE) {
            Some(ISSUE)
        } else if !self.disk.issued.contains_key(&RENEW) {
            Some(RENEW)
        } else if !self.disk.revoked {
            Some(REVOKE)
        } else {
            None
        }
    }

    /// Has it all it wants, with nothing left to clean up?
    pub(crate) fn is_done(&self) -> bool {
        let idle = |client: &Client| client.jobs() == 0 && client.awaited() == 0;
        self.impostor || self.next_job().is_none() && self.client.as_ref().is_some_and(idle)
    }

    /// A save reaches the disk: never a lower revision over a higher.
    pub(crate) fn save(&mut self, record: Record, snapshot: Snapshot) -> SaveOutcome {
        let newer = |old: &Snapshot| old.revision() <= snapshot.revision();
        if self.disk.records.get(&record).is_none_or(newer) {
            self.disk.records.insert(record, snapshot);
        }
        SaveOutcome::Saved
    }

    pub(crate) fn sign(&self, key: &KeyRef, input: &SigningInput) -> Option<Vec<u8>> {
        match (key, input.algorithm) {
            (KeyRef::Account(_), SigningAlgorithm::Signature(algorithm)) => {
                self.account_key.sign(algorithm, &input.message).ok()
            }
            _ => None,
        }
    }

    /// An event is kept. Returns the issued chain, for the invariants.
    pub(crate) fn keep(&mut self, job: JobId, event: &Event) -> Option<Vec<Vec<u8>>> {
        match event {
            Event::Issued(issued) => {
                let chain = issued.chain.certificates().to_vec();
                self.disk.issued.entry(job).or_insert_with(|| chain.clone());
                Some(chain)
            }
            Event::Revoked => {
                self.disk.revoked = true;
                None
            }
            Event::Failed(failure) => {
                self.disk.failed.push(failure.to_string());
                None
            }
            _ => None,
        }
    }

    /// All leaves that were kept.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.disk.issued.values().filter_map(|chain| chain.first())
    }

    pub(crate) fn identifiers(&self) -> &[Identifier] {
        &self.identifiers
    }

    /// Where it stands, for a report.
    pub(crate) fn describe(&self) -> String {
        let stands = |id: JobId| -> Option<JobStatus> { self.client.as_ref()?.status(id) };
        format!(
            "client {}: {} issued, revoked {}, up {}, jobs {:?} {:?} {:?}, failed {:?}",
            self.place,
            self.disk.issued.len(),
            self.disk.revoked,
            self.up,
            stands(ISSUE),
            stands(RENEW),
            stands(REVOKE),
            self.disk.failed,
        )
    }

    pub(crate) fn owns(&self, key: &Jwk) -> bool {
        key.public_key() == self.account_key.public_key()
    }
}
