use acme_crypto::{KeyAlgorithm, KeyPair};
use acme_types::{DnsName, Identifier};
use der::{Decode, Encode};
use x509_cert::Certificate;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{KeyUsage, SubjectAltName, SubjectKeyIdentifier};

use super::Judge;
use super::world::{config, csr, issuer_key, key, now, order, root};
use crate::Config;
use crate::issuance::encode;
use crate::issuance::lint::{self, Expected, Finding, Stage};
use crate::issuance::tbs::{Mark, Template};
use crate::issuance::{intent, key_of, sct, submission, template};
use crate::schema::{IntentRow, Serial};

pub(super) const NAMES: &[&str] = &[
    "*.b.example",
    "a.example",
    "192.0.2.7",
    "2001:db8::7",
    "xn--bcher-kva.example",
];

pub(super) fn drafted(
    config: &Config,
    profile: &str,
    names: &[&str],
    key: &dyn KeyPair,
) -> IntentRow {
    let serial = Serial::new(&[0x55; 32]);
    intent(
        config,
        &order(profile, names),
        &csr(names, key),
        serial,
        now(),
    )
    .unwrap()
}

/// The final TBSCertificate with SCTs of the two RFC 6962 logs.
pub(super) fn final_tbs(config: &Config, row: &IntentRow) -> Vec<u8> {
    let key = key_of(row).unwrap();
    let template = template(config, row, &key).unwrap();
    let list = sct_list(&template, &row.tbs);
    template.tbs(config, Mark::Scts(&list)).unwrap()
}

pub(super) fn sct_list(template: &Template<'_>, precertificate: &[u8]) -> Vec<u8> {
    let scts = [2, 4].map(|seed| {
        let body = super::world::sct_reply(seed, template.issuer, precertificate, now(), &[]);
        submission::reply(200, &body).unwrap()
    });
    sct::encode_list(&[&scts[0], &scts[1]]).unwrap()
}

pub(super) fn signed(config: &Config, row: &IntentRow, tbs: &[u8]) -> Vec<u8> {
    let algorithm = config.authority.issuer(&row.issuer).unwrap().algorithm();
    let signature = issuer_key(&row.issuer).sign(algorithm, tbs).unwrap();
    encode::attach(tbs, algorithm, &signature).unwrap()
}

/// What the stage's lint says to these bytes.
fn finding(config: &Config, row: &IntentRow, stage: Stage, tbs: &[u8]) -> Result<(), Finding> {
    let key = key_of(row).unwrap();
    let template = template(config, row, &key).unwrap();
    lint::tbs(
        config,
        &Expected {
            template: &template,
            stage,
            at: now(),
        },
        tbs,
    )
}

#[test]
fn certificates_of_all_profiles_are_read_by_others() {
    let config = config();
    let keys = [
        KeyAlgorithm::EcP256,
        KeyAlgorithm::EcP384,
        KeyAlgorithm::Rsa2048,
    ];
    for profile in ["private", "classic", "tlsserver", "shortlived"] {
        for algorithm in keys {
            let key = key(algorithm, 9);
            let row = drafted(&config, profile, NAMES, &*key);
            let tbs = match profile {
                "private" => row.tbs.clone(),
                _ => final_tbs(&config, &row),
            };
            let der = signed(&config, &row, &tbs);
            read(&der, profile, &row, &*key);
        }
    }
}

fn read(der: &[u8], profile: &str, row: &IntentRow, key: &dyn KeyPair) {
    let certificate = Certificate::from_der(der).unwrap();
    assert_eq!(
        certificate.to_der().unwrap(),
        der,
        "another writer writes the same bytes"
    );
    let tbs = certificate.tbs_certificate();
    assert_eq!(tbs.serial_number().as_bytes(), row.serial.as_bytes());
    let named = ["private", "classic"].contains(&profile);
    let subject = if named { "CN=*.b.example" } else { "" };
    assert_eq!(tbs.subject().to_string(), subject, "{profile}");
    assert_eq!(
        tbs.subject_public_key_info().to_der().unwrap(),
        key.public_key().to_spki_der()
    );
    let (critical, names) = tbs.get_extension::<SubjectAltName>().unwrap().unwrap();
    assert_eq!(critical, !named);
    let text = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => Identifier::Dns(DnsName::parse(name.as_str()).unwrap()),
        GeneralName::IpAddress(octets) => match octets.as_bytes().try_into() {
            Ok(octets) => Identifier::ip(<[u8; 4]>::into(octets)),
            Err(_) => Identifier::ip(<[u8; 16]>::try_from(octets.as_bytes()).unwrap().into()),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(
        names.0.iter().map(text).collect::<Vec<_>>(),
        row.identifiers
    );
    let (_, usage) = tbs.get_extension::<KeyUsage>().unwrap().unwrap();
    let rsa = key.public_key().kind() == acme_crypto::KeyKind::Rsa;
    assert_eq!(usage.key_encipherment(), rsa && profile == "classic");
    assert!(usage.digital_signature());
    let identified = tbs
        .get_extension::<SubjectKeyIdentifier>()
        .unwrap()
        .is_some();
    assert_eq!(identified, named);
}

#[test]
fn openssl_verifies_certificates_and_their_names() {
    let Some(openssl) = Judge::openssl("certificates") else {
        return;
    };
    let config = config();
    let pem = |der: Vec<u8>| acme_types::pem::chain_from_der(&[der]).into_bytes();
    let root = openssl.file("root.pem", &pem(root()));
    for algorithm in [KeyAlgorithm::EcP256, KeyAlgorithm::EcP384] {
        let row = drafted(&config, "tlsserver", NAMES, &*key(algorithm, 9));
        let issuer = config.authority.issuer(&row.issuer).unwrap();
        let chain = openssl.file("chain.pem", &pem(issuer.certificate_der().to_vec()));
        let der = signed(&config, &row, &final_tbs(&config, &row));
        let own = openssl.file("own.pem", &pem(der));
        let time = now().as_secs().to_string();
        let verify = [
            "verify",
            "-x509_strict",
            "-policy_check",
            "-purpose",
            "sslserver",
        ];
        let name = ["-verify_hostname", "www.b.example", "-attime", &time];
        let files = ["-CAfile", &root, "-untrusted", &chain, &own];
        let (ok, text) = openssl.run(&[&verify[..], &name, &files].concat());
        assert!(ok, "{text}");
        let (_, text) = openssl.run(&["x509", "-noout", "-text", "-in", &own]);
        for part in [
            "X509v3 Subject Alternative Name: critical",
            "DNS:*.b.example, DNS:a.example, DNS:xn--bcher-kva.example, IP Address:192.0.2.7",
            "URI:http://pub.ca.example.com/issuer/",
            "URI:http://pub.ca.example.com/crl/",
            "Policy: 2.23.140.1.2.1",
            "CT Precertificate SCTs",
            "Signed Certificate Timestamp:",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

#[test]
fn every_byte_of_what_is_signed_is_linted() {
    let config = config();
    for profile in ["private", "classic", "shortlived"] {
        let row = drafted(&config, profile, NAMES, &*key(KeyAlgorithm::EcP256, 9));
        let stage = if profile == "private" {
            Stage::Plain
        } else {
            Stage::Precertificate
        };
        assert_eq!(finding(&config, &row, stage, &row.tbs), Ok(()));
        for place in 0..row.tbs.len() {
            for bit in [0x01, 0x20, 0x80] {
                let mut bent = row.tbs.clone();
                bent[place] ^= bit;
                let got = finding(&config, &row, stage, &bent);
                assert!(got.is_err(), "{profile}: byte {place}, bit {bit:#x}");
            }
            let mut cut = row.tbs.clone();
            cut.remove(place);
            assert!(
                finding(&config, &row, stage, &cut).is_err(),
                "{profile}: {place}"
            );
        }
    }
}

#[test]
fn poison_and_scts_stand_where_they_belong() {
    let config = config();
    let row = drafted(&config, "classic", NAMES, &*key(KeyAlgorithm::EcP256, 9));
    let last = final_tbs(&config, &row);
    let check = |stage: Stage, tbs: &[u8], expected: Result<(), Finding>| {
        assert_eq!(finding(&config, &row, stage, tbs), expected);
    };
    check(Stage::Final, &last, Ok(()));
    check(Stage::Precertificate, &row.tbs, Ok(()));
    check(Stage::Final, &row.tbs, Err(Finding::Poison));
    check(Stage::Precertificate, &last, Err(Finding::Poison));
    check(Stage::Plain, &last, Err(Finding::SctList));
    let key = key_of(&row).unwrap();
    let template = template(&config, &row, &key).unwrap();
    let list = sct_list(&template, &row.tbs);
    let one = sct::parse_list(&list).unwrap().remove(0);
    for few in [
        sct::encode_list(&[&one]).unwrap(),
        sct::encode_list(&[&one, &one]).unwrap(),
    ] {
        let tbs = template.tbs(&config, Mark::Scts(&few)).unwrap();
        check(Stage::Final, &tbs, Err(Finding::SctList));
    }
    for bent in [&list[1..], &[], &[0, 0]] {
        let tbs = template.tbs(&config, Mark::Scts(bent)).unwrap();
        check(Stage::Final, &tbs, Err(Finding::SctList));
    }
}

#[test]
fn a_signature_that_is_not_the_issuers_is_found() {
    let config = config();
    let row = drafted(&config, "private", NAMES, &*key(KeyAlgorithm::EcP256, 9));
    let subject_key = key_of(&row).unwrap();
    let template = template(&config, &row, &subject_key).unwrap();
    let expected = Expected {
        template: &template,
        stage: Stage::Plain,
        at: now(),
    };
    let der = signed(&config, &row, &row.tbs);
    assert_eq!(lint::certificate(&config, &expected, &der), Ok(()));
    let algorithm = template.issuer.algorithm();
    let other = key(KeyAlgorithm::EcP256, 1)
        .sign(algorithm, &row.tbs)
        .unwrap();
    let other = encode::attach(&row.tbs, algorithm, &other).unwrap();
    assert_eq!(
        lint::certificate(&config, &expected, &other),
        Err(Finding::Signature)
    );
    let mut long = der.clone();
    long.push(0);
    assert_eq!(
        lint::certificate(&config, &expected, &long),
        Err(Finding::Malformed)
    );
}

#[test]
fn the_common_name_is_the_first_that_fits_and_never_an_address() {
    let config = config();
    let long = format!("{}.example", "x".repeat(57)); // 65 characters
    let fits = format!("{}.example", "x".repeat(56));
    let check = |names: &[&str], expected: &str| {
        let row = drafted(&config, "classic", names, &*key(KeyAlgorithm::EcP256, 9));
        let der = signed(&config, &row, &row.tbs);
        let certificate = Certificate::from_der(&der).unwrap();
        assert_eq!(
            certificate.tbs_certificate().subject().to_string(),
            expected
        );
    };
    check(&["192.0.2.7"], "");
    check(&[&long], "");
    check(&[&fits], &format!("CN={fits}"));
    check(&[&long, "z.example"], "CN=z.example");
    check(&["192.0.2.7", "z.example"], "CN=z.example");
}
