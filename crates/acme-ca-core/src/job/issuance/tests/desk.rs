//! A shell for jobs: the reference store, signers and logs that do as they are told, time that
//! jumps to when something is due.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use acme_crypto::SignatureAlgorithm;
use acme_jws::Jwk;
use acme_types::{AccountStatus, AuthorizationStatus, Ticket, Timestamp};
use base64ct::{Base64, Encoding};

use crate::effect::{Sign, Signed, Submit, Submitted, Unavailable};
use crate::issuance::tests::world::{self, DAY, csr, issuer_key, key, now, order, sct_reply};
use crate::issuance::x509::{SignedView, TbsView};
use crate::issuance::{Issuer, intent, oid};
use crate::job::{Job, LogId, Step, move_due};
use crate::schema::{
    AccountRow, AuthorizationRow, CertificateRow, Commit, Committed, IntentRow, JobId, JobRow,
    JobState, OrderId, OrderRow, OrderState, Read, RevocationRow, Row, Scan, Serial, Shard,
    Version, View, Write,
};
use crate::store::Memory;
use crate::{Config, Entropy, JobArrival};

/// What a signer does next; after the last it signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Signer {
    Signs,
    NotSigned,
    Unknown,
    /// A signature over something else.
    Wrong,
    /// No answer.
    Silent,
}

/// What a log does, always.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum LogDoes {
    /// Answers well.
    Signs,
    /// Says this.
    Says(u16, Vec<u8>),
    /// Signs with another log's key, by its seed.
    SignsAs(u8),
    /// Signs for another precertificate.
    SignsOther,
    Unreachable,
    Silent,
}

/// What a commit does next; after the last it commits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Save {
    Commits,
    Conflict,
    UnknownMade,
    UnknownLost,
}

pub(crate) struct Desk {
    pub(crate) config: Arc<Config>,
    pub(crate) store: Memory,
    pub(crate) now: Timestamp,
    pub(crate) signers: VecDeque<Signer>,
    pub(crate) logs: BTreeMap<u8, LogDoes>,
    /// Logs answer in the other order.
    pub(crate) backwards: bool,
    pub(crate) saves: VecDeque<Save>,
    pub(crate) unavailable: usize,
    /// All that was signed.
    pub(crate) signed: Vec<Vec<u8>>,
    pub(crate) submitted: Vec<u8>,
    pub(crate) spawned: Vec<(JobId, Version)>,
    starts: u8,
    pub(crate) job: JobId,
    pub(crate) order: OrderId,
}

/// The job's row at birth is leased.
const BORN: [u8; 32] = [0x77; 32];
const STEPS_MAX: usize = 5_000;

impl Desk {
    /// An order of this profile that was just finalized.
    pub(crate) fn new(profile: &str) -> (Self, Version) {
        Self::with(Arc::new(world::config()), profile)
    }

    /// The same at this CA.
    pub(crate) fn with(config: Arc<Config>, profile: &str) -> (Self, Version) {
        let mut desk = Self::empty(config);
        let names = ["a.example", "b.example"];
        let mut row = order(profile, &names);
        let csr = csr(&names, &*key(acme_crypto::KeyAlgorithm::EcP256, 9));
        let serial = Serial::new(&[0x11; 32]);
        let intent = intent(&desk.config, &row, &csr, serial, now()).unwrap();
        let state = JobState::Issuance {
            order: row.id,
            serial,
        };
        let due = now().after(desk.config.policy.validation.lease);
        let job = JobRow {
            id: desk.job,
            due,
            attempt: 1,
            state,
        };
        row.state = OrderState::Processing {
            serial,
            job: desk.job,
        };
        desk.order = row.id;
        let mut writes = move_due(due, &job);
        writes.push(Write::Put(Row::Account(account(&row))));
        writes.extend(authorizations(&row).into_iter().map(Write::Put));
        writes.push(Write::Put(Row::Order(row)));
        writes.push(Write::Put(Row::Intent(intent)));
        let version = desk.put(writes);
        (desk, version)
    }

    /// Nothing in the store.
    pub(crate) fn empty(config: Arc<Config>) -> Self {
        Self {
            config,
            store: Memory::new(),
            now: now(),
            signers: VecDeque::new(),
            logs: [1, 2, 3, 4].map(|seed| (seed, LogDoes::Signs)).into(),
            backwards: false,
            saves: VecDeque::new(),
            unavailable: 0,
            signed: Vec::new(),
            submitted: Vec::new(),
            spawned: Vec::new(),
            starts: 0,
            job: JobId::new(now(), &BORN),
            order: OrderId::from_bytes([0; 16]),
        }
    }

    fn arrival(&mut self) -> JobArrival {
        self.starts += 1;
        let entropy = Entropy::new([self.starts; 32]);
        JobArrival {
            at: self.now,
            entropy,
            ticket_seed: u64::from(self.starts),
        }
    }

    pub(crate) fn born(&mut self, version: Version) -> Job {
        let arrival = self.arrival();
        Job::born(Arc::clone(&self.config), arrival, self.job, version)
    }

    pub(crate) fn due(&mut self, id: JobId) -> Job {
        let arrival = self.arrival();
        Job::due(Arc::clone(&self.config), arrival, id)
    }

    /// Runs a job to its end, or through so many effects. Whether it ended.
    pub(crate) fn run(&mut self, job: &mut Job, effects_max: usize) -> bool {
        let mut held: Vec<(u8, Ticket<Submit>, Submitted)> = Vec::new();
        for effects in 0..STEPS_MAX {
            if effects >= effects_max {
                return false;
            }
            match job.poll(self.now) {
                Step::Load(reads, ticket) => {
                    let loaded = self.loaded(&reads);
                    job.answer(ticket, loaded, self.now).unwrap();
                }
                Step::Scan(scan, ticket) => {
                    let found = self.scan(&scan);
                    job.answer(ticket, found, self.now).unwrap();
                }
                Step::Commit(commit, ticket) => {
                    let committed = self.commit(&commit);
                    job.answer(ticket, committed, self.now).unwrap();
                }
                Step::Sign(name, algorithm, message, ticket) => {
                    self.sign(job, &name, algorithm, message, ticket);
                }
                Step::Submit(id, _, body, ticket) => {
                    let (seed, answer) = self.submit(id, &body);
                    match answer {
                        Some(answer) if self.backwards => held.push((seed, ticket, answer)),
                        Some(answer) => job.answer(ticket, answer, self.now).unwrap(),
                        None => drop(ticket),
                    }
                }
                Step::Spawn(id, version) => self.spawned.push((id, version)),
                Step::Wait(_) if !held.is_empty() => {
                    let (_, ticket, answer) = held.pop().unwrap();
                    // A log that nobody waits for any more may still answer.
                    let _ = job.answer(ticket, answer, self.now);
                }
                Step::Wait(Timestamp::NEVER) => return true,
                Step::Wait(until) => {
                    assert!(until > self.now, "a job that waits for the past");
                    self.now = until;
                }
                Step::Probe(..) => panic!("no probe here"),
            }
        }
        panic!("a job that never ends")
    }

    /// Runs whatever is due until nothing is, or so many jobs were started.
    pub(crate) fn settle(&mut self, jobs_max: usize) {
        for _ in 0..jobs_max {
            let all = Scan::DueJobs {
                until: self.now.after(DAY),
                limit: 1,
            };
            let Some(Read::Due(at, id)) = self.store.scan(&all).unwrap().first().cloned() else {
                return;
            };
            self.now = self.now.max(at);
            let mut job = self.due(id);
            assert!(self.run(&mut job, usize::MAX));
        }
    }

    pub(crate) fn put(&mut self, writes: Vec<Write>) -> Version {
        let commit = Commit {
            writes,
            ..Commit::default()
        };
        match self.store.commit(&commit).unwrap() {
            Committed::Done(version) => version,
            other => panic!("{other:?}"),
        }
    }

    fn loaded(&mut self, reads: &[Read]) -> Result<crate::schema::Loaded, Unavailable> {
        match self.unavailable.checked_sub(1) {
            Some(left) => {
                self.unavailable = left;
                Err(Unavailable)
            }
            None => Ok(self.store.load(reads).unwrap()),
        }
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Read>, Unavailable> {
        Ok(self.store.scan(scan).unwrap())
    }

    fn commit(&mut self, commit: &Commit) -> Committed {
        match self.saves.pop_front() {
            None | Some(Save::Commits) => self.store.commit(commit).unwrap(),
            Some(Save::Conflict) => Committed::Conflict,
            Some(Save::UnknownLost) => Committed::Unknown,
            Some(Save::UnknownMade) => {
                self.store.commit(commit).unwrap();
                Committed::Unknown
            }
        }
    }

    fn sign(
        &mut self,
        job: &mut Job,
        name: &str,
        algorithm: SignatureAlgorithm,
        message: Vec<u8>,
        ticket: Ticket<Sign>,
    ) {
        let outcome = match self.signers.pop_front().unwrap_or(Signer::Signs) {
            Signer::Signs => self.signature(name, algorithm, message),
            Signer::NotSigned => Signed::NotSigned,
            Signer::Unknown => {
                self.signed.push(message);
                Signed::Unknown
            }
            Signer::Wrong => {
                self.signed.push(message);
                Signed::Signature(issuer_key(name).sign(algorithm, b"other").unwrap())
            }
            Signer::Silent => {
                self.signed.push(message);
                return drop(ticket);
            }
        };
        job.answer(ticket, outcome, self.now).unwrap();
    }

    pub(crate) fn signature(
        &mut self,
        name: &str,
        algorithm: SignatureAlgorithm,
        message: Vec<u8>,
    ) -> Signed {
        let signature = issuer_key(name).sign(algorithm, &message).unwrap();
        self.signed.push(message);
        Signed::Signature(signature)
    }

    fn submit(&mut self, id: LogId, body: &[u8]) -> (u8, Option<Submitted>) {
        let list = &self.config.authority.logs().logs;
        let place = list.iter().position(|log| log.id() == id).unwrap();
        let seed = u8::try_from(place).unwrap() + 1;
        self.submitted.push(seed);
        let (tbs, issuer) = self.submission(body);
        let sct = |seed, tbs: &[u8]| Submitted::Response {
            status: 200,
            body: sct_reply(seed, issuer, tbs, self.now, &[]),
        };
        let answer = match &self.logs[&seed] {
            LogDoes::Signs => Some(sct(seed, &tbs)),
            LogDoes::SignsAs(other) => Some(sct(*other, &tbs)),
            LogDoes::SignsOther => {
                let mut tbs = tbs;
                let place = tbs.len() / 2;
                // Some letter of a name, perhaps: what it is over is what counts.
                tbs[place] ^= 1;
                match TbsView::parse(&tbs) {
                    Ok(_) => Some(sct(seed, &tbs)),
                    Err(_) => Some(Submitted::Response {
                        status: 200,
                        body: b"{}".to_vec(),
                    }),
                }
            }
            LogDoes::Says(status, body) => Some(Submitted::Response {
                status: *status,
                body: body.clone(),
            }),
            LogDoes::Unreachable => Some(Submitted::Unreachable),
            LogDoes::Silent => None,
        };
        (seed, answer)
    }

    /// The first certificate's TBSCertificate in an add-pre-chain, and its issuer.
    fn submission(&self, body: &[u8]) -> (Vec<u8>, &Issuer) {
        let json: serde_json::Value = serde_json::from_slice(body).unwrap();
        let decode =
            |place: usize| Base64::decode_vec(json["chain"][place].as_str().unwrap()).unwrap();
        let der = decode(0);
        let signed = SignedView::parse(&der).unwrap();
        let tbs = TbsView::parse(signed.tbs).unwrap();
        assert!(tbs.extension(oid::POISON).is_some());
        let mut issuers = self.config.authority.issuers().iter();
        let issuer = issuers
            .find(|issuer| issuer.subject() == tbs.issuer)
            .unwrap();
        assert_eq!(decode(1), issuer.certificate_der());
        (signed.tbs.to_vec(), issuer)
    }

    pub(crate) fn view(&self, reads: &[Read]) -> View {
        let mut view = View::new();
        view.extend(self.store.load(reads).unwrap());
        view
    }

    pub(crate) fn order_row(&self) -> OrderRow {
        let read = Read::Order(self.order);
        self.view(&[read])
            .order(&self.order)
            .unwrap()
            .unwrap()
            .clone()
    }

    pub(crate) fn certificate(&self, serial: Serial) -> Option<CertificateRow> {
        self.view(&[Read::Certificate(serial)])
            .certificate(&serial)
            .unwrap()
            .cloned()
    }

    pub(crate) fn intent_row(&self, serial: Serial) -> IntentRow {
        self.view(&[Read::Intent(serial)])
            .intent(&serial)
            .unwrap()
            .unwrap()
            .clone()
    }

    pub(crate) fn job_row(&self, id: JobId) -> Option<JobRow> {
        self.view(&[Read::Job(id)]).job(&id).unwrap().cloned()
    }

    pub(crate) fn revocations(&self) -> Vec<RevocationRow> {
        self.rows()
            .into_iter()
            .filter_map(|row| match row {
                Row::Revocation(row) => Some(row),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn certificates(&self) -> Vec<CertificateRow> {
        self.rows()
            .into_iter()
            .filter_map(|row| match row {
                Row::Certificate(row) => Some(row),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        self.store.rows().map(|row| row.unwrap().1).collect()
    }

    /// The invariants of issuance that hold at every rest: every serial that was signed for is a
    /// certificate, at most one of the order isn't revoked, and the order says which.
    pub(crate) fn check_rest(&self) {
        let revoked: Vec<Serial> = self.revocations().iter().map(|row| row.serial).collect();
        for message in &self.signed {
            let Ok(view) = TbsView::parse(message) else {
                continue; // a CRL
            };
            let serial = Serial::from_der_integer(view.serial).unwrap();
            assert!(
                self.certificate(serial).is_some(),
                "{serial} was signed and is forgotten"
            );
        }
        let live: Vec<Serial> = self
            .certificates()
            .iter()
            .map(|row| row.serial)
            .filter(|serial| !revoked.contains(serial))
            .collect();
        match self.order_row().state {
            OrderState::Valid { serial } => assert_eq!(live, [serial]),
            OrderState::Invalid { .. } => assert_eq!(live, []),
            state @ (OrderState::Open | OrderState::Processing { .. }) => panic!("{state:?}"),
        }
        assert_eq!(self.job_row(self.job), None, "the job is done");
        for row in self.certificates() {
            assert_eq!(
                row.der.is_some(),
                live.contains(&row.serial) || self.is_withdrawn(&row)
            );
        }
    }

    /// Issued, and revoked in the same commit because the account was deactivated.
    fn is_withdrawn(&self, row: &CertificateRow) -> bool {
        row.der.is_some() && matches!(self.order_row().state, OrderState::Invalid { .. })
    }
}

pub(crate) fn account(order: &OrderRow) -> AccountRow {
    let key = key(acme_crypto::KeyAlgorithm::EcP256, 0x21);
    AccountRow {
        id: order.account,
        key: Jwk::from_public_key(key.public_key().clone()),
        status: AccountStatus::Valid,
        contact: Vec::new(),
        terms_of_service_agreed: true,
        created_at: now(),
        external_account: None,
    }
}

fn authorizations(order: &OrderRow) -> Vec<Row> {
    let pairs = order.authorizations.iter().zip(&order.identifiers);
    let row = |(id, identifier): (&_, &acme_types::Identifier)| {
        Row::Authorization(AuthorizationRow {
            id: *id,
            account: order.account,
            order: Some(order.id),
            identifier: identifier.base(),
            wildcard: identifier.is_wildcard(),
            status: AuthorizationStatus::Valid,
            created_at: now(),
            expires: now().after(DAY / 4),
            challenges: Vec::new(),
            caa_checked_at: Some(now()),
        })
    };
    pairs.map(row).collect()
}

/// A revocation, for CRLs.
pub(crate) fn revocation(shard: u16, serial: Serial, not_after: Timestamp) -> Row {
    Row::Revocation(RevocationRow {
        shard: Shard(shard),
        serial,
        revoked_at: now(),
        reason: acme_types::RevocationReason::Superseded,
        not_after,
    })
}
