use std::time::Duration;

use acme_crypto::KeyAlgorithm;
use acme_crypto::rustcrypto::RustCrypto;
use acme_types::Timestamp;

use super::certificates::{NAMES, drafted};
use super::vectors;
use super::world::{config, issuer, key, now, sct_reply};
use crate::issuance::sct::{Sct, SctError, encode_list, parse_list};
use crate::issuance::submission;
use crate::issuance::{oid, x509};
use crate::schema::IntentRow;

fn row() -> IntentRow {
    drafted(&config(), "classic", NAMES, &*key(KeyAlgorithm::EcP256, 9))
}

fn sct(seed: u8, at: Timestamp, extensions: &[u8]) -> Sct {
    let body = sct_reply(seed, &issuer("e1"), &row().tbs, at, extensions);
    submission::reply(200, &body).unwrap()
}

#[test]
fn an_sct_is_verified_over_the_precertificate_without_its_poison() {
    let (config, row) = (config(), row());
    let (e1, e2) = (issuer("e1"), issuer("e2"));
    let logs = &config.authority.logs().logs;
    let window = (row.created_at, now());
    let check = |sct: &Sct, log: usize, hash: &[u8; 32], tbs: &[u8], expected| {
        assert_eq!(
            sct.verify(&logs[log], hash, tbs, window, &RustCrypto),
            expected
        );
    };
    let good = sct(1, now(), &[]);
    check(&good, 0, e1.key_hash(), &row.tbs, Ok(()));
    check(&good, 1, e1.key_hash(), &row.tbs, Err(SctError::OtherLog));
    check(&good, 0, e2.key_hash(), &row.tbs, Err(SctError::Signature));
    let index = [0, 0, 5, 0, 0, 0, 1, 2]; // A tiled log's leaf index.
    check(&sct(1, now(), &index), 0, e1.key_hash(), &row.tbs, Ok(()));
    let other = drafted(
        &config,
        "classic",
        &["z.example"],
        &*key(KeyAlgorithm::EcP256, 9),
    );
    check(
        &good,
        0,
        e1.key_hash(),
        &other.tbs,
        Err(SctError::Signature),
    );
    let hour = Duration::from_secs(3_600);
    check(
        &sct(1, now().after(hour), &[]),
        0,
        e1.key_hash(),
        &row.tbs,
        Err(SctError::Time),
    );
    check(
        &sct(1, now().before(hour), &[]),
        0,
        e1.key_hash(),
        &row.tbs,
        Err(SctError::Time),
    );
}

#[test]
fn every_byte_of_an_sct_counts() {
    let (config, row, e1) = (config(), row(), issuer("e1"));
    let log = &config.authority.logs().logs[0];
    let bytes = sct(1, now(), &[1, 2, 3]).encode().unwrap();
    for place in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[place] ^= 1;
        let verified = Sct::parse(&bent)
            .and_then(|sct| sct.verify_entry(log, e1.key_hash(), &row.tbs, &RustCrypto));
        assert!(verified.is_err(), "byte {place}");
        assert!(Sct::parse(&bytes[..place]).is_err());
    }
}

#[test]
fn lists_are_read_as_they_are_written_and_not_otherwise() {
    let (a, b) = (sct(1, now(), &[]), sct(3, now(), &[9]));
    let list = encode_list(&[&a, &b]).unwrap();
    assert_eq!(parse_list(&list).unwrap(), [a, b]);
    assert_eq!(encode_list(&[]), Err(SctError::Malformed));
    let mut long = list.clone();
    long.push(0);
    for bad in [
        &long[..],
        &list[..list.len() - 1],
        &[],
        &[0, 0],
        &[0, 2, 0, 0],
    ] {
        assert!(parse_list(bad).is_err(), "{bad:02x?}");
    }
}

#[test]
fn real_scts_are_read() {
    let Some(vectors) = vectors("real_scts_are_read") else {
        return;
    };
    // The proof is a list of one SCT over a certificate, not a precertificate.
    let proof = std::fs::read(vectors.join("ct-go/testdata/test-cert.proof")).unwrap();
    let sct = Sct::parse(&proof).or_else(|_| parse_list(&proof).map(|mut list| list.remove(0)));
    let sct = sct.unwrap();
    assert!(sct.timestamp() > Timestamp::from_secs(1_300_000_000));
    assert_eq!(
        sct.encode().unwrap().len(),
        1 + 32 + 8 + 2 + sct.extensions().len() + 4 + 71
    );
    // pkilint's certificates of the Web PKI: one is named for its bad list.
    let folder = vectors.join("pkilint/tests/integration_certificate/tls_br");
    let (mut read, mut refused) = (0, Vec::new());
    for kind in ["dv", "ov", "iv", "ev"] {
        let folder = folder.join(format!("{kind}_final_certificate"));
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            match embedded(&std::fs::read_to_string(&path).unwrap()) {
                Some(Ok(_)) => read += 1,
                Some(Err(_)) => refused.push(path.file_stem().unwrap().to_owned()),
                None => {}
            }
        }
    }
    assert!(read > 3, "{read}");
    assert!(
        refused.iter().all(|name| name == "bad_sct_length"),
        "{refused:?}"
    );
}

/// The list of the certificate in this text, if it has one.
fn embedded(text: &str) -> Option<Result<Vec<Sct>, SctError>> {
    let end = text.find("-----END CERTIFICATE-----")? + "-----END CERTIFICATE-----".len();
    let ders = acme_types::pem::chain_to_der(format!("{}\n", &text[..end]).as_bytes()).ok()?;
    let signed = x509::SignedView::parse(ders.first()?).ok()?;
    let tbs = x509::TbsView::parse(signed.tbs).ok()?;
    let value = tbs.extension(oid::SCT_LIST)?.value;
    Some(parse_list(
        crate::issuance::tlv::Tlv::only(value).ok()?.value,
    ))
}
