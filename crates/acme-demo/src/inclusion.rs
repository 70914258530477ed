//! Asks a log to prove that it has a certificate.

use std::net::SocketAddr;

use acme_crypto::aws_lc::AwsLc;
use acme_testkit::ct::{
    CtLog, DigitallySigned, LogEntry, SCT_LIST, SignedCertificateTimestamp, SignedTreeHead,
    decode_sct_list,
};
use acme_testkit::merkle::{self, Hash};
use acme_types::Timestamp;
use base64ct::{Base64, Encoding};
use der::Decode;
use der::asn1::OctetString;
use serde_json::Value;
use x509_cert::Certificate;

use crate::story::{Proved, Unproved, ensure};
use crate::visitor::fetch;

/// Verifies the SCT of this log in the final certificate, then the proof that the entry which it
/// promises is in the tree under the log's signed head. Returns the leaf's index and the tree's
/// size.
pub(crate) async fn prove(
    log: &CtLog,
    certificate: &[u8],
    issuer: &[u8],
    scts: &[SignedCertificateTimestamp],
) -> Proved<(u64, u64)> {
    let sct = scts
        .iter()
        .find(|sct| sct.log_id == log.log_id())
        .ok_or_else(|| Unproved(format!("the certificate has no SCT of {}", log.name())))?;
    let entry = LogEntry::of_final_certificate(certificate, issuer)?;
    sct.verify(&AwsLc, log.public_key(), &entry)?;
    let leaf = sct.leaf(entry).leaf_hash()?;
    let address = log.address();
    let (size, root) = tree_head(log, address).await?;
    let hash: String = percent(&Base64::encode_string(&leaf));
    let path = format!("/ct/v1/get-proof-by-hash?hash={hash}&tree_size={size}");
    let answer: Value = serde_json::from_slice(&fetch(address, &path).await?)?;
    let index = number(&answer, "leaf_index")?;
    let proof = answer["audit_path"]
        .as_array()
        .ok_or_else(|| Unproved("no audit_path".into()))?
        .iter()
        .map(|node| hash_of(node.as_str().unwrap_or_default()))
        .collect::<Proved<Vec<Hash>>>()?;
    merkle::verify_inclusion(&leaf, index, size, &proof, &root)?;
    Ok((index, size))
}

async fn tree_head(log: &CtLog, address: SocketAddr) -> Proved<(u64, Hash)> {
    let answer: Value = serde_json::from_slice(&fetch(address, "/ct/v1/get-sth").await?)?;
    let (root, signature) = (
        text(&answer, "sha256_root_hash")?,
        text(&answer, "tree_head_signature")?,
    );
    let head = SignedTreeHead {
        tree_size: number(&answer, "tree_size")?,
        timestamp: Timestamp::from_millis(number(&answer, "timestamp")?),
        root_hash: hash_of(root)?,
        signature: DigitallySigned::decode(&Base64::decode_vec(signature)?)?,
    };
    head.verify(&AwsLc, log.public_key())?;
    ensure(
        head.tree_size > 0,
        format!("{} has an empty tree", log.name()),
    )?;
    Ok((head.tree_size, head.root_hash))
}

fn number(answer: &Value, member: &str) -> Proved<u64> {
    answer[member]
        .as_u64()
        .ok_or_else(|| Unproved(format!("the log's answer has no {member}")))
}

fn text<'a>(answer: &'a Value, member: &str) -> Proved<&'a str> {
    answer[member]
        .as_str()
        .ok_or_else(|| Unproved(format!("the log's answer has no {member}")))
}

/// The SCTs that a certificate carries (RFC 6962 §3.3).
pub(crate) fn scts(certificate: &[u8]) -> Proved<Vec<SignedCertificateTimestamp>> {
    let certificate = Certificate::from_der(certificate)?;
    let extensions = certificate
        .tbs_certificate()
        .extensions()
        .map_or(&[][..], |all| all);
    let list = extensions
        .iter()
        .find(|extension| extension.extn_id.as_bytes() == SCT_LIST)
        .ok_or_else(|| Unproved("the certificate has no SCTs".into()))?;
    let list = OctetString::from_der(list.extn_value.as_bytes())?;
    let serialized = decode_sct_list(list.as_bytes())?;
    serialized
        .iter()
        .map(|sct| Ok(SignedCertificateTimestamp::decode(sct)?))
        .collect()
}

fn hash_of(text: &str) -> Proved<Hash> {
    let bytes = Base64::decode_vec(text)?;
    bytes
        .try_into()
        .map_err(|_| Unproved("a node of the proof is no SHA-256 hash".into()))
}

/// Base64 in a query: `+`, `/` and `=` are escaped.
fn percent(text: &str) -> String {
    text.replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}
