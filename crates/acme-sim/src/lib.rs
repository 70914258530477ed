//! One thread, one seed, virtual time: the real client core against the real CA core on the
//! reference store, in a world that loses, delays, repeats and reorders messages and answers,
//! fails saves and commits, and crashes either side at any step.
//!
//! After every commit and every signature the invariants are checked; when the faults stop, every
//! order must end. The same seed gives the same trace, to the byte.
//!
//! ```
//! use acme_sim::{Faults, World};
//!
//! let report = World::new(7).with(Faults::ALL).run().expect("no invariant breaks");
//! assert_eq!(report.hash, World::new(7).with(Faults::ALL).run().expect("the same").hash);
//! ```

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod authority;
mod ca_node;
mod client_node;
mod faults;
mod in_process;
mod ledger;
mod perform;
mod queue;
mod random;
mod run;
mod trace;
mod truth;
mod world;

pub use faults::{Faults, Plant};
pub use in_process::InProcessCa;
pub use ledger::Violation;
pub use random::Random;
pub use trace::Trace;
pub use world::{Failed, Report, World};

/// The world could not be built: an error of one of the cores that no seed should cause.
#[derive(Debug)]
pub struct Broken(Box<dyn std::error::Error + Send + Sync>);

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Broken {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl From<Broken> for Box<dyn std::error::Error> {
    fn from(broken: Broken) -> Self {
        broken.0
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the world can't be built: {}", self.0)
    }
}
