//! The story as it is told: numbered steps, what was proved in each, how long it took.

use std::fmt;
use std::time::{Duration, Instant};

/// A step that couldn't be proved, and why.
#[derive(Debug)]
pub(crate) struct Unproved(pub(crate) String);

impl fmt::Display for Unproved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Unproved {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        Self(text)
    }
}

pub(crate) type Proved<T> = Result<T, Unproved>;

/// Not so: the check failed.
pub(crate) fn ensure(holds: bool, what: impl Into<String>) -> Proved<()> {
    if holds {
        Ok(())
    } else {
        Err(Unproved(what.into()))
    }
}

/// The storyteller.
pub(crate) struct Story {
    steps: Vec<Step>,
    begun: Instant,
    step_begun: Instant,
}

struct Step {
    title: String,
    proved: String,
    took: Duration,
}

impl Story {
    pub(crate) fn begin(title: &str) -> Self {
        println!("{title}\n");
        let now = Instant::now();
        Self {
            steps: Vec::new(),
            begun: now,
            step_begun: now,
        }
    }

    /// A step begins.
    pub(crate) fn step(&mut self, title: &str) {
        self.step_begun = Instant::now();
        println!("{:>2}. {title}", self.steps.len() + 1);
        self.steps.push(Step {
            title: title.to_owned(),
            proved: String::new(),
            took: Duration::ZERO,
        });
    }

    /// Something was sent, seen or checked.
    pub(crate) fn note(&self, text: impl fmt::Display) {
        println!("      {text}");
    }

    /// The step is done, and this is proved.
    pub(crate) fn proved(&mut self, what: impl Into<String>) {
        self.proved_in(what, self.step_begun.elapsed());
    }

    /// The same for what took its time before it could be told.
    pub(crate) fn proved_in(&mut self, what: impl Into<String>, took: Duration) {
        if let Some(step) = self.steps.last_mut() {
            step.proved = what.into();
            step.took = took;
            println!("    ✓ {} ({})\n", step.proved, millis(took));
        }
    }

    /// The step that was under way.
    pub(crate) fn current(&self) -> &str {
        self.steps
            .last()
            .map_or("the beginning", |step| &step.title)
    }

    /// The last table.
    pub(crate) fn end(&self) {
        let width = |get: fn(&Step) -> &String| {
            self.steps
                .iter()
                .map(|step| get(step).chars().count())
                .max()
                .unwrap_or(0)
        };
        let (titles, proofs) = (width(|step| &step.title), width(|step| &step.proved));
        println!(
            "     {:titles$}  {:proofs$}  {:>9}",
            "step", "what was proved", "time"
        );
        for (place, step) in self.steps.iter().enumerate() {
            println!(
                "{:>3}. {:titles$}  {:proofs$}  {:>9}",
                place + 1,
                step.title,
                step.proved,
                millis(step.took)
            );
        }
        println!(
            "\nAll {} steps in {}.",
            self.steps.len(),
            millis(self.begun.elapsed())
        );
    }
}

fn millis(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1000.0)
}
