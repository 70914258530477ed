//! One account at one CA, and any number of jobs.
//!
//! The flows say what they want; the client adds nonces, signatures, back-off, saves and turns.
//! Every wish goes through the same few phases (wait, nonce, sign, send) and every outcome comes
//! back by a ticket, so there is one place for each rule of [`crate`]'s convention.

mod answer;
mod backoff;
mod desk;
mod job;
mod nonces;
mod poll;
mod progress;
mod publications;
mod reconcile;
mod request;
mod timers;

use std::collections::BTreeMap;

use acme_jws::Thumbprint;
use acme_types::{Timestamp, Url};
use desk::Desk;
use job::{Flow, Job, State, Stored};

use crate::flow::{AccountFlow, AccountKey, Ground, IssueFlow, Need, RenewalFlow, RevokeFlow};
use crate::operation::Endpoints;
use crate::snapshot::SnapshotError;
use crate::{AccountIntent, Config, IssueJob, JobId, Record, RenewalJob, RevokeJob, Snapshot};

/// The machine. See [`crate`] for how to drive it.
pub struct Client {
    config: Config,
    standing: Standing,
    jobs: BTreeMap<JobId, Job>,
    desk: Desk,
}

/// What the account job has reached, for all others to stand on.
struct Standing {
    endpoints: Option<Endpoints>,
    url: Option<Url>,
    thumbprint: Thumbprint,
    key: AccountKey,
}

/// Why a job is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Untaken {
    /// There is a job of this name.
    #[error("there is a job of this name already")]
    NameTaken,
    /// [`JobId::ACCOUNT`] is no job's name.
    #[error("this name is the account's")]
    NameReserved,
    /// RFC 8555 §11.1: the account's key must not be a certificate's.
    #[error("the certificate's key is the account's key")]
    KeyReused,
    /// The CSR can't be read.
    #[error("the certificate signing request can't be read")]
    BadCsr,
}

/// Where a job stands, for a display.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum JobStatus {
    /// It waits for its turn, or for the account.
    Queued,
    /// It is at work.
    Active,
    /// It goes on at this time. [`Timestamp::NEVER`]: it is ending.
    Resting(Timestamp),
}

impl Client {
    /// A client of this account, with no job yet. `seed` must be fresh at every start; it names
    /// the tickets and spreads the waits, and no secret depends on it.
    pub fn new(config: Config, account: AccountIntent, seed: u64, now: Timestamp) -> Self {
        let flow = AccountFlow::new(&config, account);
        let standing = Standing::of(&flow);
        let jobs = BTreeMap::from([(JobId::ACCOUNT, Job::new(Flow::Account(flow), now))]);
        Self::with(config, standing, jobs, seed, now)
    }

    /// Goes on from what was saved: the snapshots of the account and of its jobs, the highest
    /// revision of each. Whatever was not answered is asked for again; what is at the CA is read
    /// again before anything is repeated. `account` counts only if the account was never saved.
    /// `seed` must be fresh.
    ///
    /// # Errors
    /// A snapshot of an unknown format, a malformed one, two of one record.
    pub fn restore(
        config: Config,
        account: AccountIntent,
        snapshots: impl IntoIterator<Item = Snapshot>,
        seed: u64,
        now: Timestamp,
    ) -> Result<Self, SnapshotError> {
        let mut jobs = BTreeMap::new();
        for snapshot in snapshots.into_iter().filter(|snapshot| !snapshot.ended()) {
            let id = match snapshot.record() {
                Record::Account => JobId::ACCOUNT,
                Record::Job(JobId::ACCOUNT) => return Err(SnapshotError::Malformed),
                Record::Job(id) => id,
            };
            let stored: Stored = snapshot.body()?;
            let job = Job::restore(&config, stored, snapshot.revision(), now)?;
            if matches!(job.flow, Flow::Account(_)) != (id == JobId::ACCOUNT) {
                return Err(SnapshotError::Malformed);
            }
            if jobs.insert(id, job).is_some() {
                return Err(SnapshotError::Duplicate);
            }
        }
        let known = jobs.get(&JobId::ACCOUNT).map(|job| &job.flow);
        let standing = if let Some(Flow::Account(flow)) = known {
            Standing::of(flow)
        } else {
            let flow = AccountFlow::new(&config, account);
            let standing = Standing::of(&flow);
            jobs.insert(JobId::ACCOUNT, Job::new(Flow::Account(flow), now));
            standing
        };
        Ok(Self::with(config, standing, jobs, seed, now))
    }

    fn with(
        config: Config,
        standing: Standing,
        jobs: BTreeMap<JobId, Job>,
        seed: u64,
        now: Timestamp,
    ) -> Self {
        let mut client = Self {
            config,
            standing,
            jobs,
            desk: Desk::new(seed),
        };
        let ids: Vec<JobId> = client.jobs.keys().copied().collect();
        for id in ids {
            client.take_up(id, now);
        }
        client
    }

    /// Has a certificate issued. Ends in [`crate::Event::Issued`] or [`crate::Event::Failed`].
    ///
    /// # Errors
    /// The name is taken or reserved, or the key is the account's.
    pub fn issue(&mut self, id: JobId, job: IssueJob, now: Timestamp) -> Result<(), Untaken> {
        let flow = IssueFlow::new(job).map_err(|_| Untaken::BadCsr)?;
        if flow.public_key() == self.standing.key.jwk().public_key() {
            return Err(Untaken::KeyReused);
        }
        self.submit(id, Flow::Issue(flow), now)
    }

    /// Has a certificate revoked. Ends in [`crate::Event::Revoked`] or [`crate::Event::Failed`].
    ///
    /// # Errors
    /// The name is taken or reserved.
    pub fn revoke(&mut self, id: JobId, job: RevokeJob, now: Timestamp) -> Result<(), Untaken> {
        self.submit(id, Flow::Revoke(RevokeFlow::new(job)), now)
    }

    /// Watches for the time to renew a certificate: [`crate::Event::RenewAt`] whenever it is
    /// decided anew, and once more when it has come, which ends the job.
    ///
    /// # Errors
    /// The name is taken or reserved.
    pub fn watch(&mut self, id: JobId, job: RenewalJob, now: Timestamp) -> Result<(), Untaken> {
        self.submit(id, Flow::Renewal(RenewalFlow::new(job)), now)
    }

    /// Makes sure that the account exists, without a job that needs it. Ends in
    /// [`crate::Event::AccountReady`] if it didn't.
    pub fn open_account(&mut self, now: Timestamp) {
        self.need(Need::Account, now);
    }

    /// Ends a job in good order: what it published is retracted, then it is gone. Does nothing if
    /// there is no such job.
    pub fn cancel(&mut self, id: JobId, now: Timestamp) {
        if id == JobId::ACCOUNT {
            return;
        }
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.flow.cancel();
        job.notice = None;
        reconcile::leave_turn(id, job, &mut self.desk, Timestamp::NEVER);
        self.tidy(id, now);
    }

    /// Lets a job that rests, or the account, try again at once: somebody has done what was
    /// needed.
    pub fn wake(&mut self, id: JobId, now: Timestamp) {
        if let Some(job) = self.jobs.get(&id)
            && matches!(job.state, State::Resting(until) if until != Timestamp::NEVER)
        {
            self.take_turn_again(id, now);
        }
    }

    /// The account's URL, once it is known.
    pub fn account_url(&self) -> Option<&Url> {
        self.standing.url.as_ref()
    }

    /// The CA's directory, once it was read.
    pub fn endpoints(&self) -> Option<&Endpoints> {
        self.standing.endpoints.as_ref()
    }

    /// Where this job stands; `None` if there is none of this name: it has ended.
    pub fn status(&self, id: JobId) -> Option<JobStatus> {
        self.jobs.get(&id).map(|job| match job.state {
            State::Queued => JobStatus::Queued,
            State::Active => JobStatus::Active,
            State::Resting(until) => JobStatus::Resting(until),
        })
    }

    /// How many jobs there are, the account not counted.
    pub fn jobs(&self) -> usize {
        self.jobs.len().saturating_sub(1)
    }

    /// How many effects are awaited.
    pub fn awaited(&self) -> usize {
        self.desk.awaited()
    }

    fn submit(&mut self, id: JobId, flow: Flow, now: Timestamp) -> Result<(), Untaken> {
        if id == JobId::ACCOUNT {
            return Err(Untaken::NameReserved);
        }
        if self.jobs.contains_key(&id) {
            return Err(Untaken::NameTaken);
        }
        self.jobs.insert(id, Job::new(flow, now));
        self.take_up(id, now);
        Ok(())
    }
}

impl Standing {
    fn of(account: &AccountFlow) -> Self {
        Self {
            endpoints: account.endpoints().cloned(),
            url: account.url().cloned(),
            thumbprint: *account.thumbprint(),
            key: account.key().clone(),
        }
    }

    fn ground<'a>(&'a self, config: &'a Config, now: Timestamp, jitter: u64) -> Option<Ground<'a>> {
        let endpoints = self.endpoints.as_ref()?;
        let account = self.url.as_ref();
        Some(Ground {
            config,
            endpoints,
            account,
            thumbprint: &self.thumbprint,
            now,
            jitter,
        })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("account", &self.standing.url)
            .field("jobs", &self.jobs())
            .field("active", &self.desk.active)
            .field("awaited", &self.awaited())
            .finish_non_exhaustive()
    }
}
