use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyError, KeyPair};
use acme_types::DnsNameError;
use der::Tag;

use super::*;
use crate::draft::signed;
use crate::encode::{octet_string, sequence, tlv};
use crate::{CsrDraft, NameKind};

/// `subjectAltName`, `extensionRequest` and `commonName` as object identifiers in DER.
const SAN: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];
const EXTENSION_REQUEST: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e,
];
const CHALLENGE_PASSWORD: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07,
];
const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];
const UTF8: u8 = 0x0c;

fn pair(algorithm: KeyAlgorithm) -> Box<dyn KeyPair> {
    RustCrypto.generate(algorithm, &[6; 32]).unwrap()
}

/// Anything with this tag byte.
fn raw(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut der = tlv(Tag::OctetString, value).unwrap();
    der[0] = tag;
    der
}

fn seq(parts: &[&[u8]]) -> Vec<u8> {
    sequence(parts.iter().copied()).unwrap()
}

/// The parts of a request, each of which a test can spoil.
struct Parts {
    version: Vec<u8>,
    subject: Vec<u8>,
    spki: Vec<u8>,
    attributes: Vec<u8>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            version: vec![2, 1, 0],
            subject: seq(&[]),
            spki: pair(KeyAlgorithm::EcP256).public_key().to_spki_der(),
            attributes: attributes(&[&attribute(&[&extensions(&[&san(&[b"example.com"])])])]),
        }
    }
}

impl Parts {
    fn signed(&self) -> Vec<u8> {
        let info = seq(&[&self.version, &self.subject, &self.spki, &self.attributes]);
        let signature = pair(KeyAlgorithm::EcP256)
            .sign(SignatureAlgorithm::Es256, &info)
            .unwrap();
        signed(&info, SignatureAlgorithm::Es256, &signature).unwrap()
    }
}

fn san(names: &[&[u8]]) -> Vec<u8> {
    let names: Vec<Vec<u8>> = names.iter().map(|name| raw(0x82, name)).collect();
    san_of(&names.concat())
}

fn san_of(names: &[u8]) -> Vec<u8> {
    seq(&[SAN, &octet_string(&seq(&[names])).unwrap()])
}

fn extensions(list: &[&[u8]]) -> Vec<u8> {
    seq(list)
}

/// An extensionRequest with these values.
fn attribute(values: &[&[u8]]) -> Vec<u8> {
    seq(&[EXTENSION_REQUEST, &raw(0x31, &values.concat())])
}

fn attributes(list: &[&[u8]]) -> Vec<u8> {
    raw(0xa0, &list.concat())
}

fn with_names(names: &[u8]) -> Vec<u8> {
    with_extensions(&[&san_of(names)])
}

fn with_extensions(list: &[&[u8]]) -> Vec<u8> {
    let attributes = attributes(&[&attribute(&[&extensions(list)])]);
    Parts {
        attributes,
        ..Parts::default()
    }
    .signed()
}

/// A subject with these common names, each a tag and a text.
fn with_common_names(names: &[(u8, &[u8])]) -> Vec<u8> {
    let sets: Vec<Vec<u8>> = names
        .iter()
        .map(|(tag, text)| raw(0x31, &seq(&[COMMON_NAME, &raw(*tag, text)])))
        .collect();
    let subject = seq(&[&sets.concat()]);
    Parts {
        subject,
        ..Parts::default()
    }
    .signed()
}

fn names(csr: &Csr) -> Vec<String> {
    csr.identifiers()
        .iter()
        .map(|identifier| match identifier {
            Identifier::Dns(name) => name.to_string(),
            Identifier::Ip(address) => address.to_string(),
            _ => panic!("another type of identifier"),
        })
        .collect()
}

fn accept(der: &[u8], expected: &[&str]) {
    let csr = Csr::parse(der).unwrap();
    assert_eq!(names(&csr), expected);
    assert_eq!(csr.verify(&RustCrypto), Ok(()));
    assert_eq!(csr.as_der(), der);
}

fn refuse(der: &[u8], expected: CsrError) {
    assert_eq!(Csr::parse(der), Err(expected));
}

fn refuse_as_malformed(der: &[u8]) {
    let result = Csr::parse(der);
    assert!(
        matches!(result, Err(CsrError::Malformed { .. })),
        "{result:?}"
    );
}

#[test]
fn a_draft_becomes_a_request_that_verifies() {
    let identifiers = [
        Identifier::dns("www.example.com").unwrap(),
        Identifier::dns("example.com").unwrap(),
        Identifier::dns("*.example.com").unwrap(),
        Identifier::dns("example.com").unwrap(),
        Identifier::ip("192.0.2.1".parse().unwrap()),
        Identifier::ip("2001:db8::1".parse().unwrap()),
    ];
    for kind in KeyAlgorithm::ALL {
        let pair = pair(kind);
        let algorithm = pair.public_key().default_algorithm();
        let draft = CsrDraft::new(&identifiers, pair.public_key(), algorithm).unwrap();
        let csr = draft
            .attach(&pair.sign(algorithm, draft.message()).unwrap())
            .unwrap();
        assert_eq!(csr.verify(&RustCrypto), Ok(()));
        assert_eq!(csr.identifiers(), &identifiers.iter().cloned().collect());
        assert_eq!(csr.public_key(), pair.public_key());
        assert_eq!(csr.algorithm(), algorithm);
        assert_eq!(csr.extensions().len(), 1);
        assert!(csr.extensions()[0].is("2.5.29.17") && !csr.extensions()[0].is_critical());
        let other = draft
            .attach(&pair.sign(algorithm, b"other").unwrap())
            .unwrap();
        assert_eq!(other.verify(&RustCrypto), Err(CsrError::BadSignature));
    }
    let key = pair(KeyAlgorithm::Ed25519);
    let mismatch = CsrDraft::new(&identifiers, key.public_key(), SignatureAlgorithm::Es256);
    assert!(matches!(mismatch, Err(CsrError::KeyMismatch { .. })));
    let none = CsrDraft::new(&[], key.public_key(), SignatureAlgorithm::EdDsa);
    assert_eq!(none, Err(CsrError::NoIdentifier));
}

/// H241.
#[test]
fn a_request_is_der_and_nothing_else() {
    let good = Parts::default().signed();
    accept(&good, &["example.com"]);
    refuse_as_malformed(&[]);
    refuse_as_malformed(b"-----BEGIN CERTIFICATE REQUEST-----");
    refuse_as_malformed(&good[..good.len() - 1]);
    refuse_as_malformed(&[&good[..], &[0]].concat());
    refuse(&vec![0x30; 60_000], CsrError::TooLong);
    // The indefinite length of BER.
    let body = &good[3..];
    assert_eq!(good[..2], [0x30, 0x81]);
    refuse_as_malformed(&[&[0x30, 0x80], body, &[0, 0]].concat());
    // A longer length than needed.
    refuse_as_malformed(&[&[0x30, 0x82, 0x00, good[2]], body].concat());
    let version = vec![2, 1, 1];
    refuse(
        &Parts {
            version,
            ..Parts::default()
        }
        .signed(),
        CsrError::Version,
    );
    let version = vec![2, 2, 0, 0];
    refuse_as_malformed(
        &Parts {
            version,
            ..Parts::default()
        }
        .signed(),
    );
    let attributes = Vec::new();
    refuse_as_malformed(
        &Parts {
            attributes,
            ..Parts::default()
        }
        .signed(),
    );
    let attributes = raw(0xa1, &[]);
    refuse_as_malformed(
        &Parts {
            attributes,
            ..Parts::default()
        }
        .signed(),
    );
}

/// H242, H249.
#[test]
fn key_and_signature_are_of_accepted_kinds_and_fit() {
    let info = {
        let Parts {
            version,
            subject,
            spki,
            attributes,
        } = Parts::default();
        seq(&[&version, &subject, &spki, &attributes])
    };
    // sha1WithRSAEncryption, md5WithRSAEncryption, ecdsa-with-SHA1, id-RSASSA-PSS.
    for oid in [
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05][..],
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04],
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01],
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a],
    ] {
        let algorithm = seq(&[&raw(0x06, oid), &[5, 0]]);
        refuse(
            &seq(&[&info, &algorithm, &[3, 2, 0, 0]]),
            CsrError::SignatureAlgorithm,
        );
    }
    let algorithm = SignatureAlgorithm::Rs256.algorithm_identifier_der();
    let key = acme_crypto::KeyKind::EcP256;
    let mismatch = CsrError::KeyMismatch {
        algorithm: SignatureAlgorithm::Rs256,
        key,
    };
    refuse(&seq(&[&info, algorithm, &[3, 2, 0, 0]]), mismatch);
    // Bits left over; no bytes at all.
    let algorithm = SignatureAlgorithm::Es256.algorithm_identifier_der();
    refuse_as_malformed(&seq(&[&info, algorithm, &[3, 2, 1, 0]]));
    let empty = Csr::parse(&seq(&[&info, algorithm, &[3, 1, 0]])).unwrap();
    assert_eq!(empty.verify(&RustCrypto), Err(CsrError::BadSignature));
    let with_key = |spki: Vec<u8>| {
        Parts {
            spki,
            ..Parts::default()
        }
        .signed()
    };
    let mut spki = Parts::default().spki;
    *spki.last_mut().unwrap() ^= 1;
    refuse(&with_key(spki), CsrError::PublicKey(KeyError::NotOnCurve));
    let rsa = |n: &[u8], e: &[u8]| {
        let key = seq(&[&raw(2, n), &raw(2, e)]);
        let algorithm = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        let algorithm = seq(&[&raw(6, &algorithm), &[5, 0]]);
        with_key(seq(&[&algorithm, &raw(3, &[&[0], &key[..]].concat())]))
    };
    let modulus = |first: u8, len: usize| {
        let mut n = vec![0xd5; len];
        n[0] = first;
        if first >= 0x80 {
            [&[0][..], &n].concat()
        } else {
            n
        }
    };
    let size = |bits| CsrError::PublicKey(KeyError::ModulusSize { bits });
    refuse(&rsa(&modulus(0x7f, 256), &[1, 0, 1]), size(2047));
    refuse(&rsa(&modulus(0x01, 257), &[1, 0, 1]), size(2049));
    refuse(&rsa(&modulus(0x80, 1024), &[1, 0, 1]), size(8192));
    refuse(
        &rsa(&modulus(0x80, 256), &[3]),
        CsrError::PublicKey(KeyError::Exponent),
    );
}

/// H243.
#[test]
fn names_are_folded_and_taken_once() {
    let two = [raw(0x82, b"WWW.Example.com"), raw(0x82, b"www.example.COM")].concat();
    accept(&with_names(&two), &["www.example.com"]);
    accept(
        &with_names(&raw(0x82, b"*.example.com")),
        &["*.example.com"],
    );
    accept(&with_names(&raw(0x87, &[192, 0, 2, 1])), &["192.0.2.1"]);
    accept(
        &with_common_names(&[(UTF8, b"EXAMPLE.com")]),
        &["example.com"],
    );
    accept(
        &with_common_names(&[(UTF8, b"b.example")]),
        &["b.example", "example.com"],
    );
    let trailing = CsrError::DnsName(DnsNameError::EmptyLabel);
    refuse(&with_names(&raw(0x82, b"example.com.")), trailing);
}

/// RFC 8555 §7.4: "common name portion of the subject name, or ... extensionRequest".
#[test]
fn a_name_in_the_common_name_alone_is_enough() {
    for tag in [UTF8, 0x13, 0x16] {
        let subject = seq(&[&raw(0x31, &seq(&[COMMON_NAME, &raw(tag, b"example.com")]))]);
        let attributes = attributes(&[]);
        accept(
            &Parts {
                subject,
                attributes,
                ..Parts::default()
            }
            .signed(),
            &["example.com"],
        );
    }
    let attributes = attributes(&[]);
    refuse(
        &Parts {
            attributes,
            ..Parts::default()
        }
        .signed(),
        CsrError::NoIdentifier,
    );
}

/// H244.
#[test]
fn a_common_name_is_one_dns_name() {
    let check = |name: &[u8]| refuse(&with_common_names(&[(UTF8, name)]), CsrError::CommonName);
    check(b"192.0.2.1");
    check(b"2001:db8::1");
    check(b"*. example.com");
    check(b" example.com");
    check(b"");
    check(b"My Server");
    check(b"example.com\0.evil.example");
    check("ex\u{e4}mple.com".as_bytes());
    let long = format!("{}.{}.example.com", "a".repeat(40), "b".repeat(12));
    assert_eq!(long.len(), 65);
    check(long.as_bytes());
    accept(
        &with_common_names(&[(UTF8, &long.as_bytes()[1..])]),
        &[&long[1..], "example.com"],
    );
    // TeletexString, BMPString.
    refuse(
        &with_common_names(&[(0x14, b"example.com")]),
        CsrError::CommonName,
    );
    refuse(
        &with_common_names(&[(0x1e, b"\0e\0x")]),
        CsrError::CommonName,
    );
    let two = [(UTF8, &b"example.com"[..]), (UTF8, b"example.com")];
    refuse(&with_common_names(&two), CsrError::TwoCommonNames);
}

/// H245.
#[test]
fn an_alternative_name_is_a_dns_name_or_an_address() {
    let check = |tag: u8, value: &[u8], expected| refuse(&with_names(&raw(tag, value)), expected);
    let email = CsrError::NameKind(NameKind::Email);
    check(0x81, b"a@example.com", email);
    check(
        0x86,
        b"https://example.com",
        CsrError::NameKind(NameKind::Uri),
    );
    check(0xa4, &seq(&[]), CsrError::NameKind(NameKind::Directory));
    check(0xa0, &[], CsrError::NameKind(NameKind::Other));
    check(0xa5, &[], CsrError::NameKind(NameKind::Edi));
    check(0x88, &[0x2a], CsrError::NameKind(NameKind::RegisteredId));
    check(0x89, b"x", CsrError::AlternativeName);
    check(0x0c, b"example.com", CsrError::AlternativeName);
    let character = |position| CsrError::DnsName(DnsNameError::Character { position });
    check(0x82, b"example.com\0", character(11));
    check(0x82, "\u{e4}.example".as_bytes(), character(0));
    check(0x82, b"\xff.example", CsrError::AlternativeName);
    check(0x82, b"", CsrError::DnsName(DnsNameError::Empty));
    for len in [0, 3, 5, 8, 15, 17, 32] {
        check(0x87, &vec![1; len], CsrError::IpAddress);
    }
    let mapped = [&[0; 10][..], &[0xff, 0xff, 192, 0, 2, 1]].concat();
    check(0x87, &mapped, CsrError::IpAddress);
    refuse(&with_names(&[]), CsrError::AlternativeName);
    // A good name beside a bad one doesn't help.
    let both = [raw(0x82, b"example.com"), raw(0x81, b"a@example.com")].concat();
    refuse(&with_names(&both), email);
    refuse(
        &with_extensions(&[&seq(&[SAN, &[4, 0]])]),
        CsrError::AlternativeName,
    );
}

/// H247.
#[test]
fn there_is_one_extension_request_with_one_value() {
    let one = extensions(&[&san(&[b"example.com"])]);
    let other = extensions(&[&san(&[b"example.org"])]);
    let with = |list: &[&[u8]]| {
        Parts {
            attributes: attributes(list),
            ..Parts::default()
        }
        .signed()
    };
    refuse(
        &with(&[&attribute(&[&one]), &attribute(&[&other])]),
        CsrError::DuplicateAttribute,
    );
    refuse(
        &with(&[&attribute(&[&one, &other])]),
        CsrError::ExtensionRequest,
    );
    refuse(&with(&[&attribute(&[])]), CsrError::ExtensionRequest);
    refuse(
        &with(&[&attribute(&[&extensions(&[])])]),
        CsrError::ExtensionRequest,
    );
    let twice = [san(&[b"example.com"]), san(&[b"example.org"])];
    refuse(
        &with_extensions(&[&twice[0], &twice[1]]),
        CsrError::DuplicateExtension,
    );
    let password = seq(&[CHALLENGE_PASSWORD, &raw(0x31, &raw(UTF8, b"secret"))]);
    accept(&with(&[&password, &attribute(&[&one])]), &["example.com"]);
    let must_staple = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x18];
    let must_staple = seq(&[&must_staple, &octet_string(&[0x30, 3, 2, 1, 5]).unwrap()]);
    let der = with_extensions(&[&must_staple, &san(&[b"example.com"])]);
    let csr = Csr::parse(&der).unwrap();
    assert!(csr.extensions()[0].is("1.3.6.1.5.5.7.1.24"));
    assert_eq!(csr.extensions()[0].oid().to_string(), "1.3.6.1.5.5.7.1.24");
    assert_eq!(csr.extensions()[0].value(), [0x30, 3, 2, 1, 5]);
}

proptest::proptest! {
    /// Whatever comes, there's an answer; what is accepted has at least one name, and is not
    /// what was signed unless nothing changed.
    #[test]
    fn any_input_is_answered(at in 0usize..400, bits in 1u8.., cut in 0usize..400) {
        let mut der = Parts::default().signed();
        let at = at % der.len();
        der[at] ^= bits;
        if let Ok(csr) = Csr::parse(&der) {
            assert!(!csr.identifiers().is_empty());
            assert_eq!(csr.verify(&RustCrypto), Err(CsrError::BadSignature));
        }
        der.truncate(cut % der.len());
        assert!(Csr::parse(&der).is_err());
    }
}
