//! The addresses of a host: A and AAAA at once, IPv6 first (RFC 8555 §8.3: "the server will
//! connect to at least one of the hosts found in the DNS A and AAAA records, at its discretion").

use std::net::IpAddr;

use super::failure::Failure;
use super::turn::{Context, Wanted};
use super::{DnsOutcome, DnsQuestion, DnsRecord, RecordKind, Target};

/// More addresses of one kind than this aren't looked at.
const ADDRESSES_MAX: usize = 100;

/// Two questions about one host, and the answers so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Lookup {
    host: String,
    port: u16,
    a: Option<DnsOutcome>,
    aaaa: Option<DnsOutcome>,
}

/// Where to connect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Candidates {
    pub(super) first: Target,
    /// The address of the other kind, if `first` can't be connected to.
    pub(super) second: Option<Target>,
}

impl Lookup {
    /// Asks both questions.
    pub(super) fn begin(ctx: &Context<'_>, host: &str, port: u16) -> (Self, Vec<Wanted>) {
        let lookup = Self {
            host: host.to_owned(),
            port,
            a: None,
            aaaa: None,
        };
        let wanted = [RecordKind::Aaaa, RecordKind::A].map(|kind| ctx.question(host, kind));
        (lookup, wanted.into())
    }

    /// Takes an answer; the result once both are there.
    pub(super) fn answered(
        &mut self,
        ctx: &Context<'_>,
        question: &DnsQuestion,
        outcome: DnsOutcome,
    ) -> Option<Result<Candidates, Failure>> {
        match question.kind {
            RecordKind::A => self.a = Some(outcome),
            RecordKind::Aaaa => self.aaaa = Some(outcome),
            RecordKind::Txt | RecordKind::Caa => {}
        }
        let (a, aaaa) = (self.a.as_ref()?, self.aaaa.as_ref()?);
        Some(self.candidates(ctx, a, aaaa))
    }

    /// One kind of address is enough, whatever came of the question about the other: an address
    /// alone proves nothing.
    fn candidates(
        &self,
        ctx: &Context<'_>,
        a: &DnsOutcome,
        aaaa: &DnsOutcome,
    ) -> Result<Candidates, Failure> {
        let target = |address: &IpAddr| ctx.policy.addresses.target(*address, self.port);
        let (v6, v4) = (addresses(aaaa), addresses(a));
        let targets = [&v6, &v4].map(|found| found.iter().find_map(target));
        match targets {
            [Some(first), second] | [None, second @ Some(first)] => {
                let second = second.filter(|second| *second != first);
                Ok(Candidates { first, second })
            }
            [None, None] => Err(self.failure(v6.len().saturating_add(v4.len()), a, aaaa)),
        }
    }

    fn failure(&self, refused: usize, a: &DnsOutcome, aaaa: &DnsOutcome) -> Failure {
        let is_failed = |outcome: &DnsOutcome| {
            !matches!(outcome, DnsOutcome::Records(_) | DnsOutcome::NoRecords)
        };
        let failed = [(RecordKind::A, a), (RecordKind::Aaaa, aaaa)];
        match failed.into_iter().find(|(_, outcome)| is_failed(outcome)) {
            Some((kind, outcome)) if refused == 0 => Failure::Lookup {
                name: self.host.clone(),
                kind,
                outcome: outcome.clone(),
            },
            Some(_) | None => Failure::NoAddress {
                host: self.host.clone(),
                refused,
            },
        }
    }
}

fn addresses(outcome: &DnsOutcome) -> Vec<IpAddr> {
    let DnsOutcome::Records(records) = outcome else {
        return Vec::new();
    };
    let address = |record: &DnsRecord| match record {
        DnsRecord::A(address) => Some(IpAddr::V4(*address)),
        DnsRecord::Aaaa(address) => Some(IpAddr::V6(*address)),
        DnsRecord::Txt(_) | DnsRecord::Caa { .. } => None,
    };
    records
        .iter()
        .take(ADDRESSES_MAX)
        .filter_map(address)
        .collect()
}
