//! Proofs made by another implementation, good and bad ones (`merkle/` of ACME_TEST_VECTORS).

use acme_testkit::merkle::{Hash, leaf_hash, verify_consistency, verify_inclusion};
use base64ct::{Base64, Encoding};
use serde_json::Value;

/// The cases of one file, or nothing (said loudly) when there are no vectors.
fn cases(file: &str) -> Vec<Value> {
    let Some(folder) = std::env::var_os("ACME_TEST_VECTORS") else {
        eprintln!("skipped: ACME_TEST_VECTORS is not set, so merkle/{file} was not read");
        return Vec::new();
    };
    let path = std::path::Path::new(&folder).join("merkle").join(file);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// `None` for what is no hash at all: the vectors have such leaves, roots and nodes.
fn hash(value: &Value) -> Option<Hash> {
    Base64::decode_vec(value.as_str()?).ok()?.try_into().ok()
}

/// Roots of equal trees are compared without a look at their length there ("don't care"). Ours
/// have one length, so other texts are hashed: equal stays equal, different stays different.
fn any_root(value: &Value) -> Option<Hash> {
    let bytes = Base64::decode_vec(value.as_str()?).ok()?;
    Some(
        bytes
            .as_slice()
            .try_into()
            .unwrap_or_else(|_| leaf_hash(&bytes)),
    )
}

fn proof(case: &Value) -> Option<Vec<Hash>> {
    match &case["proof"] {
        Value::Null => Some(Vec::new()),
        nodes => nodes.as_array()?.iter().map(hash).collect(),
    }
}

fn check(file: &str, holds: impl Fn(&Value) -> Option<bool>) {
    for case in cases(file) {
        let bad = case["wantErr"].as_bool().unwrap();
        assert_eq!(holds(&case).unwrap_or(false), !bad, "{}", case["_file"]);
    }
}

#[test]
fn inclusion_proofs_are_judged_as_elsewhere() {
    check("inclusion.json", |case| {
        let (index, size) = (case["leafIdx"].as_u64()?, case["treeSize"].as_u64()?);
        let (leaf, root) = (hash(&case["leafHash"])?, hash(&case["root"])?);
        Some(verify_inclusion(&leaf, index, size, &proof(case)?, &root).is_ok())
    });
}

#[test]
fn consistency_proofs_are_judged_as_elsewhere() {
    check("consistency.json", |case| {
        let (first, second) = (case["size1"].as_u64()?, case["size2"].as_u64()?);
        let (old, new) = (any_root(&case["root1"])?, any_root(&case["root2"])?);
        Some(verify_consistency(first, second, &old, &new, &proof(case)?).is_ok())
    });
}
