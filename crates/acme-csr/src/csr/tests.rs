use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyError, KeyPair};
use acme_types::DnsNameError;
use der::Tag;

use super::*;
use crate::draft::signed;
use crate::encode::{octet_string, sequence, tlv};
use crate::{CsrDraft, NameKind};

mod names;

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
