//! Both stores against the contract; the embedded one across restarts and a SIGKILL.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use acme_ca::store::conformance::{self, durability};
use acme_ca::store::{EmbeddedStore, MemoryStore, OpenError, Store};
use acme_ca_core::schema::{BlockedKeyRow, Commit, Committed, Read, Row, Write};
use acme_types::Timestamp;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_store_keeps_the_contract() {
    conformance::run(async || Arc::new(MemoryStore::new()) as Arc<dyn Store>).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_embedded_store_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let mut number = 0;
    conformance::run(|| {
        number += 1;
        let store = open(&folder.path().join(number.to_string()));
        async move { Arc::new(store) as Arc<dyn Store> }
    })
    .await;
}

fn open(folder: &Path) -> EmbeddedStore {
    EmbeddedStore::open(folder).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_is_the_same_after_it_was_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let last = durability::fill(Arc::new(open(folder.path()))).await;
    durability::stands(Arc::new(open(folder.path())), last).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_open_opens_no_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    assert_eq!(
        EmbeddedStore::open(folder.path()).unwrap_err(),
        OpenError::Locked
    );
    drop(first);
    open(folder.path());
}

const CHILD_FOLDER: &str = "ACME_CA_TEST_STORE_FOLDER";
/// More than fit into one batch of syncs, and few enough for a slow disk.
const ACKNOWLEDGED_BEFORE_THE_KILL: usize = 300;

fn numbered(number: u64) -> Row {
    let mut spki_sha256 = [0; 32];
    spki_sha256[..8].copy_from_slice(&number.to_be_bytes());
    Row::BlockedKey(BlockedKeyRow {
        spki_sha256,
        blocked_at: Timestamp::from_millis(number),
    })
}

/// The process that is killed: eight tasks commit for ever and print what was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_commits_until_it_is_killed() {
    let Some(folder) = std::env::var_os(CHILD_FOLDER) else {
        return;
    };
    let store = Arc::new(open(Path::new(&folder)));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8u64 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for round in 0.. {
                let number = round * 8 + task;
                let commit = Commit {
                    writes: vec![Write::Put(numbered(number)), Write::Put(numbered(!number))],
                    ..Commit::default()
                };
                match store.commit(commit).await {
                    Ok(Committed::Done(version)) => {
                        println!("acknowledged {number} {}", version.0);
                    }
                    other => panic!("{other:?}"),
                }
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_sigkill_stands_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut highest = 0;
    for round in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "child_that_commits_until_it_is_killed",
                "--nocapture",
            ])
            .env(CHILD_FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = Vec::new();
        while acknowledged.len() < ACKNOWLEDGED_BEFORE_THE_KILL {
            let line = lines.next().expect("the child ended early").unwrap();
            acknowledged.extend(acknowledgement(&line));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had still written to the pipe was acknowledged as well.
        acknowledged.extend(
            lines
                .map_while(Result::ok)
                .filter_map(|line| acknowledgement(&line)),
        );
        let store = open(folder.path());
        let mut newest = 0;
        for (number, version) in acknowledged {
            assert!(
                version > highest,
                "round {round}: version {version} a second time"
            );
            newest = newest.max(version);
            let questions = vec![numbered(number).read(), numbered(!number).read()];
            let loaded = store.load(questions).await.unwrap();
            for (read, found) in loaded.0 {
                let (stored, _) = found.unwrap_or_else(|| panic!("{read:?} is lost"));
                assert_eq!(stored.0, version);
            }
        }
        highest = newest;
        // The next child writes the same rows: their versions must be newer ones.
        assert!(store.load(vec![Read::BlockedKey([1; 32])]).await.is_ok());
    }
}

/// The last line may be cut.
fn acknowledgement(line: &str) -> Option<(u64, u64)> {
    // The test harness may print its own words before the first one on the same line.
    let (_, numbers) = line.split_once("acknowledged ")?;
    let (number, version) = numbers.split_once(' ')?;
    Some((number.parse().ok()?, version.parse().ok()?))
}
