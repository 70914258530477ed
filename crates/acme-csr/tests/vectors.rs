//! Requests among the shared vectors, from the folder that `ACME_TEST_VECTORS` names; without it
//! nothing is tested.

use acme_crypto::rustcrypto::RustCrypto;
use acme_csr::{Csr, CsrError};
use acme_types::base64url;

/// What comes of the request in this file: its verdict, and whether it verifies.
fn read(path: &str) -> Option<Result<Result<(), CsrError>, CsrError>> {
    let Ok(folder) = std::env::var("ACME_TEST_VECTORS") else {
        eprintln!("skipped: {path}, because ACME_TEST_VECTORS is not set");
        return None;
    };
    let pem = std::fs::read_to_string(format!("{folder}/{path}")).expect(path);
    let inside = pem
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1);
    let base64: String = inside
        .take_while(|line| !line.starts_with("-----END"))
        .collect();
    let base64 = base64
        .trim_end_matches('=')
        .replace('+', "-")
        .replace('/', "_");
    let csr = Csr::parse(&base64url::decode(&base64).expect(path));
    Some(csr.map(|csr| csr.verify(&RustCrypto)))
}

#[test]
fn requests_of_others_are_read_or_refused() {
    for (path, expected) in [
        // A weak key of good form: what's weak about it is for the CA to find.
        (
            "boulder/test/integration/testdata/fermat_csr.pem",
            Ok(Ok(())),
        ),
        ("weak-keys/badkeys/rsa-fermat.csr", Ok(Ok(()))),
        (
            "weak-keys/badkeys/defect/invalidver.csr",
            Err(CsrError::Version),
        ),
        ("ct-go/trillian/testdata/leaf-1.csr.pem", Ok(Ok(()))),
    ] {
        let Some(result) = read(path) else { return };
        assert_eq!(result, expected, "{path}");
    }
}
