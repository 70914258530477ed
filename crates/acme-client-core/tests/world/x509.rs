//! Certificates for tests, good ones and bad ones: DER written by hand.

use acme_crypto::{KeyPair, x509_signature_bytes};
use acme_types::{Identifier, Timestamp};

/// What a certificate says; the default is what an honest CA issues.
#[derive(Clone)]
pub struct Draft {
    pub issuer: &'static str,
    pub subject: &'static str,
    pub names: Vec<Identifier>,
    pub spki: Vec<u8>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub serial: u64,
    pub is_authority: bool,
    pub poisoned: bool,
}

pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        len @ 0..=127 => out.push(len as u8),
        len @ 128..=255 => out.extend([0x81, len as u8]),
        len => out.extend([0x82, (len >> 8) as u8, len as u8]),
    }
    out.extend_from_slice(content);
    out
}

fn seq(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn oid(bytes: &[u8]) -> Vec<u8> {
    tlv(0x06, bytes)
}

fn name(common: &str) -> Vec<u8> {
    seq(&[tlv(
        0x31,
        &seq(&[oid(&[0x55, 0x04, 0x03]), tlv(0x0c, common.as_bytes())]),
    )])
}

fn time(at: Timestamp) -> Vec<u8> {
    let text: String = at
        .to_rfc3339()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    if text.as_str() < "2050" {
        tlv(0x17, format!("{}Z", &text[2..]).as_bytes())
    } else {
        tlv(0x18, format!("{text}Z").as_bytes())
    }
}

fn extension(id: &[u8], critical: bool, value: Vec<u8>) -> Vec<u8> {
    let mut parts = vec![oid(id)];
    if critical {
        parts.push(tlv(0x01, &[0xff]));
    }
    parts.push(tlv(0x04, &value));
    seq(&parts)
}

fn general_name(identifier: &Identifier) -> Vec<u8> {
    match identifier {
        Identifier::Dns(name) => tlv(0x82, name.as_str().as_bytes()),
        Identifier::Ip(std::net::IpAddr::V4(address)) => tlv(0x87, &address.octets()),
        Identifier::Ip(std::net::IpAddr::V6(address)) => tlv(0x87, &address.octets()),
        _ => panic!("an identifier that tests don't use"),
    }
}

/// The key identifier that all test authorities have: 20 octets.
pub const KEY_IDENTIFIER: [u8; 20] = [0xab; 20];

pub fn sign(draft: &Draft, issuer: &dyn KeyPair) -> Vec<u8> {
    let algorithm = issuer.public_key().default_algorithm();
    let identifier = algorithm.algorithm_identifier_der().to_vec();
    let mut extensions = vec![extension(
        &[0x55, 0x1d, 0x23],
        false,
        seq(&[tlv(0x80, &KEY_IDENTIFIER)]),
    )];
    if draft.is_authority {
        let value = seq(&[tlv(0x01, &[0xff])]);
        extensions.push(extension(&[0x55, 0x1d, 0x13], true, value));
    } else {
        let server_auth = oid(&[0x2b, 6, 1, 5, 5, 7, 3, 1]);
        extensions.push(extension(&[0x55, 0x1d, 0x25], false, seq(&[server_auth])));
    }
    if !draft.names.is_empty() {
        let names: Vec<_> = draft.names.iter().map(general_name).collect();
        extensions.push(extension(&[0x55, 0x1d, 0x11], false, seq(&names)));
    }
    if draft.poisoned {
        let poison = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x03];
        extensions.push(extension(&poison, true, vec![0x05, 0x00]));
    }
    let mut serial = draft.serial.to_be_bytes().to_vec();
    serial.insert(0, 0x01);
    let tbs = seq(&[
        tlv(0xa0, &tlv(0x02, &[2])),
        tlv(0x02, &serial),
        identifier.clone(),
        name(draft.issuer),
        seq(&[time(draft.not_before), time(draft.not_after)]),
        name(draft.subject),
        draft.spki.clone(),
        tlv(0xa3, &seq(&extensions)),
    ]);
    let signature = issuer.sign(algorithm, &tbs).expect("the key fits");
    let signature = x509_signature_bytes(algorithm, &signature).expect("the key fits");
    let bits = [&[0], signature.as_slice()].concat();
    seq(&[tbs, identifier, tlv(0x03, &bits)])
}
