//! Which job may have published what.
//!
//! A CA may give two orders of one account the same pending authorization: two jobs then publish
//! the same response. It is retracted when the last of them is done with it.

use std::collections::BTreeMap;

use super::job::Job;
use crate::ChallengeResponse;

#[derive(Debug, Default)]
pub(crate) struct Publications {
    /// How many jobs hold a response.
    holders: BTreeMap<ChallengeResponse, usize>,
    /// How many retractions of it are in flight.
    retracting: BTreeMap<ChallengeResponse, usize>,
}

impl Publications {
    /// Counts what a job holds now instead of what it held before.
    pub(crate) fn recount(&mut self, job: &mut Job) {
        let now = job.flow.publications();
        let before = job.published.replace(now.clone()).unwrap_or_default();
        for gone in before.difference(&now) {
            lower(&mut self.holders, gone);
        }
        for new in now.difference(&before) {
            raise(&mut self.holders, new);
        }
    }

    /// Does more than one job hold it?
    pub(crate) fn is_shared(&self, response: &ChallengeResponse) -> bool {
        self.holders
            .get(response)
            .is_some_and(|holders| *holders > 1)
    }

    /// Is it being retracted for some job?
    pub(crate) fn is_retracting(&self, response: &ChallengeResponse) -> bool {
        self.retracting.contains_key(response)
    }

    pub(crate) fn begin_retraction(&mut self, response: &ChallengeResponse) {
        raise(&mut self.retracting, response);
    }

    pub(crate) fn end_retraction(&mut self, response: &ChallengeResponse) {
        lower(&mut self.retracting, response);
    }
}

fn raise(counts: &mut BTreeMap<ChallengeResponse, usize>, response: &ChallengeResponse) {
    let count = counts.entry(response.clone()).or_default();
    *count = count.saturating_add(1);
}

fn lower(counts: &mut BTreeMap<ChallengeResponse, usize>, response: &ChallengeResponse) {
    if let Some(count) = counts.get_mut(response) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(response);
        }
    }
}
