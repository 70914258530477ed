use std::time::Duration;

use crate::faults::{Faults, Plant};
use crate::ledger::Violation;
use crate::run::{BEGIN, Run};

/// A world. See [`crate`].
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) seed: u64,
    pub(crate) faults: Faults,
    pub(crate) plant: Plant,
    pub(crate) clients_wanted: usize,
    pub(crate) keep_trace: bool,
}

/// A world that ended well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The trace's hash.
    pub hash: String,
    /// How many events there were.
    pub events: u64,
    /// How many crashes, of either side.
    pub crashes: u64,
    /// How many commits were durable.
    pub commits: u64,
    /// How many certificates clients kept.
    pub issued: usize,
    /// How much virtual time it took.
    pub took: Duration,
    /// The trace, if it was asked for.
    pub lines: Vec<String>,
}

/// A world that ended badly.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failed {
    /// The seed that leads there.
    pub seed: u64,
    /// Which invariant broke.
    pub violation: Violation,
    /// When, in virtual time since the beginning.
    pub after: Duration,
    /// The trace, if it was asked for.
    pub lines: Vec<String>,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "seed {}: {} (after {:?})\n  replay: cargo run -p acme-sim -- --seed {} --trace",
            self.seed, self.violation.0, self.after, self.seed
        )
    }
}

impl World {
    /// The world of this seed, with three clients, an impostor, and no faults.
    pub fn new(seed: u64) -> Self {
        let (faults, plant) = (Faults::NONE, Plant::Nothing);
        Self {
            seed,
            faults,
            plant,
            clients_wanted: 3,
            keep_trace: false,
        }
    }

    /// With these faults.
    pub fn with(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// With a planted bug.
    pub fn planted(mut self, plant: Plant) -> Self {
        self.plant = plant;
        self
    }

    /// Keeps the trace's lines.
    pub fn traced(mut self) -> Self {
        self.keep_trace = true;
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// [`Failed`], with the invariant that broke and the command that replays it.
    pub fn run(self) -> Result<Report, Failed> {
        let seed = self.seed;
        let mut run = match Run::new(self) {
            Ok(run) => run,
            Err(broken) => {
                let violation = Violation(broken.to_string());
                return Err(Failed {
                    seed,
                    violation,
                    after: Duration::ZERO,
                    lines: Vec::new(),
                });
            }
        };
        match run.run_out() {
            Ok(()) => Ok(run.report()),
            Err(violation) => Err(Failed {
                seed,
                violation,
                after: run.now.since(BEGIN),
                lines: run.trace.lines().to_vec(),
            }),
        }
    }
}
