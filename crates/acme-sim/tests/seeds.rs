//! The simulation's seeds. A failing one prints the command that replays it.

use acme_sim::{Faults, Plant, World};

const SEEDS: u64 = 200;

fn check(seed: u64) {
    if let Err(failed) = World::new(seed).with(Faults::ALL).run() {
        panic!("{failed}");
    }
}

/// The number of the first seed that catches the bug, of at most [`SEEDS`].
fn caught(plant: Plant) -> Option<(u64, String)> {
    let run = |seed| {
        World::new(seed)
            .with(Faults::ALL)
            .planted(plant)
            .run()
            .err()
    };
    (0..SEEDS).find_map(|seed| Some((seed + 1, run(seed)?.violation.0)))
}

fn is_caught(plant: Plant) {
    let (seeds, violation) = caught(plant).expect("no seed catches the planted bug");
    println!("{plant:?} was caught at seed {seeds}: {violation}");
}

#[test]
fn a_calm_world_ends_with_two_certificates_for_each_client() {
    let report = World::new(0)
        .run()
        .unwrap_or_else(|failed| panic!("{failed}"));
    assert_eq!(report.issued, 6);
    assert_eq!(report.crashes, 0);
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let hash = || {
        World::new(42)
            .with(Faults::ALL)
            .run()
            .map(|report| report.hash)
    };
    assert_eq!(hash(), hash());
    assert_ne!(
        hash(),
        World::new(43)
            .with(Faults::ALL)
            .run()
            .map(|report| report.hash)
    );
}

#[test]
fn invariants_hold_in_a_hundred_worlds() {
    (0..SEEDS / 2).for_each(check);
}

#[test]
fn invariants_hold_in_another_hundred_worlds() {
    (SEEDS / 2..SEEDS).for_each(check);
}

#[test]
fn a_store_that_ignores_guards_is_caught() {
    is_caught(Plant::GuardsIgnored);
}

#[test]
fn a_store_that_skips_its_sync_is_caught() {
    is_caught(Plant::SyncSkipped);
}

#[test]
fn a_server_that_forgets_due_jobs_is_caught() {
    is_caught(Plant::DueJobsForgotten);
}
