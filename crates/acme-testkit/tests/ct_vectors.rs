//! Chains and an SCT that others made (`ct-go/` of ACME_TEST_VECTORS).

mod common;

use std::path::PathBuf;

use acme_crypto::PublicKey;
use acme_crypto::rustcrypto::RustCrypto;
use acme_testkit::ct::{CtLog, LogEntry, Message, SignedCertificateTimestamp};
use acme_types::pem;
use base64ct::{Base64, Encoding};
use common::{LOCALHOST, connect, exchange, post};

/// The public key of the test log that made `test-cert.proof`: its SHA-256 is the log id there.
const TEST_LOG_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmXg8sUUzwBYaWrRb+V0IopzQ6o3UyEJ0\
                            4r5ZrRXGdpYM8K+hB0pXrGRLI0eeWz+3skXrS0IO83AhA3GpRL6s6w==";

/// The folder of the set, or nothing (said loudly) when there are no vectors.
fn folder() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("ACME_TEST_VECTORS") else {
        eprintln!("skipped: ACME_TEST_VECTORS is not set, so ct-go/ was not read");
        return None;
    };
    Some(PathBuf::from(folder).join("ct-go"))
}

fn certificates(path: PathBuf) -> Vec<Vec<u8>> {
    // There is prose before the blocks, which is no part of the chain.
    let text = std::fs::read_to_string(path).unwrap();
    let (_, chain) = text.split_at(text.find("-----BEGIN").unwrap());
    pem::chain_to_der(chain.as_bytes()).unwrap()
}

#[test]
fn an_sct_of_another_log_verifies_and_for_no_other_certificate() {
    let Some(folder) = folder() else { return };
    let proof = std::fs::read(folder.join("testdata/test-cert.proof")).unwrap();
    let certificate = certificates(folder.join("testdata/test-cert.pem")).remove(0);
    let key = Base64::decode_vec(TEST_LOG_KEY).unwrap();
    let key = PublicKey::from_spki_der(&key).unwrap();
    let sct = SignedCertificateTimestamp::decode(&proof).unwrap();
    assert_eq!(sct.encode(), Ok(proof));
    let other = LogEntry::X509(certificate[1..].to_vec());
    assert_eq!(
        sct.verify(&RustCrypto, &key, &LogEntry::X509(certificate)),
        Ok(())
    );
    assert!(sct.verify(&RustCrypto, &key, &other).is_err());
}

#[tokio::test]
async fn chains_that_others_made_are_judged_as_there() {
    let Some(folder) = folder() else { return };
    let folder = folder.join("trillian/testdata");
    let root = certificates(folder.join("fake-ca.cert"));
    let log = CtLog::start("vectors", "an operator", &root).await.unwrap();
    let mut cases = vec![
        ("subleaf-pre.chain".to_owned(), Message::AddPreChain, 200),
        ("subleaf-pre.chain".to_owned(), Message::AddChain, 400),
        ("subleaf.chain".to_owned(), Message::AddPreChain, 400),
        ("subleaf.chain".to_owned(), Message::AddChain, 200),
        (
            "subleaf-pre.misordered.chain".to_owned(),
            Message::AddPreChain,
            400,
        ),
        (
            "subleaf.misordered.chain".to_owned(),
            Message::AddChain,
            400,
        ),
    ];
    cases.extend((0..=20).map(|n| (format!("leaf{n:02}.chain"), Message::AddChain, 200)));
    for (file, message, status) in cases {
        let chain = certificates(folder.join(&file));
        let chain: Vec<String> = chain.iter().map(|der| Base64::encode_string(der)).collect();
        let body = serde_json::json!({ "chain": chain }).to_string();
        let stream = connect(LOCALHOST, log.address()).await;
        let response = exchange(stream, post(message.path(), body)).await.unwrap();
        let reason = String::from_utf8_lossy(response.body()).into_owned();
        assert_eq!(response.status(), status, "{file} by {message:?}: {reason}");
    }
    assert_eq!(log.size(), 23);
}
