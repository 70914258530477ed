//! The jobs of this node: those that its exchanges gave birth to at once, and those that are due,
//! found by a scan. Whatever is not started here, or is lost with the process, is due some time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use acme_ca_core::effect::Outcome;
use acme_ca_core::exchange::{stale_replies, sweep_replies};
use acme_ca_core::job::{Job, Step};
use acme_ca_core::schema::{Committed, JobId, Read, Scan, Version};
use acme_ca_core::{Config, JobArrival};
use acme_types::{Answer, Timestamp};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};

use crate::node::Effect;
use crate::perspective::Perspectives;
use crate::rows::Rows;
use crate::signer::Signer;
use crate::stop::Stopped;
use crate::submission::Submission;
use crate::{clock, random};

/// Jobs that run at once. Most of them wait for somebody else's server, so there may be many, and
/// a few slow targets must not hold up everybody's issuance. What is over it is left to the scan.
const JOBS_MAX: usize = 1_024;
/// Jobs that a scan starts.
const DUE_MAX: usize = 256;
/// How often is looked for due jobs: how late one may start after its holder died.
const SCAN_INTERVAL: Duration = Duration::from_secs(1);
/// How often replies that nobody asks for any more are deleted.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
/// Pages of 500 that go each time: over a thousand a second, as many as a busy CA makes.
const SWEEP_PAGES_MAX: usize = 150;
/// Births that wait to be taken up; those over it are left to the scan.
const BIRTHS_MAX: usize = 4_096;
/// How long running jobs have when the server ends. Each may be cut off anywhere.
const GRACE: Duration = Duration::from_secs(5);

/// What jobs need of the world.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: Arc<Config>,
    pub(crate) rows: Rows,
    pub(crate) perspectives: Perspectives,
    pub(crate) signer: Signer,
    pub(crate) submission: Submission,
}

/// Hands newborn jobs to the worker.
#[derive(Clone, Debug)]
pub(crate) struct Spawner(mpsc::Sender<(JobId, Version)>);

impl Spawner {
    /// Starts the job soon, or leaves it to the scan.
    pub(crate) fn spawn(&self, job: JobId, version: Version) {
        if self.0.try_send((job, version)).is_err() {
            tracing::warn!(%job, "no room to start a job at once; it will be found when it is due");
        }
    }
}

/// Who runs the jobs.
pub(crate) struct Worker {
    world: Arc<World>,
    spawner: Spawner,
    births: mpsc::Receiver<(JobId, Version)>,
    tasks: JoinSet<()>,
    /// The jobs that run here, and for each the version that it is to be run at again: one that is
    /// born anew while its last run ends.
    running: HashMap<JobId, Option<Version>>,
    ids: HashMap<Id, JobId>,
}

/// A place for births, before there is a worker.
pub(crate) fn spawner() -> (Spawner, mpsc::Receiver<(JobId, Version)>) {
    let (sender, births) = mpsc::channel(BIRTHS_MAX);
    (Spawner(sender), births)
}

impl Worker {
    pub(crate) fn new(
        world: World,
        spawner: Spawner,
        births: mpsc::Receiver<(JobId, Version)>,
    ) -> Self {
        Self {
            world: Arc::new(world),
            spawner,
            births,
            tasks: JoinSet::new(),
            running: HashMap::new(),
            ids: HashMap::new(),
        }
    }

    /// Until `stop` says so, and then a little longer for what is running.
    pub(crate) async fn run(mut self, mut stop: Stopped) {
        let mut scans = tokio::time::interval_at(Instant::now(), SCAN_INTERVAL);
        scans.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sweeps = tokio::time::interval_at(Instant::now() + SWEEP_INTERVAL, SWEEP_INTERVAL);
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.wait() => break,
                Some((job, version)) = self.births.recv() => self.start(job, Some(version)),
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                _ = scans.tick() => self.start_due().await,
                _ = sweeps.tick() => {
                    let world = Arc::clone(&self.world);
                    drop(tokio::spawn(async move { sweep(&world.rows).await }));
                }
            }
        }
        let rest = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, rest).await.is_err() {
            tracing::warn!("jobs are cut off; they go on when they are due");
        }
    }

    async fn start_due(&mut self) {
        let until = clock::now();
        let Ok(due) = self
            .world
            .rows
            .scan(Scan::DueJobs {
                until,
                limit: DUE_MAX,
            })
            .await
        else {
            return;
        };
        for read in due {
            if let Read::Due(_, job) = read
                && !self.running.contains_key(&job)
            {
                self.start(job, None);
            }
        }
    }

    /// A job that was born at this version, or one that is due.
    fn start(&mut self, id: JobId, born: Option<Version>) {
        if let Some(again) = self.running.get_mut(&id) {
            *again = born.or(*again);
            return;
        }
        if self.tasks.len() >= JOBS_MAX {
            return;
        }
        let config = Arc::clone(&self.world.config);
        let arrival = JobArrival {
            at: clock::now(),
            entropy: random::entropy(),
            ticket_seed: random::seed(),
        };
        let job = match born {
            Some(version) => Job::born(config, arrival, id, version),
            None => Job::due(config, arrival, id),
        };
        let run = run(Arc::clone(&self.world), self.spawner.clone(), job);
        let task = self.tasks.spawn(run).id();
        self.running.insert(id, None);
        self.ids.insert(task, id);
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let task = match ended {
            Ok((task, ())) => task,
            Err(error) => {
                tracing::error!(%error, "a job broke off; it goes on when it is due");
                error.id()
            }
        };
        let Some(id) = self.ids.remove(&task) else {
            return;
        };
        if let Some(Some(version)) = self.running.remove(&id) {
            self.start(id, Some(version));
        }
    }
}

/// Deletes replies that nobody asks for any more. What isn't done now is done the next time.
async fn sweep(rows: &Rows) {
    for _ in 0..SWEEP_PAGES_MAX {
        let found = rows.scan(stale_replies(clock::now())).await;
        let Some(commit) = found.ok().and_then(|found| sweep_replies(&found)) else {
            return;
        };
        if !matches!(rows.commit(commit).await, Committed::Done(_)) {
            return;
        }
    }
}

/// Runs a job to its end.
async fn run(world: Arc<World>, spawner: Spawner, mut job: Job) {
    let mut effects: FuturesUnordered<Effect<'_>> = FuturesUnordered::new();
    loop {
        match job.poll(clock::now()) {
            Step::Load(reads, ticket) => effects.push(Box::pin(async {
                ticket.with(world.rows.load(reads).await)
            })),
            Step::Scan(scan, ticket) => {
                effects.push(Box::pin(async { ticket.with(world.rows.scan(scan).await) }))
            }
            Step::Commit(commit, ticket) => effects.push(Box::pin(async {
                ticket.with(world.rows.commit(commit).await)
            })),
            Step::Probe(perspective, request, ticket) => effects.push(Box::pin({
                let perspectives = &world.perspectives;
                async move { ticket.with(perspectives.ask(&perspective, request).await) }
            })),
            Step::Sign(issuer, algorithm, message, ticket) => {
                accept(
                    &mut job,
                    ticket.with(world.signer.sign(&issuer, algorithm, &message)),
                );
            }
            Step::Submit(_, url, body, ticket) => effects.push(Box::pin({
                let submission = &world.submission;
                async move { ticket.with(submission.submit(&url, body).await) }
            })),
            Step::Spawn(id, version) => spawner.spawn(id, version),
            Step::Wait(Timestamp::NEVER) => return,
            Step::Wait(at) => tokio::select! {
                Some(answer) = effects.next() => accept(&mut job, answer),
                () = clock::sleep_until(at) => {}
            },
        }
    }
}

/// An answer that came too late is one that nobody waits for any more.
fn accept(job: &mut Job, answer: Answer<Outcome>) {
    if let Err(misuse) = job.accept(answer, clock::now()) {
        tracing::debug!(%misuse, "an answer came late");
    }
}
