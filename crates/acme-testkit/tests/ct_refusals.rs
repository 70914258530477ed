//! What the log refuses, and how it fails when it is told to.

mod common;

use std::time::Duration;

use acme_crypto::rustcrypto::RustCrypto;
use acme_testkit::authority::{Authority, Entity};
use acme_testkit::ct::{
    Fault, LogEntry, Message, POISON, SignatureError, SignedCertificateTimestamp,
};
use acme_types::Timestamp;
use common::log::{add, ask, entity, in_query, start, submit, tree_head};
use common::{LOCALHOST, connect, exchange, get, post};
use serde_json::Value;

#[tokio::test]
async fn bad_chains_are_refused_with_the_reason() {
    let root = Authority::root("root");
    let authority = root.intermediate("intermediate");
    let stranger = Authority::root("stranger");
    let log = start(&root).await;
    let good = authority.issue(&entity(1).poisoned());
    let upper = authority.certificate().to_vec();
    let mut forged = good.clone();
    *forged.last_mut().unwrap() ^= 1;
    let no_authority = authority.issue(&Entity::new(&["intermediate"]));
    let bad_poison = entity(1).extension(POISON, false, &[5, 0]);
    let signing: &[u8] = &[
        0x30, 12, 6, 10, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x04,
    ];
    let signer =
        authority.issue(&Entity::new(&["s"]).extension(&[0x55, 0x1d, 0x25], false, signing));
    let (pre, fin) = (Message::AddPreChain, Message::AddChain);
    let cases: Vec<(Message, Vec<Vec<u8>>, &str)> = vec![
        (
            pre,
            vec![authority.issue(&entity(1)), upper.clone()],
            "belongs to add-chain",
        ),
        (
            fin,
            vec![good.clone(), upper.clone()],
            "belongs to add-pre-chain",
        ),
        (
            pre,
            vec![authority.issue(&bad_poison), upper.clone()],
            "poison",
        ),
        (
            pre,
            vec![
                authority.issue(&entity(1).with_sct_list(b"x").poisoned()),
                upper.clone(),
            ],
            "SCT",
        ),
        (pre, vec![good.clone(), signer], "precertificate signing"),
        (pre, vec![good.clone()], "no root"),
        (
            pre,
            vec![good.clone(), root.certificate().to_vec()],
            "not issued by the next",
        ),
        (pre, stranger.issue_chain(&entity(1).poisoned()), "no root"),
        (pre, vec![forged, upper.clone()], "did not sign"),
        (
            pre,
            vec![good.clone(), no_authority, upper.clone()],
            "no authority",
        ),
        (
            pre,
            vec![b"no DER".to_vec(), upper.clone()],
            "no certificate",
        ),
        (pre, vec![], "empty or too long"),
        (pre, vec![upper; 11], "too long"),
    ];
    for (message, chain, reason) in cases {
        let (status, body) = submit(&log, message, &chain).await;
        let body = String::from_utf8(body).unwrap();
        assert!(
            status == 400 && body.contains(reason),
            "{status} {body} instead of {reason}"
        );
    }
    assert_eq!(log.size(), 0);
    log.add_root(stranger.certificate());
    add(&log, pre, &stranger.issue_chain(&entity(1).poisoned())).await;
}

#[tokio::test]
async fn malformed_messages_are_refused() {
    let root = Authority::root("root");
    let log = start(&root).await;
    add(&log, Message::AddChain, &root.issue_chain(&entity(1))).await;
    for (message, query, status) in [
        (Message::GetSthConsistency, "?first=1", 400),
        (Message::GetSthConsistency, "?first=0&second=1", 404),
        (Message::GetSthConsistency, "?first=1&second=2", 404),
        (Message::GetProofByHash, "?hash=AAAA&tree_size=1", 400),
        (Message::GetProofByHash, "?hash=!&tree_size=1", 400),
        (Message::GetEntries, "?start=1&end=1", 404),
        (Message::GetEntries, "?start=1&end=0", 400),
        (Message::GetEntries, "?start=-1&end=0", 400),
        (Message::GetEntryAndProof, "?leaf_index=1&tree_size=1", 404),
        (Message::AddChain, "", 405),
    ] {
        assert_eq!(
            ask(&log, message, query).await,
            Err(status),
            "{message:?} {query}"
        );
    }
    let absent = format!("?hash={}&tree_size=1", in_query(&[7; 32]));
    assert_eq!(ask(&log, Message::GetProofByHash, &absent).await, Err(404));
    for body in ["", "{}", "[]", r#"{"chain":["!"]}"#, r#"{"chain":[1]}"#] {
        let stream = connect(LOCALHOST, log.address()).await;
        let response = exchange(stream, post(Message::AddChain.path(), body))
            .await
            .unwrap();
        assert_eq!(response.status(), 400, "{body}");
    }
    let stream = connect(LOCALHOST, log.address()).await;
    assert_eq!(
        exchange(stream, get("/ct/v2/get-sth"))
            .await
            .unwrap()
            .status(),
        404
    );
}

#[tokio::test]
async fn each_fault_is_what_it_says() {
    let root = Authority::root("root");
    let log = start(&root).await;
    let (message, chain) = (
        Message::AddPreChain,
        root.issue_chain(&entity(1).poisoned()),
    );
    let entry = LogEntry::of_precertificate(&chain[0], &chain[1]).unwrap();
    let verify =
        |sct: &SignedCertificateTimestamp| sct.verify(&RustCrypto, log.public_key(), &entry);
    log.fault_times(message, Fault::Status(500), 2);
    assert_eq!(submit(&log, message, &chain).await.0, 500);
    assert_eq!(submit(&log, message, &chain).await.0, 500);
    assert_eq!(log.size(), 0);
    let time = Timestamp::from_millis(4_102_444_800_000);
    log.fault(message, Fault::At(time));
    let sct = add(&log, message, &chain).await;
    assert_eq!((sct.timestamp, verify(&sct)), (time, Ok(())));
    assert!(tree_head(&log).await.timestamp >= time);
    log.fault(message, Fault::WrongSignature);
    let sct = add(&log, message, &chain).await;
    assert!(matches!(verify(&sct), Err(SignatureError::Signature(_))));
    log.fault(message, Fault::WrongLogId);
    assert_eq!(
        verify(&add(&log, message, &chain).await),
        Err(SignatureError::LogId)
    );
    log.fault(message, Fault::Garbage);
    let (status, body) = submit(&log, message, &chain).await;
    assert!(status == 200 && serde_json::from_slice::<Value>(&body).is_err());
    log.fault(message, Fault::Delay(Duration::from_millis(50)));
    let before = std::time::Instant::now();
    add(&log, message, &chain).await;
    assert!(before.elapsed() >= Duration::from_millis(50));
    log.fault(message, Fault::Silence);
    let silent = submit(&log, message, &chain);
    assert!(
        tokio::time::timeout(Duration::from_millis(100), silent)
            .await
            .is_err()
    );
    log.fault(Message::GetSth, Fault::WrongSignature);
    let head = tree_head(&log).await;
    assert!(head.verify(&RustCrypto, log.public_key()).is_err());
    log.heal();
    assert_eq!(verify(&add(&log, message, &chain).await), Ok(()));
}

#[tokio::test]
async fn held_entries_have_promises_and_no_proof_until_they_are_merged() {
    let root = Authority::root("root");
    let log = start(&root).await;
    log.hold_merging();
    add(&log, Message::AddChain, &root.issue_chain(&entity(1))).await;
    assert_eq!((log.size(), tree_head(&log).await.tree_size), (1, 0));
    assert_eq!(
        ask(&log, Message::GetEntries, "?start=0&end=0").await,
        Err(404)
    );
    log.resume_merging();
    assert_eq!(tree_head(&log).await.tree_size, 1);
    assert!(
        ask(&log, Message::GetEntries, "?start=0&end=0")
            .await
            .is_ok()
    );
}
