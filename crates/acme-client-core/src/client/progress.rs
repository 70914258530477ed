//! What becomes of a job when something happened: on, again, or later.

use std::time::Duration;

use acme_types::{ProblemType, Timestamp, Url};

use super::job::{Phase, Running, SavePhase, State};
use super::reconcile::{leave_turn, reconcile};
use super::timers::Due;
use super::{Client, Flow, Standing};
use crate::event::{Action, Delay, Notice};
use crate::failure::{Class, Failure};
use crate::flow::{Happened, Need, Progress, Slot};
use crate::{Event, JobId};

/// A server that wants a longer pause than this ends the attempt: others get the turn meanwhile.
const PAUSE_IN_TURN_MAX: Duration = Duration::from_secs(60);

impl Client {
    /// Tells the flow.
    pub(super) fn happened(&mut self, id: JobId, slot: Slot, what: Happened, now: Timestamp) {
        let jitter = self.desk.jitter.next();
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let running = job.running.remove(&slot);
        let ground = self.standing.ground(&self.config, now, jitter);
        let progress = job.flow.on(slot, what, now, &self.config, ground);
        self.went(id, running.map(|running| (slot, running)), progress, now);
    }

    /// The same again, after a pause; if it was tried often enough, the attempt is over.
    pub(super) fn try_again(&mut self, id: JobId, slot: Slot, failure: Failure, now: Timestamp) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let Some(running) = job.running.remove(&slot) else {
            return;
        };
        self.went(id, Some((slot, running)), Progress::Again(failure), now);
    }

    pub(super) fn went(
        &mut self,
        id: JobId,
        running: Option<(Slot, Running)>,
        progress: Progress,
        now: Timestamp,
    ) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        match progress {
            Progress::Moved => job.attempts = 0,
            Progress::Again(failure) => {
                job.attempts = job.attempts.saturating_add(1);
                let pause = self.desk.jitter.pause(job.attempts);
                let at = now.after(pause).max(failure.retry_after.unwrap_or(now));
                let used_up = job.attempts >= self.config.limits().attempts_max
                    || at > now.after(PAUSE_IN_TURN_MAX.saturating_mul(2));
                if used_up {
                    self.stopped(id, failure, now);
                } else if let Some((slot, running)) = running {
                    let phase = Phase::Delayed(self.desk.timers.set(at, Due::Place(id, slot)));
                    job.running.insert(slot, Running { phase, ..running });
                }
            }
            Progress::Stopped(failure) => self.stopped(id, failure, now),
        }
        self.tidy(id, now);
    }

    /// Puts something in progress off.
    pub(super) fn delay(&mut self, id: JobId, slot: Slot, at: Timestamp) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        if let Some(running) = job.running.get_mut(&slot) {
            running.phase = Phase::Delayed(self.desk.timers.set(at, Due::Place(id, slot)));
        }
    }

    /// An attempt came to nothing: the job fails, or rests and tries again.
    fn stopped(&mut self, id: JobId, failure: Failure, now: Timestamp) {
        let jitter = self.desk.jitter.next();
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.attempts = 0;
        if let Flow::Renewal(flow) = &mut job.flow {
            if let Some(ground) = self.standing.ground(&self.config, now, jitter) {
                flow.stop(ground);
            }
            return;
        }
        job.failures = job.failures.saturating_add(1);
        job.touch();
        let used_up = job.flow.tries().is_some_and(|tries| job.failures >= tries);
        let class = failure.class();
        if id != JobId::ACCOUNT && (class == Class::Permanent || used_up) {
            return job.flow.fail(failure);
        }
        job.flow.rest();
        let pause = self.desk.jitter.rung(job.failures);
        let until = now.after(pause).max(failure.retry_after.unwrap_or(now));
        leave_turn(id, job, &mut self.desk, until);
        job.notice = Some(match class {
            Class::Action => {
                let url = self.standing.endpoints.as_ref();
                let terms = url.and_then(|endpoints| endpoints.meta.terms_of_service.as_deref());
                Event::ActionNeeded(Box::new(notice(failure, until, terms)))
            }
            Class::Later | Class::Permanent => {
                let failures = job.failures;
                Event::Delayed(Delay {
                    until,
                    failures,
                    failure,
                })
            }
        });
    }

    /// After anything that may have changed a job: what it wants is set going, and it is forgotten
    /// when it is done.
    pub(super) fn tidy(&mut self, id: JobId, now: Timestamp) {
        let jitter = self.desk.jitter.next();
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        if let Flow::Account(flow) = &job.flow {
            self.standing = Standing::of(flow);
        }
        if job.flow.is_finished() {
            job.notice = None;
        }
        let ground = self.standing.ground(&self.config, now, jitter);
        // A job that ends before its turn was never saved, and needn't be.
        let untouched = !job.saving.known && job.saving.phase == SavePhase::Idle;
        let unknown = untouched && job.flow.is_finished();
        if !unknown {
            reconcile(id, job, &mut self.desk, &self.config, ground, now);
        }
        if unknown || (job.flow.is_finished() && job.saving.is_settled()) {
            if let Some(timer) = job.timer.take() {
                self.desk.timers.call_off(timer);
            }
            self.jobs.remove(&id);
        }
    }

    /// A job that is new here gets its place.
    pub(super) fn take_up(&mut self, id: JobId, now: Timestamp) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        match job.state {
            // It begins when somebody needs it.
            _ if id == JobId::ACCOUNT => job.state = State::Queued,
            State::Resting(until) if until > now => {
                job.timer = Some(self.desk.timers.set(until, Due::Job(id)));
            }
            State::Resting(_) | State::Queued | State::Active => {
                job.state = State::Queued;
                self.enqueue(id);
            }
        }
        self.tidy(id, now);
    }

    /// A job has rested, or needs to no longer.
    pub(super) fn take_turn_again(&mut self, id: JobId, now: Timestamp) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        if !matches!(job.state, State::Resting(until) if until != Timestamp::NEVER) {
            return;
        }
        if let Some(timer) = job.timer.take() {
            self.desk.timers.call_off(timer);
        }
        if id == JobId::ACCOUNT {
            job.state = State::Active;
        } else {
            job.state = State::Queued;
            self.enqueue(id);
        }
        self.tidy(id, now);
    }

    fn enqueue(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else {
            return;
        };
        // What is over has nothing to ask of the CA.
        if job.flow.is_over() {
            return;
        }
        match job.flow.need() {
            Need::Nothing | Need::Directory => self.desk.queues.directory.push_back(id),
            Need::Account => self.desk.queues.account.push_back(id),
        }
    }
}

fn notice(failure: Failure, until: Timestamp, terms: Option<&str>) -> Notice {
    let problem = failure.problem.as_deref();
    let instance = problem.and_then(|problem| problem.instance.as_deref());
    let action = if failure.is(&ProblemType::EXTERNAL_ACCOUNT_REQUIRED) {
        Action::BindExternalAccount
    } else if failure.is(&ProblemType::ACCOUNT_DOES_NOT_EXIST) {
        Action::CheckAccount
    } else if failure.is(&ProblemType::USER_ACTION_REQUIRED) && terms.is_some() {
        Action::AgreeToTerms
    } else {
        Action::FollowInstructions
    };
    let url = instance.or(terms).and_then(|text| Url::parse(text).ok());
    Notice {
        action,
        url,
        until,
        failure,
    }
}
