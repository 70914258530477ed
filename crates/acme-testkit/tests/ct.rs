//! The log, used as a CA and as a monitor would: submit, check the promise, check the tree.

mod common;

use std::time::Duration;

use acme_crypto::rustcrypto::RustCrypto;
use acme_testkit::authority::Authority;
use acme_testkit::ct::{
    Chain, LogEntry, Message, SignedCertificateTimestamp, TimestampedEntry, encode_sct_list,
};
use acme_testkit::merkle;
use base64ct::{Base64, Encoding};
use common::log::{add, ask, bytes, entity, hashes, in_query, start, tree_head};
use serde_json::json;

#[tokio::test]
async fn a_precertificate_becomes_a_final_certificate_whose_entry_the_log_proves() {
    let root = Authority::root("root");
    let authority = root.intermediate("intermediate");
    let log = start(&root).await;
    let precertificate = authority.issue_chain(&entity(1).poisoned());
    let sct = add(&log, Message::AddPreChain, &precertificate).await;
    let entry = LogEntry::of_precertificate(&precertificate[0], &precertificate[1]).unwrap();
    assert_eq!(sct.log_id, log.log_id());
    assert_eq!(sct.verify(&RustCrypto, log.public_key(), &entry), Ok(()));
    assert_eq!(
        SignedCertificateTimestamp::decode(&sct.encode().unwrap()),
        Ok(sct.clone())
    );
    // The final certificate has the list where the poison was, and makes the same entry.
    let list = encode_sct_list(&[sct.encode().unwrap()]).unwrap();
    let certificate = authority.issue(&entity(1).with_sct_list(&list));
    let again = LogEntry::of_final_certificate(&certificate, authority.certificate()).unwrap();
    assert_eq!(again, entry);
    // Some company, then the proof from nothing but the final certificate.
    for n in 2..8 {
        add(
            &log,
            Message::AddPreChain,
            &authority.issue_chain(&entity(n).poisoned()),
        )
        .await;
    }
    let head = tree_head(&log).await;
    assert_eq!(head.verify(&RustCrypto, log.public_key()), Ok(()));
    let leaf = sct.leaf(again).leaf_hash().unwrap();
    let query = format!("?hash={}&tree_size={}", in_query(&leaf), head.tree_size);
    let proof = ask(&log, Message::GetProofByHash, &query).await.unwrap();
    let (index, path) = (
        proof["leaf_index"].as_u64().unwrap(),
        hashes(&proof["audit_path"]),
    );
    let root_hash = head.root_hash;
    assert_eq!(
        merkle::verify_inclusion(&leaf, index, 7, &path, &root_hash),
        Ok(())
    );
    assert_eq!(log.count(Message::AddPreChain), 7);
}

#[tokio::test]
async fn the_tree_only_grows_and_shows_what_it_has() {
    let root = Authority::root("root");
    let log = start(&root).await;
    let mut heads = vec![tree_head(&log).await];
    assert_eq!(
        (heads[0].tree_size, heads[0].root_hash),
        (0, merkle::empty_root())
    );
    for n in 0..5 {
        let sct = add(&log, Message::AddChain, &root.issue_chain(&entity(n))).await;
        let entry = LogEntry::X509(root.issue(&entity(n)));
        assert_eq!(sct.verify(&RustCrypto, log.public_key(), &entry), Ok(()));
        heads.push(tree_head(&log).await);
    }
    for pair in heads.windows(2) {
        assert!(pair[0].timestamp < pair[1].timestamp);
        assert_eq!(pair[1].verify(&RustCrypto, log.public_key()), Ok(()));
    }
    for first in &heads[1..] {
        for second in heads
            .iter()
            .filter(|second| second.tree_size >= first.tree_size)
        {
            let query = format!("?first={}&second={}", first.tree_size, second.tree_size);
            let value = ask(&log, Message::GetSthConsistency, &query).await.unwrap();
            let proof = hashes(&value["consistency"]);
            let (sizes, roots) = (
                (first.tree_size, second.tree_size),
                (&first.root_hash, &second.root_hash),
            );
            let verified = merkle::verify_consistency(sizes.0, sizes.1, roots.0, roots.1, &proof);
            assert_eq!(verified, Ok(()));
        }
    }
    let entries = ask(&log, Message::GetEntries, "?start=1&end=100")
        .await
        .unwrap();
    let entries = entries["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 4);
    for (n, value) in (1..).zip(entries) {
        let leaf = TimestampedEntry::decode(&bytes(&value["leaf_input"])).unwrap();
        assert_eq!(leaf.entry, LogEntry::X509(root.issue(&entity(n))));
        let chain = Chain::decode(&bytes(&value["extra_data"]), &leaf.entry);
        assert_eq!(chain, Ok(Chain::X509(vec![root.certificate().to_vec()])));
        let query = format!("?leaf_index={n}&tree_size=5");
        let proved = ask(&log, Message::GetEntryAndProof, &query).await.unwrap();
        assert_eq!(proved["leaf_input"], value["leaf_input"]);
        let (path, head) = (hashes(&proved["audit_path"]), &heads[5]);
        let (leaf, root_hash) = (leaf.leaf_hash().unwrap(), &head.root_hash);
        assert_eq!(
            merkle::verify_inclusion(&leaf, n as u64, 5, &path, root_hash),
            Ok(())
        );
    }
    let roots = ask(&log, Message::GetRoots, "").await.unwrap();
    assert_eq!(
        roots,
        json!({ "certificates": [Base64::encode_string(root.certificate())] })
    );
}

#[tokio::test]
async fn what_was_submitted_before_gets_the_same_promise_and_no_second_entry() {
    let root = Authority::root("root");
    let log = start(&root).await;
    let chain = root.issue_chain(&entity(1).poisoned());
    let first = add(&log, Message::AddPreChain, &chain).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    // The root may be left out (RFC 6962 §3.1).
    assert_eq!(add(&log, Message::AddPreChain, &chain[..1]).await, first);
    assert_eq!(log.size(), 1);
    let kept = ask(&log, Message::GetEntries, "?start=0&end=0")
        .await
        .unwrap();
    let kept = &kept["entries"][0];
    let leaf = TimestampedEntry::decode(&bytes(&kept["leaf_input"])).unwrap();
    let extra = Chain::decode(&bytes(&kept["extra_data"]), &leaf.entry).unwrap();
    let issuers = vec![root.certificate().to_vec()];
    assert_eq!(
        extra,
        Chain::Precert {
            precertificate: chain[0].clone(),
            issuers
        }
    );
    assert_eq!(extra.encode(), Ok(bytes(&kept["extra_data"])));
    assert_eq!(leaf.encode(), Ok(bytes(&kept["leaf_input"])));
}
