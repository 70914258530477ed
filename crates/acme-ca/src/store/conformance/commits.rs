//! What one commit does, alone.

use std::sync::Arc;
use std::time::Duration;

use acme_ca_core::schema::{
    AuditEvent, BucketKey, Commit, Committed, Read, Row, Scan, Spend, Version, Write,
};
use acme_types::Timestamp;

use super::{commit, done, guarded, number, put, question, row};
use crate::store::Store;

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn a_row_stands_as_it_was_put_under_the_version_of_its_commit(store: Arc<dyn Store>) {
    let first = done(&*store, put([row(1, 10), row(2, 20)])).await;
    assert_eq!(number(&*store, 1).await, Some((first, 10)));
    assert_eq!(number(&*store, 2).await, Some((first, 20)));
    let second = done(&*store, put([row(1, 11)])).await;
    assert!(second > first, "versions rise");
    assert_eq!(number(&*store, 1).await, Some((second, 11)));
    assert_eq!(number(&*store, 2).await, Some((first, 20)));
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn a_guard_that_fails_changes_nothing(store: Arc<dyn Store>) {
    let version = done(&*store, put([row(1, 10)])).await;
    let other = Version(version.0 + 1_000);
    for guards in [
        vec![(question(1), Some(other))],
        vec![(question(1), None)],
        vec![(question(3), Some(version))],
        vec![(question(1), Some(version)), (question(2), Some(version))],
    ] {
        let change = guarded(guards.clone(), [row(1, 11), row(2, 20)]);
        assert_eq!(
            commit(&*store, change).await,
            Committed::Conflict,
            "{guards:?}"
        );
    }
    assert_eq!(number(&*store, 1).await, Some((version, 10)));
    assert_eq!(number(&*store, 2).await, None);
    let next = done(
        &*store,
        guarded([(question(1), Some(version))], [row(1, 11)]),
    )
    .await;
    assert_eq!(number(&*store, 1).await, Some((next, 11)));
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn guarded_absence_lets_one_in(store: Arc<dyn Store>) {
    let change = guarded([(question(1), None)], [row(1, 10)]);
    let version = done(&*store, change.clone()).await;
    assert_eq!(commit(&*store, change).await, Committed::Conflict);
    assert_eq!(number(&*store, 1).await, Some((version, 10)));
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn a_deleted_row_is_absent_and_comes_back_with_a_new_version(store: Arc<dyn Store>) {
    let first = done(&*store, put([row(1, 10)])).await;
    let delete = Commit {
        guards: vec![(question(1), Some(first))],
        writes: vec![Write::Delete(question(1))],
        ..Commit::default()
    };
    done(&*store, delete.clone()).await;
    assert_eq!(number(&*store, 1).await, None);
    assert_eq!(commit(&*store, delete).await, Committed::Conflict);
    let back = done(&*store, guarded([(question(1), None)], [row(1, 10)])).await;
    assert!(back > first, "a version is never used again");
    let stale = guarded([(question(1), Some(first))], [row(1, 11)]);
    assert_eq!(commit(&*store, stale).await, Committed::Conflict);
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn absence_may_not_be_guarded_on_a_key_that_is_not_written(store: Arc<dyn Store>) {
    let change = guarded([(question(2), None)], [row(1, 10)]);
    assert!(
        store.commit(change).await.is_err(),
        "the commit breaks the rules"
    );
    assert_eq!(number(&*store, 1).await, None);
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn a_key_is_written_at_most_once(store: Arc<dyn Store>) {
    let twice = [row(1, 10), row(1, 11)];
    assert!(
        store.commit(put(twice)).await.is_err(),
        "the commit breaks the rules"
    );
    assert_eq!(number(&*store, 1).await, None);
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn a_spend_beyond_the_burst_changes_nothing(store: Arc<dyn Store>) {
    let spend = |at| Spend {
        key: BucketKey::new("orders:1"),
        at: Timestamp::from_millis(at),
        cost: Duration::from_millis(100),
        burst: Duration::from_millis(300),
    };
    let change = |key, at| put([row(key, at)]).with_spends(vec![spend(at)]);
    for key in 1..=3 {
        done(&*store, change(key, 1_000)).await;
    }
    let exceeded = Committed::Exceeded(BucketKey::new("orders:1"));
    assert_eq!(commit(&*store, change(4, 1_000)).await, exceeded);
    assert_eq!(number(&*store, 4).await, None);
    // A hundred milliseconds later there is room for one more.
    done(&*store, change(4, 1_100)).await;
    assert_eq!(commit(&*store, change(5, 1_100)).await, exceeded);
    // Two spends on one bucket in one commit both count.
    let both = put([row(6, 1)]).with_spends(vec![spend(1_250), spend(1_250)]);
    assert_eq!(commit(&*store, both).await, exceeded);
    assert_eq!(number(&*store, 6).await, None);
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn audit_events_are_rows_of_the_commit(store: Arc<dyn Store>) {
    let event = |at, text: &str| AuditEvent {
        at: Timestamp::from_millis(at),
        event: text.to_owned(),
    };
    let at = 1_700_000_000_000;
    let events = vec![event(at, "first"), event(at + 1, "second")];
    let version = done(&*store, put([row(1, 10)]).with_audit(events)).await;
    let scan = Scan::Audit {
        from: Timestamp::from_millis(at),
        limit: 10,
    };
    let keys = store.scan(scan).await.expect("a scan");
    let loaded = store.load(keys).await.expect("a load");
    let found = loaded.0.into_iter().map(|(_, found)| match found {
        Some((found, Row::Audit(row))) => {
            assert_eq!(found, version);
            row.event
        }
        other => panic!("no audit row but {other:?}"),
    });
    assert_eq!(found.collect::<Vec<_>>(), ["first", "second"]);
    let stale = guarded([(question(1), None)], [row(1, 11)]).with_audit(vec![event(at, "no")]);
    assert_eq!(commit(&*store, stale).await, Committed::Conflict);
    let scan = Scan::Audit {
        from: Timestamp::from_millis(at),
        limit: 10,
    };
    assert_eq!(store.scan(scan).await.expect("a scan").len(), 2);
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn a_load_answers_every_question_in_its_order(store: Arc<dyn Store>) {
    done(&*store, put([row(1, 10), row(3, 30)])).await;
    let questions: Vec<Read> = [3, 2, 1, 2, 3].map(question).to_vec();
    let loaded = store.load(questions.clone()).await.expect("a load");
    let (asked, found): (Vec<Read>, Vec<bool>) = loaded
        .0
        .into_iter()
        .map(|(read, found)| (read, found.is_some()))
        .unzip();
    assert_eq!(asked, questions);
    assert_eq!(found, [true, false, true, false, true]);
    assert_eq!(store.load(Vec::new()).await.expect("a load").0, Vec::new());
}
