use acme_crypto::KeyAlgorithm;
use acme_crypto::rustcrypto::RustCrypto;
use acme_types::Url;
use der::Decode;
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use super::Judge;
use super::world::{DAY, intermediate, key, now, root};
use crate::issuance::{CaName, CeremonyError, IntermediateDraft, RootDraft};
use crate::schema::Serial;

#[test]
fn a_root_and_an_intermediate_are_what_they_say() {
    let check = |der: &[u8], subject: &str, path_length: Option<u8>| {
        let certificate = Certificate::from_der(der).unwrap();
        let tbs = certificate.tbs_certificate();
        assert_eq!(tbs.subject().to_string(), subject);
        let (critical, constraints) = tbs.get_extension::<BasicConstraints>().unwrap().unwrap();
        assert!(critical && constraints.ca);
        assert_eq!(constraints.path_len_constraint, path_length);
        let (critical, usage) = tbs.get_extension::<KeyUsage>().unwrap().unwrap();
        assert!(critical && usage.key_cert_sign() && usage.crl_sign());
        assert!(!usage.digital_signature());
    };
    check(&root(), "CN=Test Root,O=Test CA,C=DE", None);
    check(&intermediate("e1"), "CN=Test e1,O=Test CA,C=DE", Some(0));
}

#[test]
fn openssl_verifies_the_intermediate() {
    let Some(openssl) = Judge::openssl("ceremony") else {
        return;
    };
    let pem = |der: Vec<u8>| acme_types::pem::chain_from_der(&[der]).into_bytes();
    let root = openssl.file("root.pem", &pem(root()));
    for name in ["e1", "e2"] {
        let own = openssl.file("own.pem", &pem(intermediate(name)));
        let (ok, text) = openssl.run(&["verify", "-x509_strict", "-CAfile", &root, &own]);
        assert!(ok, "{text}");
    }
}

#[test]
fn names_and_times_that_a_ca_may_not_have_are_refused() {
    let long = "x".repeat(65);
    assert_eq!(
        CaName::new("", None, None).err(),
        Some(CeremonyError::CommonName)
    );
    assert_eq!(
        CaName::new(&long, None, None).err(),
        Some(CeremonyError::CommonName)
    );
    assert_eq!(
        CaName::new("x", Some(""), None).err(),
        Some(CeremonyError::Organization)
    );
    assert_eq!(
        CaName::new("x", None, Some("de")).err(),
        Some(CeremonyError::Country)
    );
    let name = CaName::new("x", None, None).unwrap();
    let (key, serial) = (key(KeyAlgorithm::EcP256, 7), Serial::new(&[1; 32]));
    let root_over =
        |times| RootDraft::new(&name, key.public_key(), serial, times, &RustCrypto).err();
    assert_eq!(root_over((now(), now())), Some(CeremonyError::Validity));
    let under = |der: &[u8], times, url: &str| {
        let url = Url::parse(url).unwrap();
        let key = key.public_key();
        IntermediateDraft::new(
            der,
            &name,
            key,
            serial,
            times,
            Some(&url),
            None,
            &RustCrypto,
        )
        .err()
    };
    let times = (now(), now().after(DAY));
    assert_eq!(under(&root(), times, "http://x.example/r"), None);
    assert_eq!(
        under(&root(), times, "https://x.example/r"),
        Some(CeremonyError::Url)
    );
    let longer = (now(), now().after(DAY * 3_651));
    assert_eq!(
        under(&root(), longer, "http://x.example/r"),
        Some(CeremonyError::Validity)
    );
    assert_eq!(
        under(b"no", times, "http://x.example/r"),
        Some(CeremonyError::Root)
    );
}
