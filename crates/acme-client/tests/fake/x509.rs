//! The certificates that the pretended CA issues: DER written by hand.

use acme_crypto::aws_lc::AwsLc;
use acme_crypto::{KeyAlgorithm, Provider, x509_signature_bytes};
use acme_csr::Csr;
use acme_types::{Identifier, Timestamp};

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    match u16::try_from(content.len()).expect("tests write short certificates") {
        len @ 0..=127 => der.push(len as u8),
        len @ 128..=255 => der.extend([0x81, len as u8]),
        len => der.extend([0x82, (len >> 8) as u8, len as u8]),
    }
    der.extend_from_slice(content);
    der
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn utc_time(at: Timestamp) -> Vec<u8> {
    let digits: String = at
        .to_rfc3339()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    tlv(0x17, format!("{}Z", &digits[2..]).as_bytes())
}

fn extension(oid: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[&tlv(0x06, oid), &tlv(0x04, value)])
}

pub fn issue(csr: &Csr, serial: u8, not_before: Timestamp, not_after: Timestamp) -> Vec<u8> {
    let key = AwsLc
        .generate(KeyAlgorithm::EcP256, &[1; 32])
        .expect("a key");
    let algorithm = key.public_key().default_algorithm();
    let names: Vec<u8> = csr
        .identifiers()
        .iter()
        .flat_map(|identifier| match identifier {
            Identifier::Dns(name) => tlv(0x82, name.as_str().as_bytes()),
            _ => panic!("tests order DNS names"),
        })
        .collect();
    let authority = sequence(&[&tlv(0x80, &[0xab; 20])]);
    let extensions = [
        extension(&[0x55, 0x1d, 0x23], &authority),
        extension(&[0x55, 0x1d, 0x11], &tlv(0x30, &names)),
    ];
    let issuer_name = tlv(
        0x31,
        &sequence(&[&tlv(0x06, &[0x55, 0x04, 0x03]), &tlv(0x0c, b"pretended CA")]),
    );
    let tbs = sequence(&[
        &tlv(0xa0, &tlv(0x02, &[2])),
        &tlv(0x02, &[serial]),
        algorithm.algorithm_identifier_der(),
        &tlv(0x30, &issuer_name),
        &sequence(&[&utc_time(not_before), &utc_time(not_after)]),
        &sequence(&[]),
        &csr.spki_der(),
        &tlv(0xa3, &tlv(0x30, &extensions.concat())),
    ]);
    let signature = key.sign(algorithm, &tbs).expect("a signature");
    let signature = x509_signature_bytes(algorithm, &signature).expect("a signature");
    let bits = tlv(0x03, &[&[0], signature.as_slice()].concat());
    sequence(&[&tbs, algorithm.algorithm_identifier_der(), &bits])
}
