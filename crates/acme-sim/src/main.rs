//! `acme-sim --seeds 200`, or `--seed N --trace` to replay one.

use std::process::ExitCode;
use std::time::Instant;

use acme_sim::{Faults, World};

const USAGE: &str = "usage: acme-sim [--seed N] [--seeds COUNT] [--calm] [--trace]

  --seed N       the (first) seed [default: 0]
  --seeds COUNT  how many seeds, counted up from the first [default: 1]
  --calm         a world without faults
  --trace        print what happened, event by event";

struct Arguments {
    first: u64,
    count: u64,
    faults: Faults,
    trace: bool,
}

fn main() -> ExitCode {
    let Some(arguments) = read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let begun = Instant::now();
    let (mut events, mut crashes, mut commits, mut issued, mut failed) = (0, 0, 0, 0, 0u64);
    for seed in arguments.first..arguments.first.saturating_add(arguments.count) {
        let world = World::new(seed).with(arguments.faults);
        let world = if arguments.trace {
            world.traced()
        } else {
            world
        };
        match world.run() {
            Ok(report) => {
                report.lines.iter().for_each(|line| println!("{line}"));
                if arguments.count == 1 {
                    println!("seed {seed}: trace {} after {:?}", report.hash, report.took);
                }
                events += report.events;
                crashes += report.crashes;
                commits += report.commits;
                issued += report.issued;
            }
            Err(bad) => {
                bad.lines.iter().for_each(|line| println!("{line}"));
                println!("FAILED {bad}");
                failed += 1;
            }
        }
    }
    println!(
        "{} seeds, {failed} failed: {events} events, {commits} commits, {crashes} crashes, \
         {issued} certificates in {:.1} s",
        arguments.count,
        begun.elapsed().as_secs_f64()
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn read(mut words: impl Iterator<Item = String>) -> Option<Arguments> {
    let mut arguments = Arguments {
        first: 0,
        count: 1,
        faults: Faults::ALL,
        trace: false,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seed" => arguments.first = words.next()?.parse().ok()?,
            "--seeds" => arguments.count = words.next()?.parse().ok()?,
            "--calm" => arguments.faults = Faults::NONE,
            "--trace" => arguments.trace = true,
            _ => return None,
        }
    }
    Some(arguments)
}
