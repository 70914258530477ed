//! Known answers of the shared test vectors. Their folder is named by `ACME_TEST_VECTORS`; without
//! it these tests say so and pass.

use acme_types::{CertificateId, Identifier, tls_alpn_01_server_name};
use serde_json::Value;

fn cases(kind: &str) -> Vec<Value> {
    let Ok(folder) = std::env::var("ACME_TEST_VECTORS") else {
        eprintln!("skipped: ACME_TEST_VECTORS is not set");
        return Vec::new();
    };
    let file = std::path::Path::new(&folder).join("acme/known-answers.json");
    let all: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let cases = all["cases"].as_array().unwrap().iter();
    let found: Vec<_> = cases.filter(|case| case["kind"] == kind).cloned().collect();
    assert!(!found.is_empty(), "no case of kind {kind}");
    found
}

fn text<'a>(case: &'a Value, member: &str) -> &'a str {
    case[member].as_str().unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

#[test]
fn certificates_have_the_identifiers_of_rfc_9773() {
    for case in cases("ari-cert-id") {
        let key = bytes(text(&case, "aki_key_identifier_hex"));
        let id = CertificateId::new(key, bytes(text(&case, "serial_der_hex"))).unwrap();
        assert_eq!(id.to_string(), text(&case, "cert_id"));
        assert_eq!(CertificateId::parse(text(&case, "cert_id")), Ok(id));
    }
}

#[test]
fn addresses_have_the_server_names_of_rfc_8738() {
    for case in cases("reverse-names") {
        for version in ["v4", "v6"] {
            let address = text(&case, &format!("ip{version}")).parse().unwrap();
            let name = tls_alpn_01_server_name(&Identifier::ip(address));
            assert_eq!(name, text(&case, &format!("sni_{version}")));
        }
    }
}
