use std::time::Duration;

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyKind, KeyPair};
use acme_types::Timestamp;

use super::world::{DAY, config, csr, issuer, issuer_key, key, logs, now, order};
use crate::Config;
use crate::crl::CrlTiming;
use crate::issuance::{
    Authority, Finding, IssuanceError, Issuer, IssuerError, LogKind, LogList, Profile,
    ProfileParts, intent, restart,
};
use crate::schema::{IntentState, OrderRow, Serial};

const NAMES: &[&str] = &["a.example", "*.b.example"];

fn ec(seed: u8) -> Box<dyn KeyPair> {
    key(KeyAlgorithm::EcP256, seed)
}

fn serial(byte: u8) -> Serial {
    Serial::new(&[byte; 32])
}

fn with(profiles: Vec<Profile>, logs: LogList) -> Config {
    let issuers = vec![issuer("e1"), issuer("e2")];
    let authority = Authority::new(issuers, profiles, logs, CrlTiming::default()).unwrap();
    Config {
        authority,
        ..config()
    }
}

#[test]
fn an_intent_holds_all_that_will_be_signed() {
    let (config, order) = (config(), order("classic", NAMES));
    let row = intent(&config, &order, &csr(NAMES, &*ec(9)), serial(5), now()).unwrap();
    assert_eq!(row.state, IntentState::Open);
    assert_eq!(
        (row.serial, row.order, row.account),
        (serial(5), order.id, order.account)
    );
    assert_eq!(
        (row.issuer.as_str(), row.profile.as_str()),
        ("e1", "classic")
    );
    assert_eq!(row.profile_sha256, Profile::classic().sha256(&RustCrypto));
    assert_eq!(row.identifiers, order.identifiers);
    assert!(config.authority.issuer("e1").unwrap().has_shard(row.shard));
    let again = intent(&config, &order, &csr(NAMES, &*ec(9)), serial(5), now()).unwrap();
    assert_eq!(row, again);
}

#[test]
fn the_issuer_is_of_the_keys_kind_if_there_is_one() {
    let check = |algorithm: KeyAlgorithm, expected: &str| {
        let csr = csr(NAMES, &*key(algorithm, 9));
        let row = intent(&config(), &order("private", NAMES), &csr, serial(5), now()).unwrap();
        assert_eq!(row.issuer, expected, "{algorithm:?}");
    };
    check(KeyAlgorithm::EcP256, "e1");
    check(KeyAlgorithm::EcP384, "e2");
    check(KeyAlgorithm::Ed25519, "e1");
}

#[test]
fn a_new_issuer_is_not_waited_for() {
    let key = ec(9);
    let begin = issuer("e1").not_before();
    let check = |order: &OrderRow, at: Timestamp, not_before: Option<Timestamp>| {
        let row = intent(&config(), order, &csr(NAMES, &*key), serial(5), at);
        assert_eq!(row.ok().map(|row| row.not_before), not_before);
    };
    let minute = Duration::from_secs(60);
    let plain = order("private", NAMES);
    check(
        &plain,
        begin.after(minute * 90),
        Some(begin.after(minute * 30)),
    );
    check(&plain, begin.after(minute * 30), Some(begin));
    check(&plain, begin, Some(begin));
    check(&plain, begin.before(minute), None);
    let wanted = OrderRow {
        not_before: Some(begin.before(minute)),
        ..plain
    };
    check(&wanted, begin.after(minute), None);
}

#[test]
fn a_profile_may_name_its_issuers() {
    let parts = ProfileParts {
        issuers: vec!["e2".into()],
        ..ProfileParts::private()
    };
    let config = with(vec![Profile::try_from(parts).unwrap()], LogList::default());
    let csr = csr(NAMES, &*ec(9));
    let row = intent(&config, &order("private", NAMES), &csr, serial(5), now()).unwrap();
    assert_eq!(row.issuer, "e2");
}

#[test]
fn what_may_not_be_issued_has_no_intent() {
    let check = |order: &OrderRow, names: &[&str], key: &dyn KeyPair, at, error| {
        let got = intent(&config(), order, &csr(names, key), serial(5), at);
        assert_eq!(got.err(), Some(error));
    };
    let (key9, plain) = (ec(9), order("classic", NAMES));
    check(
        &plain,
        &["a.example"],
        &*key9,
        now(),
        IssuanceError::OtherNames,
    );
    let more = ["a.example", "*.b.example", "c.example"];
    check(&plain, &more, &*key9, now(), IssuanceError::OtherNames);
    check(
        &order("none", NAMES),
        NAMES,
        &*key9,
        now(),
        IssuanceError::NoProfile,
    );
    check(
        &plain,
        NAMES,
        &*issuer_key("e1"),
        now(),
        IssuanceError::IssuerKey,
    );
    let ed25519 = key(KeyAlgorithm::Ed25519, 9);
    check(&plain, NAMES, &*ed25519, now(), IssuanceError::Key);
    let wanted = OrderRow {
        not_after: Some(now().after(DAY * 91)),
        ..plain.clone()
    };
    check(&wanted, NAMES, &*key9, now(), IssuanceError::Validity);
    let late = now().after(DAY * 11);
    check(&plain, NAMES, &*key9, late, IssuanceError::StaleLogs);
    let private = order("private", NAMES);
    let after_the_issuer = now().after(DAY * 1_800);
    check(
        &private,
        NAMES,
        &*key9,
        after_the_issuer,
        IssuanceError::NoIssuer,
    );
    let before_the_issuer = now().before(DAY * 2);
    check(
        &private,
        NAMES,
        &*key9,
        before_the_issuer,
        IssuanceError::NoIssuer,
    );
}

#[test]
fn a_profile_longer_than_the_web_pki_allows_stops_at_the_date() {
    let parts = ProfileParts {
        validity: DAY * 100,
        ..ProfileParts::classic()
    };
    let mut list = logs();
    list.fresh_until = None;
    let config = with(vec![Profile::try_from(parts).unwrap()], list);
    let check = |at: &str, expected: Option<IssuanceError>| {
        let at = Timestamp::from_rfc3339(at).unwrap();
        let csr = csr(NAMES, &*ec(9));
        let got = intent(&config, &order("classic", NAMES), &csr, serial(5), at);
        assert_eq!(got.err(), expected, "{at}");
    };
    check("2029-03-14T23:59:59Z", None);
    check(
        "2029-03-15T00:00:00Z",
        Some(IssuanceError::Lint(Finding::ValidityOfWebPki)),
    );
}

#[test]
fn a_new_intent_differs_in_its_serial_alone() {
    let config = config();
    let csr = csr(NAMES, &*ec(9));
    let old = intent(&config, &order("classic", NAMES), &csr, serial(5), now()).unwrap();
    let at = now().after(Duration::from_secs(600));
    let new = restart(&config, &old, serial(6), at).unwrap();
    assert_eq!(
        (new.serial, new.created_at, new.state),
        (serial(6), at, IntentState::Open)
    );
    assert_eq!(
        (new.not_before, new.not_after),
        (old.not_before, old.not_after)
    );
    assert_eq!((&new.csr, &new.identifiers), (&old.csr, &old.identifiers));
    assert_ne!(new.tbs, old.tbs);
    let late = restart(&config, &old, serial(6), now().after(DAY * 2));
    assert_eq!(late.err(), Some(IssuanceError::Lint(Finding::NotBefore)));
}

#[test]
fn a_profile_that_changed_starts_nothing_over() {
    let csr = csr(NAMES, &*ec(9));
    let old = intent(&config(), &order("classic", NAMES), &csr, serial(5), now()).unwrap();
    let parts = ProfileParts {
        validity: DAY * 60,
        ..ProfileParts::classic()
    };
    let changed = with(vec![Profile::try_from(parts).unwrap()], logs());
    assert_eq!(
        restart(&changed, &old, serial(6), now()).err(),
        Some(IssuanceError::ProfileChanged)
    );
    let gone = with(vec![Profile::private()], logs());
    assert_eq!(
        restart(&gone, &old, serial(6), now()).err(),
        Some(IssuanceError::NoProfile)
    );
}

#[test]
fn the_parts_of_an_authority_fit_together() {
    let check = |issuers: &[&Issuer], profiles: &[&Profile], logs: LogList, error: &str| {
        let issuers = issuers.iter().map(|issuer| (*issuer).clone()).collect();
        let profiles = profiles.iter().map(|profile| (*profile).clone()).collect();
        let got = Authority::new(issuers, profiles, logs, CrlTiming::default());
        assert!(
            got.is_err_and(|got| format!("{got:?}").starts_with(error)),
            "{error}"
        );
    };
    let (e1, private, none) = (issuer("e1"), Profile::private(), LogList::default());
    check(&[], &[&private], none.clone(), "Issuers");
    check(&[&e1], &[], none.clone(), "Profiles");
    check(&[&e1, &e1], &[&private], none.clone(), "IssuerTwice");
    check(&[&e1], &[&private, &private], none.clone(), "ProfileTwice");
    check(&[&e1], &[&Profile::classic()], none.clone(), "TooFewLogs");
    let mut tiled = logs();
    tiled.logs.retain(|log| log.kind() == LogKind::Tiled);
    check(&[&e1], &[&Profile::classic()], tiled, "TooFewLogs");
    let mut twice = logs();
    twice.logs.push(twice.logs[0].clone());
    check(&[&e1], &[&private], twice, "LogTwice");
    let other = super::world::intermediate("e2");
    let overlapping = Issuer::new("e2", &other, &[], 3..=5, &RustCrypto).unwrap();
    check(
        &[&e1, &overlapping],
        &[&private],
        none.clone(),
        "ShardTwice",
    );
    let parts = ProfileParts {
        issuers: vec!["x".into()],
        ..ProfileParts::private()
    };
    check(
        &[&e1],
        &[&Profile::try_from(parts).unwrap()],
        none,
        "UnknownIssuer",
    );
}

#[test]
fn only_an_intermediate_with_its_whole_chain_is_an_issuer() {
    let (own, root) = (super::world::intermediate("e1"), super::world::root());
    let other = super::world::intermediate("e2");
    let check = |name: &str, der: &[u8], parents: &[&Vec<u8>], error: IssuerError| {
        let parents: Vec<Vec<u8>> = parents.iter().map(|der| (*der).clone()).collect();
        let got = Issuer::new(name, der, &parents, 0..=0, &RustCrypto);
        assert_eq!(got.err(), Some(error));
    };
    check("", &own, &[], IssuerError::Name);
    check("E1", &own, &[], IssuerError::Name);
    check("a/b", &own, &[], IssuerError::Name);
    check("e1", &root, &[], IssuerError::SelfSigned);
    check("e1", &own, &[&other], IssuerError::Broken(0));
    check("e1", &own, &[&root, &root], IssuerError::Broken(1));
    let mut bent = own.clone();
    *bent.last_mut().unwrap() ^= 1;
    check("e1", &bent, &[&root], IssuerError::Broken(0));
    check("e1", &own[1..], &[], IssuerError::Malformed(0));
    check("e1", &own, &[&b"x".to_vec()], IssuerError::Malformed(1));
    check("e1", &own, &[&root; 9], IssuerError::TooLong);
    let empty = std::ops::RangeInclusive::new(1, 0);
    let got = Issuer::new("e1", &own, &[], empty, &RustCrypto);
    assert_eq!(got.err(), Some(IssuerError::NoShards));
    let issuer = Issuer::new("e1", &own, &[root], 0..=0, &RustCrypto).unwrap();
    assert_eq!(issuer.chain(), [own]);
    assert_eq!(issuer.public_key().kind(), KeyKind::EcP256);
}

#[test]
fn serials_are_spread_over_the_shards_and_keep_theirs() {
    let issuer = issuer("e2");
    let shards: std::collections::BTreeSet<u16> = (0..64u8)
        .map(|n| issuer.shard_of(Serial::new(&[n; 32])).0)
        .collect();
    assert_eq!(shards.into_iter().collect::<Vec<_>>(), [4, 5, 6, 7]);
}
