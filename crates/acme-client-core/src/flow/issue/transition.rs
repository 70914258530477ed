//! Every arrow of the issuance: one `match` over the stages, one over the proofs within them.

use acme_types::ProblemType;
use http::StatusCode;

use super::{End, IssueFlow, Reading, Stage};
use crate::failure::{Failure, Fault, Misbehaviour, Operation};
use crate::flow::{Ground, Happened, Poll, Progress, Slot};
use crate::operation::{Reply, authorization, certificate, challenge, finalize, new_order, order};

/// newOrder requests of unknown outcome per attempt. One is allowed for: it may leave a stray
/// order behind. The next one ends the attempt.
const STRAYS_MAX: u32 = 1;

impl IssueFlow {
    pub(crate) fn on(
        &mut self,
        slot: Slot,
        what: Happened,
        ground: Option<Ground<'_>>,
    ) -> Progress {
        match (&mut self.stage, slot, what, ground) {
            (Stage::Ended(event @ Some(_)), Slot::Event, Happened::Kept, _) => {
                *event = None;
                self.record.change().end = Some(End::Told);
                Progress::Moved
            }
            (_, Slot::Retract(number), Happened::Retracted, _) => {
                if !self.live().has(number) {
                    self.record
                        .change()
                        .publications
                        .retain(|known| known.number != number);
                }
                Progress::Moved
            }
            (_, _, what, Some(ground)) => self.on_ground(slot, what, ground),
            (_, _, _, None) => Progress::Moved,
        }
    }

    fn on_ground(&mut self, slot: Slot, what: Happened, ground: Ground<'_>) -> Progress {
        let now = ground.now;
        match (&mut self.stage, slot, what) {
            (Stage::Ordering, Slot::NewOrder, Happened::Replied(reply)) => {
                self.placed(&reply, ground)
            }
            (Stage::Ordering, Slot::NewOrder, Happened::Unknown(failure)) => {
                self.strays = self.strays.saturating_add(1);
                if self.strays > STRAYS_MAX {
                    self.stop(failure)
                } else {
                    Progress::Again(failure)
                }
            }

            (Stage::Reading(_), Slot::Order, Happened::Replied(reply)) => self.seen(&reply, ground),

            (Stage::Proving(_), slot, what) => self.on_proof(slot, what, ground),

            (Stage::Finalizing { refusals, .. }, Slot::Finalize, Happened::Replied(reply)) => {
                let refusals = *refusals;
                self.finalized(&reply, refusals, ground)
            }
            // RFC 8555 §7.4 has finalize change the order: the order tells whether it did.
            (Stage::Finalizing { refusals, .. }, Slot::Finalize, Happened::Unknown(failure)) => {
                let refusals = refusals.saturating_add(1);
                let poll = Poll::after(now, None);
                let refused = Some(failure);
                self.stage = Stage::Reading(Reading {
                    poll,
                    proved: true,
                    refusals,
                    refused,
                });
                Progress::Moved
            }

            (Stage::Downloading { .. }, Slot::Certificate, Happened::Replied(reply)) => {
                match certificate::read(ground.config, &reply) {
                    Ok(got) => self.downloaded(got, ground),
                    Err(failure) => Progress::Again(failure),
                }
            }
            (Stage::Alternates { .. }, Slot::Alternate, Happened::Replied(reply)) => {
                self.alternate(certificate::read(ground.config, &reply).ok(), ground)
            }
            (Stage::Alternates { .. }, Slot::Alternate, Happened::Unknown(_)) => {
                self.alternate(None, ground)
            }

            // Reads, which the client repeats.
            (_, _, Happened::Unknown(failure)) => Progress::Again(failure),
            // What the flow no longer waits for.
            (_, _, _) => Progress::Moved,
        }
    }

    fn on_proof(&mut self, slot: Slot, what: Happened, ground: Ground<'_>) -> Progress {
        let now = ground.now;
        let Stage::Proving(proving) = &mut self.stage else {
            return Progress::Moved;
        };
        match (slot, what) {
            (Slot::Authorization(at), Happened::Replied(reply)) => {
                let read = match authorization::read(&reply) {
                    Ok(read) => read,
                    Err(failure) => return self.unread(failure),
                };
                let names = self.csr.identifiers();
                let retry_after = reply.retry_after();
                match proving.read(at, read, retry_after, &mut self.record, names, ground) {
                    Ok(()) => self.proved(ground),
                    Err(failure) if failure.fault == Fault::Unfinished => {
                        Progress::Stopped(Failure {
                            retry_after,
                            ..failure
                        })
                    }
                    Err(failure) => self.stop(failure),
                }
            }
            // The challenge's object says less than the authorization's: that is read next,
            // whatever came of this request.
            (Slot::Challenge(at), Happened::Replied(reply)) => {
                let heard = challenge::read(&reply).is_ok();
                proving.triggered(at, heard, now, reply.retry_after());
                Progress::Moved
            }
            (Slot::Challenge(at), Happened::Unknown(_)) => {
                proving.triggered(at, false, now, None);
                Progress::Moved
            }
            (Slot::Deactivation(at), Happened::Replied(_) | Happened::Unknown(_)) => {
                proving.left(at);
                self.proved(ground)
            }
            (Slot::Present(number), Happened::Presented) => {
                proving.presented(number);
                self.proved(ground)
            }
            (Slot::Present(number), Happened::PresentRefused) => {
                proving.refused(number, &mut self.record, now);
                Progress::Moved
            }
            // Reads, which the client repeats.
            (_, Happened::Unknown(failure)) => Progress::Again(failure),
            // What the flow no longer waits for.
            (_, _) => Progress::Moved,
        }
    }

    fn placed(&mut self, reply: &Reply, ground: Ground<'_>) -> Progress {
        let placed = match new_order::read(ground.config, reply, self.csr.identifiers()) {
            Ok(placed) => placed,
            Err(failure) => return self.not_placed(failure, ground),
        };
        if ground.account == Some(&placed.url) {
            let how = Misbehaviour::UrlReused;
            return self.stop(Failure::misbehaved(Operation::NewOrder, how));
        }
        self.orders = self.orders.saturating_add(1);
        self.record.change().order = Some(placed.url);
        self.settle(
            &placed.order,
            reply.retry_after(),
            Reading::first(ground.now),
            ground,
        )
    }

    fn not_placed(&mut self, failure: Failure, ground: Ground<'_>) -> Progress {
        // Any refusal may be because of `replaces`, under many names; only those that are
        // certainly about something else are not.
        const ABOUT_SOMETHING_ELSE: [ProblemType; 8] = [
            ProblemType::RATE_LIMITED,
            ProblemType::USER_ACTION_REQUIRED,
            ProblemType::ACCOUNT_DOES_NOT_EXIST,
            ProblemType::REJECTED_IDENTIFIER,
            ProblemType::UNSUPPORTED_IDENTIFIER,
            ProblemType::BAD_SIGNATURE_ALGORITHM,
            ProblemType::INVALID_PROFILE,
            ProblemType::CAA,
        ];
        let elsewhere = ABOUT_SOMETHING_ELSE.iter().any(|kind| failure.is(kind));
        let refused = failure.fault == Fault::ServerRefused;
        if refused && !elsewhere && self.replaces(ground).is_some() {
            self.record.change().without_replaces = true;
            return Progress::Moved;
        }
        self.stop(failure)
    }

    fn seen(&mut self, reply: &Reply, ground: Ground<'_>) -> Progress {
        let read = order::read(ground.config, reply, self.csr.identifiers());
        let stage = std::mem::replace(&mut self.stage, Stage::Ended(None));
        let Stage::Reading(reading) = stage else {
            self.stage = stage;
            return Progress::Moved;
        };
        let expired = |order: &acme_types::Order| {
            order.expires.is_some_and(|expires| expires <= ground.now)
                && !matches!(
                    order.status.as_known(),
                    Some(acme_types::OrderStatus::Valid | acme_types::OrderStatus::Invalid)
                )
        };
        match read {
            Ok(order) if expired(&order) => {
                self.replace_order(Failure::new(Operation::Order, Fault::Unfinished))
            }
            Ok(order) => self.settle(&order, reply.retry_after(), reading, ground),
            Err(failure) if is_gone(&failure) => self.replace_order(failure),
            Err(failure) => {
                self.stage = Stage::Reading(reading);
                self.unread(failure)
            }
        }
    }

    fn finalized(&mut self, reply: &Reply, refusals: u32, ground: Ground<'_>) -> Progress {
        let poll = Poll::after(ground.now, reply.retry_after());
        let refusals = refusals.saturating_add(1);
        match finalize::read(ground.config, reply, self.csr.identifiers()) {
            // A server may answer before the order shows that it was finalized; then the order is
            // looked at again, and finalized again if it stays ready.
            Ok(order) if order.status == acme_types::OrderStatus::Ready => {
                let refused = Some(Failure::misbehaved(
                    Operation::Finalize,
                    Misbehaviour::UnexpectedStatus,
                ));
                self.stage = Stage::Reading(Reading {
                    poll,
                    proved: true,
                    refusals,
                    refused,
                });
                Progress::Moved
            }
            Ok(order) => {
                let poll = Poll::start(ground.now);
                let reading = Reading {
                    poll,
                    proved: true,
                    refusals,
                    refused: None,
                };
                self.settle(&order, reply.retry_after(), reading, ground)
            }
            Err(failure) if failure.is(&ProblemType::BAD_CSR) => self.stop(failure),
            // RFC 8555 §7.4: a 403 with orderNotReady leaves the order as it is. So may others;
            // the order tells.
            Err(failure) => {
                let refused = Some(failure);
                self.stage = Stage::Reading(Reading {
                    poll,
                    proved: true,
                    refusals,
                    refused,
                });
                Progress::Moved
            }
        }
    }

    /// An object of the order can't be read.
    fn unread(&mut self, failure: Failure) -> Progress {
        match failure.fault {
            Fault::ServerMisbehaved(
                Misbehaviour::IdentifiersChanged
                | Misbehaviour::AuthorizationMismatch
                | Misbehaviour::TooManyAuthorizations,
            ) => self.stop(failure),
            Fault::ServerRefused if is_gone(&failure) => self.replace_order(failure),
            _ => Progress::Again(failure),
        }
    }
}

/// The object isn't there any more, or is another account's.
fn is_gone(failure: &Failure) -> bool {
    const GONE: [u16; 3] = [
        StatusCode::NOT_FOUND.as_u16(),
        StatusCode::GONE.as_u16(),
        StatusCode::FORBIDDEN.as_u16(),
    ];
    failure.fault == Fault::ServerRefused
        && failure.status.is_some_and(|status| GONE.contains(&status))
        && !failure.is(&ProblemType::ACCOUNT_DOES_NOT_EXIST)
}
