//! The states of an exchange, and all transitions between them.

use std::sync::Arc;
use std::time::Duration;

use acme_jws::Jwk;
use acme_types::{Nonce, Timestamp};

use super::parse::{self, Parsed, Signed, Target};
use super::reply::{Reply, finish};
use super::{Arrival, authenticate};
use crate::Config;
use crate::effect::{Outcome, Redeemed};
use crate::operation::{Context, Decision, Operation, Stop};
use crate::rejection::Rejection;
use crate::schema::{
    Commit, Committed, ExchangeId, JobId, Loaded, Read, ReplyRow, Row, Scan, Version, View, Write,
};

/// Longer than a healthy store or node ever takes, shorter than clients wait for a reply.
pub(super) const EFFECT_TIME_MAX: Duration = Duration::from_secs(10);
/// A decision finds out what it needs in at most this many loads and scans: signer and path, what
/// those name (an order's authorizations), what the payload names, and some room.
const ROUNDS_MAX: u8 = 8;
/// Commits that met a conflict, or whose outcome isn't known, before the client is sent away. An
/// exchange conflicts only with others on the same account or object.
const COMMITS_MAX: u8 = 8;
/// Loads and scans that weren't answered in time.
const UNANSWERED_MAX: u8 = 2;

/// What doesn't change while the exchange runs.
pub(super) struct Machine {
    pub(super) id: ExchangeId,
    config: Arc<Config>,
    arrival: Arrival,
    target: Target,
}

/// Where the exchange is. Each state has only what it needs.
pub(super) enum State {
    /// The nonce is to be redeemed.
    Redeeming { nonce: Nonce, work: Work },
    /// Rows are to be loaded.
    Loading { reads: Vec<Read>, work: Work },
    /// Keys are to be found.
    Scanning { scan: Scan, work: Work },
    /// The decision is made, and is to be committed.
    Committing {
        commit: Commit,
        decision: Decision,
        work: Work,
    },
    /// It is durable; its job may start.
    Spawning {
        job: JobId,
        version: Version,
        reply: Reply,
    },
    /// The reply is to be handed out.
    Replying { reply: Reply },
    /// It was. Also the placeholder while a state is moved.
    Finished,
}

/// What is known so far, and how often it was tried.
pub(super) struct Work {
    operation: Box<dyn Operation>,
    signed: Option<Signed>,
    view: View,
    scanned: Option<Vec<Read>>,
    /// The key that the signature was verified with.
    verified: Option<Jwk>,
    rounds: u8,
    commits: u8,
    unanswered: u8,
}

/// What a state wants of the world: a pure function of it.
pub(super) enum Want {
    Redeem(Nonce),
    Load(Vec<Read>),
    Scan(Scan),
    Commit(Commit),
    Spawn(JobId, Version),
    Reply,
}

impl State {
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Finished)
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Redeeming { .. } => "Redeeming",
            Self::Loading { .. } => "Loading",
            Self::Scanning { .. } => "Scanning",
            Self::Committing { .. } => "Committing",
            Self::Spawning { .. } => "Spawning",
            Self::Replying { .. } => "Replying",
            Self::Finished => "Finished",
        }
    }

    pub(super) fn want(&self) -> Want {
        match self {
            Self::Redeeming { nonce, .. } => Want::Redeem(nonce.clone()),
            Self::Loading { reads, .. } => Want::Load(reads.clone()),
            Self::Scanning { scan, .. } => Want::Scan(scan.clone()),
            Self::Committing { commit, .. } => Want::Commit(commit.clone()),
            Self::Spawning { job, version, .. } => Want::Spawn(*job, *version),
            Self::Replying { .. } | Self::Finished => Want::Reply,
        }
    }

    pub(super) fn awaits(&self, outcome: &Outcome) -> bool {
        matches!(
            (self, outcome),
            (Self::Redeeming { .. }, Outcome::Redeem(_))
                | (Self::Loading { .. }, Outcome::Load(_))
                | (Self::Scanning { .. }, Outcome::Scan(_))
                | (Self::Committing { .. }, Outcome::Save(_))
        )
    }

    pub(super) fn spawned(self) -> Self {
        match self {
            Self::Spawning { reply, .. } => Self::Replying { reply },
            other => other,
        }
    }

    pub(super) fn into_reply(self) -> Option<Reply> {
        match self {
            Self::Replying { reply } => Some(reply),
            _ => None,
        }
    }
}

impl Machine {
    pub(super) fn begin(
        config: Arc<Config>,
        arrival: Arrival,
        request: &http::Request<Vec<u8>>,
    ) -> (Self, State) {
        let random = arrival
            .entropy
            .expand(config.provider.as_ref(), "exchange", 0);
        let id = ExchangeId::new(arrival.at, &random);
        let mut target = Target::of(request);
        let parsed = parse::parse(&config, request, &mut target);
        let machine = Self {
            id,
            config,
            arrival,
            target,
        };
        let state = match parsed {
            Ok(Parsed::Signed {
                nonce,
                signed,
                operation,
            }) => State::Redeeming {
                nonce,
                work: Work::new(operation, Some(*signed)),
            },
            Ok(Parsed::Open { operation }) => machine.first_load(Work::new(operation, None)),
            Ok(Parsed::Answered(reply)) => State::Replying { reply },
            Err(rejection) => machine.refuse(&rejection),
        };
        (machine, state)
    }

    /// An effect was answered.
    pub(super) fn answered(&self, state: State, outcome: Outcome, now: Timestamp) -> State {
        match (state, outcome) {
            (State::Redeeming { work, .. }, Outcome::Redeem(Redeemed::Accepted)) => {
                match work.signed.as_ref().map_or(Ok(()), Signed::check) {
                    Ok(()) => self.first_load(work),
                    Err(rejection) => self.refuse(&rejection),
                }
            }
            // RFC 8555 §6.5: "When a server rejects a request because its nonce value was
            // unacceptable (or not present), it MUST provide HTTP status code 400".
            (State::Redeeming { .. }, Outcome::Redeem(Redeemed::Refused)) => {
                self.refuse(&Rejection::NonceRefused)
            }
            (State::Loading { mut work, .. }, Outcome::Load(Ok(loaded))) => {
                match self.committed_before(&loaded) {
                    Some(state) => state,
                    None => {
                        work.view.extend(loaded);
                        self.decide(work, now)
                    }
                }
            }
            (State::Scanning { mut work, .. }, Outcome::Scan(Ok(found))) => {
                work.scanned = Some(found);
                self.decide(work, now)
            }
            (State::Loading { .. }, Outcome::Load(Err(_)))
            | (State::Scanning { .. }, Outcome::Scan(Err(_))) => {
                self.refuse(&Rejection::Unavailable)
            }
            (State::Committing { decision, .. }, Outcome::Save(Committed::Done(version))) => {
                match decision.spawn {
                    Some(job) => State::Spawning {
                        job,
                        version,
                        reply: decision.reply,
                    },
                    None => State::Replying {
                        reply: decision.reply,
                    },
                }
            }
            (State::Committing { work, .. }, Outcome::Save(Committed::Conflict)) => {
                self.reload(work)
            }
            (State::Committing { work, .. }, Outcome::Save(Committed::Unknown)) => {
                self.reload(work)
            }
            (State::Committing { commit, .. }, Outcome::Save(Committed::Exceeded(key))) => {
                let spend = commit.spends.into_iter().find(|spend| spend.key == key);
                let retry_after = spend.map_or(EFFECT_TIME_MAX, |spend| spend.cost);
                self.refuse(&Rejection::RateLimited { retry_after })
            }
            // What isn't awaited was turned away before.
            (state, _) => state,
        }
    }

    /// An effect wasn't answered in time.
    pub(super) fn unanswered(&self, state: State, _now: Timestamp) -> State {
        match state {
            // Asked again it would be refused: it counts as refused at once. Nothing was done, and
            // the client repeats the request with the fresh nonce.
            State::Redeeming { .. } => self.refuse(&Rejection::NonceRefused),
            State::Loading { reads, mut work } => match work.ask_again() {
                true => State::Loading { reads, work },
                false => self.refuse(&Rejection::Unavailable),
            },
            State::Scanning { scan, mut work } => match work.ask_again() {
                true => State::Scanning { scan, work },
                false => self.refuse(&Rejection::Unavailable),
            },
            State::Committing { work, .. } => self.reload(work),
            done @ (State::Spawning { .. } | State::Replying { .. } | State::Finished) => done,
        }
    }

    /// What the path names, and the signer.
    fn first_load(&self, work: Work) -> State {
        let mut reads = work.operation.reads();
        if let Some(signed) = &work.signed {
            reads.extend(authenticate::reads(signed, self.config.provider.as_ref()));
        }
        reads.sort();
        reads.dedup();
        State::Loading { reads, work }
    }

    /// Everything again, after a conflict or an unknown outcome, and the reply of this exchange
    /// first of all.
    fn reload(&self, mut work: Work) -> State {
        work.commits = work.commits.saturating_add(1);
        if work.commits >= COMMITS_MAX {
            return self.refuse(&Rejection::Contention);
        }
        let mut reads = work.view.reads();
        reads.push(Read::Reply(self.id));
        reads.sort();
        reads.dedup();
        work.view = View::new();
        work.scanned = None;
        work.rounds = 0;
        State::Loading { reads, work }
    }

    /// The reply of this exchange's own commit, if a load found it.
    fn committed_before(&self, loaded: &Loaded) -> Option<State> {
        loaded
            .0
            .iter()
            .find_map(|(read, found)| match (read, found) {
                (Read::Reply(id), Some((version, Row::Reply(row)))) if *id == self.id => {
                    let reply = Reply::from_row(row);
                    // The job's row is of the same commit, and so of the same version.
                    Some(match row.spawn {
                        Some(job) => State::Spawning {
                            job,
                            version: *version,
                            reply,
                        },
                        None => State::Replying { reply },
                    })
                }
                _ => None,
            })
    }

    fn decide(&self, mut work: Work, now: Timestamp) -> State {
        work.rounds = work.rounds.saturating_add(1);
        match self.decision(&mut work, now) {
            Ok(decision) => self.conclude(work, decision),
            Err(Stop::Rejected(rejection)) => self.refuse(&rejection),
            Err(_) if work.rounds >= ROUNDS_MAX => self.refuse(&Rejection::Rounds),
            Err(Stop::Missing(reads)) => State::Loading { reads, work },
            Err(Stop::Unscanned(scan)) => State::Scanning { scan, work },
        }
    }

    fn decision(&self, work: &mut Work, now: Timestamp) -> Result<Decision, Stop> {
        let Work {
            operation,
            signed,
            view,
            scanned,
            verified,
            ..
        } = work;
        let provider = self.config.provider.as_ref();
        let signer = authenticate::authenticate(provider, signed.as_ref(), view, verified)?;
        let context = Context {
            config: &self.config,
            at: self.arrival.at,
            entropy: &self.arrival.entropy,
            signer,
            url: signed.as_ref().map_or("", Signed::url),
            payload: signed.as_ref().map_or(&[], Signed::payload),
            jws: signed.as_ref().map(Signed::jws),
            scanned: scanned.as_deref(),
        };
        operation.decide(&context, view, now)
    }

    fn conclude(&self, work: Work, decision: Decision) -> State {
        let Some(change) = &decision.change else {
            return State::Replying {
                reply: decision.reply,
            };
        };
        let mut writes = change.writes.clone();
        writes.push(Write::Put(Row::Reply(ReplyRow {
            exchange: self.id,
            at: self.arrival.at,
            status: decision.reply.status,
            headers: decision.reply.headers.clone(),
            body: decision.reply.body.clone(),
            spawn: decision.spawn,
        })));
        let mut commit = Commit::new(&work.view, writes)
            .with_audit(change.audit.clone())
            .with_spends(change.spends.clone());
        let reply = Read::Reply(self.id);
        if !commit.guards.iter().any(|(read, _)| *read == reply) {
            commit.guards.push((reply, None));
        }
        State::Committing {
            commit,
            decision,
            work,
        }
    }

    fn refuse(&self, rejection: &Rejection) -> State {
        State::Replying {
            reply: rejection.reply(&self.config),
        }
    }

    /// The reply with the headers that every reply has.
    pub(super) fn finish(&self, reply: Reply) -> http::Response<Vec<u8>> {
        finish(reply, &self.config, &self.target, &self.arrival.fresh_nonce)
    }
}

impl Work {
    fn new(operation: Box<dyn Operation>, signed: Option<Signed>) -> Self {
        Self {
            operation,
            signed,
            view: View::new(),
            scanned: None,
            verified: None,
            rounds: 0,
            commits: 0,
            unanswered: 0,
        }
    }

    fn ask_again(&mut self) -> bool {
        self.unanswered = self.unanswered.saturating_add(1);
        self.unanswered <= UNANSWERED_MAX
    }
}
