//! The messages of RFC 6962 §4: from a request's parts to JSON.

use std::collections::BTreeMap;

use acme_types::Timestamp;
use base64ct::{Base64, Encoding};
use serde::Deserialize;
use serde_json::{Value, json};

use super::chain::{CHAIN_LEN_MAX, Kind};
use super::fault::{Fault, Message};
use super::log::{Kept, Log, Refusal};
use super::sct::SignedCertificateTimestamp;
use crate::merkle::Hash;

/// The query's parameters.
pub(super) type Parameters = BTreeMap<String, String>;

/// "extra fields should be ignored" (RFC 6962 §4).
#[derive(Deserialize)]
struct Submission {
    chain: Vec<String>,
}

/// The JSON of the answer. Of the faults it applies those that change what is said.
pub(super) fn answer(
    log: &mut Log,
    message: Message,
    parameters: &Parameters,
    body: &[u8],
    fault: Option<Fault>,
    now: Timestamp,
) -> Result<Value, Refusal> {
    match message {
        Message::AddChain => add(log, Kind::Final, body, fault, now),
        Message::AddPreChain => add(log, Kind::Precertificate, body, fault, now),
        Message::GetSth => tree_head(log, fault, now),
        Message::GetSthConsistency => {
            let sizes = (number(parameters, "first")?, number(parameters, "second")?);
            let proof = log.consistency(sizes.0, sizes.1)?;
            Ok(json!({ "consistency": nodes(&proof) }))
        }
        Message::GetProofByHash => {
            let hash = parameters.get("hash").map(|text| Base64::decode_vec(text));
            let Some(Ok(hash)) = hash else {
                return Err(Refusal::Request("hash is no base64"));
            };
            let hash = Hash::try_from(hash).map_err(|_| Refusal::Request("hash is no hash"))?;
            let (index, path) = log.proof_by_hash(&hash, number(parameters, "tree_size")?)?;
            Ok(json!({ "leaf_index": index, "audit_path": nodes(&path) }))
        }
        Message::GetEntries => {
            let range = (number(parameters, "start")?, number(parameters, "end")?);
            let entries: Vec<Value> = log.entries(range.0, range.1)?.iter().map(entry).collect();
            Ok(json!({ "entries": entries }))
        }
        Message::GetRoots => {
            let roots = log
                .roots()
                .iter()
                .map(|root| base64(root))
                .collect::<Vec<_>>();
            Ok(json!({ "certificates": roots }))
        }
        Message::GetEntryAndProof => {
            let index = number(parameters, "leaf_index")?;
            let (kept, path) = log.entry_and_proof(index, number(parameters, "tree_size")?)?;
            let mut value = entry(kept);
            value["audit_path"] = json!(nodes(&path));
            Ok(value)
        }
    }
}

fn add(
    log: &mut Log,
    kind: Kind,
    body: &[u8],
    fault: Option<Fault>,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let submission: Submission =
        serde_json::from_slice(body).map_err(|_| Refusal::Request("no JSON with a chain"))?;
    if submission.chain.len() > CHAIN_LEN_MAX {
        return Err(Refusal::Request("the chain is too long"));
    }
    let chain = submission.chain.iter().map(|text| Base64::decode_vec(text));
    let chain: Result<Vec<Vec<u8>>, _> = chain.collect();
    let chain = chain.map_err(|_| Refusal::Request("a certificate is no base64"))?;
    let now = if let Some(Fault::At(time)) = fault {
        time
    } else {
        now
    };
    let mut sct = log.add(&chain, kind, now)?;
    match fault {
        Some(Fault::WrongSignature) => sct.signature = log.wrong_signature()?,
        Some(Fault::WrongLogId) => sct.log_id = sct.log_id.map(|octet| !octet),
        _ => {}
    }
    sct_json(&sct)
}

fn sct_json(sct: &SignedCertificateTimestamp) -> Result<Value, Refusal> {
    Ok(json!({
        "sct_version": 0,
        "id": base64(&sct.log_id),
        "timestamp": sct.timestamp.as_millis(),
        "extensions": base64(&sct.extensions),
        "signature": base64(&sct.signature.encode()?),
    }))
}

fn tree_head(log: &mut Log, fault: Option<Fault>, now: Timestamp) -> Result<Value, Refusal> {
    let mut head = log.tree_head(now)?;
    if fault == Some(Fault::WrongSignature) {
        head.signature = log.wrong_signature()?;
    }
    Ok(json!({
        "tree_size": head.tree_size,
        "timestamp": head.timestamp.as_millis(),
        "sha256_root_hash": base64(&head.root_hash),
        "tree_head_signature": base64(&head.signature.encode()?),
    }))
}

fn entry(kept: &Kept) -> Value {
    json!({ "leaf_input": base64(&kept.leaf_input), "extra_data": base64(&kept.extra_data) })
}

fn number(parameters: &Parameters, name: &str) -> Result<u64, Refusal> {
    let number = parameters.get(name).and_then(|text| text.parse().ok());
    number.ok_or(Refusal::Request(
        "a parameter is missing or no decimal number",
    ))
}

fn nodes(proof: &[Hash]) -> Vec<String> {
    proof.iter().map(|node| base64(node)).collect()
}

fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}
