//! The contract of [`Store`] as code: every store runs it, ours and anyone's.
//!
//! Each check takes an empty store. Those in [`races`] must hold however tasks are scheduled; run
//! them on a runtime with several threads. A check panics with what was broken.

pub mod commits;
pub mod durability;
pub mod races;
pub mod scans;

use std::future::Future;
use std::sync::Arc;

use acme_ca_core::schema::{BlockedKeyRow, Commit, Committed, Read, Row, Version, Write};
use acme_types::Timestamp;

use super::Store;

/// Runs every check that needs no reopening, each on a store of its own from `fresh`.
pub async fn run<F: Future<Output = Arc<dyn Store>>>(mut fresh: impl FnMut() -> F) {
    macro_rules! checks {
        ($($module:ident::$check:ident,)*) => {$(
            $module::$check(fresh().await).await;
        )*};
    }
    checks! {
        commits::a_row_stands_as_it_was_put_under_the_version_of_its_commit,
        commits::a_guard_that_fails_changes_nothing,
        commits::guarded_absence_lets_one_in,
        commits::a_deleted_row_is_absent_and_comes_back_with_a_new_version,
        commits::absence_may_not_be_guarded_on_a_key_that_is_not_written,
        commits::a_key_is_written_at_most_once,
        commits::a_spend_beyond_the_burst_changes_nothing,
        commits::audit_events_are_rows_of_the_commit,
        commits::a_load_answers_every_question_in_its_order,
        scans::due_jobs_come_oldest_first_up_to_a_time_and_a_limit,
        scans::an_account_s_orders_come_in_pages_and_without_its_neighbours,
        scans::revocations_come_by_serial_and_by_shard,
        races::one_of_many_wins_a_guard,
        races::one_of_many_wins_an_absence,
        races::no_update_is_lost,
        races::two_decisions_on_what_both_read_do_not_both_stand,
        races::spends_are_exact_and_never_conflict,
        races::versions_are_never_shared,
        races::readers_see_whole_commits_and_never_go_back,
        races::who_is_told_sees_it,
    }
}

/// A row that carries a number.
pub(crate) fn row(key: u8, number: u64) -> Row {
    let blocked_at = Timestamp::from_millis(number);
    Row::BlockedKey(BlockedKeyRow {
        spki_sha256: [key; 32],
        blocked_at,
    })
}

/// The question for [`row`].
pub(crate) fn question(key: u8) -> Read {
    Read::BlockedKey([key; 32])
}

/// The number that a row carries, with its version.
pub(crate) async fn number(store: &dyn Store, key: u8) -> Option<(Version, u64)> {
    let loaded = store.load(vec![question(key)]).await.expect("a load");
    carried(loaded.0.into_iter().next().and_then(|(_, found)| found))
}

pub(crate) fn carried(found: Option<(Version, Row)>) -> Option<(Version, u64)> {
    match found {
        Some((version, Row::BlockedKey(row))) => Some((version, row.blocked_at.as_millis())),
        Some(_) => panic!("another row under this key"),
        None => None,
    }
}

/// A commit that puts these rows.
pub(crate) fn put(rows: impl IntoIterator<Item = Row>) -> Commit {
    Commit {
        writes: rows.into_iter().map(Write::Put).collect(),
        ..Commit::default()
    }
}

/// The same, guarded.
pub(crate) fn guarded(
    guards: impl IntoIterator<Item = (Read, Option<Version>)>,
    rows: impl IntoIterator<Item = Row>,
) -> Commit {
    Commit {
        guards: guards.into_iter().collect(),
        ..put(rows)
    }
}

pub(crate) async fn commit(store: &dyn Store, commit: Commit) -> Committed {
    store.commit(commit).await.expect("a commit by the rules")
}

pub(crate) async fn done(store: &dyn Store, change: Commit) -> Version {
    match commit(store, change).await {
        Committed::Done(version) => version,
        other => panic!("a commit that nothing stood against was answered {other:?}"),
    }
}
