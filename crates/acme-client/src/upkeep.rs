//! One certificate, kept fresh: issued if there is none, watched, and renewed by itself.

use std::time::Duration;

use acme_client_core::{Delay, Event, Failure, JobId, Notice, RenewAt, RenewalJob, Untaken};
use acme_types::CertificateId;
use serde_json::Value;

use crate::clock;
use crate::folder::{CertificateFolder, FolderError, Installed, Watch, Wish};
use crate::handle::{Handle, Job, JobError};

/// After an order that failed for good another is tried no sooner: the same request will fail
/// again, and names that fail too often are barred by CAs.
const FAILURE_PAUSE: Duration = Duration::from_secs(86_400);

/// How long the end of a job is waited for, and how often it is looked at: a save takes
/// milliseconds, a retraction by a slow program some seconds.
const ENDING_MAX: Duration = Duration::from_secs(30);
const ENDING_PAUSE: Duration = Duration::from_millis(20);

/// Keeps one certificate fresh, with its key, in a folder. The order of things survives a crash:
/// what was under way is finished after the next start, by the same call.
#[derive(Clone, Debug)]
pub struct Upkeep {
    handle: Handle,
    folder: CertificateFolder,
    wish: Wish,
    note: Value,
}

/// What happens to a certificate that is kept fresh.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Upkept {
    /// A certificate is in use: the first of this run, or a new one.
    Installed(Box<Installed>),
    /// It is to be renewed then.
    RenewAt(RenewAt),
    /// An attempt came to nothing; it goes on by itself.
    Delayed(Delay),
    /// Somebody must do something; it goes on by itself afterwards.
    ActionNeeded(Box<Notice>),
    /// An order failed for good; another one follows in a day.
    Failed(Box<Failure>),
}

/// Why a certificate can't be kept fresh any longer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpkeepError {
    /// Its folder can't be read or written.
    #[error("the certificate's folder")]
    Folder(#[from] FolderError),
    /// The machine takes no such job.
    #[error("the order was not taken")]
    Untaken(#[from] Untaken),
    /// The request can't be made: no names, or names that are none.
    #[error("the certificate can't be requested")]
    Request,
    /// The system has no randomness.
    #[error("the system's random source")]
    Random(#[source] std::io::Error),
    /// The driver has ended.
    #[error("the driver has ended")]
    Ended,
}

impl From<JobError> for UpkeepError {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Untaken(untaken) => Self::Untaken(untaken),
            JobError::Failed(_) | JobError::Ended => Self::Ended,
        }
    }
}

impl Upkeep {
    /// Of the certificate in this folder, by this driver.
    pub fn new(handle: Handle, folder: CertificateFolder, wish: Wish) -> Self {
        Self {
            handle,
            folder,
            wish,
            note: Value::Null,
        }
    }

    /// Notes this with the certificate's settings, for the application.
    pub fn with_note(mut self, note: Value) -> Self {
        self.note = note;
        self
    }

    /// Keeps it fresh for ever; `each` is told what happens. A certificate that was revoked is
    /// replaced at once.
    ///
    /// # Errors
    /// See [`UpkeepError`]; there is no other end.
    pub async fn run(
        &self,
        mut each: impl FnMut(Upkept),
    ) -> Result<std::convert::Infallible, UpkeepError> {
        loop {
            let current = self.folder.current()?.filter(|current| !current.revoked);
            let mut replaces = None;
            if let Some(current) = current
                && self.folder.pending()?.is_none()
            {
                each(Upkept::Installed(Box::new(current.clone())));
                self.await_renewal(&current, &mut each).await?;
                replaces = current.facts.id;
            }
            while !self.order(replaces.clone(), &mut each).await? {
                tokio::time::sleep(FAILURE_PAUSE).await;
            }
        }
    }

    /// Orders a certificate, or goes on with the order that is under way. Is one installed?
    ///
    /// # Errors
    /// See [`UpkeepError`].
    pub async fn order(
        &self,
        replaces: Option<CertificateId>,
        mut each: impl FnMut(Upkept),
    ) -> Result<bool, UpkeepError> {
        let pending = match self.folder.pending()? {
            Some(pending) if pending.wish == self.wish => pending,
            Some(other) => {
                self.handle.cancel(other.job).await;
                self.folder.begin(&self.wish, self.note.clone(), replaces)?
            }
            None => self.folder.begin(&self.wish, self.note.clone(), replaces)?,
        };
        // Installed already, and ended: a crash came before the intent was forgotten.
        if self.handle.status(pending.job).await.is_none() && self.folder.has_installed(&pending)? {
            self.folder.abandon()?;
            return Ok(true);
        }
        let job = pending.issue_job().map_err(|_| UpkeepError::Request)?;
        let mut events = self.handle.attach(pending.job, Job::Issue(job)).await?;
        loop {
            let told = events.next().await.ok_or(UpkeepError::Ended)?;
            match &told.event {
                Event::Issued(issued) => {
                    self.folder.install(pending.job, &issued.chain)?;
                    let _ = told.kept();
                    self.ended(pending.job).await;
                    self.folder.abandon()?;
                    return Ok(true);
                }
                Event::Failed(failure) => {
                    each(Upkept::Failed(failure.clone()));
                    let _ = told.kept();
                    self.ended(pending.job).await;
                    self.folder.abandon()?;
                    return Ok(false);
                }
                Event::Delayed(delay) => each(Upkept::Delayed(delay.clone())),
                Event::ActionNeeded(notice) => each(Upkept::ActionNeeded(notice.clone())),
                _ => {}
            }
            let _ = told.kept();
        }
    }

    /// Waits until the certificate is to be renewed (RFC 9773).
    ///
    /// # Errors
    /// See [`UpkeepError`].
    pub async fn await_renewal(
        &self,
        current: &Installed,
        mut each: impl FnMut(Upkept),
    ) -> Result<(), UpkeepError> {
        let mut watch = self.watch(current)?;
        if watch.at.is_some_and(|at| at <= clock::now()) {
            return Ok(());
        }
        let job = Job::Watch(RenewalJob::of(current.facts.clone()));
        let mut events = self.handle.attach(watch.job, job).await?;
        loop {
            let told = events.next().await.ok_or(UpkeepError::Ended)?;
            match &told.event {
                Event::RenewAt(renewal) => {
                    watch.at = Some(renewal.at);
                    watch.explanation = renewal.explanation.as_ref().map(ToString::to_string);
                    self.folder.set_watch(&watch)?;
                    each(Upkept::RenewAt(renewal.clone()));
                    let due = renewal.at <= clock::now();
                    let _ = told.kept();
                    if due {
                        return Ok(());
                    }
                    continue;
                }
                Event::Delayed(delay) => each(Upkept::Delayed(delay.clone())),
                Event::ActionNeeded(notice) => each(Upkept::ActionNeeded(notice.clone())),
                _ => {}
            }
            let _ = told.kept();
        }
    }

    /// Waits until the machine has forgotten a job, so that after a crash none is left that nobody
    /// knows; not for ever: what it published may be hard to withdraw.
    async fn ended(&self, job: JobId) {
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < ENDING_MAX && self.handle.status(job).await.is_some() {
            tokio::time::sleep(ENDING_PAUSE).await;
        }
    }

    fn watch(&self, current: &Installed) -> Result<Watch, UpkeepError> {
        let known = self
            .folder
            .watch()?
            .filter(|watch| watch.version == current.version);
        if let Some(watch) = known {
            return Ok(watch);
        }
        let job = JobId(clock::fresh_number().map_err(UpkeepError::Random)? >> 1);
        let watch = Watch {
            version: current.version,
            job,
            at: None,
            explanation: None,
        };
        self.folder.set_watch(&watch)?;
        Ok(watch)
    }
}
