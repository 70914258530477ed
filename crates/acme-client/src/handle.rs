//! A driver in a task of its own, and the handle by which any number of others use it.

use std::collections::BTreeMap;

use acme_client_core::{
    Event, Failure, IssueJob, Issued, JobId, JobStatus, RenewAt, RenewalJob, RevokeJob, Untaken,
};
use acme_types::{Ticket, Timestamp, Url};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::clock;
use crate::driver::{Driver, Next};

/// Commands that wait for the driver; who sends more waits himself.
const COMMANDS_MAX: usize = 64;

/// Uses a [`Driver`] that runs in a task. Cheap to clone. When the last one is dropped the driver
/// ends, as a crash would end it: what was under way goes on at the next start.
#[derive(Clone, Debug)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
}

/// A job for the machine.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Job {
    /// Has a certificate issued.
    Issue(IssueJob),
    /// Has one revoked.
    Revoke(RevokeJob),
    /// Watches when one is to be renewed.
    Watch(RenewalJob),
}

/// What a job tells, in order.
#[derive(Debug)]
pub struct Events {
    received: mpsc::UnboundedReceiver<Told>,
}

/// Something that a job, or the account, told. If it is dropped without [`Told::kept`], it will
/// be told again.
#[derive(Debug)]
#[must_use = "what isn't kept is told again"]
pub struct Told {
    /// The job, or [`JobId::ACCOUNT`] for news that concern all.
    pub job: JobId,
    /// What.
    pub event: Event,
    ticket: Option<(Ticket<Event>, mpsc::UnboundedSender<Ticket<Event>>)>,
}

/// Why a job has no success.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// It was not taken.
    #[error("the job was not taken")]
    Untaken(#[from] Untaken),
    /// It failed; or the account, which it needs, has trouble, and the job waits for it.
    #[error("the job failed")]
    Failed(#[source] Box<Failure>),
    /// The driver has ended.
    #[error("the driver has ended")]
    Ended,
}

#[derive(Debug)]
enum Command {
    Attach(JobId, Option<Job>, oneshot::Sender<Result<Events, Untaken>>),
    Cancel(JobId),
    Wake(JobId),
    OpenAccount,
    Status(JobId, oneshot::Sender<Option<JobStatus>>),
    AccountUrl(oneshot::Sender<Option<Url>>),
}

impl Driver {
    /// Runs it in a task of its own.
    pub fn spawn(self) -> (Handle, JoinHandle<()>) {
        let (commands, received) = mpsc::channel(COMMANDS_MAX);
        let (acknowledge, acknowledged) = mpsc::unbounded_channel();
        let (listeners, untold) = (BTreeMap::new(), BTreeMap::new());
        let task = Task {
            driver: self,
            listeners,
            untold,
            acknowledge,
        };
        (
            Handle { commands },
            tokio::spawn(task.run(received, acknowledged)),
        )
    }
}

impl Handle {
    /// Gives the machine a job, and listens to it. If there is one of this name already, taken up
    /// from before a restart, that one goes on instead.
    ///
    /// # Errors
    /// [`JobError::Untaken`], [`JobError::Ended`].
    pub async fn attach(&self, id: JobId, job: Job) -> Result<Events, JobError> {
        let events = self
            .ask(|reply| Command::Attach(id, Some(job), reply))
            .await?;
        Ok(events?)
    }

    /// Listens to a job that is there already, or to the account.
    ///
    /// # Errors
    /// [`JobError::Ended`].
    pub async fn listen(&self, id: JobId) -> Result<Events, JobError> {
        let events = self.ask(|reply| Command::Attach(id, None, reply)).await?;
        Ok(events?)
    }

    /// Has a certificate issued, and waits for it. It counts as kept when it is returned: who must
    /// not lose it in a crash uses [`Handle::attach`].
    ///
    /// # Errors
    /// See [`JobError`].
    pub async fn issue(&self, id: JobId, job: IssueJob) -> Result<Issued, JobError> {
        match self.finish(id, Job::Issue(job)).await? {
            Event::Issued(issued) => Ok(*issued),
            _ => Err(JobError::Ended),
        }
    }

    /// Has a certificate revoked, and waits for it.
    ///
    /// # Errors
    /// See [`JobError`].
    pub async fn revoke(&self, id: JobId, job: RevokeJob) -> Result<(), JobError> {
        self.finish(id, Job::Revoke(job)).await.map(|_| ())
    }

    /// Waits until a certificate is to be renewed.
    ///
    /// # Errors
    /// See [`JobError`].
    pub async fn renewal_due(&self, id: JobId, job: RenewalJob) -> Result<RenewAt, JobError> {
        match self.finish(id, Job::Watch(job)).await? {
            Event::RenewAt(renewal) => Ok(renewal),
            _ => Err(JobError::Ended),
        }
    }

    /// Ends a job in good order.
    pub async fn cancel(&self, id: JobId) {
        self.tell(Command::Cancel(id)).await;
    }

    /// Lets a job that rests, or the account, try again at once.
    pub async fn wake(&self, id: JobId) {
        self.tell(Command::Wake(id)).await;
    }

    /// Makes sure that the account exists.
    pub async fn open_account(&self) {
        self.tell(Command::OpenAccount).await;
    }

    /// Where a job stands; none: it is not there, or the driver has ended.
    pub async fn status(&self, id: JobId) -> Option<JobStatus> {
        self.ask(|reply| Command::Status(id, reply))
            .await
            .ok()
            .flatten()
    }

    /// The account's URL, once it is known.
    pub async fn account_url(&self) -> Option<Url> {
        self.ask(Command::AccountUrl).await.ok().flatten()
    }

    async fn finish(&self, id: JobId, job: Job) -> Result<Event, JobError> {
        let mut events = self.attach(id, job).await?;
        loop {
            let told = events.next().await.ok_or(JobError::Ended)?;
            let of_account = told.job == JobId::ACCOUNT;
            match told.kept() {
                Event::Failed(failure) => return Err(JobError::Failed(failure)),
                Event::Delayed(delay) if of_account => {
                    return Err(JobError::Failed(Box::new(delay.failure)));
                }
                Event::ActionNeeded(notice) if of_account => {
                    return Err(JobError::Failed(Box::new(notice.failure)));
                }
                event @ (Event::Issued(_) | Event::Revoked) => return Ok(event),
                Event::RenewAt(renewal) if renewal.at <= clock::now() => {
                    return Ok(Event::RenewAt(renewal));
                }
                event => tracing::debug!(%id, ?event, "told"),
            }
        }
    }

    async fn tell(&self, command: Command) {
        if self.commands.send(command).await.is_err() {
            tracing::debug!("the driver has ended");
        }
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, JobError> {
        let (reply, replied) = oneshot::channel();
        self.commands
            .send(command(reply))
            .await
            .map_err(|_| JobError::Ended)?;
        replied.await.map_err(|_| JobError::Ended)
    }
}

impl Events {
    /// The next one. `None`: the driver has ended.
    pub async fn next(&mut self) -> Option<Told> {
        self.received.recv().await
    }
}

impl Told {
    /// It is kept, and won't be told again.
    pub fn kept(self) -> Event {
        if let Some((ticket, acknowledge)) = self.ticket
            && acknowledge.send(ticket).is_err()
        {
            tracing::debug!("the driver has ended");
        }
        self.event
    }
}

struct Task {
    driver: Driver,
    listeners: BTreeMap<JobId, mpsc::UnboundedSender<Told>>,
    /// What nobody listened to; one per job, as the machine tells them one by one.
    untold: BTreeMap<JobId, Told>,
    acknowledge: mpsc::UnboundedSender<Ticket<Event>>,
}

impl Task {
    async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut acknowledged: mpsc::UnboundedReceiver<Ticket<Event>>,
    ) {
        let mut idle = None;
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                Some(ticket) = acknowledged.recv() => self.driver.kept(ticket),
                next = step(&mut self.driver, idle) => {
                    idle = match next {
                        Next::Event(id, event, ticket) => {
                            self.told(id, event, ticket);
                            None
                        }
                        Next::Idle(at) => Some(at),
                    };
                    continue;
                }
            }
            idle = None;
        }
    }

    fn obey(&mut self, command: Command) {
        let now = clock::now();
        match command {
            Command::Attach(id, job, reply) => {
                let attached = self.attach(id, job, now);
                if reply.send(attached).is_err() {
                    tracing::debug!(%id, "whoever gave the job no longer listens");
                }
            }
            Command::Cancel(id) => self.driver.client_mut().cancel(id, now),
            Command::Wake(id) => self.driver.client_mut().wake(id, now),
            Command::OpenAccount => self.driver.client_mut().open_account(now),
            Command::Status(id, reply) => {
                let _ = reply.send(self.driver.client().status(id));
            }
            Command::AccountUrl(reply) => {
                let _ = reply.send(self.driver.client().account_url().cloned());
            }
        }
    }

    fn attach(&mut self, id: JobId, job: Option<Job>, now: Timestamp) -> Result<Events, Untaken> {
        let client = self.driver.client_mut();
        let taken = match job {
            Some(Job::Issue(job)) => client.issue(id, job, now),
            Some(Job::Revoke(job)) => client.revoke(id, job, now),
            Some(Job::Watch(job)) => client.watch(id, job, now),
            None => Ok(()),
        };
        match taken {
            Ok(()) | Err(Untaken::NameTaken) => {}
            Err(other) => return Err(other),
        }
        let (sender, received) = mpsc::unbounded_channel();
        if let Some(told) = self.untold.remove(&id) {
            let _ = sender.send(told);
        }
        self.listeners.insert(id, sender);
        Ok(Events { received })
    }

    fn told(&mut self, id: JobId, event: Event, ticket: Ticket<Event>) {
        if id == JobId::ACCOUNT {
            // All jobs stand on it: all that listen hear of it.
            self.listeners.retain(|_, listener| {
                listener
                    .send(Told {
                        job: id,
                        event: event.clone(),
                        ticket: None,
                    })
                    .is_ok()
            });
            self.driver.kept(ticket);
            return;
        }
        let told = Told {
            job: id,
            event,
            ticket: Some((ticket, self.acknowledge.clone())),
        };
        let unheard = match self.listeners.get(&id) {
            Some(listener) => listener.send(told).err().map(|unsent| unsent.0),
            None => Some(told),
        };
        if let Some(told) = unheard {
            self.listeners.remove(&id);
            self.untold.insert(id, told);
        }
        // The listeners of jobs that have ended.
        let client = self.driver.client();
        self.untold.retain(|id, _| client.status(*id).is_some());
    }
}

async fn step(driver: &mut Driver, idle: Option<Timestamp>) -> Next {
    if let Some(until) = idle {
        driver.rest(until).await;
    }
    driver.next().await
}
