use std::collections::BTreeSet;
use std::sync::Arc;

use acme_types::RevocationReason;

use super::{bootstrap, bootstrap_reads, hasten, job_id, schedule};
use crate::Config;
use crate::crl::{Crl, CrlTiming};
use crate::issuance::Authority;
use crate::issuance::tests::world::{self, DAY, issuer, now};
use crate::job::issuance::tests::desk::{Desk, Save, Signer, revocation};
use crate::schema::{CrlShardRow, JobRow, Read, RevocationRow, Row, Serial, Shard, Write};

const SHARD: Shard = Shard(2);

/// A CA whose only shard is [`SHARD`].
fn config() -> Arc<Config> {
    let config = world::config();
    let parents = [world::root()];
    let own = world::intermediate("e1");
    let provider = config.provider.as_ref();
    let only = crate::issuance::Issuer::new("e1", &own, &parents, 2..=2, provider).unwrap();
    let profiles = config.authority.profiles().to_vec();
    let logs = config.authority.logs().clone();
    let authority = Authority::new(vec![only], profiles, logs, CrlTiming::default()).unwrap();
    Arc::new(Config {
        authority,
        ..config
    })
}

/// Its job due.
fn desk() -> Desk {
    desk_of(&config())
}

fn desk_of(config: &Arc<Config>) -> Desk {
    let mut desk = Desk::empty(Arc::clone(config));
    begin(&mut desk);
    desk
}

fn begin(desk: &mut Desk) {
    let view = desk.view(&bootstrap_reads(&desk.config));
    let commit = bootstrap(&desk.config, &view, desk.now).unwrap().unwrap();
    desk.store.commit(&commit).unwrap();
}

fn serial(n: u32) -> Serial {
    let mut bytes = [0; 32];
    bytes[1..5].copy_from_slice(&n.to_be_bytes());
    Serial::new(&bytes)
}

fn shard(desk: &Desk) -> Option<CrlShardRow> {
    desk.view(&[Read::CrlShard(SHARD)])
        .crl_shard(SHARD)
        .unwrap()
        .cloned()
}

fn listed(desk: &Desk) -> BTreeSet<Serial> {
    let row = shard(desk).unwrap();
    let crl = Crl::parse(&row.der).unwrap();
    crl.entries()
        .map(|e| Serial::from_der_integer(e.unwrap().serial).unwrap())
        .collect()
}

fn job(desk: &Desk) -> JobRow {
    desk.job_row(job_id(SHARD)).unwrap()
}

/// Revokes, as the operation does. Whether a job was spawned.
fn revoke(desk: &mut Desk, n: u32) -> bool {
    let lease = desk.config.policy.validation.lease;
    let row = job(desk);
    let (mut writes, spawn) = hasten(Some(&row), SHARD, desk.now, lease);
    writes.push(Write::Put(revocation(
        SHARD.0,
        serial(n),
        now().after(DAY * 90),
    )));
    desk.put(writes);
    spawn.is_some()
}

#[test]
fn every_shard_has_its_job_once() {
    let mut desk = Desk::empty(Arc::new(world::config()));
    let reads = bootstrap_reads(&desk.config);
    assert_eq!(reads.len(), 8);
    begin(&mut desk);
    let view = desk.view(&reads);
    assert_eq!(bootstrap(&desk.config, &view, desk.now), Ok(None));
    assert!(bootstrap(&desk.config, &crate::schema::View::new(), desk.now).is_err());
    desk.settle(8);
    let crls: Vec<CrlShardRow> = desk
        .rows()
        .into_iter()
        .filter_map(|row| match row {
            Row::CrlShard(row) => Some(row),
            _ => None,
        })
        .collect();
    assert_eq!(crls.len(), 8);
    let signed_by = |row: &CrlShardRow| {
        let name = if row.shard.0 < 4 { "e1" } else { "e2" };
        Crl::parse(&row.der).unwrap().issuer == issuer(name).subject()
    };
    assert!(crls.iter().all(signed_by));
}

#[test]
fn a_run_lists_all_revocations_of_its_shard_over_many_pages() {
    let mut desk = desk();
    let many: BTreeSet<Serial> = (0..1_203).map(serial).collect();
    let rows = many
        .iter()
        .map(|serial| revocation(SHARD.0, *serial, now().after(DAY)));
    let mut writes: Vec<Write> = rows.map(Write::Put).collect();
    writes.push(Write::Put(revocation(3, serial(5_000), now().after(DAY))));
    desk.put(writes);
    desk.settle(1);
    assert_eq!(listed(&desk), many);
    let row = shard(&desk).unwrap();
    assert_eq!(row.number, now().as_millis());
    assert_eq!(row.next_update.since(row.this_update), DAY * 9);
    assert_eq!(
        (job(&desk).due, job(&desk).attempt),
        (now().after(DAY / 4), schedule::RESTING)
    );
}

#[test]
fn an_entry_goes_after_one_crl_beyond_its_certificates_end() {
    let mut desk = desk();
    let end = now().after(DAY);
    desk.put(vec![
        Write::Put(revocation(SHARD.0, serial(1), end)),
        Write::Put(revocation(SHARD.0, serial(2), end.after(DAY * 30))),
    ]);
    let mut beyond = 0;
    loop {
        desk.settle(1);
        let row = shard(&desk).unwrap();
        if !listed(&desk).contains(&serial(1)) {
            break;
        }
        beyond += u32::from(row.this_update > end);
    }
    assert_eq!(beyond, 1);
    assert_eq!(listed(&desk), [serial(2)].into());
    assert_eq!(desk.revocations().len(), 1, "the row is gone as well");
}

#[test]
fn a_revocation_that_is_lost_stops_the_run() {
    let mut desk = desk();
    desk.put(vec![Write::Put(revocation(
        SHARD.0,
        serial(1),
        now().after(DAY),
    ))]);
    desk.settle(1);
    let before = shard(&desk);
    desk.put(vec![Write::Delete(Read::Revocation(SHARD, serial(1)))]);
    desk.settle(3);
    assert_eq!(shard(&desk), before);
    let events: Vec<String> = desk
        .rows()
        .into_iter()
        .filter_map(|row| match row {
            Row::Audit(row) => Some(row.event),
            _ => None,
        })
        .collect();
    assert!(
        events
            .iter()
            .any(|event| event.contains("no longer in the store")),
        "{events:?}"
    );
    // Somebody has looked.
    desk.put(vec![Write::Put(revocation(
        SHARD.0,
        serial(1),
        now().after(DAY),
    ))]);
    desk.settle(1);
    assert_ne!(shard(&desk), before);
}

#[test]
fn numbers_rise_and_times_do_not_fall() {
    let mut desk = desk();
    desk.settle(1);
    let mut before = shard(&desk).unwrap();
    for _ in 0..5 {
        desk.settle(1);
        let after = shard(&desk).unwrap();
        assert!(after.number > before.number && after.this_update >= before.this_update);
        before = after;
    }
    // The clock went back.
    let row = job(&desk);
    desk.now = now();
    let (writes, _) = hasten(Some(&row), SHARD, desk.now, DAY / 24);
    desk.put(writes);
    desk.now = now().after(DAY / 24);
    desk.settle(1);
    let after = shard(&desk).unwrap();
    assert_eq!(
        (after.number, after.this_update),
        (before.number + 1, before.this_update)
    );
}

#[test]
fn a_revocation_makes_a_run_at_once() {
    let mut desk = desk();
    desk.settle(1);
    assert!(revoke(&mut desk, 7));
    let id = job_id(SHARD);
    let version = desk.view(&[Read::Job(id)]).version(&Read::Job(id)).unwrap();
    desk.job = id;
    let mut run = desk.born(version);
    assert!(desk.run(&mut run, usize::MAX));
    assert_eq!(listed(&desk), [serial(7)].into());
}

#[test]
fn revocations_during_a_run_are_in_the_next_and_hold_none_up() {
    // After each effect of the run, a revocation.
    let mut steps = 0;
    loop {
        let mut desk = desk();
        desk.put(vec![Write::Put(revocation(
            SHARD.0,
            serial(1),
            now().after(DAY),
        ))]);
        let mut run = desk.due(job_id(SHARD));
        if desk.run(&mut run, steps) {
            break;
        }
        let running = job(&desk).attempt != schedule::RESTING;
        assert_eq!(revoke(&mut desk, 2), !running || job(&desk).due <= desk.now);
        desk.run(&mut run, usize::MAX);
        if running {
            assert!(
                listed(&desk).contains(&serial(1)),
                "this run was not held up: {steps}"
            );
        }
        while shard(&desk).is_none() || listed(&desk).len() < 2 {
            desk.settle(1);
        }
        assert_eq!(listed(&desk), [serial(1), serial(2)].into(), "{steps}");
        assert!(desk.now < now().after(DAY / 24), "soon");
        steps += 1;
    }
    assert!(steps > 5);
}

#[test]
fn a_row_that_was_touched_while_it_ran_is_run_again_at_once() {
    let mut desk = desk();
    let mut run = desk.due(job_id(SHARD));
    while desk.signed.is_empty() {
        assert!(!desk.run(&mut run, 1));
    }
    assert!(!revoke(&mut desk, 2), "a run is under way");
    assert!(desk.run(&mut run, usize::MAX));
    assert!(listed(&desk).is_empty());
    let [(id, version)] = desk.spawned[..] else {
        panic!()
    };
    desk.job = id;
    let mut next = desk.born(version);
    assert!(desk.run(&mut next, usize::MAX));
    assert_eq!(listed(&desk), [serial(2)].into());
}

#[test]
fn a_storm_of_revocations_does_not_keep_a_run_from_its_commit() {
    let mut desk = desk();
    let mut run = desk.due(job_id(SHARD));
    while desk.signed.is_empty() {
        assert!(!desk.run(&mut run, 1));
    }
    // Before each of its commits, another revocation.
    for n in 0..40 {
        assert!(!revoke(&mut desk, n), "the run is under way: {n}");
        assert!(!desk.run(&mut run, 2), "it goes on: {n}");
        assert_eq!(shard(&desk), None);
    }
    assert!(desk.run(&mut run, usize::MAX));
    assert!(shard(&desk).is_some());
    assert_eq!(job(&desk).due, desk.now, "and is run again at once");
}

#[test]
fn a_crash_or_a_fault_anywhere_loses_nothing() {
    let config = config();
    let faults = [
        Save::Commits,
        Save::Conflict,
        Save::UnknownMade,
        Save::UnknownLost,
    ];
    for steps in 0..9 {
        for first in faults {
            for second in faults {
                let mut desk = desk_of(&config);
                desk.put(vec![Write::Put(revocation(
                    SHARD.0,
                    serial(1),
                    now().after(DAY),
                ))]);
                desk.saves.extend([first, second]);
                let mut run = desk.due(job_id(SHARD));
                desk.run(&mut run, steps);
                drop(run);
                desk.settle(3);
                assert_eq!(
                    listed(&desk),
                    [serial(1)].into(),
                    "{steps} {first:?} {second:?}"
                );
                assert_eq!(job(&desk).attempt, schedule::RESTING);
            }
        }
    }
}

#[test]
fn without_a_good_signature_there_is_no_crl_and_another_try_soon() {
    for signer in [
        Signer::NotSigned,
        Signer::Unknown,
        Signer::Wrong,
        Signer::Silent,
    ] {
        let mut desk = desk();
        desk.signers.push_back(signer);
        desk.settle(1);
        assert_eq!(shard(&desk), None);
        assert!(job(&desk).due.since(desk.now) <= DAY / 24);
        desk.settle(1);
        assert!(shard(&desk).is_some());
    }
}

#[test]
fn a_reason_that_no_crl_may_have_stops_the_run() {
    let mut desk = desk();
    let Row::Revocation(row) = revocation(SHARD.0, serial(1), now().after(DAY)) else {
        panic!()
    };
    let reason = RevocationReason::CertificateHold;
    desk.put(vec![Write::Put(Row::Revocation(RevocationRow {
        reason,
        ..row
    }))]);
    desk.settle(1);
    assert_eq!((shard(&desk), desk.signed.len()), (None, 0));
}

#[test]
fn a_shard_that_no_issuer_has_is_left_alone() {
    let mut desk = desk();
    let config = world::config();
    let authority = Authority::new(
        vec![issuer("e2")],
        config.authority.profiles().to_vec(),
        config.authority.logs().clone(),
        CrlTiming::default(),
    );
    desk.config = Arc::new(Config {
        authority: authority.unwrap(),
        ..config
    });
    desk.settle(1);
    assert_eq!((shard(&desk), desk.signed.len()), (None, 0));
    assert_eq!(job(&desk).attempt, schedule::RESTING);
}

#[test]
fn hastening_moves_a_row_only_if_nobody_runs_it() {
    let lease = DAY / 24;
    let due = |row: Option<&JobRow>| {
        let (writes, spawn) = hasten(row, SHARD, now(), lease);
        let job = writes.into_iter().find_map(|write| match write {
            Write::Put(Row::Job(row)) => Some((row.due, row.attempt)),
            _ => None,
        });
        (job.unwrap(), spawn.is_some())
    };
    let mut desk = desk();
    let resting = job(&desk);
    let running = JobRow {
        attempt: 3,
        due: now().after(DAY),
        ..resting.clone()
    };
    let dead = JobRow {
        attempt: 3,
        due: now(),
        ..resting.clone()
    };
    assert_eq!(due(None), ((now().after(lease), 1), true));
    assert_eq!(due(Some(&resting)), ((now().after(lease), 1), true));
    assert_eq!(due(Some(&running)), ((now().after(DAY), 3), false));
    assert_eq!(due(Some(&dead)), ((now().after(lease), 4), true));
    desk.settle(1);
}
