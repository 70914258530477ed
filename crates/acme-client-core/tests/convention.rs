//! The one convention of all machines, and what a snapshot is.

mod world;

use std::time::Duration;

use acme_client_core::*;
use acme_types::{Misuse, Timestamp};
use world::{Policy, START, World, ca, config, csr, key};

fn intent() -> AccountIntent {
    AccountIntent::new(AccountKey::new(key(1).public_key())).agree_to_terms()
}

fn client() -> Client {
    let mut client = Client::new(config(), intent(), 1, START);
    let job = IssueJob::new(&csr(&["example.com"], &*key(2))).expect("a CSR");
    client.issue(JobId(1), job, START).expect("a free name");
    client
}

#[test]
fn machines_and_errors_are_what_the_contract_says() {
    fn machine<T: Send + Sync + 'static>() {}
    fn error<T: std::error::Error + Clone + Eq + Send + Sync + 'static>() {}
    machine::<Client>();
    machine::<Step>();
    machine::<Outcome>();
    machine::<Snapshot>();
    machine::<Config>();
    error::<Failure>();
    error::<Untaken>();
    error::<SnapshotError>();
}

#[test]
fn a_client_without_work_is_finished_and_asks_nothing() {
    let mut client = Client::new(config(), intent(), 1, START);
    assert!(matches!(client.poll(START), Step::Wait(Timestamp::NEVER)));
    assert_eq!(client.jobs(), 0);
}

#[test]
fn an_answer_of_another_start_changes_nothing() {
    let (mut before, mut after) = (client(), Client::new(config(), intent(), 2, START));
    let Step::Http(_, ticket) = step_http(&mut before) else {
        unreachable!()
    };
    assert_eq!(
        after.answer(ticket, HttpOutcome::NotSent, START),
        Err(Misuse::ForeignTicket)
    );
}

fn step_http(client: &mut Client) -> Step {
    for _ in 0..10 {
        match client.poll(START) {
            step @ Step::Http(..) => return step,
            Step::Save(_, _, ticket) => {
                client
                    .answer(ticket, SaveOutcome::Saved, START)
                    .expect("awaited");
            }
            _ => {}
        }
    }
    panic!("no request")
}

#[test]
fn an_answer_after_the_deadline_is_not_awaited() {
    let mut client = client();
    let Step::Http(fetch, ticket) = step_http(&mut client) else {
        unreachable!()
    };
    let late = fetch.deadline.after(Duration::from_millis(1));
    while !matches!(client.poll(late), Step::Wait(_)) {}
    assert_eq!(
        client.answer(ticket, HttpOutcome::NotSent, late),
        Err(Misuse::NotAwaited)
    );
}

#[test]
fn a_wait_ends_no_later_than_the_deadline() {
    let mut client = client();
    let Step::Http(fetch, _ticket) = step_http(&mut client) else {
        unreachable!()
    };
    loop {
        if let Step::Wait(at) = client.poll(START) {
            assert!(at <= fetch.deadline);
            break;
        }
    }
}

#[test]
fn requests_say_who_asks_and_in_what_form() {
    let Step::Http(fetch, _) = step_http(&mut client()) else {
        unreachable!()
    };
    let headers = fetch.request.headers();
    assert_eq!(headers["accept-language"], "en");
    let agent = headers["user-agent"].to_str().expect("text");
    assert!(agent.starts_with("acme-client-core/"));
    let named = config().with_user_agent("my-server/2.0 \r\nX-Evil: 1");
    let mut client = Client::new(named, intent(), 1, START);
    client.open_account(START);
    let Step::Http(fetch, _) = step_http(&mut client) else {
        unreachable!()
    };
    let agent = fetch.request.headers()["user-agent"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        agent.starts_with("my-server/2.0 X-Evil: 1 acme-client-core/"),
        "{agent}"
    );
}

#[test]
fn a_step_says_nothing_secret_when_it_is_logged() {
    // C02: the signing input and the signature hold the account's intent, the body its nonce.
    let input = SigningInput {
        algorithm: SigningAlgorithm::Mac(acme_crypto::HashAlgorithm::Sha256),
        message: b"canary".to_vec(),
    };
    let text = format!("{input:?} {:?}", SignOutcome::Signed(b"canary".to_vec()));
    assert!(
        !text.contains("canary") && !text.contains("99, 97"),
        "{text}"
    );
}

#[test]
fn no_private_key_is_in_any_snapshot() {
    let mut world = World::new(1, Policy::default());
    world.issue(1, &["example.com"]);
    world.run();
    world.issued(1);
    let secrets: Vec<String> = [key(1), key(101)]
        .iter()
        .map(|key| acme_types::base64url::encode(&key.to_pkcs8_der()[36..60]))
        .collect();
    for snapshot in world.store.values() {
        let text = String::from_utf8(snapshot.as_bytes().to_vec()).expect("text");
        assert!(secrets.iter().all(|secret| !text.contains(secret)));
    }
}

#[test]
fn snapshots_of_the_first_format_are_read() {
    let account = include_str!("golden/account-1.json");
    let job = include_str!("golden/issue-1.json");
    let read = |text: &str| Snapshot::from_bytes(text.trim_end().as_bytes().to_vec());
    let snapshots = [
        read(account).expect("format 1"),
        read(job).expect("format 1"),
    ];
    assert_eq!(snapshots[0].record(), Record::Account);
    assert_eq!(snapshots[1].record(), Record::Job(JobId(7)));
    let client = Client::restore(config(), intent(), snapshots.clone(), 5, START);
    let client = client.expect("restored");
    let url = format!("{}/account/0", ca::BASE);
    assert_eq!(
        client.account_url().map(|url| url.as_str()),
        Some(url.as_str())
    );
    assert_eq!(client.status(JobId(7)), Some(JobStatus::Queued));
    let twice = snapshots.iter().chain(&snapshots).cloned();
    let error = Client::restore(config(), intent(), twice, 5, START).err();
    assert_eq!(error, Some(SnapshotError::Duplicate));
}

#[test]
fn other_snapshots_are_errors() {
    let check = |text: &str, error| {
        let read = Snapshot::from_bytes(text.as_bytes().to_vec());
        let restored =
            read.and_then(|snapshot| Client::restore(config(), intent(), [snapshot], 1, START));
        assert_eq!(restored.err(), Some(error), "{text}");
    };
    let malformed = SnapshotError::Malformed;
    check("", malformed);
    check("{}", malformed);
    check(
        r#"{"format":2,"record":"account","revision":1,"ended":false}"#,
        SnapshotError::UnknownFormat,
    );
    check(r#"{"format":0}"#, SnapshotError::UnknownFormat);
    check(
        r#"{"format":1,"record":"account","revision":1,"ended":false}"#,
        malformed,
    );
    check(
        r#"{"format":1,"record":{"job":1},"revision":1,"ended":false,"body":{}}"#,
        malformed,
    );
    let account = include_str!("golden/account-1.json");
    check(
        &account.replace(r#""record":"account""#, r#""record":{"job":3}"#),
        malformed,
    );
}

#[test]
fn a_thousand_names_and_ten_thousand_jobs_are_no_trouble() {
    let names: Vec<String> = (0..300).map(|n| format!("n{n}.example.com")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = World::new(1, Policy::default());
    world.issue(1, &names);
    world.run();
    world.issued(1);
    world.check_clean();

    let mut client = Client::new(config(), intent(), 1, START);
    let job = IssueJob::new(&csr(&["example.com"], &*key(2))).expect("a CSR");
    for id in 0..10_000 {
        client
            .issue(JobId(id), job.clone(), START)
            .expect("a free name");
    }
    assert!(matches!(
        client.poll(START),
        Step::Http(..) | Step::Save(..)
    ));
    assert_eq!(client.jobs(), 10_000);
}
