//! The loop that runs the machine on tokio.

use std::io;
use std::time::Duration;

use acme_client_core::{
    AccountIntent, Client, Config, Event, JobId, Outcome, Record, Snapshot, SnapshotError, Step,
};
use acme_types::{Answer, Ticket, Timestamp};
use tokio::task::JoinSet;

use crate::clock;
use crate::perform::Shell;
use crate::progress::Progress;

/// The longest sleep in one go: the wall clock may be set meanwhile.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// Runs one [`Client`]. Whoever owns it asks it for what [`Driver::next`] has to tell; dropped,
/// it forgets what is in flight, as a crash would.
#[derive(Debug)]
pub struct Driver {
    client: Client,
    shell: Shell,
    /// Effects that are being performed; those that give no answer leave the machine's deadline
    /// to pass.
    tasks: JoinSet<Option<Answer<Outcome>>>,
}

/// What a driver has to tell.
#[derive(Debug)]
pub enum Next {
    /// An event. When it is kept, [`Driver::kept`] takes the ticket; else it is told again.
    Event(JobId, Event, Ticket<Event>),
    /// Nothing is in flight, and nothing to do before this time. [`Timestamp::NEVER`]: finished.
    Idle(Timestamp),
}

/// Why a driver can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The snapshots, or randomness, can't be read.
    #[error("what was saved can't be read")]
    Read(#[source] io::Error),
    /// The snapshots can't be restored.
    #[error("what was saved can't be restored")]
    Restore(#[from] SnapshotError),
}

impl Driver {
    /// Goes on from what the store has. `account` counts until the account has been opened: to
    /// start again with terms agreed to, or with a binding, is how those that were missing are
    /// given. Jobs in the store are taken up if `takes` says so: the others rest untouched.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(
        config: Config,
        account: AccountIntent,
        shell: Shell,
        takes: impl Fn(JobId) -> bool,
    ) -> Result<Self, StartError> {
        let mut snapshots = shell.store.load().map_err(StartError::Read)?;
        snapshots.retain(|snapshot| match snapshot.record() {
            Record::Account => true,
            Record::Job(id) => takes(id),
        });
        let restore = |snapshots: Vec<Snapshot>| -> Result<Client, StartError> {
            let seed = clock::fresh_number().map_err(StartError::Read)?;
            let (config, account) = (config.clone(), account.clone());
            Ok(Client::restore(
                config,
                account,
                snapshots,
                seed,
                clock::now(),
            )?)
        };
        let mut client = restore(snapshots.clone())?;
        if client.account_url().is_none() {
            snapshots.retain(|snapshot| snapshot.record() != Record::Account);
            client = restore(snapshots)?;
        }
        Ok(Self {
            client,
            shell,
            tasks: JoinSet::new(),
        })
    }

    /// The machine, to ask it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The machine, to give it jobs. It is polled by [`Driver::next`] only.
    pub fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    /// What its effects are performed with.
    pub fn shell(&self) -> &Shell {
        &self.shell
    }

    /// Performs what is to be done until there is something to tell. May be dropped and called
    /// anew: nothing is lost.
    pub async fn next(&mut self) -> Next {
        loop {
            while let Some(done) = self.tasks.try_join_next() {
                self.take(done);
            }
            let now = clock::now();
            match self.client.poll(now) {
                Step::Event(id, event, ticket) => return Next::Event(id, event, ticket),
                Step::Wait(at) if at > now && self.tasks.is_empty() => return Next::Idle(at),
                Step::Wait(at) if at > now => {
                    tokio::select! {
                        Some(done) = self.tasks.join_next() => self.take(done),
                        () = sleep_until(at) => {}
                    }
                }
                // It has more to do than one call may: others get their turn.
                Step::Wait(_) => tokio::task::yield_now().await,
                step => self.perform(step),
            }
        }
    }

    /// As [`Driver::next`], sleeping while nothing is to be done. `None`: finished.
    pub async fn next_event(&mut self) -> Option<(JobId, Event, Ticket<Event>)> {
        loop {
            match self.next().await {
                Next::Event(id, event, ticket) => return Some((id, event, ticket)),
                Next::Idle(Timestamp::NEVER) => return None,
                Next::Idle(at) => self.rest(at).await,
            }
        }
    }

    /// Sleeps until then, and says so to the observer.
    pub async fn rest(&self, until: Timestamp) {
        if until != Timestamp::NEVER {
            self.shell.observer.tell(&Progress::Waiting(until));
        }
        sleep_until(until).await;
    }

    /// The event is kept: it won't be told again.
    pub fn kept(&mut self, ticket: Ticket<Event>) {
        if self.client.answer(ticket, (), clock::now()).is_err() {
            tracing::debug!("an event was kept that is no longer told");
        }
    }

    fn take(&mut self, done: Result<Option<Answer<Outcome>>, tokio::task::JoinError>) {
        match done {
            Ok(Some(answer)) => {
                if let Err(misuse) = self.client.accept(answer, clock::now()) {
                    tracing::debug!(%misuse, "an answer came too late");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "an effect was not performed"),
        }
    }

    fn perform(&mut self, step: Step) {
        let shell = self.shell.clone();
        match step {
            Step::Http(fetch, ticket) => {
                self.tasks
                    .spawn(async move { Some(ticket.with(shell.fetch(fetch).await)) });
            }
            Step::Sign(key, input, ticket) => {
                self.tasks
                    .spawn(async move { Some(ticket.with(shell.signer.sign(&key, &input).await)) });
            }
            Step::Save(_, snapshot, ticket) => {
                self.tasks
                    .spawn(async move { Some(ticket.with(shell.save(snapshot).await)) });
            }
            Step::Present(id, response, ticket) => {
                self.tasks
                    .spawn(async move { Some(ticket.with(shell.present(id, response).await)) });
            }
            Step::Retract(id, response, ticket) => {
                self.tasks
                    .spawn(async move { Some(ticket.with(shell.retract(id, response).await)) });
            }
            // Those that call this have dealt with them.
            Step::Event(..) | Step::Wait(_) => {}
        }
    }
}

async fn sleep_until(at: Timestamp) {
    loop {
        let left = at.since(clock::now());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(SLEEP_MAX)).await;
    }
}
