use std::time::Duration;

use acme_jws::Thumbprint;
use acme_types::{Misuse, Ticket, Tickets, Timestamp};

use crate::job::{Awaited, Step};
use crate::policy::ValidationPolicy;
use crate::validation::{Corroboration, PerspectiveId, ProbeRequest, Verdict, corroborate};

/// How long after an attempt's deadline a perspective's verdict is still waited for.
const GRACE: Duration = Duration::from_secs(2);

/// What the perspectives are asked, and for which account key.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) request: ProbeRequest,
    pub(super) key: Thumbprint,
}

/// What they found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) corroboration: Corroboration,
    /// The account's key at the time of asking.
    pub(super) key: Thumbprint,
    /// When the asking began: nothing that was found is older.
    pub(super) began: Timestamp,
}

/// All perspectives, asked at once.
#[derive(Debug)]
pub(super) struct Asking {
    question: Question,
    began: Timestamp,
    /// When what is there by then decides.
    until: Timestamp,
    asked: Vec<Asked>,
}

#[derive(Debug)]
struct Asked {
    perspective: PerspectiveId,
    awaited: Awaited,
    answer: Answer,
}

#[derive(Debug)]
enum Answer {
    Missing,
    /// A verdict, or that there is none to be had.
    Here(Option<Box<Verdict>>),
}

impl Asking {
    pub(super) fn new(policy: &ValidationPolicy, question: Question, now: Timestamp) -> Self {
        let asked = |perspective: &crate::validation::Perspective| Asked {
            perspective: perspective.id.clone(),
            awaited: Awaited::new(),
            answer: Answer::Missing,
        };
        Self {
            until: question.request.deadline.after(GRACE),
            asked: policy.perspectives.iter().map(asked).collect(),
            began: now,
            question,
        }
    }

    /// Hands out what is to be asked, then waits.
    pub(super) fn poll(&mut self, tickets: &mut Tickets) -> Step {
        for asked in &mut self.asked {
            let first: Option<Ticket<_>> = match asked.answer {
                Answer::Missing => asked.awaited.ask(tickets, self.until),
                Answer::Here(_) => None,
            };
            if let Some(ticket) = first {
                let request = self.question.request.clone();
                return Step::Probe(asked.perspective.clone(), request, ticket);
            }
        }
        Step::Wait(self.until)
    }

    pub(super) fn awaits(&self, number: u64) -> bool {
        self.asked.iter().any(|asked| asked.awaited.awaits(number))
    }

    /// Takes a verdict. Once no other can change the outcome, the rest has little time left: they
    /// are waited for only because the log is to say what they found.
    pub(super) fn accept(
        &mut self,
        policy: &ValidationPolicy,
        number: u64,
        verdict: Option<Verdict>,
        now: Timestamp,
    ) -> Result<(), Misuse> {
        let its = self
            .asked
            .iter_mut()
            .find(|asked| asked.awaited.awaits(number));
        let asked = its.ok_or(Misuse::NotAwaited)?;
        asked.awaited.settle(number)?;
        asked.answer = Answer::Here(verdict.map(Box::new));
        if self.is_decided(policy, now) {
            self.until = self.until.min(now.after(policy.stragglers));
        }
        Ok(())
    }

    /// The finding, once all have answered or the time is over. Nobody to ask is decided at once.
    pub(super) fn found(&self, policy: &ValidationPolicy, now: Timestamp) -> Option<Found> {
        let is_here = |asked: &Asked| matches!(asked.answer, Answer::Here(_));
        let is_over = now >= self.until || self.asked.iter().all(is_here);
        is_over.then(|| Found {
            corroboration: self.corroborate(policy, now),
            key: self.question.key,
            began: self.began,
        })
    }

    fn corroborate(&self, policy: &ValidationPolicy, now: Timestamp) -> Corroboration {
        let answer = |asked: &Asked| match &asked.answer {
            Answer::Missing => (asked.perspective.clone(), None),
            Answer::Here(verdict) => (asked.perspective.clone(), verdict.as_deref().cloned()),
        };
        let answers: Vec<_> = self.asked.iter().map(answer).collect();
        corroborate(policy, now, &self.question.request.attempt, &answers)
    }

    /// Who is missing counts as failed, so an outcome that is good without them stays good; and
    /// without the primary it stays bad.
    fn is_decided(&self, policy: &ValidationPolicy, now: Timestamp) -> bool {
        let is_primary = |asked: &&Asked| {
            let its = policy
                .perspectives
                .iter()
                .find(|one| one.id == asked.perspective);
            its.is_some_and(|one| one.is_primary)
        };
        let refused = self
            .asked
            .iter()
            .find(is_primary)
            .is_some_and(|asked| match &asked.answer {
                Answer::Here(Some(verdict)) => {
                    verdict.control.is_err() || !matches!(verdict.caa, Some(Ok(())))
                }
                Answer::Here(None) => true,
                Answer::Missing => false,
            });
        refused || self.corroborate(policy, now).outcome.is_ok()
    }
}
