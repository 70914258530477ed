//! Handing out what is to be done.

use std::time::Duration;

use acme_types::Timestamp;

use super::desk::{Kind, Owner, Ready};
use super::job::{Phase, SavePhase, State};
use super::timers::Due;
use super::{Client, Flow, reconcile, request};
use crate::failure::{Failure, Fault, Operation};
use crate::flow::{Happened, Need, Slot, Want};
use crate::operation::nonce;
use crate::{HttpOutcome, JobId, Record, Snapshot, Step};

/// How much is done in one call before it returns, whatever else is to be done: a caller that
/// serves others as well gets its turn.
const WORK_PER_POLL_MAX: usize = 256;
/// How long a response waits that another job is retracting.
const COLLISION_PAUSE: Duration = Duration::from_secs(1);

impl Client {
    /// What to do next. Never blocks, never panics, does bounded work. [`Step::Wait`] when there is
    /// nothing to do before that time unless an answer comes; [`Timestamp::NEVER`]: finished.
    pub fn poll(&mut self, now: Timestamp) -> Step {
        for _ in 0..WORK_PER_POLL_MAX {
            if let Some(due) = self.desk.timers.pop(now) {
                self.due(due, now);
            } else if let Some((id, slot, nonce)) = self.desk.nonces.serve(now) {
                self.sign_with(id, slot, nonce, now);
            } else if self.standing.endpoints.is_some() && self.desk.nonces.should_fetch() {
                self.desk.nonces.fetches = self.desk.nonces.fetches.saturating_add(1);
                self.desk.ready.push_back(Ready::Nonce);
            } else if let Some(ready) = self.desk.ready.pop_front() {
                let step = match ready {
                    Ready::Place(id, slot) => self.hand_out(id, slot, now),
                    Ready::Save(id) => self.hand_out_save(id, now),
                    Ready::Nonce => self.hand_out_nonce(now),
                };
                if let Some(step) = step {
                    return step;
                }
            } else if !self.give_turn(now) {
                return Step::Wait(self.desk.timers.next());
            }
        }
        Step::Wait(now)
    }

    fn due(&mut self, due: Due, now: Timestamp) {
        match due {
            Due::Effect(number) => self.overdue(number, now),
            Due::Place(id, slot) => {
                let Some(job) = self.jobs.get_mut(&id) else {
                    return;
                };
                if let Some(running) = job.running.get_mut(&slot)
                    && matches!(running.phase, Phase::Delayed(_))
                {
                    running.phase = reconcile::first_phase(id, slot, &running.what, &mut self.desk);
                }
            }
            Due::Save(id) => {
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.saving.phase = SavePhase::Idle;
                    self.tidy(id, now);
                }
            }
            Due::Job(id) => self.take_turn_again(id, now),
            Due::Nonces => self.desk.nonces.resting = false,
        }
    }

    /// DESIGN: past its deadline an HTTP effect counts as unknown, all others are asked for again.
    fn overdue(&mut self, number: u64, now: Timestamp) {
        let kind = self.desk.peek(number).map(|found| found.kind);
        match (self.desk.take(number), kind) {
            (Some(Owner::Place(id, slot)), Some(Kind::Http)) => {
                self.http(id, slot, HttpOutcome::Unknown, now);
            }
            (Some(Owner::Place(id, slot)), Some(_)) => self.ask_again(id, slot, now),
            (Some(Owner::Nonce), _) => self.nonce_fetched(HttpOutcome::Unknown, now),
            (Some(Owner::Save(id, _)), _) => {
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.saving.phase = SavePhase::Queued;
                    self.desk.ready.push_back(Ready::Save(id));
                }
            }
            (Some(Owner::Place(..)) | None, _) => {}
        }
    }

    fn ask_again(&mut self, id: JobId, slot: Slot, now: Timestamp) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let Some(running) = job.running.remove(&slot) else {
            return;
        };
        let phase = match running.phase {
            Phase::Signing(_, unsigned) => Phase::ToSign(unsigned),
            Phase::Performing(_) => Phase::ToPerform,
            other => other,
        };
        job.running
            .insert(slot, super::job::Running { phase, ..running });
        self.desk.ready.push_back(Ready::Place(id, slot));
        // It may not be wanted any more.
        self.tidy(id, now);
    }

    /// Lets the next job have its turn. Was there anything to do?
    fn give_turn(&mut self, now: Timestamp) -> bool {
        if self.desk.active >= self.config.limits().jobs_active_max {
            return false;
        }
        let has = |need| match self.jobs.get(&JobId::ACCOUNT).map(|job| &job.flow) {
            Some(Flow::Account(flow)) => flow.has(need),
            _ => false,
        };
        let (directory, account) = (has(Need::Directory), has(Need::Account));
        let jobs = &self.jobs;
        let queued = |id: &JobId| jobs.get(id).is_some_and(|job| job.state == State::Queued);
        let queues = &mut self.desk.queues;
        // Those that were cancelled meanwhile.
        for queue in [&mut queues.directory, &mut queues.account] {
            while queue.front().is_some_and(|id| !queued(id)) {
                queue.pop_front();
            }
        }
        let next = match () {
            () if directory && !queues.directory.is_empty() => queues.directory.pop_front(),
            () if account && !queues.account.is_empty() => queues.account.pop_front(),
            () if !account && !queues.account.is_empty() => return self.need(Need::Account, now),
            () if !queues.directory.is_empty() => return self.need(Need::Directory, now),
            () => return false,
        };
        if let Some(id) = next {
            self.begin(id, now);
        }
        true
    }

    /// Makes sure of the directory or the account. Was it news?
    pub(super) fn need(&mut self, need: Need, now: Timestamp) -> bool {
        let Some(account) = self.jobs.get_mut(&JobId::ACCOUNT) else {
            return false;
        };
        let Flow::Account(flow) = &mut account.flow else {
            return false;
        };
        let news = flow.need(need);
        if news {
            if account.state == State::Queued {
                account.state = State::Active;
            }
            self.tidy(JobId::ACCOUNT, now);
        }
        news
    }

    fn begin(&mut self, id: JobId, now: Timestamp) {
        let jitter = self.desk.jitter.next();
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let Some(ground) = self.standing.ground(&self.config, now, jitter) else {
            return;
        };
        if job.state != State::Queued {
            return;
        }
        job.state = State::Active;
        job.attempts = 0;
        self.desk.active = self.desk.active.saturating_add(1);
        // It no longer rests, and the intent is to be durable before anything comes of it.
        job.touch();
        let progress = job.flow.begin(ground);
        self.went(id, None, progress, now);
    }

    fn hand_out(&mut self, id: JobId, slot: Slot, now: Timestamp) -> Option<Step> {
        let job = self.jobs.get_mut(&id)?;
        let running = job.running.get_mut(&slot)?;
        let (desk, limits) = (&mut self.desk, self.config.limits());
        let owner = Owner::Place(id, slot);
        match (
            std::mem::replace(&mut running.phase, Phase::ToPerform),
            &running.what,
        ) {
            (Phase::ToSign(unsigned), _) => {
                let (number, _, ticket) = desk.issue(owner, Kind::Sign, now, limits.sign);
                let (algorithm, key) = (unsigned.algorithm, unsigned.key.clone());
                let message = unsigned.draft.signing_input().to_vec();
                running.phase = Phase::Signing(number, unsigned);
                Some(Step::Sign(
                    key,
                    crate::SigningInput { algorithm, message },
                    ticket,
                ))
            }
            (Phase::ToSend(body), Want::Request(wanted)) => {
                let (number, deadline, ticket) = desk.issue(owner, Kind::Http, now, limits.http);
                match request::fetch(&self.config, wanted, body, deadline) {
                    Ok(fetch) => {
                        running.phase = Phase::Performing(number);
                        Some(Step::Http(fetch, ticket))
                    }
                    Err(failure) => {
                        desk.take(number);
                        self.try_again(id, slot, failure, now);
                        None
                    }
                }
            }
            (Phase::ToPerform, Want::Sign(key, input)) => {
                let (key, input) = (key.clone(), input.clone());
                let (number, _, ticket) = desk.issue(owner, Kind::Sign, now, limits.sign);
                running.phase = Phase::Performing(number);
                Some(Step::Sign(key, input, ticket))
            }
            (Phase::ToPerform, Want::Present(_) | Want::Retract(_)) => {
                self.hand_out_publication(id, slot, now)
            }
            (Phase::ToPerform, Want::Tell(event)) => {
                let event = event.clone();
                let (number, _, ticket) = desk.issue(owner, Kind::Event, now, limits.event);
                running.phase = Phase::Performing(number);
                Some(Step::Event(id, event, ticket))
            }
            // Handed out already, or it waits: the entry in the queue was stale.
            (phase, _) => {
                running.phase = phase;
                None
            }
        }
    }

    /// A response that another job publishes or retracts as well is not in its way.
    fn hand_out_publication(&mut self, id: JobId, slot: Slot, now: Timestamp) -> Option<Step> {
        let running = self.jobs.get_mut(&id)?.running.get_mut(&slot)?;
        let (desk, limits) = (&mut self.desk, self.config.limits());
        let owner = Owner::Place(id, slot);
        match &running.what {
            Want::Present(response) if desk.publications.is_retracting(response) => {
                let at = now.after(COLLISION_PAUSE);
                running.phase = Phase::Delayed(desk.timers.set(at, Due::Place(id, slot)));
                None
            }
            Want::Present(response) => {
                let response = response.clone();
                let (number, _, ticket) = desk.issue(owner, Kind::Present, now, limits.present);
                running.phase = Phase::Performing(number);
                Some(Step::Present(id, response, ticket))
            }
            Want::Retract(response) if desk.publications.is_shared(response) => {
                self.happened(id, slot, Happened::Retracted, now);
                None
            }
            Want::Retract(response) => {
                let response = response.clone();
                let (number, _, ticket) = desk.issue(owner, Kind::Retract, now, limits.retract);
                desk.note_retraction(number, &response);
                running.phase = Phase::Performing(number);
                Some(Step::Retract(id, response, ticket))
            }
            Want::Request(_) | Want::Sign(..) | Want::Tell(_) => None,
        }
    }

    fn hand_out_save(&mut self, id: JobId, now: Timestamp) -> Option<Step> {
        let job = self.jobs.get_mut(&id)?;
        if job.saving.phase != SavePhase::Queued {
            return None;
        }
        let revision = job.saving.revision;
        let record = if id == JobId::ACCOUNT {
            Record::Account
        } else {
            Record::Job(id)
        };
        let ended = job.flow.is_finished();
        let snapshot = Snapshot::of(record, revision, ended, &job.stored());
        let time = self.config.limits().save;
        let (number, _, ticket) = self
            .desk
            .issue(Owner::Save(id, revision), Kind::Save, now, time);
        job.saving.phase = SavePhase::InFlight(number);
        Some(Step::Save(record, snapshot, ticket))
    }

    fn hand_out_nonce(&mut self, now: Timestamp) -> Option<Step> {
        let turn = self.desk.nonces.failures;
        let endpoints = self.standing.endpoints.as_ref()?;
        let wanted = nonce::request(endpoints, turn);
        let time = self.config.limits().http;
        let (number, deadline, ticket) = self.desk.issue(Owner::Nonce, Kind::Http, now, time);
        match request::fetch(&self.config, &wanted, Vec::new(), deadline) {
            Ok(fetch) => Some(Step::Http(fetch, ticket)),
            Err(_) => {
                self.desk.take(number);
                let failure = Failure::new(Operation::NewNonce, Fault::Unsuitable);
                self.no_nonce(failure, now);
                None
            }
        }
    }
}
