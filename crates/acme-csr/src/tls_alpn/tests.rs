use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, Provider, fixed_signature_from_x509};
use der::Decode;
use x509_cert::Certificate;

use super::*;

const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::Es256;

fn at(text: &str) -> Timestamp {
    Timestamp::from_rfc3339(text).unwrap()
}

fn certificate(identifier: &Identifier, from: &str, to: &str, serial: [u8; 16]) -> Vec<u8> {
    let pair = RustCrypto.generate(KeyAlgorithm::EcP256, &[8; 32]).unwrap();
    let key = pair.public_key();
    let draft = CertificateDraft::new(
        identifier,
        [0xab; 32],
        key,
        ALGORITHM,
        at(from),
        at(to),
        serial,
    )
    .unwrap();
    draft
        .attach(&pair.sign(ALGORITHM, draft.message()).unwrap())
        .unwrap()
}

const FROM: &str = "2026-11-24T00:00:00Z";
const TO: &str = "2026-12-01T00:00:00Z";

/// What RFC 8737 §3 asks for, read with another parser.
#[test]
fn the_certificate_is_what_rfc_8737_asks_for() {
    let check = |identifier: Identifier, name: &[u8]| {
        let der = certificate(&identifier, FROM, TO, [0xff; 16]);
        let certificate = Certificate::from_der(&der).unwrap();
        assert_eq!(certificate.to_der().unwrap(), der);
        let tbs = certificate.tbs_certificate();
        assert_eq!(tbs.issuer(), tbs.subject());
        assert_eq!(tbs.serial_number().as_bytes()[0], 0x7f);
        let extensions = tbs.extensions().unwrap();
        assert_eq!(extensions.len(), 2);
        let [names, acme] = &extensions[..] else {
            panic!()
        };
        assert_eq!(
            (names.extn_id.to_string().as_str(), names.critical),
            ("2.5.29.17", false)
        );
        assert_eq!(names.extn_value.as_bytes(), name);
        assert_eq!(
            (acme.extn_id.to_string().as_str(), acme.critical),
            (ACME_IDENTIFIER, true)
        );
        assert_eq!(
            acme.extn_value.as_bytes(),
            [&[4, 32][..], &[0xab; 32]].concat()
        );
        // Its own key signed it.
        let spki = tbs.subject_public_key_info().to_der().unwrap();
        let key = PublicKey::from_spki_der(&spki).unwrap();
        let signature = certificate.signature().as_bytes().unwrap();
        let signature = fixed_signature_from_x509(ALGORITHM, signature).unwrap();
        let message = tbs.to_der().unwrap();
        assert_eq!(
            RustCrypto.verify(ALGORITHM, &key, &message, &signature),
            Ok(())
        );
    };
    check(
        Identifier::dns("example.com").unwrap(),
        b"\x30\x0d\x82\x0bexample.com",
    );
    check(
        Identifier::ip("192.0.2.1".parse().unwrap()),
        &[0x30, 6, 0x87, 4, 192, 0, 2, 1],
    );
    let v6 = [
        &[0x30, 18, 0x87, 16, 0x20, 0x01, 0x0d, 0xb8][..],
        &[0; 11],
        &[1],
    ]
    .concat();
    check(Identifier::ip("2001:db8::1".parse().unwrap()), &v6);
}

#[test]
fn a_wildcard_or_a_key_that_does_not_fit_is_refused() {
    let pair = RustCrypto
        .generate(KeyAlgorithm::Ed25519, &[8; 32])
        .unwrap();
    let draft = |name: &str, algorithm| {
        let identifier = Identifier::dns(name).unwrap();
        let key = pair.public_key();
        let zero = Timestamp::EPOCH;
        CertificateDraft::new(&identifier, [0; 32], key, algorithm, zero, zero, [0; 16])
    };
    assert!(draft("example.com", SignatureAlgorithm::EdDsa).is_ok());
    let wildcard = draft("*.example.com", SignatureAlgorithm::EdDsa);
    assert_eq!(
        wildcard,
        Err(CsrError::DnsName(acme_types::DnsNameError::Wildcard))
    );
    let mismatch = draft("example.com", ALGORITHM);
    assert!(matches!(mismatch, Err(CsrError::KeyMismatch { .. })));
}

#[test]
fn times_from_2050_on_are_generalized() {
    let identifier = Identifier::dns("example.com").unwrap();
    let der = certificate(
        &identifier,
        "2049-12-31T23:59:59Z",
        "2050-01-01T00:00:00Z",
        [0; 16],
    );
    let contains = |part: &[u8]| der.windows(part.len()).any(|window| window == part);
    assert!(contains(b"\x17\x0d491231235959Z\x18\x0f20500101000000Z"));
    let certificate = Certificate::from_der(&der).unwrap();
    assert_eq!(
        certificate.tbs_certificate().serial_number().as_bytes()[0],
        0x40
    );
}
