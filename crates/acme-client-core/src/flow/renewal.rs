//! When to renew (RFC 9773): decisions as pure functions, and the job that keeps asking the CA.

use std::time::Duration;

use acme_types::{SuggestedWindow, Timestamp, Url};
use serde::{Deserialize, Serialize};

use super::{Ground, Happened, Kept, Progress, Slot, Want, Wanted};
use crate::certificate::CertificateFacts;
use crate::failure::{CertificateFault, Fault};
use crate::operation::renewal_info;
use crate::{Event, RenewAt};

/// The shortest time between two looks (RFC 9773 §4.3.2 leaves the clamp to the client).
const LOOK_MIN: Duration = Duration::from_secs(60);
/// The longest.
const LOOK_MAX: Duration = Duration::from_secs(86_400);
/// RFC 9773 §4.3.3: after a long-term error, and without `Retry-After`: six hours.
const LOOK_DEFAULT: Duration = Duration::from_secs(6 * 3_600);
/// Below this lifetime half of it is left at renewal, above a third.
const SHORT_LIVED: Duration = Duration::from_secs(10 * 86_400);

/// A moment in the window, uniformly chosen by `random` (RFC 9773 §4.2).
pub fn time_in_window(window: SuggestedWindow, random: u64) -> Timestamp {
    let length = window.end.since(window.start);
    let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let offset = random
        .checked_rem(millis.saturating_add(1))
        .unwrap_or_default();
    window.start.after(Duration::from_millis(offset))
}

/// When to renew without the CA's advice: with a third of the lifetime left, with half if it is
/// shorter than ten days; up to a fiftieth of the lifetime earlier, chosen by `random`, so that
/// certificates issued together are not renewed together.
pub fn fallback_time(not_before: Timestamp, not_after: Timestamp, random: u64) -> Timestamp {
    let lifetime = not_after.since(not_before);
    let left = if lifetime < SHORT_LIVED {
        part(lifetime, 2)
    } else {
        part(lifetime, 3)
    };
    let spread = u64::try_from(part(lifetime, 50).as_millis()).unwrap_or(u64::MAX);
    let earlier = random
        .checked_rem(spread.saturating_add(1))
        .unwrap_or_default();
    not_after
        .before(left)
        .before(Duration::from_millis(earlier))
        .max(not_before)
}

fn part(whole: Duration, of: u32) -> Duration {
    whole.checked_div(of).unwrap_or_default()
}

/// The moment beyond which no advice is followed: a twentieth of the lifetime before the end.
fn latest(facts: &CertificateFacts) -> Timestamp {
    facts
        .not_after
        .before(part(facts.not_after.since(facts.not_before), 20))
}

/// The intent to know when to renew a certificate. It asks the CA again and again until the time
/// has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RenewalJob {
    facts: CertificateFacts,
}

impl RenewalJob {
    /// For this certificate (DER).
    ///
    /// # Errors
    /// Not an X.509 certificate.
    pub fn new(certificate: &[u8]) -> Result<Self, CertificateFault> {
        CertificateFacts::from_der(certificate).map(Self::of)
    }

    /// For a certificate of which these facts are known.
    pub fn of(facts: CertificateFacts) -> Self {
        Self { facts }
    }
}

/// What was decided, and on which advice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Schedule {
    /// The CA's advice; none if it gave none.
    pub window: Option<SuggestedWindow>,
    /// The moment chosen in it.
    pub at: Timestamp,
    /// What the CA has to say about it.
    pub explanation: Option<Url>,
}

/// What is stored of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct RenewalRecord {
    job: RenewalJob,
    schedule: Option<Schedule>,
    next_look: Timestamp,
    /// What the caller was told last, and when.
    told: Option<(Timestamp, Timestamp)>,
    ended: bool,
}

pub(crate) struct RenewalFlow {
    record: Kept<RenewalRecord>,
}

impl RenewalFlow {
    pub(crate) fn new(job: RenewalJob) -> Self {
        let record = RenewalRecord {
            job,
            schedule: None,
            next_look: Timestamp::EPOCH,
            told: None,
            ended: false,
        };
        Self {
            record: Kept::new(record),
        }
    }

    pub(crate) fn restore(record: RenewalRecord) -> Self {
        Self {
            record: Kept::stored(record),
        }
    }

    pub(crate) fn record(&self) -> &RenewalRecord {
        &self.record
    }

    pub(crate) fn take_changed(&mut self) -> bool {
        self.record.take_changed()
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.record.ended
    }

    pub(crate) fn cancel(&mut self) {
        self.record.change().ended = true;
    }

    pub(crate) fn wants(&self, ground: Option<Ground<'_>>) -> Vec<Wanted> {
        let mut wants = Vec::new();
        if self.record.ended {
            return wants;
        }
        if let Some(schedule) = &self.record.schedule {
            let told = self.record.told.map(|(at, _)| at);
            let event = Event::RenewAt(RenewAt {
                at: schedule.at,
                explanation: schedule.explanation.clone(),
            });
            // Told at once when it is decided, and again when the time has come.
            let when = if told == Some(schedule.at) {
                schedule.at
            } else {
                Timestamp::EPOCH
            };
            wants.push(Wanted {
                slot: Slot::Event,
                what: Want::Tell(event),
                at: when,
                durable: true,
            });
        }
        if let Some(request) = ground.and_then(|ground| self.look(ground)) {
            wants.push(Wanted::at(
                Slot::RenewalInfo,
                Want::Request(request),
                self.record.next_look,
            ));
        }
        wants
    }

    /// Is there anything to ask, and is it still of use?
    fn look(&self, ground: Ground<'_>) -> Option<crate::operation::Request> {
        let facts = &self.record.job.facts;
        let base = ground.endpoints.renewal_info.as_ref()?;
        let request = renewal_info::request(base, facts.id.as_ref()?).ok()?;
        let next = self.record.next_look.max(ground.now);
        let due = self
            .record
            .schedule
            .as_ref()
            .is_some_and(|schedule| schedule.at <= next);
        // RFC 9773 §4.3: no polling after expiry, nor when it is to be renewed anyway.
        (next < latest(facts) && !due).then_some(request)
    }

    /// Without advice there is a schedule all the same.
    pub(crate) fn begin(&mut self, ground: Ground<'_>) -> Progress {
        if self.record.schedule.is_none() && self.look(ground).is_none() {
            self.fall_back(ground);
        }
        Progress::Moved
    }

    fn fall_back(&mut self, ground: Ground<'_>) {
        let facts = &self.record.job.facts;
        let at = fallback_time(facts.not_before, facts.not_after, ground.jitter);
        self.record.change().schedule = Some(Schedule {
            window: None,
            at,
            explanation: None,
        });
    }

    pub(crate) fn on(
        &mut self,
        slot: Slot,
        what: Happened,
        now: Timestamp,
        ground: Option<Ground<'_>>,
    ) -> Progress {
        match (slot, what, ground) {
            (Slot::RenewalInfo, Happened::Replied(reply), Some(ground)) => {
                let next = reply
                    .retry_after()
                    .unwrap_or_else(|| now.after(LOOK_DEFAULT));
                let next = next.max(now.after(LOOK_MIN)).min(now.after(LOOK_MAX));
                self.record.change().next_look = next;
                match renewal_info::read(&reply) {
                    Ok(info) => self.advised(info, ground),
                    Err(failure) if failure.fault == Fault::ServerUnavailable => {
                        return Progress::Again(failure);
                    }
                    // Not known to this CA, or nonsense.
                    Err(_) => self.unadvised(ground),
                }
                Progress::Moved
            }
            (Slot::Event, Happened::Kept, _) => {
                if let Some(at) = self.record.schedule.as_ref().map(|schedule| schedule.at) {
                    let record = self.record.change();
                    record.told = Some((at, now));
                    record.ended = at <= now;
                }
                Progress::Moved
            }
            (_, Happened::Unknown(failure), _) => Progress::Again(failure),
            (_, _, _) => Progress::Moved,
        }
    }

    fn advised(&mut self, info: acme_types::RenewalInfo, ground: Ground<'_>) {
        let window = info.suggested_window;
        let explanation = info.explanation_url.and_then(|url| Url::parse(&url).ok());
        let known = self
            .record
            .schedule
            .as_ref()
            .filter(|known| known.window == Some(window));
        // RFC 9773 §4.2: the choice is made once per window.
        let at = match known {
            Some(known) => known.at,
            None => time_in_window(window, ground.jitter).min(latest(&self.record.job.facts)),
        };
        let window = Some(window);
        self.record.change().schedule = Some(Schedule {
            window,
            at,
            explanation,
        });
    }

    fn unadvised(&mut self, ground: Ground<'_>) {
        if self.record.schedule.is_none() {
            self.fall_back(ground);
        }
    }

    /// The CA doesn't answer for now: it is asked again in six hours, and the certificate renewed
    /// in time all the same.
    pub(crate) fn stop(&mut self, ground: Ground<'_>) {
        self.unadvised(ground);
        self.record.change().next_look = ground.now.after(LOOK_DEFAULT);
    }
}
