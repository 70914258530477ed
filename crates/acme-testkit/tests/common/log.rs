//! A client of a log: messages by hand, answers as the crate's structures.

use acme_testkit::authority::{Authority, Entity};
use acme_testkit::ct::{
    CtLog, DigitallySigned, Message, SignedCertificateTimestamp, SignedTreeHead,
};
use acme_testkit::merkle::Hash;
use acme_types::Timestamp;
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use super::{LOCALHOST, connect, exchange, get, post};

pub(crate) async fn start(root: &Authority) -> CtLog {
    CtLog::start("a log", "an operator", &[root.certificate().to_vec()])
        .await
        .unwrap()
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    Base64::decode_vec(value.as_str().unwrap()).unwrap()
}

pub(crate) fn hash(value: &Value) -> Hash {
    bytes(value).try_into().unwrap()
}

pub(crate) fn hashes(value: &Value) -> Vec<Hash> {
    value.as_array().unwrap().iter().map(hash).collect()
}

pub(crate) async fn submit(log: &CtLog, message: Message, chain: &[Vec<u8>]) -> (u16, Vec<u8>) {
    let chain: Vec<String> = chain.iter().map(|der| Base64::encode_string(der)).collect();
    let body = json!({ "chain": chain, "more": 1 }).to_string();
    let stream = connect(LOCALHOST, log.address()).await;
    let response = exchange(stream, post(message.path(), body)).await.unwrap();
    (response.status().as_u16(), response.body().to_vec())
}

pub(crate) async fn add(
    log: &CtLog,
    message: Message,
    chain: &[Vec<u8>],
) -> SignedCertificateTimestamp {
    let (status, body) = submit(log, message, chain).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    let value: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(value["sct_version"], 0);
    SignedCertificateTimestamp {
        log_id: hash(&value["id"]),
        timestamp: Timestamp::from_millis(value["timestamp"].as_u64().unwrap()),
        extensions: bytes(&value["extensions"]),
        signature: DigitallySigned::decode(&bytes(&value["signature"])).unwrap(),
    }
}

/// The JSON, or the status when it isn't 200.
pub(crate) async fn ask(log: &CtLog, message: Message, query: &str) -> Result<Value, u16> {
    let stream = connect(LOCALHOST, log.address()).await;
    let response = exchange(stream, get(&format!("{}{query}", message.path())))
        .await
        .unwrap();
    match response.status().as_u16() {
        200 => Ok(serde_json::from_slice(response.body()).unwrap()),
        other => Err(other),
    }
}

pub(crate) async fn tree_head(log: &CtLog) -> SignedTreeHead {
    let value = ask(log, Message::GetSth, "").await.unwrap();
    SignedTreeHead {
        tree_size: value["tree_size"].as_u64().unwrap(),
        timestamp: Timestamp::from_millis(value["timestamp"].as_u64().unwrap()),
        root_hash: hash(&value["sha256_root_hash"]),
        signature: DigitallySigned::decode(&bytes(&value["tree_head_signature"])).unwrap(),
    }
}

pub(crate) fn entity(n: usize) -> Entity {
    Entity::new(&["example.com", "www.example.com"]).serial(&n.to_string())
}

/// base64 in a query: `+`, `/` and `=` mean something else there.
pub(crate) fn in_query(hash: &Hash) -> String {
    let text = Base64::encode_string(hash);
    text.replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}
