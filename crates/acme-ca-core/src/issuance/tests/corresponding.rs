use acme_crypto::KeyAlgorithm;

use super::certificates::{NAMES, drafted, final_tbs};
use super::world::{config, key};
use crate::issuance::correspond::{without, without_poison};
use crate::issuance::x509::TbsView;
use crate::issuance::{Difference, correspond, oid, tlv};

fn pair(profile: &str) -> (Vec<u8>, Vec<u8>) {
    let config = config();
    let row = drafted(&config, profile, NAMES, &*key(KeyAlgorithm::EcP256, 9));
    let tbs = final_tbs(&config, &row);
    (row.tbs, tbs)
}

/// A TBSCertificate whose extensions were changed.
fn edit(tbs: &[u8], change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let view = TbsView::parse(tbs).unwrap();
    let mut extensions: Vec<Vec<u8>> = view.extensions.iter().map(|e| e.raw.to_vec()).collect();
    change(&mut extensions);
    let list = tlv::sequence(&extensions.concat()).unwrap();
    let contents = [view.head, &tlv::explicit(3, &list).unwrap()].concat();
    tlv::sequence(&contents).unwrap()
}

#[test]
fn a_final_certificate_corresponds_to_its_precertificate() {
    for profile in ["classic", "tlsserver", "shortlived"] {
        let (before, after) = pair(profile);
        assert_eq!(correspond(&before, &after), Ok(()));
    }
}

#[test]
fn without_poison_and_scts_both_are_the_same_bytes() {
    let (before, after) = pair("classic");
    let bare = without_poison(&before).unwrap();
    assert_eq!(without(&after, oid::SCT_LIST).unwrap(), bare);
    assert_eq!(without_poison(&after).err(), Some(Difference::Poison));
    assert_eq!(without_poison(&bare).err(), Some(Difference::Poison));
}

#[test]
fn every_changed_byte_outside_of_the_scts_is_found() {
    let (before, after) = pair("classic");
    let list = TbsView::parse(&after)
        .unwrap()
        .extension(oid::SCT_LIST)
        .unwrap()
        .value
        .len();
    let open = after.len() - list; // The value of the list is the last of all.
    for place in 0..open {
        for bit in [0x01, 0x20, 0x80] {
            let mut bent = after.clone();
            bent[place] ^= bit;
            assert!(correspond(&before, &bent).is_err(), "final: byte {place}");
        }
    }
    for place in 0..before.len() {
        for bit in [0x01, 0x20, 0x80] {
            let mut bent = before.clone();
            bent[place] ^= bit;
            assert!(
                correspond(&bent, &after).is_err(),
                "precertificate: byte {place}"
            );
        }
    }
}

#[test]
fn extensions_that_moved_came_or_went_are_found() {
    let (before, after) = pair("classic");
    let check = |change: fn(&mut Vec<Vec<u8>>), expected: Difference| {
        assert_eq!(
            correspond(&before, &edit(&after, change)).err(),
            Some(expected)
        );
    };
    assert_eq!(edit(&after, |_| ()), after);
    check(|e| drop(e.remove(0)), Difference::Count);
    check(|e| e.push(e[0].clone()), Difference::Count);
    check(|e| e.swap(0, 1), Difference::Extension(0));
    check(|e| e.rotate_right(1), Difference::Extension(0));
    check(|e| drop(e.pop()), Difference::SctList);
    check(|e| e.push(e.last().unwrap().clone()), Difference::SctList);
    let poison = TbsView::parse(&before)
        .unwrap()
        .extension(oid::POISON)
        .unwrap()
        .raw
        .to_vec();
    let both = edit(&after, |e| e.insert(0, poison.clone()));
    assert_eq!(correspond(&before, &both).err(), Some(Difference::Poison));
    let list = TbsView::parse(&after)
        .unwrap()
        .extension(oid::SCT_LIST)
        .unwrap()
        .raw
        .to_vec();
    let listed = edit(&before, |e| e.insert(0, list));
    assert_eq!(correspond(&listed, &after).err(), Some(Difference::SctList));
    let twice = edit(&before, |e| e.push(poison));
    assert_eq!(correspond(&twice, &after).err(), Some(Difference::Poison));
    assert_eq!(
        correspond(&before, &before).err(),
        Some(Difference::SctList)
    );
    assert_eq!(correspond(&after, &after).err(), Some(Difference::Poison));
    assert_eq!(correspond(b"", &after).err(), Some(Difference::Malformed));
}

#[test]
fn a_critical_list_and_a_poison_that_is_not_null_are_found() {
    let (before, after) = pair("classic");
    let critical = |raw: &[u8]| {
        // After the OID: BOOLEAN TRUE.
        let fields = tlv::Tlv::only(raw).unwrap().value;
        let oid_len = 2 + usize::from(fields[1]);
        let (oid, value) = fields.split_at(oid_len);
        tlv::sequence(&[oid, &[1, 1, 0xff], value].concat()).unwrap()
    };
    let bent = edit(&after, |e| {
        let last = e.pop().unwrap();
        e.push(critical(&last));
    });
    assert_eq!(correspond(&before, &bent).err(), Some(Difference::SctList));
    let bent = edit(&before, |e| {
        let mut last = e.pop().unwrap();
        *last.last_mut().unwrap() = 1; // NULL of length 1
        e.push(last);
    });
    assert_eq!(correspond(&bent, &after).err(), Some(Difference::Poison));
}
