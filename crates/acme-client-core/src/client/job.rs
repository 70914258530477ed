//! One job: its flow, what of it is in progress, and what of it is stored.

use std::collections::{BTreeMap, BTreeSet};

use acme_types::{Nonce, Timestamp};
use serde::{Deserialize, Serialize};

use super::timers::TimerId;
use crate::failure::Failure;
use crate::flow::{
    AccountFlow, AccountRecord, Ground, Happened, IssueFlow, IssueRecord, Need, Progress,
    RenewalFlow, RenewalRecord, RevokeFlow, RevokeRecord, Slot, Want, Wanted,
};
use crate::snapshot::SnapshotError;
use crate::{ChallengeResponse, Config, Event, KeyRef, SigningAlgorithm};

pub(crate) struct Job {
    pub(crate) flow: Flow,
    pub(crate) state: State,
    /// What is in progress, by place. What is wanted and not here is started.
    pub(crate) running: BTreeMap<Slot, Running>,
    /// How often a request was sent since the flow last moved.
    pub(crate) attempts: u32,
    /// How many attempts at the whole have failed; stored.
    pub(crate) failures: u32,
    /// What the caller is to be told of the last one.
    pub(crate) notice: Option<Event>,
    pub(crate) saving: Saving,
    pub(crate) timer: Option<TimerId>,
    /// What it may have published, as it was counted last; none: not counted yet.
    pub(crate) published: Option<BTreeSet<ChallengeResponse>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// Waits for its turn.
    Queued,
    /// Has its turn.
    Active,
    /// Waits for a time.
    Resting(Timestamp),
}

/// Something in progress.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) what: Want,
    pub(crate) phase: Phase,
    /// How often a nonce was refused.
    pub(crate) refused_nonces: u32,
}

#[derive(Debug)]
pub(crate) enum Phase {
    Delayed(TimerId),
    AwaitingNonce,
    /// Ready to be handed out.
    ToSign(Box<Unsigned>),
    Signing(u64, Box<Unsigned>),
    ToSend(Vec<u8>),
    ToPerform,
    /// Handed out, under the ticket of this number.
    Performing(u64),
}

/// A request that waits for its signature.
#[derive(Debug)]
pub(crate) struct Unsigned {
    pub(crate) draft: acme_jws::Draft,
    pub(crate) key: KeyRef,
    pub(crate) algorithm: SigningAlgorithm,
    /// The nonce that is in the draft, to be put back if it is never sent.
    pub(crate) nonce: Nonce,
}

/// Where saving stands. One save per record is in flight.
#[derive(Debug, Default)]
pub(crate) struct Saving {
    /// Rises with every change. It begins with the time in milliseconds, so that a record is never
    /// taken for an older one of the same name.
    pub(crate) revision: u64,
    /// What is known to be durable.
    pub(crate) saved: u64,
    /// Was it ever?
    pub(crate) known: bool,
    pub(crate) phase: SavePhase,
    pub(crate) failures: u32,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum SavePhase {
    #[default]
    Idle,
    Queued,
    /// Under the ticket of this number.
    InFlight(u64),
    Delayed,
}

impl Saving {
    pub(crate) fn is_durable(&self) -> bool {
        self.saved == self.revision
    }

    /// Durable, and nothing more is being saved.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_durable() && self.phase == SavePhase::Idle
    }
}

/// Any flow.
#[allow(clippy::large_enum_variant, reason = "nearly all jobs are issuances")]
pub(crate) enum Flow {
    Account(AccountFlow),
    Issue(IssueFlow),
    Revoke(RevokeFlow),
    Renewal(RenewalFlow),
}

/// What is stored of a job.
#[derive(Serialize)]
struct StoredRef<'a> {
    failures: u32,
    resting: Option<Timestamp>,
    flow: FlowRef<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum FlowRef<'a> {
    Account(&'a AccountRecord),
    Issue(&'a IssueRecord),
    Revoke(&'a RevokeRecord),
    Renewal(&'a RenewalRecord),
}

#[derive(Deserialize)]
pub(crate) struct Stored {
    failures: u32,
    resting: Option<Timestamp>,
    flow: StoredFlow,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StoredFlow {
    Account(AccountRecord),
    Issue(IssueRecord),
    Revoke(RevokeRecord),
    Renewal(RenewalRecord),
}

impl Job {
    pub(crate) fn new(flow: Flow, now: Timestamp) -> Self {
        let revision = now.as_millis();
        let saving = Saving {
            revision,
            saved: revision,
            ..Saving::default()
        };
        Self {
            flow,
            state: State::Queued,
            running: BTreeMap::new(),
            attempts: 0,
            failures: 0,
            notice: None,
            saving,
            timer: None,
            published: None,
        }
    }

    pub(crate) fn restore(
        config: &Config,
        stored: Stored,
        revision: u64,
        now: Timestamp,
    ) -> Result<Self, SnapshotError> {
        let flow = match stored.flow {
            StoredFlow::Account(record) => Flow::Account(AccountFlow::restore(config, record)),
            StoredFlow::Issue(record) => Flow::Issue(IssueFlow::restore(record)?),
            StoredFlow::Revoke(record) => Flow::Revoke(RevokeFlow::restore(record)),
            StoredFlow::Renewal(record) => Flow::Renewal(RenewalFlow::restore(record)),
        };
        Ok(Self {
            state: stored.resting.map_or(State::Queued, State::Resting),
            failures: stored.failures,
            saving: Saving {
                revision,
                saved: revision,
                known: true,
                ..Saving::default()
            },
            ..Self::new(flow, now)
        })
    }

    /// What is stored. Private keys are nowhere in it.
    pub(crate) fn stored(&self) -> impl Serialize + '_ {
        let resting = match self.state {
            State::Resting(until) if until != Timestamp::NEVER => Some(until),
            State::Resting(_) | State::Queued | State::Active => None,
        };
        let flow = match &self.flow {
            Flow::Account(flow) => FlowRef::Account(flow.record()),
            Flow::Issue(flow) => FlowRef::Issue(flow.record()),
            Flow::Revoke(flow) => FlowRef::Revoke(flow.record()),
            Flow::Renewal(flow) => FlowRef::Renewal(flow.record()),
        };
        StoredRef {
            failures: self.failures,
            resting,
            flow,
        }
    }

    /// Notes what changed: it gets the next revision. Is there news?
    pub(crate) fn note_changes(&mut self) -> bool {
        let changed = self.flow.take_changed();
        if changed {
            self.saving.revision = self.saving.revision.saturating_add(1);
        }
        changed || self.published.is_none()
    }

    /// Notes that something beside the flow's record changed.
    pub(crate) fn touch(&mut self) {
        self.saving.revision = self.saving.revision.saturating_add(1);
    }

    /// What the job wants now.
    pub(crate) fn wants(&self, config: &Config, ground: Option<Ground<'_>>) -> Vec<Wanted> {
        let ground = ground.filter(|_| self.state == State::Active);
        let mut wants = match &self.flow {
            Flow::Account(flow) if self.state == State::Active => flow.wants(config),
            Flow::Account(_) => Vec::new(),
            Flow::Issue(flow) => flow.wants(ground),
            Flow::Revoke(flow) => flow.wants(ground),
            Flow::Renewal(flow) => flow.wants(ground),
        };
        if let Some(event) = &self.notice {
            wants.push(Wanted {
                slot: Slot::Parked,
                what: Want::Tell(event.clone()),
                at: Timestamp::EPOCH,
                durable: false,
            });
        }
        wants
    }
}

impl Flow {
    pub(crate) fn need(&self) -> Need {
        match self {
            Self::Account(_) => Need::Nothing,
            Self::Issue(_) => Need::Account,
            Self::Revoke(flow) => flow.need(),
            Self::Renewal(_) => Need::Directory,
        }
    }

    /// What may be published for it.
    pub(crate) fn publications(&self) -> BTreeSet<ChallengeResponse> {
        match self {
            Self::Issue(flow) => flow.publications().cloned().collect(),
            Self::Account(_) | Self::Revoke(_) | Self::Renewal(_) => BTreeSet::new(),
        }
    }

    pub(crate) fn tries(&self) -> Option<u32> {
        match self {
            Self::Issue(flow) => flow.tries(),
            Self::Revoke(flow) => flow.tries(),
            Self::Account(_) | Self::Renewal(_) => None,
        }
    }

    fn take_changed(&mut self) -> bool {
        match self {
            Self::Account(flow) => flow.take_changed(),
            Self::Issue(flow) => flow.take_changed(),
            Self::Revoke(flow) => flow.take_changed(),
            Self::Renewal(flow) => flow.take_changed(),
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        match self {
            Self::Account(_) => false,
            Self::Issue(flow) => flow.is_finished(),
            Self::Revoke(flow) => flow.is_finished(),
            Self::Renewal(flow) => flow.is_finished(),
        }
    }

    /// Has it nothing left to ask of the CA? Then it needs no turn.
    pub(crate) fn is_over(&self) -> bool {
        match self {
            Self::Account(_) => false,
            Self::Issue(flow) => !flow.is_open(),
            Self::Revoke(flow) => flow.is_over(),
            Self::Renewal(flow) => flow.is_finished(),
        }
    }

    /// May it give up its turn while it waits?
    pub(crate) fn may_sleep(&self) -> bool {
        matches!(self, Self::Renewal(_))
    }

    /// It gets its turn.
    pub(crate) fn begin(&mut self, ground: Ground<'_>) -> Progress {
        match self {
            Self::Account(_) => Progress::Moved,
            Self::Issue(flow) => flow.begin(ground),
            Self::Revoke(flow) => flow.begin(ground),
            Self::Renewal(flow) => flow.begin(ground),
        }
    }

    /// Without a ground only what needs none can have happened.
    pub(crate) fn on(
        &mut self,
        slot: Slot,
        what: Happened,
        now: Timestamp,
        config: &Config,
        ground: Option<Ground<'_>>,
    ) -> Progress {
        match (self, ground) {
            (Self::Account(flow), _) => flow.on(slot, what, config),
            (Self::Revoke(flow), _) => flow.on(slot, what),
            (Self::Issue(flow), ground) => flow.on(slot, what, ground),
            (Self::Renewal(flow), ground) => flow.on(slot, what, now, ground),
        }
    }

    pub(crate) fn rest(&mut self) {
        match self {
            Self::Account(flow) => flow.rest(),
            Self::Issue(flow) => flow.rest(),
            Self::Revoke(_) | Self::Renewal(_) => {}
        }
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        match self {
            Self::Account(_) | Self::Renewal(_) => {}
            Self::Issue(flow) => flow.fail(failure),
            Self::Revoke(flow) => flow.fail(failure),
        }
    }

    pub(crate) fn cancel(&mut self) {
        match self {
            Self::Account(_) => {}
            Self::Issue(flow) => flow.cancel(),
            Self::Revoke(flow) => flow.cancel(),
            Self::Renewal(flow) => flow.cancel(),
        }
    }
}
