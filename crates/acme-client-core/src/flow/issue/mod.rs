//! Issuance: from a CSR to a certificate that was checked (RFC 8555 §7.4).
//!
//! ```text
//! Ordering ─▶ Proving ─▶ Reading ─▶ Finalizing ─▶ Reading
//!                ▲           │                      │
//!  resume ─▶ Reading         └▶ (waits)             └▶ Downloading ─▶ Ended
//! ```
//! Every arrow is driven by an object that was read, never by what was assumed of a request. The
//! arrows are in `transition`, the table of what an order's status means in `settle`.

mod choice;
mod conclude;
mod job;
mod proof;
mod proving;
mod settle;
mod transition;
mod wants;

use std::collections::BTreeSet;

use acme_crypto::PublicKey;
use acme_csr::Csr;
use acme_types::{ChallengeType, Identifier, Timestamp, Url};
pub use job::IssueJob;
use proving::Proving;
use serde::{Deserialize, Serialize};

use super::{Ground, Kept, Poll, Progress};
use crate::certificate::{CertificateFacts, Chain};
use crate::failure::{Failure, Fault, Operation};
use crate::snapshot::SnapshotError;
use crate::{ChallengeResponse, Event};

/// What is stored of an issuance: the intent, where the order is, what may be published, and what
/// was learnt. Not what the server said, which is read again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct IssueRecord {
    job: IssueJob,
    order: Option<Url>,
    publications: Vec<Publication>,
    next_publication: u32,
    /// Challenge types that failed for an identifier in this attempt.
    excluded: Vec<(Identifier, ChallengeType)>,
    /// The server refused an order because of `replaces`.
    without_replaces: bool,
    end: Option<End>,
}

impl IssueRecord {
    /// Publications are numbered as they come, so the list is in order.
    fn publication(&self, number: u32) -> Option<&Publication> {
        let at = self
            .publications
            .binary_search_by_key(&number, |known| known.number)
            .ok()?;
        self.publications.get(at)
    }
}

/// A challenge response that may be published.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Publication {
    number: u32,
    response: ChallengeResponse,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum End {
    /// The caller knows how it ended; only retractions are left.
    Told,
    /// The caller is to be told of this.
    Failed(Box<Failure>),
}

pub(crate) struct IssueFlow {
    record: Kept<IssueRecord>,
    csr: Csr,
    stage: Stage,
    /// Orders placed since the attempt began.
    orders: u32,
    /// newOrder requests whose outcome is unknown, since the attempt began.
    strays: u32,
    /// Orders given up because they were of no use, since the attempt began.
    replaced: u32,
    /// The order was read to be invalid, for this reason; its authorizations are read for more.
    lost_with: Option<Failure>,
}

enum Stage {
    Ordering,
    Reading(Reading),
    Proving(Proving),
    Finalizing {
        finalize: Url,
        refusals: u32,
    },
    Downloading {
        certificate: Url,
    },
    Alternates {
        issued: Box<Delivery>,
        left: Vec<Url>,
    },
    Ended(Option<Event>),
}

/// The order is read again.
struct Reading {
    poll: Poll,
    /// All authorizations are valid, or there were none: a pending order is waited for, not proved
    /// again.
    proved: bool,
    /// How often finalize was refused, and how the last time.
    refusals: u32,
    refused: Option<Failure>,
}

struct Delivery {
    chain: Chain,
    alternates: Vec<Chain>,
    facts: CertificateFacts,
}

impl IssueFlow {
    pub(crate) fn new(job: IssueJob) -> Result<Self, SnapshotError> {
        let record = IssueRecord {
            job,
            order: None,
            publications: Vec::new(),
            next_publication: 0,
            excluded: Vec::new(),
            without_replaces: false,
            end: None,
        };
        Self::with(Kept::new(record))
    }

    pub(crate) fn restore(record: IssueRecord) -> Result<Self, SnapshotError> {
        Self::with(Kept::stored(record))
    }

    fn with(record: Kept<IssueRecord>) -> Result<Self, SnapshotError> {
        let csr = Csr::parse(record.job.csr()).map_err(|_| SnapshotError::Malformed)?;
        let mut flow = Self {
            record,
            csr,
            stage: Stage::Ended(None),
            orders: 0,
            strays: 0,
            replaced: 0,
            lost_with: None,
        };
        flow.rest();
        Ok(flow)
    }

    pub(crate) fn record(&self) -> &IssueRecord {
        &self.record
    }

    pub(crate) fn take_changed(&mut self) -> bool {
        self.record.take_changed()
    }

    pub(crate) fn public_key(&self) -> &PublicKey {
        self.csr.public_key()
    }

    pub(crate) fn tries(&self) -> Option<u32> {
        self.record.job.tries()
    }

    /// Back to what the record alone says. The order is read first when the flow next acts.
    pub(crate) fn rest(&mut self) {
        (self.orders, self.strays, self.replaced) = (0, 0, 0);
        self.lost_with = None;
        self.stage = match (&self.record.end, &self.record.order) {
            (Some(End::Told), _) => Stage::Ended(None),
            (Some(End::Failed(failure)), _) => Stage::Ended(Some(Event::Failed(failure.clone()))),
            (None, None) => Stage::Ordering,
            (None, Some(_)) => Stage::Reading(Reading::first(Timestamp::EPOCH)),
        };
    }

    /// It gets its turn. draft-ietf-acme-profiles §4: a profile that isn't advertised isn't asked
    /// for.
    pub(crate) fn begin(&mut self, ground: Ground<'_>) -> Progress {
        if let Stage::Reading(reading) = &mut self.stage {
            // Patience begins with the turn.
            reading.poll = Poll::start(ground.now);
        }
        let profile = self.record.job.profile();
        let offered = |name| ground.endpoints.meta.profiles.contains_key(name);
        if matches!(self.stage, Stage::Ordering) && profile.is_some_and(|name| !offered(name)) {
            self.fail(Failure::new(Operation::NewOrder, Fault::Unsuitable));
        }
        Progress::Moved
    }

    /// Does it have an order open at the server, as far as it knows?
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Ended(_))
    }

    /// Nothing left to do, to tell or to retract.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.stage, Stage::Ended(None)) && self.record.publications.is_empty()
    }

    /// Ends it with this failure.
    pub(crate) fn fail(&mut self, failure: Failure) {
        let failure = Box::new(failure);
        self.record.change().end = Some(End::Failed(failure.clone()));
        self.stage = Stage::Ended(Some(Event::Failed(failure)));
    }

    /// Ends it without a word: the caller wanted it so.
    pub(crate) fn cancel(&mut self) {
        self.record.change().end = Some(End::Told);
        self.stage = Stage::Ended(None);
    }

    /// What may be published.
    pub(crate) fn publications(&self) -> impl Iterator<Item = &ChallengeResponse> {
        self.record.publications.iter().map(|known| &known.response)
    }

    /// Which publications a validator could still need.
    fn live(&self) -> Live {
        match &self.stage {
            // Which authorizations are still pending isn't known yet.
            Stage::Reading(reading) if !reading.proved => Live::All,
            Stage::Proving(proving) => proving.live(),
            Stage::Reading(_)
            | Stage::Ordering
            | Stage::Finalizing { .. }
            | Stage::Downloading { .. }
            | Stage::Alternates { .. }
            | Stage::Ended(_) => Live::These(BTreeSet::new()),
        }
    }
}

/// Publications that are still needed.
enum Live {
    All,
    These(BTreeSet<u32>),
}

impl Live {
    fn has(&self, number: u32) -> bool {
        match self {
            Self::All => true,
            Self::These(these) => these.contains(&number),
        }
    }
}

impl Reading {
    fn first(now: Timestamp) -> Self {
        Self {
            poll: Poll::start(now),
            proved: false,
            refusals: 0,
            refused: None,
        }
    }
}
