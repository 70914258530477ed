//! Issuances from finalize to certificate, with signers, logs and stores that fail.

pub(crate) mod desk;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use acme_types::Timestamp;
use acme_types::{AccountStatus, AuthorizationStatus, Misuse, ProblemType, RevocationReason};

use desk::{Desk, LogDoes, Save, Signer, account};

use super::logging::LOGS_PATIENCE;
use super::{SIGN_PATIENCE, STORE_PATIENCE, Step};
use crate::Config;
use crate::crl::CrlTiming;
use crate::issuance::tests::world::{self, DAY, issuer, logs};
use crate::issuance::x509::{SignedView, TbsView};
use crate::issuance::{Authority, Profile, ProfileParts, correspond, oid, sct, tlv};
use crate::job::{crl_run, move_due};
use crate::policy::Policy;
use crate::schema::{
    AccountRow, BlockedKeyRow, IntentRow, IntentState, JobRow, JobState, OrderRow, OrderState,
    Read, Row, Serial, Write,
};

fn finished(desk: &Desk) -> Serial {
    desk.check_rest();
    match desk.order_row().state {
        OrderState::Valid { serial } => serial,
        other => panic!("{other:?}"),
    }
}

fn failed(desk: &Desk, kind: &ProblemType) {
    desk.check_rest();
    match desk.order_row().state {
        OrderState::Invalid { problem } => assert_eq!(problem.kind, *kind),
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_transparency_one_signature_makes_the_certificate() {
    let (mut desk, version) = Desk::new("private");
    let mut job = desk.born(version);
    assert!(desk.run(&mut job, usize::MAX));
    let serial = finished(&desk);
    let row = desk.certificate(serial).unwrap();
    let der = row.der.unwrap();
    assert_eq!(
        SignedView::parse(&der).unwrap().tbs,
        desk.intent_row(serial).tbs
    );
    assert_eq!(desk.signed.len(), 1);
    assert_eq!((row.precertificate, desk.submitted.len()), (None, 0));
    assert_eq!(desk.intent_row(serial).state, IntentState::Issued);
}

#[test]
fn with_transparency_the_certificate_carries_scts_of_two_operators() {
    for profile in ["classic", "tlsserver", "shortlived"] {
        let (mut desk, version) = Desk::new(profile);
        let mut job = desk.born(version);
        assert!(desk.run(&mut job, usize::MAX));
        let row = desk.certificate(finished(&desk)).unwrap();
        let (before, after) = (row.precertificate.unwrap(), row.der.unwrap());
        let (before, after) = (
            SignedView::parse(&before).unwrap(),
            SignedView::parse(&after).unwrap(),
        );
        assert_eq!(correspond(before.tbs, after.tbs), Ok(()));
        assert_eq!(desk.signed, [before.tbs, after.tbs]);
        let tbs = TbsView::parse(after.tbs).unwrap();
        let list = tlv::Tlv::only(tbs.extension(oid::SCT_LIST).unwrap().value)
            .unwrap()
            .value;
        let scts = sct::parse_list(list).unwrap();
        let of = |sct: &sct::Sct| desk.config.authority.log(sct.log()).unwrap().operator();
        let operators: BTreeSet<&str> = scts.iter().map(of).collect();
        assert_eq!((scts.len(), operators.len()), (2, 2));
        assert_eq!(desk.submitted.len(), 2, "no log is asked without need");
    }
}

#[test]
fn logs_that_answer_late_out_of_order_or_not_at_all_are_made_up_for() {
    let check = |change: fn(&mut Desk), asked: &[u8]| {
        let (mut desk, version) = Desk::new("classic");
        change(&mut desk);
        let mut job = desk.born(version);
        assert!(desk.run(&mut job, usize::MAX));
        finished(&desk);
        let mut submitted = desk.submitted.clone();
        submitted.sort_unstable();
        assert_eq!(submitted, asked);
    };
    check(|_| (), &[2, 3]);
    check(|desk| desk.backwards = true, &[2, 3]);
    check(
        |desk| drop(desk.logs.insert(2, LogDoes::Silent)),
        &[1, 2, 3, 4],
    );
    check(
        |desk| drop(desk.logs.insert(3, LogDoes::Silent)),
        &[2, 3, 4],
    );
    check(
        |desk| drop(desk.logs.insert(3, LogDoes::Unreachable)),
        &[2, 3, 4],
    );
    check(
        |desk| drop(desk.logs.insert(2, LogDoes::SignsAs(4))),
        &[1, 2, 4],
    );
    check(
        |desk| drop(desk.logs.insert(2, LogDoes::SignsOther)),
        &[1, 2, 4],
    );
    check(
        |desk| drop(desk.logs.insert(3, LogDoes::Says(429, b"later".into()))),
        &[2, 3, 4],
    );
    check(
        |desk| drop(desk.logs.insert(3, LogDoes::Says(200, b"<html>".into()))),
        &[2, 3, 4],
    );
    check(
        |desk| drop(desk.logs.insert(3, LogDoes::Says(200, vec![b' '; 1 << 20]))),
        &[2, 3, 4],
    );
}

#[test]
fn without_enough_logs_the_order_fails_in_the_end_and_all_serials_are_revoked() {
    for does in [
        LogDoes::Silent,
        LogDoes::Unreachable,
        LogDoes::Says(500, Vec::new()),
    ] {
        let (mut desk, version) = Desk::new("classic");
        // Left: two logs of one operator.
        desk.logs.insert(3, does.clone());
        desk.logs.insert(4, does);
        let mut job = desk.born(version);
        assert!(desk.run(&mut job, usize::MAX));
        assert!(matches!(
            desk.order_row().state,
            OrderState::Processing { .. }
        ));
        desk.settle(20);
        failed(&desk, &ProblemType::SERVER_INTERNAL);
        let (certificates, revocations) = (desk.certificates(), desk.revocations());
        assert_eq!(
            (certificates.len(), revocations.len()),
            (4, 4),
            "one for each attempt"
        );
        assert!(certificates.iter().all(|row| row.precertificate.is_some()));
        assert!(
            desk.now < world::now().after(Duration::from_secs(900)),
            "in bounded time"
        );
    }
}

#[test]
fn a_job_that_is_taken_over_presumes_the_old_serial_and_starts_a_new_one() {
    let (mut desk, _) = Desk::new("classic");
    let old = Serial::new(&[0x11; 32]);
    desk.settle(1);
    let new = finished(&desk);
    assert_ne!(new, old);
    let presumed = desk.certificate(old).unwrap();
    assert_eq!((presumed.der, presumed.precertificate), (None, None));
    let revocations = desk.revocations();
    assert_eq!(revocations.len(), 1);
    assert_eq!(
        (revocations[0].serial, revocations[0].shard),
        (old, presumed.shard)
    );
    assert_eq!(revocations[0].reason, RevocationReason::Superseded);
    assert_eq!(desk.intent_row(old).state, IntentState::Presumed);
    assert_eq!(desk.intent_row(new).state, IntentState::Issued);
}

#[test]
fn a_signature_that_comes_after_the_lease_was_taken_changes_nothing() {
    let (mut desk, version) = Desk::new("private");
    let mut late = desk.born(version);
    // Loads of Job and of the work, as many as it takes to come to the signature.
    let (name, algorithm, message, ticket) = loop {
        match late.poll(desk.now) {
            Step::Load(reads, ticket) => {
                let loaded = desk.store.load(&reads).unwrap();
                late.answer(ticket, Ok(loaded), desk.now).unwrap();
            }
            Step::Sign(name, algorithm, message, ticket) => {
                break (name, algorithm, message, ticket);
            }
            step => panic!("{step:?}"),
        }
    };
    let birth = desk.now;
    desk.settle(1);
    finished(&desk);
    let rows = desk.rows();
    // The old holder's clock stood still.
    let signature = desk.signature(&name, algorithm, message);
    late.answer(ticket, signature, birth).unwrap();
    desk.now = birth;
    assert!(desk.run(&mut late, usize::MAX));
    assert_eq!(desk.rows(), rows);
    desk.check_rest();
}

#[test]
fn past_its_lease_a_job_asks_for_nothing_more() {
    let (mut desk, version) = Desk::new("private");
    let mut job = desk.born(version);
    assert!(!desk.run(&mut job, 2));
    let after = desk.now.after(desk.config.policy.validation.lease);
    assert!(matches!(job.poll(after), Step::Wait(Timestamp::NEVER)));
    assert!(
        matches!(job.poll(desk.now), Step::Wait(Timestamp::NEVER)),
        "and never again"
    );
}

#[test]
fn what_may_have_been_signed_is_revoked_and_what_was_not_is_not() {
    let check = |profile: &str, signers: &[Signer], revoked: usize, precertificates: usize| {
        let (mut desk, version) = Desk::new(profile);
        desk.signers.extend(signers);
        let mut job = desk.born(version);
        assert!(desk.run(&mut job, usize::MAX));
        desk.settle(5);
        finished(&desk);
        assert_eq!(desk.revocations().len(), revoked, "{profile} {signers:?}");
        let known = desk
            .certificates()
            .into_iter()
            .filter(|row| row.precertificate.is_some());
        assert_eq!(known.count(), precertificates, "{profile} {signers:?}");
    };
    check("private", &[Signer::Unknown], 1, 0);
    check("private", &[Signer::Wrong], 1, 0);
    check("private", &[Signer::Silent], 1, 0);
    check("private", &[Signer::NotSigned], 0, 0);
    check(
        "private",
        &[Signer::NotSigned, Signer::NotSigned, Signer::NotSigned],
        0,
        0,
    );
    check("private", &[Signer::NotSigned, Signer::Unknown], 1, 0);
    check("classic", &[Signer::Unknown], 1, 1);
    check("classic", &[Signer::Signs, Signer::NotSigned], 1, 2);
    check("classic", &[Signer::Signs, Signer::Unknown], 1, 2);
    check("classic", &[Signer::Signs, Signer::Wrong], 1, 2);
    check("classic", &[Signer::Signs, Signer::Silent], 1, 2);
}

#[test]
fn a_signer_that_never_signs_fails_the_order_in_the_end() {
    for (signer, revoked) in [
        (Signer::NotSigned, 0),
        (Signer::Unknown, 4),
        (Signer::Silent, 4),
    ] {
        let (mut desk, version) = Desk::new("private");
        desk.signers.extend([signer; 10]);
        let mut job = desk.born(version);
        assert!(desk.run(&mut job, usize::MAX));
        desk.settle(20);
        failed(&desk, &ProblemType::SERVER_INTERNAL);
        assert_eq!(desk.revocations().len(), revoked);
    }
}

/// A crash after any effect, then another, and so on: in the end there is one certificate, and
/// every other serial that was ever signed for is revoked.
#[test]
fn a_crash_anywhere_costs_at_most_a_serial() {
    let config = Arc::new(world::config());
    for profile in ["private", "classic"] {
        for first in 0..24 {
            for second in [0, 3, 6, 9, usize::MAX] {
                let (mut desk, version) = Desk::with(Arc::clone(&config), profile);
                let mut job = desk.born(version);
                let ended = desk.run(&mut job, first);
                drop(job);
                if !ended {
                    desk.now = desk
                        .now
                        .max(desk.job_row(desk.job).map_or(desk.now, |row| row.due));
                    let mut job = desk.due(desk.job);
                    desk.run(&mut job, second);
                    drop(job);
                    desk.settle(10);
                }
                finished(&desk);
            }
        }
    }
}

#[test]
fn a_commit_that_conflicts_or_is_not_known_to_have_been_made_costs_nothing_more() {
    for profile in ["private", "classic"] {
        for fault in [Save::Conflict, Save::UnknownLost, Save::UnknownMade] {
            for faults in [vec![fault], vec![fault, Save::UnknownMade], vec![fault; 3]] {
                // A job that runs from its birth: one commit.
                let (mut desk, version) = Desk::new(profile);
                desk.saves.extend(faults.iter().copied());
                let mut job = desk.born(version);
                desk.run(&mut job, usize::MAX);
                desk.saves.clear();
                desk.settle(10);
                finished(&desk);
                assert!(desk.revocations().is_empty(), "{fault:?}");
                // One that is taken over: taken, presumed and begun anew, finished.
                let (mut desk, _) = Desk::new(profile);
                desk.saves.push_back(Save::Commits);
                desk.saves.extend(faults.iter().copied());
                desk.settle(10);
                finished(&desk);
                assert_eq!(desk.revocations().len(), 1, "{fault:?}");
            }
        }
    }
}

#[test]
fn a_store_that_is_away_for_a_moment_costs_nothing() {
    let (mut desk, version) = Desk::new("private");
    desk.unavailable = 2;
    let mut job = desk.born(version);
    assert!(desk.run(&mut job, usize::MAX));
    finished(&desk);
    assert!(desk.revocations().is_empty());
}

fn deactivated(desk: &Desk) -> Write {
    let row = account(&desk.order_row());
    Write::Put(Row::Account(AccountRow {
        status: AccountStatus::Deactivated,
        ..row
    }))
}

#[test]
fn nothing_is_signed_for_a_deactivated_account() {
    for profile in ["private", "classic"] {
        let (mut desk, version) = Desk::new(profile);
        let write = deactivated(&desk);
        desk.put(vec![write]);
        let mut job = desk.born(version);
        assert!(desk.run(&mut job, usize::MAX));
        failed(&desk, &ProblemType::UNAUTHORIZED);
        assert!(desk.signed.is_empty() && desk.certificates().is_empty());
    }
}

#[test]
fn what_was_signed_while_the_account_was_deactivated_is_revoked() {
    for (profile, signatures) in [("private", 1), ("classic", 1), ("classic", 2)] {
        let (mut desk, version) = Desk::new(profile);
        let mut job = desk.born(version);
        while desk.signed.len() < signatures {
            assert!(!desk.run(&mut job, 1));
        }
        let write = deactivated(&desk);
        desk.put(vec![write]);
        assert!(desk.run(&mut job, usize::MAX));
        failed(&desk, &ProblemType::UNAUTHORIZED);
        assert_eq!(desk.signed.len(), signatures, "nothing is signed after it");
        assert_eq!(
            (desk.certificates().len(), desk.revocations().len()),
            (1, 1)
        );
    }
}

#[test]
fn a_key_that_is_blocked_while_the_logs_are_asked_is_not_certified() {
    let (mut desk, version) = Desk::new("classic");
    let mut job = desk.born(version);
    while desk.signed.is_empty() {
        assert!(!desk.run(&mut job, 1));
    }
    let key = world::key(acme_crypto::KeyAlgorithm::EcP256, 9);
    let spki = key.public_key().to_spki_der();
    desk.put(vec![Write::Put(Row::BlockedKey(BlockedKeyRow {
        spki_sha256: desk.config.provider.sha256(&spki),
        blocked_at: desk.now,
    }))]);
    assert!(desk.run(&mut job, usize::MAX));
    failed(&desk, &ProblemType::BAD_CSR);
    assert_eq!(desk.signed.len(), 1, "the precertificate alone");
    assert_eq!(
        (desk.certificates().len(), desk.revocations().len()),
        (1, 1)
    );
}

#[test]
fn an_authorization_that_no_longer_counts_stops_the_issuance() {
    let check = |change: fn(&mut crate::schema::AuthorizationRow), later: Duration| {
        let (mut desk, version) = Desk::new("private");
        let id = desk.order_row().authorizations[1];
        let view = desk.view(&[Read::Authorization(id)]);
        let mut row = view.authorization(&id).unwrap().unwrap().clone();
        change(&mut row);
        desk.put(vec![Write::Put(Row::Authorization(row))]);
        desk.now = desk.now.after(later);
        if later.is_zero() {
            let mut job = desk.born(version);
            assert!(desk.run(&mut job, usize::MAX));
        } else {
            desk.settle(1);
        }
        failed(&desk, &ProblemType::UNAUTHORIZED);
        assert!(desk.signed.is_empty());
    };
    check(
        |row| row.status = AuthorizationStatus::Deactivated,
        Duration::ZERO,
    );
    check(
        |row| row.status = AuthorizationStatus::Revoked,
        Duration::ZERO,
    );
    check(|row| row.expires = world::now(), Duration::ZERO);
    check(|row| row.caa_checked_at = None, Duration::ZERO);
    check(
        |row| row.caa_checked_at = Some(world::now().before(DAY)),
        Duration::ZERO,
    );
    // The server was down for half a day.
    check(|_| (), DAY / 2);
}

#[test]
fn a_name_without_an_authorization_of_its_own_is_not_signed_for() {
    let check = |change: fn(&mut OrderRow)| {
        let (mut desk, version) = Desk::new("private");
        let mut row = desk.order_row();
        change(&mut row);
        desk.put(vec![Write::Put(Row::Order(row))]);
        let mut job = desk.born(version);
        assert!(desk.run(&mut job, usize::MAX));
        failed(&desk, &ProblemType::UNAUTHORIZED);
        assert!(desk.signed.is_empty());
    };
    check(|row| row.authorizations.clear());
    check(|row| row.authorizations.truncate(1));
    check(|row| row.authorizations[1] = row.authorizations[0]);
}

#[test]
fn a_profile_or_an_issuer_that_changed_meanwhile_signs_nothing() {
    let issuers = |names: &[&str]| names.iter().map(|name| issuer(name)).collect();
    let parts = ProfileParts {
        backdate: Duration::ZERO,
        ..ProfileParts::private()
    };
    let authorities = [
        Authority::new(
            issuers(&["e2"]),
            vec![Profile::private()],
            logs(),
            CrlTiming::default(),
        ),
        Authority::new(
            issuers(&["e1"]),
            vec![Profile::classic()],
            logs(),
            CrlTiming::default(),
        ),
        Authority::new(
            issuers(&["e1"]),
            vec![Profile::try_from(parts).unwrap()],
            logs(),
            CrlTiming::default(),
        ),
    ];
    for authority in authorities {
        let (mut desk, version) = Desk::new("private");
        desk.config = Arc::new(Config {
            authority: authority.unwrap(),
            ..world::config()
        });
        let mut job = desk.born(version);
        assert!(desk.run(&mut job, usize::MAX));
        failed(&desk, &ProblemType::SERVER_INTERNAL);
        assert!(desk.signed.is_empty() && desk.certificates().is_empty());
    }
}

#[test]
fn an_intent_that_was_damaged_in_the_store_is_not_signed() {
    let (mut desk, version) = Desk::new("private");
    let mut row = desk.intent_row(Serial::new(&[0x11; 32]));
    let place = row.tbs.len() / 2;
    row.tbs[place] ^= 1;
    desk.put(vec![Write::Put(Row::Intent(row))]);
    let mut job = desk.born(version);
    assert!(desk.run(&mut job, usize::MAX));
    failed(&desk, &ProblemType::SERVER_INTERNAL);
    assert!(desk.signed.is_empty());
}

#[test]
fn a_lease_outlives_an_issuance() {
    let effects = SIGN_PATIENCE * 2 + LOGS_PATIENCE;
    for policy in [Policy::webpki(), Policy::private()] {
        assert!(policy.validation.lease > effects + STORE_PATIENCE);
    }
}

#[test]
fn an_answer_that_nobody_waits_for_is_misuse() {
    let (mut desk, version) = Desk::new("private");
    let mut job = desk.born(version);
    let Step::Load(reads, ticket) = job.poll(desk.now) else {
        panic!()
    };
    let loaded = desk.store.load(&reads).unwrap();
    job.answer(ticket, Ok(loaded), desk.now).unwrap();
    let Step::Load(_, ticket) = job.poll(desk.now) else {
        panic!()
    };
    // The lease runs out; the answer comes after.
    let late = desk.now.after(DAY);
    assert!(matches!(job.poll(late), Step::Wait(Timestamp::NEVER)));
    let loaded = desk.store.load(&[]).unwrap();
    assert_eq!(
        job.answer(ticket, Ok(loaded), late),
        Err(Misuse::NotAwaited)
    );
}

#[test]
fn damage_leaves_no_order_processing() {
    let serial = Serial::new(&[0x11; 32]);
    let states = [
        None,
        Some(IntentState::Issued),
        Some(IntentState::Presumed),
        Some(IntentState::Dropped),
    ];
    for state in states {
        let (mut desk, version) = Desk::new("private");
        let write = match state {
            None => Write::Delete(Read::Intent(serial)),
            Some(state) => Write::Put(Row::Intent(IntentRow {
                state,
                ..desk.intent_row(serial)
            })),
        };
        let mut job = desk.born(version);
        // Before the signature's outcome is stored.
        while desk.signed.is_empty() {
            assert!(!desk.run(&mut job, 1));
        }
        desk.put(vec![write]);
        assert!(desk.run(&mut job, usize::MAX));
        assert!(
            matches!(desk.order_row().state, OrderState::Invalid { .. }),
            "{state:?}"
        );
        assert_eq!(desk.job_row(desk.job), None);
    }
}

#[test]
fn what_is_presumed_is_in_a_crl_at_once_and_not_at_the_next_regular_one() {
    let taken_over = |desk: &mut Desk| desk.now = desk.now.after(DAY / 24);
    let unknown = |desk: &mut Desk| desk.signers.push_back(Signer::Unknown);
    let ways: [&dyn Fn(&mut Desk); 2] = [&taken_over, &unknown];
    for (attempt, soon) in [(0, true), (1, false)] {
        for way in ways {
            let (mut desk, version) = Desk::new("private");
            let shard = desk.intent_row(Serial::new(&[0x11; 32])).shard;
            let crl = JobRow {
                id: crl_run::job_id(shard),
                due: desk.now.after(DAY),
                attempt,
                state: JobState::CrlRun { shard },
            };
            let before = desk.put(move_due(crl.due, &crl));
            way(&mut desk);
            let mut job = desk.born(version);
            assert!(desk.run(&mut job, usize::MAX));
            let at = desk.revocations()[0].revoked_at;
            let after = desk.job_row(crl.id).unwrap();
            if soon {
                assert_eq!(after.due.truncate_to_secs(), at);
            } else {
                // A run is under way: it learns that it has to look again.
                assert_eq!(after, crl);
            }
            let read = Read::Job(crl.id);
            let version = desk.view(std::slice::from_ref(&read)).version(&read);
            assert!(version > Some(before));
            let due = |row: &Row| matches!(row, Row::Due(due) if due.job == crl.id);
            assert_eq!(desk.rows().into_iter().filter(due).count(), 1);
        }
    }
}
