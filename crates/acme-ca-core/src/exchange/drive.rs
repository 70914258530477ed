use acme_types::{Nonce, Timestamp};

use super::{Exchange, Step};
use crate::effect::{Redeemed, Unavailable};
use crate::schema::{Commit, Committed, JobId, Loaded, Read, Scan, Version};

/// What an exchange needs of the world, as blocking calls: for embedding, tests and examples. A
/// server with many requests at once writes its own loop around [`Exchange::poll`].
pub trait World {
    /// Redeems a nonce, once.
    fn redeem(&mut self, nonce: &Nonce) -> Redeemed;
    /// Loads rows, at one durable point in time.
    ///
    /// # Errors
    /// The store can't be had.
    fn load(&mut self, reads: &[Read]) -> Result<Loaded, Unavailable>;
    /// Scans for keys.
    ///
    /// # Errors
    /// The store can't be had.
    fn scan(&mut self, scan: &Scan) -> Result<Vec<Read>, Unavailable>;
    /// Commits.
    fn commit(&mut self, commit: &Commit) -> Committed;
    /// Starts a job, or leaves it to the due scan.
    fn spawn(&mut self, job: JobId, version: Version);
}

/// Runs an exchange to its end, at one moment. `None` if it was finished before.
pub fn drive<W: World>(
    exchange: &mut Exchange,
    world: &mut W,
    now: Timestamp,
) -> Option<http::Response<Vec<u8>>> {
    loop {
        let answered = match exchange.poll(now) {
            Step::Redeem(nonce, ticket) => {
                let redeemed = world.redeem(&nonce);
                exchange.answer(ticket, redeemed, now)
            }
            Step::Load(reads, ticket) => {
                let loaded = world.load(&reads);
                exchange.answer(ticket, loaded, now)
            }
            Step::Scan(scan, ticket) => {
                let found = world.scan(&scan);
                exchange.answer(ticket, found, now)
            }
            Step::Commit(commit, ticket) => {
                let committed = world.commit(&commit);
                exchange.answer(ticket, committed, now)
            }
            Step::Spawn(job, version) => {
                world.spawn(job, version);
                Ok(())
            }
            Step::Reply(response) => return Some(response),
            Step::Wait(_) => return None,
        };
        // Every ticket is answered right here, so none can be foreign or late.
        if answered.is_err() {
            return None;
        }
    }
}
