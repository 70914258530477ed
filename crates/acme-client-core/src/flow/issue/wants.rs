//! What an issuance wants: a pure function of its state.

use acme_types::{CertificateId, NewOrder};

use super::{IssueFlow, Stage};
use crate::flow::{Ground, Slot, Want, Wanted};
use crate::operation::{certificate, finalize, new_order, order};

impl IssueFlow {
    /// Without a ground to stand on (the CA isn't known yet, or the job rests): only what concerns
    /// the caller.
    pub(crate) fn wants(&self, ground: Option<Ground<'_>>) -> Vec<Wanted> {
        let mut wants: Vec<_> = self.retractions().collect();
        match (&self.stage, ground) {
            (Stage::Ended(Some(event)), _) => {
                wants.push(Wanted::durable(Slot::Event, Want::Tell(event.clone())));
            }
            (_, Some(ground)) => self.requests(ground, &mut wants),
            (_, None) => {}
        }
        wants
    }

    fn requests(&self, ground: Ground<'_>, wants: &mut Vec<Wanted>) {
        match &self.stage {
            Stage::Ordering => {
                let request = new_order::request(ground.endpoints, &self.new_order(ground));
                wants.push(Wanted::durable(Slot::NewOrder, Want::Request(request)));
            }
            Stage::Reading(reading) => {
                if let Some(url) = &self.record.order {
                    let request = Want::Request(order::request(url));
                    wants.push(Wanted::at(Slot::Order, request, reading.poll.at));
                }
            }
            Stage::Proving(proving) => proving.wants(&self.record, wants),
            Stage::Finalizing { finalize, .. } => {
                let request = finalize::request(finalize, self.record.job.csr());
                wants.push(Wanted::durable(Slot::Finalize, Want::Request(request)));
            }
            Stage::Downloading { certificate } => {
                let request = certificate::request(certificate);
                wants.push(Wanted::now(Slot::Certificate, Want::Request(request)));
            }
            Stage::Alternates { left, .. } => {
                if let Some(url) = left.first() {
                    let request = Want::Request(certificate::request(url));
                    wants.push(Wanted::now(Slot::Alternate, request));
                }
            }
            Stage::Ended(_) => {}
        }
    }

    /// Whatever may be published and no validator needs any more: in every stage, after failure,
    /// cancellation and restart too.
    fn retractions(&self) -> impl Iterator<Item = Wanted> {
        let live = self.live();
        let stale = self
            .record
            .publications
            .iter()
            .filter(move |known| !live.has(known.number));
        stale.map(|known| {
            let slot = Slot::Retract(known.number);
            Wanted::now(slot, Want::Retract(known.response.clone()))
        })
    }

    fn new_order(&self, ground: Ground<'_>) -> NewOrder {
        let job = &self.record.job;
        let mut order = NewOrder::new(self.csr.identifiers().iter().cloned().collect());
        order.profile = job.profile().map(str::to_owned);
        order.replaces = self.replaces(ground).cloned();
        order
    }

    /// RFC 9773 §5: `replaces` is for servers that have renewal information.
    pub(super) fn replaces(&self, ground: Ground<'_>) -> Option<&CertificateId> {
        let wanted = !self.record.without_replaces && ground.endpoints.renewal_info.is_some();
        self.record.job.replaces().filter(|_| wanted)
    }
}
