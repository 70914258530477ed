//! Nonces to spend (RFC 8555 §6.5), and who waits for one.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use acme_types::{Nonce, Timestamp};

use crate::JobId;
use crate::flow::Slot;

/// The most nonces kept: more than requests are in flight at once serve nobody.
const POOL_MAX: usize = 32;
/// Servers forget nonces after hours, some sooner. One that is refused costs a round trip, as
/// fetching one does.
const AGE_MAX: Duration = Duration::from_secs(30 * 60);
/// How many nonces are remembered, so that one that a server gives twice isn't used twice.
const REMEMBERED_MAX: usize = 1_024;
/// The most requests for nonces in flight. Requests in flight bring nonces back themselves.
const FETCHES_MAX: usize = 4;

/// The pool. A nonce has one owner: it is moved out, and never comes back once it was sent.
#[derive(Debug, Default)]
pub(crate) struct Nonces {
    pool: Vec<(Timestamp, Nonce)>,
    remembered: BTreeSet<Nonce>,
    remembered_by_age: VecDeque<Nonce>,
    waiting: VecDeque<(JobId, Slot)>,
    pub(crate) fetches: usize,
    /// Fetches that failed one after another.
    pub(crate) failures: u32,
    /// No fetch before the timer that was set for it.
    pub(crate) resting: bool,
}

impl Nonces {
    /// Takes in a nonce that a reply brought. Is it a new one?
    pub(crate) fn bring(&mut self, nonce: Nonce, now: Timestamp) -> bool {
        if !self.remembered.insert(nonce.clone()) {
            return false;
        }
        self.remembered_by_age.push_back(nonce.clone());
        if self.remembered_by_age.len() > REMEMBERED_MAX
            && let Some(oldest) = self.remembered_by_age.pop_front()
        {
            self.remembered.remove(&oldest);
        }
        if self.pool.len() >= POOL_MAX {
            self.pool.remove(0);
        }
        self.pool.push((now, nonce));
        self.failures = 0;
        true
    }

    /// Puts back a nonce that was never sent.
    pub(crate) fn put_back(&mut self, nonce: Nonce, now: Timestamp) {
        if self.pool.len() < POOL_MAX {
            self.pool.push((now, nonce));
        }
    }

    /// The youngest: it has the best chance.
    pub(crate) fn take(&mut self, now: Timestamp) -> Option<Nonce> {
        let oldest = now.before(AGE_MAX);
        self.pool.retain(|(at, _)| *at >= oldest);
        self.pool.pop().map(|(_, nonce)| nonce)
    }

    pub(crate) fn wait(&mut self, job: JobId, slot: Slot) {
        self.waiting.push_back((job, slot));
    }

    /// Who is served next, and with what.
    pub(crate) fn serve(&mut self, now: Timestamp) -> Option<(JobId, Slot, Nonce)> {
        if self.waiting.is_empty() {
            return None;
        }
        let nonce = self.take(now)?;
        let (job, slot) = self.waiting.pop_front()?;
        Some((job, slot, nonce))
    }

    /// Everybody who waits, to be told that there is none.
    pub(crate) fn dismiss(&mut self) -> VecDeque<(JobId, Slot)> {
        std::mem::take(&mut self.waiting)
    }

    /// Should another one be asked for?
    pub(crate) fn should_fetch(&self) -> bool {
        !self.resting && self.fetches < FETCHES_MAX.min(self.waiting.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonce(number: usize) -> Nonce {
        Nonce::parse(&format!("nonce-{number:08}")).expect("base64url")
    }

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[test]
    fn a_nonce_that_comes_twice_is_given_out_once() {
        let mut nonces = Nonces::default();
        nonces.bring(nonce(1), NOW);
        assert_eq!(nonces.take(NOW), Some(nonce(1)));
        nonces.bring(nonce(1), NOW);
        assert_eq!(nonces.take(NOW), None);
    }

    #[test]
    fn old_nonces_are_forgotten() {
        let mut nonces = Nonces::default();
        nonces.bring(nonce(1), NOW);
        assert_eq!(
            nonces.take(NOW.after(AGE_MAX + Duration::from_secs(1))),
            None
        );
    }

    #[test]
    fn a_flood_of_nonces_takes_bounded_memory() {
        let mut nonces = Nonces::default();
        for number in 0..10_000 {
            nonces.bring(nonce(number), NOW);
        }
        assert_eq!(nonces.pool.len(), POOL_MAX);
        assert_eq!(nonces.remembered.len(), REMEMBERED_MAX);
        assert_eq!(nonces.take(NOW), Some(nonce(9_999)));
    }
}
