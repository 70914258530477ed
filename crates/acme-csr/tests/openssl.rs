//! Against OpenSSL, if it's installed: it verifies what is made here, and what it makes is read.

use std::io::Write;
use std::process::{Command, Stdio};

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_csr::tls_alpn::CertificateDraft;
use acme_csr::{Csr, CsrDraft};
use acme_types::{Identifier, Timestamp};

/// What it prints, given this input; `None` if it isn't installed. Panics if it fails.
fn openssl(arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!(
            "skipped: openssl {}, because it is not installed",
            arguments[0]
        );
        return None;
    };
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {error}");
    Some([output.stdout, output.stderr].concat())
}

fn pair(algorithm: KeyAlgorithm) -> Box<dyn KeyPair> {
    RustCrypto.generate(algorithm, &[11; 32]).unwrap()
}

#[test]
fn openssl_verifies_our_requests() {
    for kind in [
        KeyAlgorithm::EcP256,
        KeyAlgorithm::EcP384,
        KeyAlgorithm::Ed25519,
        KeyAlgorithm::Rsa2048,
    ] {
        let pair = pair(kind);
        let algorithm = pair.public_key().default_algorithm();
        let identifiers = [
            Identifier::dns("example.com").unwrap(),
            Identifier::ip("2001:db8::1".parse().unwrap()),
        ];
        let draft = CsrDraft::new(&identifiers, pair.public_key(), algorithm).unwrap();
        let csr = draft
            .attach(&pair.sign(algorithm, draft.message()).unwrap())
            .unwrap();
        let arguments = ["req", "-inform", "DER", "-verify", "-noout", "-text"];
        let Some(text) = openssl(&arguments, csr.as_der()) else {
            return;
        };
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("DNS:example.com, IP Address:2001:DB8:0:0:0:0:0:1"),
            "{text}"
        );
        assert!(text.contains("verify OK"), "{text}");
    }
}

#[test]
fn openssl_reads_our_tls_alpn_01_certificate() {
    let pair = pair(KeyAlgorithm::EcP256);
    let algorithm = pair.public_key().default_algorithm();
    let at = |text| Timestamp::from_rfc3339(text).unwrap();
    let (from, to) = (at("2026-11-24T00:00:00Z"), at("2026-12-01T00:00:00Z"));
    let name = Identifier::dns("example.com").unwrap();
    let key = pair.public_key();
    let draft = CertificateDraft::new(&name, [1; 32], key, algorithm, from, to, [9; 16]).unwrap();
    let der = draft
        .attach(&pair.sign(algorithm, draft.message()).unwrap())
        .unwrap();
    let arguments = ["x509", "-inform", "DER", "-noout", "-text"];
    let Some(text) = openssl(&arguments, &der) else {
        return;
    };
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.contains("DNS:example.com") && text.contains("1.3.6.1.5.5.7.1.31: critical"),
        "{text}"
    );
}

#[test]
fn requests_made_by_openssl_are_read() {
    for kind in [
        KeyAlgorithm::EcP256,
        KeyAlgorithm::EcP384,
        KeyAlgorithm::Ed25519,
        KeyAlgorithm::Rsa2048,
    ] {
        let pem = pair(kind).to_pkcs8_pem();
        let hashes: &[&str] = match kind {
            KeyAlgorithm::Ed25519 => &["-sha256"], // Ignored.
            _ => &["-sha256", "-sha384", "-sha512"],
        };
        for (extension, subject, expected) in [
            (
                "subjectAltName=DNS:www.Example.com,IP:192.0.2.1",
                "/CN=example.com/O=Example",
                3,
            ),
            ("keyUsage=digitalSignature", "/C=DE/CN=example.com", 1),
        ] {
            for hash in hashes {
                let arguments = format!("req -new -key /dev/stdin -outform DER {hash} -subj");
                let mut arguments: Vec<&str> = arguments.split(' ').collect();
                arguments.extend([subject, "-addext", extension]);
                let Some(der) = openssl(&arguments, pem.as_bytes()) else {
                    return;
                };
                let csr = Csr::parse(&der).unwrap();
                assert_eq!(csr.identifiers().len(), expected);
                assert_eq!(csr.verify(&RustCrypto), Ok(()));
            }
        }
    }
}
