//! Both stores keep the highest revision of each record, and lose nothing that they said to have.

use std::path::Path;

use acme_client::store::{FileStore, MemoryStore, Store};
use acme_client_core::{JobId, Record, Snapshot};

fn snapshot(record: &str, revision: u64, ended: bool) -> Snapshot {
    let text = format!(
        r#"{{"format":1,"record":{record},"revision":{revision},"ended":{ended},"body":{{}}}}"#
    );
    Snapshot::from_bytes(text.into_bytes()).expect("a snapshot")
}

fn job(number: u64, revision: u64) -> Snapshot {
    snapshot(&format!(r#"{{"job":{number}}}"#), revision, false)
}

fn open(folder: &Path) -> FileStore {
    FileStore::open(folder).expect("opened")
}

fn check_revisions(store: &dyn Store) {
    let account = snapshot(r#""account""#, 5, false);
    for saved in [account.clone(), job(1, 2), job(1, 3), job(1, 1), job(2, 1)] {
        store.save(&saved).expect("durable");
    }
    assert_eq!(
        store.load().expect("readable"),
        [account, job(1, 3), job(2, 1)]
    );
    store.forget(Record::Job(JobId(1))).expect("forgotten");
    store
        .forget(Record::Job(JobId(9)))
        .expect("was never there");
    assert_eq!(store.load().expect("readable").len(), 2);
}

#[test]
fn a_lower_revision_never_replaces_a_higher_one() {
    let folder = tempfile::tempdir().expect("a folder");
    check_revisions(&open(folder.path()));
    check_revisions(&MemoryStore::new());
    // Also in the next process.
    let store = open(folder.path());
    store.save(&job(2, 0)).expect("ignored");
    assert!(store.load().expect("readable").contains(&job(2, 1)));
}

#[test]
fn a_save_that_comes_late_brings_no_ended_job_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    store.save(&job(1, 2)).expect("durable");
    store
        .save(&snapshot(r#"{"job":1}"#, 4, true))
        .expect("durable");
    assert_eq!(store.load().expect("readable"), []);
    store.save(&job(1, 3)).expect("ignored");
    assert_eq!(store.load().expect("readable"), []);
}

#[test]
fn half_a_file_of_a_crash_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(".job-1.json.new"), "{\"form").expect("written");
    std::fs::write(folder.path().join("notes.txt"), "mine").expect("written");
    let store = open(folder.path());
    assert_eq!(store.load().expect("readable"), []);
    store.save(&job(1, 1)).expect("durable");
    assert_eq!(open(folder.path()).load().expect("readable"), [job(1, 1)]);
}

#[test]
fn what_is_no_snapshot_is_an_error_and_not_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = job(2, 1);
    for text in [b"{".as_slice(), other.as_bytes(), br#"{"format":9}"#] {
        std::fs::write(folder.path().join("job-1.json"), text).expect("written");
        let error = FileStore::open(folder.path()).expect_err("refused");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    }
}

#[test]
fn jobs_that_nobody_knows_can_be_swept() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    for number in 1..=3 {
        store.save(&job(number, 1)).expect("durable");
    }
    store
        .save(&snapshot(r#""account""#, 1, false))
        .expect("durable");
    store.retain(|id| id == JobId(2)).expect("swept");
    let left: Vec<_> = store
        .load()
        .expect("readable")
        .iter()
        .map(Snapshot::record)
        .collect();
    assert_eq!(left, [Record::Account, Record::Job(JobId(2))]);
}
