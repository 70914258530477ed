//! A precertificate on its way through the logs: whom to ask, when to ask one more, when to stop.

use std::time::Duration;

use acme_types::{Misuse, Tickets, Timestamp};

use crate::config::Config;
use crate::effect::Submitted;
use crate::issuance::sct::Sct;
use crate::issuance::submission;
use crate::issuance::tbs::Template;
use crate::issuance::{Log, Transparency};
use crate::job::{Awaited, LogId, Step};
use crate::schema::IntentRow;

/// How long one log is waited for. Logs answer in a second or two; what takes longer isn't worth
/// the wait, another log is there.
const LOG_PATIENCE: Duration = Duration::from_secs(10);
/// When one more log is asked, although those that were asked would be enough.
const STAGGER: Duration = Duration::from_secs(2);
/// How long all of it may take: then the attempt has failed.
pub(super) const LOGS_PATIENCE: Duration = Duration::from_secs(30);

/// A precertificate and what the logs said to it.
#[derive(Debug)]
pub(super) struct Logging {
    precertificate: Vec<u8>,
    body: Vec<u8>,
    transparency: Transparency,
    /// In the order in which they are asked.
    logs: Vec<(LogId, Answer)>,
    /// When one more is asked.
    more_at: Timestamp,
    /// When it is over.
    until: Timestamp,
}

#[derive(Debug)]
enum Answer {
    NotAsked,
    Awaited(Awaited),
    Failed,
    Sct(Box<Sct>),
}

/// Where it stands.
#[derive(Debug)]
pub(super) enum Progress {
    /// Some were asked and haven't answered, or there are some to ask.
    Waiting,
    /// These are enough.
    Enough(Vec<Sct>),
    /// There are none left, or no time.
    Failed,
}

impl Logging {
    /// A precertificate that no log has seen yet. `None` for a profile that has none to be shown.
    pub(super) fn new(
        config: &Config,
        template: &Template<'_>,
        precertificate: &[u8],
        now: Timestamp,
    ) -> Option<Self> {
        let transparency = *template.profile.transparency()?;
        let takes = |log: &&Log| log.takes(template.validity.not_after);
        let mut logs: Vec<(LogId, Answer)> = config
            .authority
            .logs()
            .logs
            .iter()
            .filter(takes)
            .map(|log| (log.id(), Answer::NotAsked))
            .collect();
        // Each serial starts elsewhere, so that all logs get their share.
        let [.., last] = *template.serial.as_bytes();
        if let Some(start) = usize::from(last).checked_rem(logs.len()) {
            logs.rotate_left(start);
        }
        Some(Self {
            precertificate: precertificate.to_vec(),
            body: submission::request(precertificate, template.issuer.chain()),
            transparency,
            logs,
            more_at: now.after(STAGGER),
            until: now.after(LOGS_PATIENCE),
        })
    }

    pub(super) fn precertificate(&self) -> &[u8] {
        &self.precertificate
    }

    /// The next submission, or how long there is nothing to do.
    pub(super) fn poll(&mut self, config: &Config, now: Timestamp, tickets: &mut Tickets) -> Step {
        let until = now.after(LOG_PATIENCE).min(self.until);
        if let Some(log) = self.next(config, now) {
            if now >= self.more_at {
                self.more_at = now.after(STAGGER);
            }
            let mut awaited = Awaited::new();
            if let Some(ticket) = awaited.ask(tickets, until) {
                let id = log.id();
                let url = log.submission_url().clone();
                self.put(id, Answer::Awaited(awaited));
                return Step::Submit(id, url, self.body.clone(), ticket);
            }
        }
        let deadlines = self.logs.iter().filter_map(|(_, answer)| match answer {
            Answer::Awaited(awaited) => awaited.until(),
            Answer::NotAsked | Answer::Failed | Answer::Sct(_) => None,
        });
        let more = self.is_left().then_some(self.more_at);
        let wake = deadlines.chain(more).min().unwrap_or(self.until);
        Step::Wait(wake.min(self.until))
    }

    /// Which log to ask now, if any.
    fn next<'c>(&self, config: &'c Config, now: Timestamp) -> Option<&'c Log> {
        let find = |wanted: fn(&Answer) -> bool| -> Vec<&'c Log> {
            let chosen = self.logs.iter().filter(|(_, answer)| wanted(answer));
            chosen
                .filter_map(|(id, _)| config.authority.log(*id))
                .collect()
        };
        let at_hand = find(|answer| matches!(answer, Answer::Awaited(_) | Answer::Sct(_)));
        let left = find(|answer| matches!(answer, Answer::NotAsked));
        match self.transparency.next(&at_hand, &left) {
            Some(log) => Some(log),
            // Those that were asked are slow: one more, of a kind that could stand in for any.
            None if now >= self.more_at => {
                let answered = find(|answer| matches!(answer, Answer::Sct(_)));
                self.transparency.best(&answered, &left)
            }
            None => None,
        }
    }

    /// Whether this number is awaited.
    pub(super) fn settle(&mut self, number: u64) -> Result<(), Misuse> {
        let awaited = self.logs.iter_mut().find_map(|(_, answer)| match answer {
            Answer::Awaited(awaited) if awaited.awaits(number) => Some(awaited),
            Answer::Awaited(_) | Answer::NotAsked | Answer::Failed | Answer::Sct(_) => None,
        });
        // Kept as it is until `answer` has looked at it.
        awaited.map(drop).ok_or(Misuse::NotAwaited)
    }

    /// Takes a log's answer. An SCT that doesn't verify is none.
    pub(super) fn answer(
        &mut self,
        config: &Config,
        template: &Template<'_>,
        intent: &IntentRow,
        number: u64,
        submitted: Submitted,
        now: Timestamp,
    ) {
        let asked = self.logs.iter().find(|(_, answer)| match answer {
            Answer::Awaited(awaited) => awaited.awaits(number),
            Answer::NotAsked | Answer::Failed | Answer::Sct(_) => false,
        });
        let Some(id) = asked.map(|(id, _)| *id) else {
            return;
        };
        let sct = match (submitted, config.authority.log(id)) {
            (Submitted::Response { status, body }, Some(log)) => {
                let window = (intent.created_at, now);
                let provider = config.provider.as_ref();
                let key_hash = template.issuer.key_hash();
                submission::reply(status, &body).ok().filter(|sct| {
                    sct.verify(log, key_hash, &intent.tbs, window, provider)
                        .is_ok()
                })
            }
            (Submitted::Unreachable, _) | (_, None) => None,
        };
        let answer = sct.map_or(Answer::Failed, |sct| Answer::Sct(Box::new(sct)));
        self.put(id, answer);
    }

    /// Gives up those whose deadline has passed.
    pub(super) fn expire(&mut self, now: Timestamp) {
        for (_, answer) in &mut self.logs {
            if matches!(answer, Answer::Awaited(awaited) if awaited.is_overdue(now)) {
                *answer = Answer::Failed;
            }
        }
    }

    /// Where it stands.
    pub(super) fn progress(&self, config: &Config, now: Timestamp) -> Progress {
        let scts = || {
            self.logs.iter().filter_map(|(id, answer)| match answer {
                Answer::Sct(sct) => Some((config.authority.log(*id)?, sct)),
                Answer::NotAsked | Answer::Awaited(_) | Answer::Failed => None,
            })
        };
        let answered: Vec<&Log> = scts().map(|(log, _)| log).collect();
        let chosen = self.transparency.choose(&answered);
        if !chosen.is_empty() {
            let is_chosen = |log: &Log| chosen.iter().any(|other| other.id() == log.id());
            let enough = scts().filter(|(log, _)| is_chosen(log));
            return Progress::Enough(enough.map(|(_, sct)| (**sct).clone()).collect());
        }
        let waiting =
            |(_, answer): &(LogId, Answer)| matches!(answer, Answer::NotAsked | Answer::Awaited(_));
        if now < self.until && self.logs.iter().any(waiting) {
            Progress::Waiting
        } else {
            Progress::Failed
        }
    }

    fn is_left(&self) -> bool {
        self.logs
            .iter()
            .any(|(_, answer)| matches!(answer, Answer::NotAsked))
    }

    fn put(&mut self, id: LogId, answer: Answer) {
        if let Some(slot) = self.logs.iter_mut().find(|(other, _)| *other == id) {
            slot.1 = answer;
        }
    }
}
