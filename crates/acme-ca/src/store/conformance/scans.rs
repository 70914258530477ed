//! What scans find, and in which order.

use std::sync::Arc;

use acme_ca_core::schema::{
    AccountId, AccountOrderRow, Commit, DueRow, JobId, OrderId, Read, RevocationRow, Row, Scan,
    Serial, Shard, Write,
};
use acme_types::{RevocationReason, Timestamp};

use super::{done, put, row};
use crate::store::Store;

async fn scan(store: &dyn Store, scan: Scan) -> Vec<Read> {
    store.scan(scan).await.expect("a scan")
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn due_jobs_come_oldest_first_up_to_a_time_and_a_limit(store: Arc<dyn Store>) {
    let job = JobId::from_bytes;
    let due = |at, id| DueRow {
        due: Timestamp::from_millis(at),
        job: job([id; 16]),
    };
    let rows = [
        due(300, 1),
        due(100, 9),
        due(200, 5),
        due(100, 2),
        due(u64::MAX, 7),
    ];
    done(&*store, put(rows.into_iter().map(Row::Due))).await;
    let key = |at, id| Read::Due(Timestamp::from_millis(at), job([id; 16]));
    let jobs = async |until, limit| {
        let until = Timestamp::from_millis(until);
        scan(&*store, Scan::DueJobs { until, limit }).await
    };
    assert_eq!(jobs(99, 9).await, []);
    assert_eq!(jobs(100, 9).await, [key(100, 2), key(100, 9)]);
    assert_eq!(jobs(250, 2).await, [key(100, 2), key(100, 9)]);
    assert_eq!(jobs(300, 9).await.len(), 4);
    assert_eq!(jobs(300, 0).await, []);
    let moved = Commit {
        writes: vec![
            Write::Delete(key(100, 2)),
            Write::Put(Row::Due(due(400, 2))),
        ],
        ..Commit::default()
    };
    done(&*store, moved).await;
    assert_eq!(
        jobs(400, 9).await,
        [key(100, 9), key(200, 5), key(300, 1), key(400, 2)]
    );
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn an_account_s_orders_come_in_pages_and_without_its_neighbours(store: Arc<dyn Store>) {
    let account = |id| AccountId::from_bytes([id; 16]);
    let order = |id| OrderId::from_bytes([id; 16]);
    let key = |a, o| AccountOrderRow {
        account: account(a),
        order: order(o),
    };
    let rows = [
        key(1, 1),
        key(2, 3),
        key(2, 1),
        key(2, 255),
        key(2, 2),
        key(3, 1),
    ];
    done(&*store, put(rows.into_iter().map(Row::AccountOrder))).await;
    let orders = async |whose, after: Option<u8>, limit| {
        let after = after.map(order);
        let scan = Scan::AccountOrders {
            account: account(whose),
            after,
            limit,
        };
        store.scan(scan).await.expect("a scan")
    };
    let found = |a, o: &[u8]| -> Vec<Read> {
        o.iter()
            .map(|o| Read::AccountOrder(account(a), order(*o)))
            .collect()
    };
    assert_eq!(orders(2, None, 9).await, found(2, &[1, 2, 3, 255]));
    assert_eq!(orders(2, None, 2).await, found(2, &[1, 2]));
    assert_eq!(orders(2, Some(2), 2).await, found(2, &[3, 255]));
    assert_eq!(orders(2, Some(255), 2).await, found(2, &[]));
    assert_eq!(orders(3, None, 9).await, found(3, &[1]));
    assert_eq!(orders(4, None, 9).await, []);
}

#[expect(missing_docs, reason = "the name is the sentence")]
pub async fn revocations_come_by_serial_and_by_shard(store: Arc<dyn Store>) {
    let serial = |id| Serial::new(&[id; 32]);
    let revocation = |shard, id| {
        Row::Revocation(RevocationRow {
            shard: Shard(shard),
            serial: serial(id),
            revoked_at: Timestamp::from_millis(1),
            reason: RevocationReason::Superseded,
            not_after: Timestamp::from_millis(2),
        })
    };
    let rows = [
        revocation(0, 3),
        revocation(0, 1),
        revocation(1, 2),
        revocation(256, 4),
    ];
    done(&*store, put(rows)).await;
    done(&*store, put([row(1, 1)])).await;
    let revocations = async |shard, after: Option<u8>| {
        let after = after.map(serial);
        scan(
            &*store,
            Scan::Revocations {
                shard: Shard(shard),
                after,
                limit: 9,
            },
        )
        .await
    };
    let key = |shard, id| Read::Revocation(Shard(shard), serial(id));
    assert_eq!(revocations(0, None).await, [key(0, 1), key(0, 3)]);
    assert_eq!(revocations(0, Some(1)).await, [key(0, 3)]);
    assert_eq!(revocations(1, None).await, [key(1, 2)]);
    assert_eq!(revocations(256, None).await, [key(256, 4)]);
    assert_eq!(revocations(2, None).await, []);
}
