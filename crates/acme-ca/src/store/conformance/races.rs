//! What holds when many act at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use acme_ca_core::schema::{BucketKey, Commit, Committed, Spend, Version};
use acme_types::Timestamp;
use tokio::task::JoinSet;

use super::{carried, commit, done, guarded, number, put, question, row};
use crate::store::Store;

/// Enough that batches form, few enough for a slow disk.
const TASKS: u8 = 16;
/// Rounds of those checks whose bug would be rare.
const ROUNDS: u64 = 40;
/// Loads that must meet commits under way.
const LOADS: usize = 8_000;
/// The number that ends a race.
const LAST: u64 = u64::MAX;

/// Starts all at once and gathers what came of them.
async fn together(store: &Arc<dyn Store>, commits: Vec<Commit>) -> Vec<Committed> {
    let mut tasks = JoinSet::new();
    for change in commits {
        let store = Arc::clone(store);
        tasks.spawn(async move { commit(&*store, change).await });
    }
    tasks.join_all().await
}

fn count_done(outcomes: &[Committed]) -> usize {
    outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Committed::Done(_)))
        .count()
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn one_of_many_wins_a_guard(store: Arc<dyn Store>) {
    let mut version = done(&*store, put([row(0, 0)])).await;
    for round in 1..=ROUNDS {
        let change = |task| {
            guarded(
                [(question(0), Some(version))],
                [row(0, round), row(task, 1)],
            )
        };
        let outcomes = together(&store, (1..=TASKS).map(change).collect()).await;
        assert_eq!(count_done(&outcomes), 1, "{outcomes:?}");
        assert!(!outcomes.contains(&Committed::Unknown));
        let (now, number) = number(&*store, 0).await.expect("the row");
        assert_eq!(number, round);
        assert!(outcomes.contains(&Committed::Done(now)));
        version = now;
    }
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn one_of_many_wins_an_absence(store: Arc<dyn Store>) {
    for key in 0..u8::try_from(ROUNDS).expect("few") {
        let change = |task| guarded([(question(key), None)], [row(key, task)]);
        let outcomes = together(&store, (1..=u64::from(TASKS)).map(change).collect()).await;
        assert_eq!(count_done(&outcomes), 1, "{outcomes:?}");
    }
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn no_update_is_lost(store: Arc<dyn Store>) {
    const EACH: u64 = 5;
    done(&*store, put([row(0, 0)])).await;
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let mut left = EACH;
            while left > 0 {
                let (version, now) = number(&*store, 0).await.expect("the row");
                let change = guarded([(question(0), Some(version))], [row(0, now + 1)]);
                match commit(&*store, change).await {
                    Committed::Done(_) => left -= 1,
                    Committed::Conflict => {}
                    other => panic!("{other:?}"),
                }
            }
        });
    }
    tasks.join_all().await;
    let (_, sum) = number(&*store, 0).await.expect("the row");
    assert_eq!(sum, EACH * u64::from(TASKS));
}

/// Write skew: each reads both rows and writes one of them.
pub async fn two_decisions_on_what_both_read_do_not_both_stand(store: Arc<dyn Store>) {
    let mut version = done(&*store, put([row(1, 0), row(2, 0)])).await;
    for round in 1..=ROUNDS {
        let guards = [(question(1), Some(version)), (question(2), Some(version))];
        let changes = [1, 2].map(|key| guarded(guards.clone(), [row(key, round)]));
        let outcomes = together(&store, changes.to_vec()).await;
        assert_eq!(count_done(&outcomes), 1, "{outcomes:?}");
        version = done(&*store, put([row(1, round), row(2, round)])).await;
    }
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn spends_are_exact_and_never_conflict(store: Arc<dyn Store>) {
    const ROOM: usize = 10;
    let spend = Spend {
        key: BucketKey::new("orders:1"),
        at: Timestamp::from_millis(1_000),
        cost: Duration::from_secs(1),
        burst: Duration::from_secs(10),
    };
    let change = |key| put([row(key, 1)]).with_spends(vec![spend.clone()]);
    let outcomes = together(&store, (0..4 * TASKS).map(change).collect()).await;
    assert_eq!(count_done(&outcomes), ROOM, "{outcomes:?}");
    let exceeded = Committed::Exceeded(spend.key.clone());
    let others = outcomes.iter().filter(|o| !matches!(o, Committed::Done(_)));
    assert!(
        others.clone().all(|outcome| *outcome == exceeded),
        "{outcomes:?}"
    );
    let mut written = 0;
    for key in 0..4 * TASKS {
        written += usize::from(number(&*store, key).await.is_some());
    }
    assert_eq!(
        written, ROOM,
        "a commit that was refused its spend wrote its row"
    );
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn versions_are_never_shared(store: Arc<dyn Store>) {
    let mut seen = BTreeSet::new();
    for _ in 0..4 {
        let outcomes = together(&store, (0..TASKS).map(|key| put([row(key, 1)])).collect()).await;
        for outcome in outcomes {
            let Committed::Done(version) = outcome else {
                panic!("{outcome:?}")
            };
            assert!(seen.insert(version), "{version:?} twice");
        }
    }
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn readers_see_whole_commits_and_never_go_back(store: Arc<dyn Store>) {
    done(&*store, put([row(1, 0), row(2, 0)])).await;
    let loads = Arc::new(AtomicUsize::new(0));
    let mut readers = JoinSet::new();
    for _ in 0..4 {
        readers.spawn(read_pairs(Arc::clone(&store), Arc::clone(&loads)));
    }
    // Others' commits fill the batches that the two rows are in.
    let noise = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for round in 0..ROUNDS {
                let rows = (10..10 + TASKS).map(|key| put([row(key, round)]));
                together(&store, rows.collect()).await;
            }
        }
    });
    let mut round = 1;
    while round < 4 * ROUNDS || loads.load(Ordering::Relaxed) < LOADS {
        done(&*store, put([row(1, round), row(2, round)])).await;
        round += 1;
        tokio::task::yield_now().await;
    }
    done(&*store, put([row(1, LAST), row(2, LAST)])).await;
    while let Some(reader) = readers.join_next().await {
        reader.expect("a reader");
    }
    noise.await.expect("the noise");
}

/// Loads two rows that every commit gives the same number, until it is the last.
async fn read_pairs(store: Arc<dyn Store>, loads: Arc<AtomicUsize>) {
    let mut last = (Version(0), 0);
    while last.1 != LAST {
        let loaded = store
            .load(vec![question(1), question(2)])
            .await
            .expect("a load");
        loads.fetch_add(1, Ordering::Relaxed);
        let mut rows = loaded.0.into_iter().map(|(_, found)| carried(found));
        let first = rows.next().flatten().expect("the row");
        let second = rows.next().flatten().expect("the row");
        // The writer waits for loads: it must not wait for a reader that has failed.
        if first != second || first < last {
            loads.fetch_add(LOADS, Ordering::Relaxed);
        }
        assert_eq!(first, second, "half a commit");
        assert!(first >= last, "{first:?} after {last:?}");
        last = first;
        tokio::task::yield_now().await;
    }
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn who_is_told_sees_it(store: Arc<dyn Store>) {
    done(&*store, put([row(0, 0)])).await;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for round in 1..=4 {
                let stale = number(&*store, 0).await.expect("the row").0;
                let change = guarded([(question(0), Some(stale))], [row(0, u64::from(task))]);
                let outcome = commit(&*store, change).await;
                let (now, _) = number(&*store, 0).await.expect("the row");
                match outcome {
                    Committed::Done(version) => assert!(now >= version, "an own commit unseen"),
                    Committed::Conflict => assert!(now > stale, "a conflict with nothing seen"),
                    other => panic!("{other:?}"),
                }
                let own = done(&*store, put([row(100 + task, round)])).await;
                assert_eq!(number(&*store, 100 + task).await, Some((own, round)));
            }
        });
    }
    tasks.join_all().await;
}
