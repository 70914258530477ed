//! The end of a proof, of an attempt, of a download.

use acme_types::{ProblemType, Url};

use super::{Delivery, IssueFlow, Reading, Stage};
use crate::certificate::{check_alternate, check_issued};
use crate::failure::{Failure, Fault, IdentifierFailure, Misbehaviour, Operation};
use crate::flow::{Ground, Poll, Progress};
use crate::operation::certificate::Downloaded;
use crate::{Event, Issued};

/// How many orders one attempt may place: one, one more if the first was lost or taken over, and
/// one per further challenge type that is tried.
const ORDERS_MAX: u32 = 5;
/// How many orders of no use one attempt gives up before it ends.
const REPLACED_MAX: u32 = 1;

impl IssueFlow {
    /// Goes on when every authorization is settled.
    pub(super) fn proved(&mut self, ground: Ground<'_>) -> Progress {
        let Stage::Proving(proving) = &mut self.stage else {
            return Progress::Moved;
        };
        proving.advance(ground.now);
        if !proving.is_settled() {
            return Progress::Moved;
        }
        let falls: Vec<_> = proving.falls().cloned().collect();
        let lost = self.lost_with.take();
        if falls.is_empty() && lost.is_none() {
            let poll = Poll::start(ground.now);
            let reading = Reading {
                poll,
                proved: true,
                refusals: 0,
                refused: None,
            };
            self.stage = Stage::Reading(reading);
            return Progress::Moved;
        }
        let another = !falls.is_empty() && falls.iter().all(|fall| fall.another);
        let unprovable = falls.iter().any(|fall| fall.unprovable);
        let failures: Vec<_> = falls.into_iter().map(|fall| fall.failure).collect();
        if another && self.orders < ORDERS_MAX {
            let record = self.record.change();
            for failure in failures {
                if let Some(kind) = failure.challenge {
                    record.excluded.push((failure.identifier, kind));
                }
            }
            return self.order_anew();
        }
        let failure = lost.unwrap_or_else(|| failure_of(&failures, unprovable));
        self.stop(failure.with_identifiers(failures))
    }

    /// Forgets the order and places another.
    pub(super) fn order_anew(&mut self) -> Progress {
        self.record.change().order = None;
        self.stage = Stage::Ordering;
        Progress::Moved
    }

    /// The order is of no use: another is placed, once per attempt. A CA that always answers
    /// wrongly must not be asked for certificate after certificate.
    pub(super) fn replace_order(&mut self, failure: Failure) -> Progress {
        self.replaced = self.replaced.saturating_add(1);
        if self.replaced > REPLACED_MAX {
            self.stop(failure)
        } else {
            self.order_anew()
        }
    }

    /// The attempt is over, and its order of no use; the next one starts with all types again.
    pub(super) fn stop(&mut self, failure: Failure) -> Progress {
        let record = self.record.change();
        record.order = None;
        record.excluded.clear();
        Progress::Stopped(failure)
    }

    /// A chain was downloaded.
    pub(super) fn downloaded(&mut self, got: Downloaded, ground: Ground<'_>) -> Progress {
        let checked = check_issued(ground.config.provider(), &got.chain, &self.csr, ground.now);
        let facts = match checked {
            Ok(facts) => facts,
            // Somebody else finalized this order with another CSR, or the server is wrong. The
            // caller never sees a chain that doesn't fit.
            Err(fault) => {
                let how = Misbehaviour::Certificate(fault);
                return self.replace_order(Failure::misbehaved(Operation::Certificate, how));
            }
        };
        let delivery = Delivery {
            chain: got.chain,
            alternates: Vec::new(),
            facts,
        };
        let left = if ground.config.wants_alternates() {
            got.alternates
        } else {
            Vec::new()
        };
        self.deliver(Box::new(delivery), left)
    }

    /// An alternate chain was downloaded, or couldn't be; then it is done without.
    pub(super) fn alternate(&mut self, got: Option<Downloaded>, ground: Ground<'_>) -> Progress {
        let stage = std::mem::replace(&mut self.stage, Stage::Ended(None));
        let Stage::Alternates {
            mut issued,
            mut left,
        } = stage
        else {
            self.stage = stage;
            return Progress::Moved;
        };
        if !left.is_empty() {
            left.remove(0);
        }
        if let Some(got) = got
            && check_alternate(ground.config.provider(), &got.chain, &issued.chain).is_ok()
        {
            issued.alternates.push(got.chain);
        }
        self.deliver(issued, left)
    }

    fn deliver(&mut self, issued: Box<Delivery>, left: Vec<Url>) -> Progress {
        self.stage = if left.is_empty() {
            let Delivery {
                chain,
                alternates,
                facts,
            } = *issued;
            Stage::Ended(Some(Event::Issued(Box::new(Issued {
                chain,
                alternates,
                facts,
            }))))
        } else {
            Stage::Alternates { issued, left }
        };
        Progress::Moved
    }
}

/// What failed authorizations make of an order.
fn failure_of(failures: &[IdentifierFailure], unprovable: bool) -> Failure {
    if unprovable {
        return Failure::new(Operation::Authorization, Fault::NoChallenge);
    }
    let mut problems = failures
        .iter()
        .filter_map(|failure| failure.problem.as_deref());
    let problem = match (problems.next(), problems.next()) {
        (Some(only), None) => Some(Box::new(only.clone())),
        (Some(_), Some(_)) => Some(Box::new(ProblemType::COMPOUND.into())),
        (None, _) => None,
    };
    Failure {
        problem,
        ..Failure::new(Operation::Authorization, Fault::ServerRefused)
    }
}
