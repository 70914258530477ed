//! A stub resolver: one question to the perspective's recursive resolver, from the perspective's
//! own address, over UDP and then TCP. It has no cache, no search list, no hosts file.
//!
//! What comes back must be the answer to what was asked: same server, same id, same question.
//! Anything that can't be used whole is an outcome of its own; nothing is skipped over.

mod message;
mod transport;

use std::net::SocketAddr;

use acme_ca_core::validation::{DnsOutcome, DnsQuestion};
use hickory_proto::rr::Name;

use self::message::{Reading, record_type};
use self::transport::Failed;
use crate::clock;
use crate::network::Source;

/// Aliases that are followed where the server didn't do it: more than any zone has a reason for,
/// and an end to a loop.
const ALIASES_MAX: usize = 8;

/// A stub resolver with its servers and the address that it asks from.
#[derive(Clone, Debug)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
    source: Source,
}

impl Resolver {
    /// Asks these servers, each in its turn when one doesn't answer. Without a server no question
    /// is answered.
    pub fn new(servers: Vec<SocketAddr>, source: Source) -> Self {
        Self { servers, source }
    }

    /// The answer to a question, or why there is none.
    pub async fn ask(&self, question: DnsQuestion) -> DnsOutcome {
        let deadline = question.deadline;
        clock::by(deadline, self.follow(question))
            .await
            .unwrap_or(DnsOutcome::TimedOut)
    }

    async fn follow(&self, question: DnsQuestion) -> DnsOutcome {
        let Ok(mut name) = Name::from_ascii(&question.name) else {
            return DnsOutcome::Unusable;
        };
        name.set_fqdn(true);
        for _ in 0..=ALIASES_MAX {
            let kind = record_type(question.kind);
            let reply = match transport::ask(&self.servers, self.source, &name, kind).await {
                Ok(reply) => reply,
                Err(Failed::Unusable) => return DnsOutcome::Unusable,
                Err(Failed::Unreachable) => return DnsOutcome::TimedOut,
            };
            match message::read(&reply, &name, question.kind) {
                Reading::Outcome(outcome) => return outcome,
                // The server left the rest to us: one that is authoritative for the first name
                // only, or there is nothing at the end.
                Reading::Alias(target) => name = target,
            }
        }
        DnsOutcome::Unusable
    }
}
