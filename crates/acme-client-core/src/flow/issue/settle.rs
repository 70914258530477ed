//! What an order's status means for what to do next.

use acme_types::{Order, OrderStatus, Timestamp};

use super::proving::Proving;
use super::{IssueFlow, Reading, Stage};
use crate::failure::{Failure, Fault, Operation};
use crate::flow::{Ground, Progress};

/// How often a ready order refuses to be finalized before the attempt is over.
const REFUSALS_MAX: u32 = 3;

impl IssueFlow {
    /// The table. `reading` is how the order came to be read.
    pub(super) fn settle(
        &mut self,
        order: &Order,
        retry_after: Option<Timestamp>,
        reading: Reading,
        ground: Ground<'_>,
    ) -> Progress {
        let status = order.status.as_known().copied();
        self.stage = match (status, &order.certificate) {
            // RFC 8555 §7.1.6: pending until all authorizations are valid. Without any, or when
            // all are valid, the server has to notice: that it is ready is never inferred.
            (Some(OrderStatus::Pending), _) if !reading.proved => {
                if order.authorizations.is_empty() {
                    return self.look_again(
                        Reading {
                            proved: true,
                            ..reading
                        },
                        retry_after,
                        ground,
                    );
                }
                Stage::Proving(Proving::new(&order.authorizations, ground.now, false))
            }
            // "ready": finalize.
            (Some(OrderStatus::Ready), _) => match reading.refused {
                Some(refused) if reading.refusals >= REFUSALS_MAX => {
                    return self.stop(refused);
                }
                _ => Stage::Finalizing {
                    finalize: order.finalize.clone(),
                    refusals: reading.refusals,
                },
            },
            (Some(OrderStatus::Valid), Some(certificate)) => Stage::Downloading {
                certificate: certificate.clone(),
            },
            // The order's error may say it all; the authorizations say which name.
            (Some(OrderStatus::Invalid), _) => return self.lost(order, ground),
            // "processing", and "valid" without a certificate for a moment, and what isn't known.
            (
                Some(OrderStatus::Pending | OrderStatus::Processing | OrderStatus::Valid) | None,
                _,
            ) => return self.look_again(reading, retry_after, ground),
        };
        Progress::Moved
    }

    /// RFC 8555 §7.4: the order is polled, after the time in the `Retry-After` header.
    fn look_again(
        &mut self,
        reading: Reading,
        retry_after: Option<Timestamp>,
        ground: Ground<'_>,
    ) -> Progress {
        let patience = ground.config.limits().patience;
        match reading.poll.next(ground.now, retry_after, patience) {
            Some(poll) => {
                self.stage = Stage::Reading(Reading { poll, ..reading });
                Progress::Moved
            }
            // The order stays; the next attempt reads it first.
            None => Progress::Stopped(Failure {
                retry_after,
                ..Failure::new(Operation::Order, Fault::Unfinished)
            }),
        }
    }

    /// The order is invalid.
    fn lost(&mut self, order: &Order, ground: Ground<'_>) -> Progress {
        let failure = Failure {
            problem: order.error.clone().map(Box::new),
            ..Failure::new(Operation::Order, Fault::ServerRefused)
        };
        if order.authorizations.is_empty() {
            return self.stop(failure);
        }
        self.lost_with = Some(failure);
        self.stage = Stage::Proving(Proving::new(&order.authorizations, ground.now, true));
        Progress::Moved
    }
}
