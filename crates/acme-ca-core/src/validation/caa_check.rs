//! The CAA part of a probe: all names of the climb are asked for at once, the nearest set decides.

use acme_types::{DnsName, Identifier};

use super::caa::{self, CaaRequest, Climb};
use super::failure::Failure;
use super::turn::{Answered, Context, Turn};
use super::{DnsOutcome, RecordKind};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct CaaCheck {
    /// Nearest first.
    names: Vec<DnsName>,
    answers: Vec<Option<DnsOutcome>>,
}

impl CaaCheck {
    /// BR §3.2.2.8 wants CAA "for each `dNSName`"; an address has no place in the tree.
    pub(super) fn begin(ctx: &Context<'_>) -> Turn<Self> {
        let Identifier::Dns(name) = &ctx.request.identifier else {
            return Turn::Done(Ok(()));
        };
        let names = caa::climb(name);
        let wanted = names
            .iter()
            .map(|name| ctx.question(name.as_str(), RecordKind::Caa))
            .collect();
        let answers = vec![None; names.len()];
        Turn::More(Self { names, answers }, wanted)
    }

    pub(super) fn answered(mut self, ctx: &Context<'_>, answered: Answered) -> Turn<Self> {
        if let Answered::Dns(question, outcome) = answered {
            let place = self
                .names
                .iter()
                .position(|name| name.as_str() == question.name);
            if let Some(answer) = place.and_then(|place| self.answers.get_mut(place)) {
                *answer = Some(outcome);
            }
        }
        let name = |place: usize| {
            self.names
                .get(place)
                .map(DnsName::to_string)
                .unwrap_or_default()
        };
        let result = match caa::relevant(&self.answers) {
            Climb::Waiting => return Turn::More(self, Vec::new()),
            Climb::Nothing => Ok(()),
            Climb::Failed(place, outcome) => Err(Failure::Lookup {
                name: name(place),
                kind: RecordKind::Caa,
                outcome: outcome.clone(),
            }),
            Climb::Found(place, records) => {
                let request = CaaRequest {
                    identities: &ctx.policy.caa_identities,
                    wildcard: ctx.request.wildcard,
                    account: &ctx.request.account,
                    method: &ctx.request.method,
                };
                caa::permits(records, &request).map_err(|fault| Failure::Caa {
                    name: name(place),
                    fault,
                })
            }
        };
        Turn::Done(result)
    }
}
