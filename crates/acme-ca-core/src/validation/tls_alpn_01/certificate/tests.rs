//! Certificates made by hand, one part of them wrong.

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, x509_signature_bytes};

use super::*;

const DIGEST: [u8; 32] = [0xab; 32];

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut bytes = header(tag, content.len()).unwrap();
    bytes.extend(content);
    bytes
}

fn extension(oid: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let oid = ObjectIdentifier::new_unwrap(oid).to_der().unwrap();
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    tlv(0x30, &[&oid, critical, &tlv(4, &[value])])
}

fn san(entries: &[Vec<u8>]) -> Vec<u8> {
    extension("2.5.29.17", false, &tlv(0x30, &[&entries.concat()]))
}

fn dns(name: &str) -> Vec<u8> {
    tlv(0x82, &[name.as_bytes()])
}

fn acme(oid: &str, critical: bool) -> Vec<u8> {
    extension(oid, critical, &tlv(4, &[&DIGEST]))
}

fn acme_identifier() -> Vec<u8> {
    acme("1.3.6.1.5.5.7.1.31", true)
}

fn name(common: &str) -> Vec<u8> {
    let cn = ObjectIdentifier::new_unwrap("2.5.4.3").to_der().unwrap();
    let attribute = tlv(0x30, &[&cn, &tlv(0x0c, &[common.as_bytes()])]);
    tlv(0x30, &[&tlv(0x31, &[&attribute])])
}

struct Made {
    version: Vec<u8>,
    issuer: Vec<u8>,
    inner_algorithm: Vec<u8>,
    extensions: Vec<Vec<u8>>,
    key: KeyAlgorithm,
    signed_by: u8,
    /// Whether the last bit of the signature is turned.
    broken: bool,
}

impl Made {
    fn new(extensions: Vec<Vec<u8>>) -> Self {
        Self {
            version: vec![0xa0, 3, 2, 1, 2],
            issuer: name("ACME"),
            inner_algorithm: SignatureAlgorithm::Es256
                .algorithm_identifier_der()
                .to_vec(),
            extensions,
            key: KeyAlgorithm::EcP256,
            signed_by: 1,
            broken: false,
        }
    }

    fn good() -> Self {
        Self::new(vec![san(&[dns("example.com")]), acme_identifier()])
    }

    fn der(&self) -> Vec<u8> {
        let pair =
            |seed: u8| -> Box<dyn KeyPair> { RustCrypto.generate(self.key, &[seed; 32]).unwrap() };
        let algorithm = pair(1).public_key().default_algorithm();
        let validity = tlv(
            0x30,
            &[
                &tlv(0x17, &[b"260101000000Z"]),
                &tlv(0x17, &[b"270101000000Z"]),
            ],
        );
        let list = tlv(0x30, &[&self.extensions.concat()]);
        let extensions = if self.extensions.is_empty() {
            Vec::new()
        } else {
            tlv(0xa3, &[&list])
        };
        let tbs = tlv(
            0x30,
            &[
                &self.version,
                &[2, 1, 1],
                &self.inner_algorithm,
                &self.issuer,
                &validity,
                &name("ACME"),
                &pair(1).public_key().to_spki_der(),
                &extensions,
            ],
        );
        let fixed = pair(self.signed_by).sign(algorithm, &tbs).unwrap();
        let mut signature = x509_signature_bytes(algorithm, &fixed).unwrap();
        if self.broken {
            *signature.last_mut().unwrap() ^= 1;
        }
        let bits = tlv(3, &[&[0], &signature]);
        tlv(0x30, &[&tbs, algorithm.algorithm_identifier_der(), &bits])
    }
}

fn checked(der: &[u8], identifier: &str) -> Result<(), CertificateFault> {
    let identifier = match identifier.parse() {
        Ok(address) => Identifier::Ip(address),
        Err(_) => Identifier::dns(identifier).unwrap(),
    };
    check(der, &identifier, &DIGEST, &RustCrypto)
}

fn check_made(made: &Made, expected: Result<(), CertificateFault>) {
    assert_eq!(checked(&made.der(), "example.com"), expected);
}

#[test]
fn a_certificate_as_the_rfc_wants_it_is_good() {
    check_made(&Made::good(), Ok(()));
    // Others may be there, in any order (RFC 8737 asks for two).
    let usage = extension("2.5.29.15", true, &[3, 2, 7, 0x80]);
    check_made(
        &Made::new(vec![acme_identifier(), usage, san(&[dns("example.com")])]),
        Ok(()),
    );
    // RFC 8737 §3: "The comparison of dNSNames MUST be case insensitive".
    check_made(
        &Made::new(vec![san(&[dns("EXAMPLE.Com")]), acme_identifier()]),
        Ok(()),
    );
    for key in [KeyAlgorithm::Ed25519, KeyAlgorithm::EcP384] {
        let algorithm = match key {
            KeyAlgorithm::Ed25519 => SignatureAlgorithm::EdDsa,
            _ => SignatureAlgorithm::Es384,
        };
        let inner_algorithm = algorithm.algorithm_identifier_der().to_vec();
        check_made(
            &Made {
                key,
                inner_algorithm,
                ..Made::good()
            },
            Ok(()),
        );
    }
    let long = format!("{}.{}.example", "a".repeat(63), "b".repeat(63));
    let made = Made::new(vec![san(&[dns(&long)]), acme_identifier()]);
    assert_eq!(checked(&made.der(), &long), Ok(()));
}

#[test]
fn the_names_are_exactly_the_one() {
    // H151, H152, H154.
    let ip = |octets: &[u8]| tlv(0x87, &[octets]);
    let email = || tlv(0x81, &[b"example.com"]);
    for entries in [
        vec![],
        vec![dns("example.com"), dns("other.com")],
        vec![dns("other.com"), dns("example.com")],
        vec![dns("example.com"), dns("example.com")],
        vec![dns("example.com"), ip(&[198, 8, 8, 8])],
        vec![dns("other.com")],
        vec![dns("*.example.com")],
        vec![dns("www.example.com")],
        vec![dns("example.com.")],
        vec![dns("example.com\0")],
        vec![dns("example.con")],
        vec![ip(&[198, 8, 8, 8])],
        vec![email()],
    ] {
        check_made(
            &Made::new(vec![san(&entries), acme_identifier()]),
            Err(CertificateFault::Names),
        );
    }
    // Not the one encoding: a long length, bytes behind it, another outer tag.
    let mut long = vec![0x82, 0x81, 11];
    long.extend(b"example.com");
    check_made(
        &Made::new(vec![san(&[long]), acme_identifier()]),
        Err(CertificateFault::Names),
    );
    for value in [
        [tlv(0x30, &[&dns("example.com")]), vec![0]].concat(),
        tlv(0x31, &[&dns("example.com")]),
        dns("example.com"),
        Vec::new(),
    ] {
        let names = extension("2.5.29.17", false, &value);
        check_made(
            &Made::new(vec![names, acme_identifier()]),
            Err(CertificateFault::Names),
        );
    }
    let made = |octets: &[u8]| Made::new(vec![san(&[ip(octets)]), acme_identifier()]).der();
    assert_eq!(checked(&made(&[198, 8, 8, 8]), "198.8.8.8"), Ok(()));
    let v6 = std::net::Ipv6Addr::from([0x2a00, 0, 0, 0, 0, 0, 0, 8]).octets();
    assert_eq!(checked(&made(&v6), "2a00::8"), Ok(()));
    for (octets, address) in [
        ([198, 8, 8, 9].as_slice(), "198.8.8.8"),
        (&[198, 8, 8], "198.8.8.8"),
        (&[198, 8, 8, 8, 255, 255, 255, 255], "198.8.8.8"),
        (&[198, 8, 8, 8], "2a00::8"),
        (b"198.8.8.8", "198.8.8.8"),
    ] {
        assert_eq!(
            checked(&made(octets), address),
            Err(CertificateFault::Names)
        );
    }
    // An iPAddress has no case to fold: 0x41 is not 0x61.
    assert_eq!(
        checked(&made(&[0x61; 4]), "65.65.65.65"),
        Err(CertificateFault::Names)
    );
}

#[test]
fn the_acme_identifier_is_critical_once_and_of_its_final_type() {
    // H148, H149.
    let names = || san(&[dns("example.com")]);
    let final_type = "1.3.6.1.5.5.7.1.31";
    let with = |extension: Vec<u8>| Made::new(vec![names(), extension]);
    check_made(
        &with(acme("1.3.6.1.5.5.7.1.30.1", true)),
        Err(CertificateFault::NoAcmeIdentifier),
    );
    check_made(
        &with(acme(final_type, false)),
        Err(CertificateFault::NotCritical),
    );
    check_made(
        &Made::new(vec![names()]),
        Err(CertificateFault::NoAcmeIdentifier),
    );
    check_made(
        &Made::new(vec![acme_identifier()]),
        Err(CertificateFault::NoNames),
    );
    check_made(&Made::new(vec![]), Err(CertificateFault::NoNames));
    let twice = Made::new(vec![names(), acme_identifier(), acme_identifier()]);
    check_made(&twice, Err(CertificateFault::DuplicateExtension));
    let names_twice = Made::new(vec![names(), names(), acme_identifier()]);
    check_made(&names_twice, Err(CertificateFault::DuplicateExtension));
    for value in [
        DIGEST.to_vec(),
        tlv(4, &[&[0xac; 32]]),
        tlv(4, &[&DIGEST[..31]]),
        tlv(4, &[&DIGEST, &[0]]),
        [tlv(4, &[&DIGEST]), vec![0]].concat(),
        [&[4, 0x81, 32], DIGEST.as_slice()].concat(),
        tlv(3, &[&DIGEST]),
        Vec::new(),
    ] {
        check_made(
            &with(extension(final_type, true, &value)),
            Err(CertificateFault::Digest),
        );
    }
}

#[test]
fn the_certificate_is_signed_by_its_own_key() {
    // H153.
    let good = Made::good;
    check_made(
        &Made {
            signed_by: 2,
            ..good()
        },
        Err(CertificateFault::Signature),
    );
    check_made(
        &Made {
            broken: true,
            ..good()
        },
        Err(CertificateFault::Signature),
    );
    check_made(
        &Made {
            issuer: name("CA"),
            ..good()
        },
        Err(CertificateFault::NotSelfIssued),
    );
    let other = SignatureAlgorithm::Es384
        .algorithm_identifier_der()
        .to_vec();
    check_made(
        &Made {
            inner_algorithm: other,
            ..good()
        },
        Err(CertificateFault::Algorithm),
    );
}

#[test]
fn what_is_no_certificate_is_malformed() {
    let der = Made::good().der();
    let malformed = Err(CertificateFault::Malformed);
    check_made(
        &Made {
            version: vec![0xa0, 3, 2, 1, 1],
            ..Made::good()
        },
        malformed,
    );
    check_made(
        &Made {
            version: Vec::new(),
            ..Made::new(vec![])
        },
        malformed,
    );
    assert_eq!(
        checked(&[der.as_slice(), &[0]].concat(), "example.com"),
        malformed
    );
    for len in 0..der.len() {
        assert_eq!(checked(&der[..len], "example.com"), malformed);
    }
    // No turned bit proves control, and none panics.
    for at in 0..der.len() {
        for bit in 0..8 {
            let mut turned = der.clone();
            turned[at] ^= 1 << bit;
            assert!(
                checked(&turned, "example.com").is_err(),
                "byte {at} bit {bit}"
            );
        }
    }
}
