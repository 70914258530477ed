//! Brings what is in progress in line with what is wanted.

use std::collections::BTreeMap;

use acme_types::Timestamp;

use super::desk::{Desk, Ready};
use super::job::{Job, Phase, Running, SavePhase, State};
use super::timers::Due;
use crate::flow::{Ground, Slot, Want, Wanted};
use crate::operation::Content;
use crate::{Config, JobId};

/// After this every place that is wanted is in progress, waits for its time, or waits for a save
/// that is in progress.
pub(crate) fn reconcile(
    id: JobId,
    job: &mut Job,
    desk: &mut Desk,
    config: &Config,
    ground: Option<Ground<'_>>,
    now: Timestamp,
) {
    if job.state == State::Active && job.flow.is_over() {
        leave_turn(id, job, desk, Timestamp::NEVER);
    }
    if job.note_changes() {
        desk.publications.recount(job);
    }
    let wants = job.wants(config, ground);
    drop_unwanted(job, desk, &wants, now);
    for wanted in &wants {
        start(id, job, desk, wanted, now);
    }
    save(id, job, desk);
    fall_asleep(id, job, desk, &wants, now);
}

/// Gives up the turn until `until`.
pub(crate) fn leave_turn(id: JobId, job: &mut Job, desk: &mut Desk, until: Timestamp) {
    if job.state == State::Active && id != JobId::ACCOUNT {
        desk.active = desk.active.saturating_sub(1);
    }
    job.state = State::Resting(until);
    if let Some(timer) = job.timer.take() {
        desk.timers.call_off(timer);
    }
    if until != Timestamp::NEVER {
        job.timer = Some(desk.timers.set(until, Due::Job(id)));
    }
}

fn drop_unwanted(job: &mut Job, desk: &mut Desk, wants: &[Wanted], now: Timestamp) {
    let wants: BTreeMap<Slot, &Want> = wants
        .iter()
        .map(|wanted| (wanted.slot, &wanted.what))
        .collect();
    let mut kept = BTreeMap::new();
    for (slot, running) in std::mem::take(&mut job.running) {
        let wanted = wants.get(&slot) == Some(&&running.what);
        // What is being published must be known to be, or not, before it is retracted; and the
        // other way round.
        let publishing = matches!(
            (slot, &running.phase),
            (Slot::Present(_) | Slot::Retract(_), Phase::Performing(_))
        );
        if wanted || publishing {
            kept.insert(slot, running);
        } else {
            stop(running, desk, now);
        }
    }
    job.running = kept;
}

/// Forgets something in progress. A nonce that wasn't sent is as good as new.
pub(crate) fn stop(running: Running, desk: &mut Desk, now: Timestamp) {
    match running.phase {
        Phase::Delayed(timer) => desk.timers.call_off(timer),
        Phase::Signing(number, unsigned) => {
            desk.take(number);
            desk.nonces.put_back(unsigned.nonce, now);
        }
        Phase::ToSign(unsigned) => desk.nonces.put_back(unsigned.nonce, now),
        Phase::Performing(number) => {
            desk.take(number);
        }
        Phase::AwaitingNonce | Phase::ToSend(_) | Phase::ToPerform => {}
    }
}

fn start(id: JobId, job: &mut Job, desk: &mut Desk, wanted: &Wanted, now: Timestamp) {
    let slot = wanted.slot;
    // The same response is not published and retracted at once.
    let opposite = match slot {
        Slot::Present(number) => Some(Slot::Retract(number)),
        Slot::Retract(number) => Some(Slot::Present(number)),
        _ => None,
    };
    if job.running.contains_key(&slot)
        || opposite.is_some_and(|slot| job.running.contains_key(&slot))
        || (wanted.durable && !job.saving.is_durable())
    {
        return;
    }
    let phase = if wanted.at > now {
        Phase::Delayed(desk.timers.set(wanted.at, Due::Place(id, slot)))
    } else {
        first_phase(id, slot, &wanted.what, desk)
    };
    job.running.insert(
        slot,
        Running {
            what: wanted.what.clone(),
            phase,
            refused_nonces: 0,
        },
    );
}

/// How something begins.
pub(crate) fn first_phase(id: JobId, slot: Slot, what: &Want, desk: &mut Desk) -> Phase {
    match what {
        Want::Request(request) => match request.content {
            Content::Head | Content::Get => {
                desk.ready.push_back(Ready::Place(id, slot));
                Phase::ToSend(Vec::new())
            }
            Content::PostAsGet | Content::Post(..) => {
                desk.nonces.wait(id, slot);
                Phase::AwaitingNonce
            }
        },
        Want::Sign(..) | Want::Present(_) | Want::Retract(_) | Want::Tell(_) => {
            desk.ready.push_back(Ready::Place(id, slot));
            Phase::ToPerform
        }
    }
}

/// Saves at once what changed. A job that never had its turn is its caller's still.
fn save(id: JobId, job: &mut Job, desk: &mut Desk) {
    let begun = job.state != State::Queued || job.saving.known;
    if !job.saving.is_durable() && job.saving.phase == SavePhase::Idle && begun {
        job.saving.phase = SavePhase::Queued;
        desk.ready.push_back(Ready::Save(id));
    }
}

/// A job that only waits for a far time gives up its turn meanwhile.
fn fall_asleep(id: JobId, job: &mut Job, desk: &mut Desk, wants: &[Wanted], now: Timestamp) {
    let idle = job
        .running
        .values()
        .all(|running| matches!(running.phase, Phase::Delayed(_)));
    let quiet = idle && wants.iter().all(|wanted| wanted.at > now);
    if job.state != State::Active || !job.flow.may_sleep() || !quiet {
        return;
    }
    if let Some(until) = wants.iter().map(|wanted| wanted.at).min() {
        for running in std::mem::take(&mut job.running).into_values() {
            stop(running, desk, now);
        }
        leave_turn(id, job, desk, until);
        job.touch();
        save(id, job, desk);
    }
}
