//! What the CA reads beside requests: its own rows, logs' promises, lists, and other people's CAA.

use acme_ca_core::crl::Crl;
use acme_ca_core::issuance::{Sct, correspond as corresponds};
use acme_ca_core::schema::Row;
use acme_ca_core::validation::DnsRecord;
use acme_ca_core::validation::caa::{CaaFault, CaaRequest, permits};
use acme_types::{ChallengeType, DnsName, Url};

use crate::{text_of, two_parts};

/// An SCT in its TLS encoding: what is accepted has one encoding.
pub fn sct(data: &[u8]) {
    if let Ok(sct) = Sct::parse(data) {
        assert_eq!(sct.encode().as_deref(), Ok(data));
    }
}

/// A CRL in DER.
pub fn crl(data: &[u8]) {
    let Ok(crl) = Crl::parse(data) else { return };
    assert_eq!(crl.entries().count(), crl.len());
    assert_eq!(crl.is_empty(), crl.entries().next().is_none());
    assert!(crl.entries().all(|entry| entry.is_ok()));
    assert!(!crl.number().is_empty());
}

/// The bytes of two TBSCertificates, the first one's length in two bytes before it.
pub fn correspond(data: &[u8]) {
    let (precertificate, certificate) = two_parts(data);
    let _ = corresponds(precertificate, certificate);
    // Nothing is its own precertificate: one has the poison, the other must not.
    assert!(corresponds(precertificate, precertificate).is_err());
}

/// A row as a store gives it back.
pub fn row(data: &[u8]) {
    let Ok(row) = Row::decode(data) else { return };
    let Ok(written) = row.encode() else { return };
    assert_eq!(Row::decode(&written).as_ref(), Ok(&row));
}

/// CAA records, one per line: flags as a number, tag, value.
pub fn caa(data: &[u8]) {
    let (Some(text), Ok(account)) = (
        text_of(data),
        Url::parse("https://ca.example/acme/account/1"),
    ) else {
        return;
    };
    let Ok(identity) = DnsName::parse("ca.example") else {
        return;
    };
    let record = |line: &str| {
        let mut words = line.splitn(3, ' ');
        Some(DnsRecord::Caa {
            flags: words.next()?.parse().ok()?,
            tag: words.next()?.as_bytes().to_vec(),
            value: words.next()?.as_bytes().to_vec(),
        })
    };
    let records: Vec<_> = text.lines().filter_map(record).collect();
    for wildcard in [false, true] {
        let request = CaaRequest {
            identities: std::slice::from_ref(&identity),
            wildcard,
            account: &account,
            method: &ChallengeType::DNS_01,
        };
        let permitted = permits(&records, &request);
        assert_eq!(permits(&loud(&records), &request), permitted);
        // RFC 8659 §4.1: one critical property that isn't understood forbids, whatever else is
        // there; a fault that comes before it forbids as well.
        let mut with_unknown = records.clone();
        with_unknown.push(DnsRecord::Caa {
            flags: 128,
            tag: b"unheardof".to_vec(),
            value: Vec::new(),
        });
        assert!(permits(&with_unknown, &request).is_err());
        let nobody = CaaRequest {
            identities: &[],
            ..request
        };
        if permitted == Err(CaaFault::NotNamed) {
            assert_eq!(permits(&records, &nobody), permitted);
        }
    }
}

/// RFC 8659 §4.1: "Matching of tags is case insensitive."
fn loud(records: &[DnsRecord]) -> Vec<DnsRecord> {
    let louder = |record: &DnsRecord| match record {
        DnsRecord::Caa { flags, tag, value } => DnsRecord::Caa {
            flags: *flags,
            tag: tag.to_ascii_uppercase(),
            value: value.clone(),
        },
        other => other.clone(),
    };
    records.iter().map(louder).collect()
}
