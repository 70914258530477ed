//! Sees what the client does, when it does it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use acme_client::progress::{Observer, Progress};

/// The client's steps with their times.
#[derive(Clone, Default)]
pub(crate) struct Witness(Arc<Mutex<Vec<(Instant, Progress)>>>);

impl Witness {
    pub(crate) fn observer(&self) -> Observer {
        let seen = self.clone();
        Observer::new(move |progress| seen.lock().push((Instant::now(), progress.clone())))
    }

    /// The first request to such a path at or after the `from`th thing seen: its place, and what
    /// was requested.
    pub(crate) fn request(&self, from: usize, part: &str) -> Option<(usize, String)> {
        self.lock()
            .iter()
            .enumerate()
            .skip(from)
            .find_map(|(place, (_, seen))| match seen {
                Progress::Sending { method, uri } if uri.path().contains(part) => {
                    Some((place, format!("{method} {uri}")))
                }
                _ => None,
            })
    }

    /// How many responses since the `from`th thing seen came from such a path, and how many of
    /// them were a success.
    pub(crate) fn responses(&self, from: usize, part: &str) -> (usize, usize) {
        let (mut all, mut good) = (0, 0);
        for (_, seen) in self.lock().iter().skip(from) {
            if let Progress::Received { uri, status, .. } = seen
                && uri.path().contains(part)
            {
                all += 1;
                good += usize::from(status.is_success());
            }
        }
        (all, good)
    }

    /// What was presented since the `from`th thing seen.
    pub(crate) fn presented(&self, from: usize) -> Vec<String> {
        let told = |(_, seen): &(Instant, Progress)| match seen {
            Progress::Presented(_, response) => Some(format!(
                "{} for {}",
                response.challenge_type(),
                response.identifier()
            )),
            _ => None,
        };
        self.lock().iter().skip(from).filter_map(told).collect()
    }

    /// The time between the things seen at two places.
    pub(crate) fn between(&self, from: usize, to: usize) -> Duration {
        let seen = self.lock();
        match (seen.get(from), seen.get(to)) {
            (Some((from, _)), Some((to, _))) => to.saturating_duration_since(*from),
            _ => Duration::ZERO,
        }
    }

    /// How much was seen.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Instant, Progress)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
