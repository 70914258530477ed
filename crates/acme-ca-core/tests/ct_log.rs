//! An issuance through real logs on loopback, seen from outside: only what this crate exports, a
//! store, keys, and HTTP.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use acme_ca_core::effect::{Signed, Submitted};
use acme_ca_core::issuance::{
    Authority, CaName, IntermediateDraft, Issuer, Log, LogKind, LogList, Profile, RootDraft, intent,
};
use acme_ca_core::job::{Job, Step};
use acme_ca_core::policy::Policy;
use acme_ca_core::schema::{
    AccountId, AccountRow, AuthorizationId, AuthorizationRow, CertificateRow, Commit, Committed,
    DueRow, JobId, JobRow, JobState, OrderId, OrderRow, OrderState, Row, Serial, Version, Write,
};
use acme_ca_core::store::Memory;
use acme_ca_core::{Config, Entropy, JobArrival, crl::CrlTiming};
use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_csr::CsrDraft;
use acme_jws::Jwk;
use acme_testkit::ct::{CtLog, LogEntry, Message, SignedCertificateTimestamp, decode_sct_list};
use acme_types::{AccountStatus, AuthorizationStatus, Identifier, Timestamp, Url};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const DAY: Duration = Duration::from_secs(86_400);

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap())
}

fn key(seed: u8) -> Box<dyn KeyPair> {
    RustCrypto
        .generate(KeyAlgorithm::EcP256, &[seed; 32])
        .unwrap()
}

/// A root and an intermediate under it.
fn hierarchy() -> (Vec<u8>, Vec<u8>) {
    let (root_key, own_key) = (key(1), key(2));
    let times = (now().before(DAY), now().after(DAY * 3_650));
    let root = RootDraft::new(
        &CaName::new("Root", None, None).unwrap(),
        root_key.public_key(),
        Serial::new(&[1; 32]),
        times,
        &RustCrypto,
    )
    .unwrap();
    let signature = root_key.sign(root.algorithm(), root.message()).unwrap();
    let root = root.attach(&signature).unwrap();
    let own = IntermediateDraft::new(
        &root,
        &CaName::new("E1", None, None).unwrap(),
        own_key.public_key(),
        Serial::new(&[2; 32]),
        times,
        None,
        None,
        &RustCrypto,
    )
    .unwrap();
    let signature = root_key.sign(own.algorithm(), own.message()).unwrap();
    (root, own.attach(&signature).unwrap())
}

async fn logs(root: &[u8]) -> Vec<CtLog> {
    let roots = [root.to_vec()];
    let one = CtLog::start("one", "operator a", &roots).await.unwrap();
    let two = CtLog::start("two", "operator b", &roots).await.unwrap();
    // This one accepts other roots only.
    let three = CtLog::start("three", "operator c", &[]).await.unwrap();
    vec![one, two, three]
}

fn config(root: &[u8], own: &[u8], logs: &[CtLog]) -> Arc<Config> {
    let issuer = Issuer::new("e1", own, &[root.to_vec()], 0..=0, &RustCrypto).unwrap();
    let log = |log: &CtLog| {
        let url = Url::parse(&log.url()).unwrap();
        let key = log.public_key_der();
        Log::new(
            &key,
            url,
            log.operator(),
            LogKind::Rfc6962,
            None,
            &RustCrypto,
        )
        .unwrap()
    };
    let list = LogList {
        logs: logs.iter().map(log).collect(),
        fresh_until: None,
    };
    let timing = CrlTiming::default();
    Arc::new(Config {
        base: Url::parse("https://ca.example").unwrap(),
        publication_base: Url::parse("http://ca.example").unwrap(),
        provider: Arc::new(RustCrypto),
        policy: Policy::private(),
        authority: Authority::new(vec![issuer], vec![Profile::tlsserver()], list, timing).unwrap(),
    })
}

/// A store with an order that was just finalized; its job and the version of its row.
fn finalized(config: &Config) -> (Memory, JobId, Version) {
    let (at, names) = (now(), vec![Identifier::dns("a.example").unwrap()]);
    let (job, account) = (JobId::new(at, &[3; 32]), AccountId::new(at, &[4; 32]));
    let (serial, authorization) = (Serial::new(&[5; 32]), AuthorizationId::new(at, &[6; 32]));
    let mut order = OrderRow {
        id: OrderId::new(at, &[7; 32]),
        account,
        identifiers: names.clone(),
        authorizations: vec![authorization],
        not_before: None,
        not_after: None,
        profile: "tlsserver".into(),
        profile_requested: false,
        replaces: None,
        created_at: at,
        expires: at.after(DAY),
        state: OrderState::Open,
    };
    let subject = key(8);
    let algorithm = subject.public_key().default_algorithm();
    let draft = CsrDraft::new(&names, subject.public_key(), algorithm).unwrap();
    let csr = draft
        .attach(&subject.sign(algorithm, draft.message()).unwrap())
        .unwrap();
    let intent = intent(config, &order, &csr, serial, at).unwrap();
    order.state = OrderState::Processing { serial, job };
    let state = JobState::Issuance {
        order: order.id,
        serial,
    };
    let due = at.after(config.policy.validation.lease);
    let rows = [
        Row::Account(AccountRow {
            id: account,
            key: Jwk::from_public_key(key(9).public_key().clone()),
            status: AccountStatus::Valid,
            contact: Vec::new(),
            terms_of_service_agreed: true,
            created_at: at,
            external_account: None,
        }),
        Row::Authorization(AuthorizationRow {
            id: authorization,
            account,
            order: Some(order.id),
            identifier: names[0].clone(),
            wildcard: false,
            status: AuthorizationStatus::Valid,
            created_at: at,
            expires: at.after(DAY),
            challenges: Vec::new(),
            caa_checked_at: Some(at),
        }),
        Row::Order(order),
        Row::Intent(intent),
        Row::Job(JobRow {
            id: job,
            due,
            attempt: 1,
            state,
        }),
        Row::Due(DueRow { due, job }),
    ];
    let mut store = Memory::new();
    let commit = Commit {
        writes: rows.into_iter().map(Write::Put).collect(),
        ..Commit::default()
    };
    match store.commit(&commit).unwrap() {
        Committed::Done(version) => (store, job, version),
        other => panic!("{other:?}"),
    }
}

/// POST over one connection, as a shell does it.
async fn post(url: &Url, body: &[u8]) -> Submitted {
    let mut stream = TcpStream::connect((url.host(), url.port())).await.unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        url.path_and_query(),
        url.authority(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    let text = String::from_utf8(response).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Submitted::Response {
        status,
        body: body.as_bytes().to_vec(),
    }
}

async fn run(job: &mut Job, store: &mut Memory) {
    loop {
        match job.poll(now()) {
            Step::Load(reads, ticket) => {
                job.answer(ticket, Ok(store.load(&reads).unwrap()), now())
                    .unwrap();
            }
            Step::Commit(commit, ticket) => {
                job.answer(ticket, store.commit(&commit).unwrap(), now())
                    .unwrap();
            }
            Step::Sign(issuer, algorithm, message, ticket) => {
                assert_eq!(issuer, "e1");
                let signature = key(2).sign(algorithm, &message).unwrap();
                job.answer(ticket, Signed::Signature(signature), now())
                    .unwrap();
            }
            Step::Submit(_, url, body, ticket) => {
                let submitted = post(&url, &body).await;
                job.answer(ticket, submitted, now()).unwrap();
            }
            Step::Wait(Timestamp::NEVER) => return,
            step => panic!("{step:?}"),
        }
    }
}

fn certificate(store: &Memory) -> CertificateRow {
    let certificates = store.rows().filter_map(|row| match row.unwrap().1 {
        Row::Certificate(row) => Some(row),
        _ => None,
    });
    certificates.last().unwrap()
}

#[tokio::test]
async fn real_logs_promise_what_the_certificate_carries() {
    let (root, own) = hierarchy();
    let logs = logs(&root).await;
    let config = config(&root, &own, &logs);
    let (mut store, id, version) = finalized(&config);
    let arrival = JobArrival {
        at: now(),
        entropy: Entropy::new([1; 32]),
        ticket_seed: 1,
    };
    let mut job = Job::born(Arc::clone(&config), arrival, id, version);
    run(&mut job, &mut store).await;

    let row = certificate(&store);
    let (der, precertificate) = (row.der.unwrap(), row.precertificate.unwrap());
    let entry = LogEntry::of_final_certificate(&der, &own).unwrap();
    assert_eq!(
        entry,
        LogEntry::of_precertificate(&precertificate, &own).unwrap()
    );
    let scts = scts(&der);
    assert_eq!(scts.len(), 2);
    for sct in scts {
        let log = logs.iter().find(|log| log.log_id() == sct.log_id).unwrap();
        assert_eq!(sct.verify(&RustCrypto, log.public_key(), &entry), Ok(()));
        assert_eq!((log.size(), log.count(Message::AddPreChain)), (1, 1));
    }
    assert_eq!(
        logs[2].size(),
        0,
        "the log of other roots has promised nothing"
    );
}

/// The SCTs that a certificate carries, found by another reader.
fn scts(der: &[u8]) -> Vec<SignedCertificateTimestamp> {
    use der::Decode;
    let certificate = x509_cert::Certificate::from_der(der).unwrap();
    let extensions = certificate.tbs_certificate().extensions().unwrap();
    let oid = const_oid::ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");
    let extension = extensions
        .iter()
        .find(|extension| extension.extn_id == oid)
        .unwrap();
    let list = der::asn1::OctetString::from_der(extension.extn_value.as_bytes());
    let list = list.unwrap();
    let encoded = decode_sct_list(list.as_bytes()).unwrap();
    encoded
        .iter()
        .map(|sct| SignedCertificateTimestamp::decode(sct).unwrap())
        .collect()
}
