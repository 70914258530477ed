//! What the integration tests share.
#![allow(dead_code, reason = "each test program uses its own part")]

use acme_crypto::Provider;
use serde_json::Value;

/// All back ends of this build.
pub(crate) fn providers() -> Vec<Box<dyn Provider>> {
    vec![
        #[cfg(feature = "rustcrypto")]
        Box::new(acme_crypto::rustcrypto::RustCrypto),
        #[cfg(feature = "aws-lc-rs")]
        Box::new(acme_crypto::aws_lc::AwsLc),
    ]
}

/// A file below the folder that `ACME_TEST_VECTORS` names, if it names one.
pub(crate) fn vectors(path: &str) -> Option<Value> {
    let Ok(folder) = std::env::var("ACME_TEST_VECTORS") else {
        eprintln!("skipped: {path}, because ACME_TEST_VECTORS is not set");
        return None;
    };
    let text = std::fs::read_to_string(format!("{folder}/{path}")).expect(path);
    Some(serde_json::from_str(&text).expect(path))
}

pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    let text: String = text.split_whitespace().collect();
    assert!(text.len().is_multiple_of(2));
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}
