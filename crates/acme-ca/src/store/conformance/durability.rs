//! What stands after a store was closed and opened again.

use std::sync::Arc;

use acme_ca_core::schema::{Commit, Committed, Version, Write};

use super::{commit, done, guarded, number, put, question, row};
use crate::store::Store;

/// The first half: fills an empty store and says which version it came to.
pub async fn fill(store: Arc<dyn Store>) -> Version {
    for key in 0..50 {
        done(&*store, put([row(key, u64::from(key))])).await;
    }
    let delete = Commit {
        writes: vec![Write::Delete(question(7))],
        ..Commit::default()
    };
    done(&*store, delete).await;
    done(&*store, put([row(8, 800)])).await
}

/// The second half, on the same store after it was opened anew.
pub async fn stands(store: Arc<dyn Store>, last: Version) {
    assert_eq!(number(&*store, 7).await, None, "a deleted row came back");
    assert_eq!(number(&*store, 8).await, Some((last, 800)));
    for key in (0..50).filter(|key| ![7, 8].contains(key)) {
        let found = number(&*store, key).await.map(|(_, number)| number);
        assert_eq!(found, Some(u64::from(key)), "row {key} is lost");
    }
    let next = done(&*store, guarded([(question(8), Some(last))], [row(8, 801)])).await;
    assert!(
        next > last,
        "a version is never used again, not even after a restart"
    );
    let stale = guarded([(question(8), Some(last))], [row(8, 802)]);
    assert_eq!(commit(&*store, stale).await, Committed::Conflict);
}
