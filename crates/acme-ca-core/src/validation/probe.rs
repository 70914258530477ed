//! One perspective's look at one challenge: control first, then CAA.
//!
//! ```text
//! Begin ─▶ Control ─(proved)─▶ Caa ─▶ Done ─▶ Ended
//!             └─(not proved)───────────┘
//! ```
//! At the request's deadline it ends with what it has, and that is no proof.

use std::sync::Arc;
use std::time::Duration;

use acme_types::{Answer, ChallengeType, Effect, Misuse, Ticket, Tickets, Timestamp};

use super::caa_check::CaaCheck;
use super::dns_01::Dns01;
use super::failure::Failure;
use super::http_01::Http01;
use super::tls_alpn_01::TlsAlpn01;
use super::turn::{Answered, Context, Turn, Wanted};
use super::{
    DnsOutcome, DnsQuestion, FetchOutcome, FetchRequest, HandshakeOutcome, HandshakeRequest,
    NetworkFailure, PerspectiveId, ProbeRequest, Verdict,
};
use crate::config::Config;
use crate::effect::{Dns, Fetch, Handshake, Outcome};

/// How long after its deadline an effect is still waited for: the shell answers at the deadline,
/// and what it says of a timeout is worth more than silence.
const GRACE: Duration = Duration::from_secs(1);

/// What a probe asks of the shell. Exhaustive: a shell that compiles handles everything.
#[derive(Debug)]
pub enum Step {
    /// Ask the perspective's resolver.
    Dns(DnsQuestion, Ticket<Dns>),
    /// Make one HTTP request.
    Fetch(FetchRequest, Ticket<Fetch>),
    /// Make one TLS handshake.
    Handshake(HandshakeRequest, Ticket<Handshake>),
    /// The verdict, once. The probe has ended.
    Done(Verdict),
    /// Nothing is to be done before this; [`Timestamp::NEVER`]: the probe has ended.
    Wait(Timestamp),
}

/// A probe: a machine that ends with a verdict. It isn't stored: one that is lost is a failure of
/// its perspective, and the next attempt has another.
#[derive(Debug)]
pub struct Probe {
    config: Arc<Config>,
    perspective: PerspectiveId,
    request: ProbeRequest,
    tickets: Tickets,
    state: State,
    effects: Vec<InFlight>,
}

/// An effect that is wanted, and the number of its ticket once it is out.
#[derive(Debug)]
struct InFlight {
    wanted: Wanted,
    number: Option<u64>,
}

#[derive(Debug)]
enum State {
    Begin,
    Control(Control),
    Caa(CaaCheck),
    Done(Box<Verdict>),
    Ended,
}

#[derive(Debug)]
enum Control {
    Http01(Http01),
    Dns01(Dns01),
    TlsAlpn01(TlsAlpn01),
}

impl Probe {
    /// A probe of this perspective. The seed of the tickets is fresh at every start.
    pub fn new(
        config: Arc<Config>,
        perspective: PerspectiveId,
        request: ProbeRequest,
        ticket_seed: u64,
    ) -> Self {
        let tickets = Tickets::new(ticket_seed);
        Self {
            config,
            perspective,
            request,
            tickets,
            state: State::Begin,
            effects: Vec::new(),
        }
    }

    /// What to do next.
    pub fn poll(&mut self, now: Timestamp) -> Step {
        if matches!(self.state, State::Begin) {
            let turn = Control::begin(&self.context(now));
            self.controlled(turn, now);
        }
        if now >= self.request.deadline {
            self.overrun();
        }
        self.time_out(now);
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Done(verdict) => return Step::Done(*verdict),
            State::Ended => return Step::Wait(Timestamp::NEVER),
            under_way @ (State::Begin | State::Control(_) | State::Caa(_)) => {
                self.state = under_way;
            }
        }
        match self
            .effects
            .iter_mut()
            .find(|effect| effect.number.is_none())
        {
            Some(effect) => effect.hand_out(&mut self.tickets),
            None => Step::Wait(self.wake()),
        }
    }

    /// The outcome of one effect.
    ///
    /// # Errors
    /// [`Misuse`] for a ticket that isn't this probe's, or is no longer awaited; nothing changed.
    pub fn answer<K>(
        &mut self,
        ticket: Ticket<K>,
        outcome: K::Outcome,
        now: Timestamp,
    ) -> Result<(), Misuse>
    where
        K: Effect<Erased = Outcome>,
    {
        self.accept(ticket.with(outcome), now)
    }

    /// The same with the kind erased.
    ///
    /// # Errors
    /// As [`Probe::answer`].
    pub fn accept(&mut self, answer: Answer<Outcome>, now: Timestamp) -> Result<(), Misuse> {
        let (id, outcome) = answer.into_parts();
        let number = self.tickets.number(id)?;
        // The next `poll` says so.
        if now >= self.request.deadline {
            return Err(Misuse::NotAwaited);
        }
        let place = self
            .effects
            .iter()
            .position(|effect| effect.number == Some(number));
        let place = place.ok_or(Misuse::NotAwaited)?;
        let effect = self.effects.get(place).ok_or(Misuse::NotAwaited)?;
        let answered = match (&effect.wanted, outcome) {
            (Wanted::Dns(asked), Outcome::Dns(outcome)) => Answered::Dns(asked.clone(), outcome),
            (Wanted::Fetch(asked), Outcome::Fetch(outcome)) => {
                Answered::Fetch(asked.clone(), outcome)
            }
            (Wanted::Handshake(asked), Outcome::Handshake(outcome)) => {
                Answered::Handshake(asked.clone(), outcome)
            }
            _ => return Err(Misuse::WrongKind),
        };
        self.effects.remove(place);
        self.advance(answered, now);
        Ok(())
    }

    fn context(&self, now: Timestamp) -> Context<'_> {
        Context {
            policy: &self.config.policy.validation,
            provider: self.config.provider.as_ref(),
            request: &self.request,
            now,
        }
    }

    fn advance(&mut self, answered: Answered, now: Timestamp) {
        match std::mem::replace(&mut self.state, State::Begin) {
            State::Control(control) => {
                let turn = control.answered(&self.context(now), answered);
                self.controlled(turn, now);
            }
            State::Caa(caa) => {
                let turn = caa.answered(&self.context(now), answered);
                self.looked_up(turn);
            }
            // Nothing is out in these states.
            still @ (State::Begin | State::Done(_) | State::Ended) => self.state = still,
        }
    }

    fn controlled(&mut self, turn: Turn<Control>, now: Timestamp) {
        match turn {
            Turn::More(control, wanted) => {
                self.state = State::Control(control);
                self.want(wanted);
            }
            Turn::Done(Ok(())) => {
                self.effects.clear();
                let turn = CaaCheck::begin(&self.context(now));
                self.looked_up(turn);
            }
            Turn::Done(Err(failure)) => self.finish(Err(failure), None),
        }
    }

    fn looked_up(&mut self, turn: Turn<CaaCheck>) {
        match turn {
            Turn::More(caa, wanted) => {
                self.state = State::Caa(caa);
                self.want(wanted);
            }
            Turn::Done(result) => self.finish(Ok(()), Some(result)),
        }
    }

    fn want(&mut self, wanted: Vec<Wanted>) {
        let effects = wanted.into_iter().map(|wanted| InFlight {
            wanted,
            number: None,
        });
        self.effects.extend(effects);
    }

    fn finish(&mut self, control: Result<(), Failure>, caa: Option<Result<(), Failure>>) {
        self.effects.clear();
        let control = match control {
            Ok(()) => Ok(()),
            Err(failure) => Err(failure.problem()),
        };
        let caa = match caa {
            Some(Ok(())) => Some(Ok(())),
            Some(Err(failure)) => Some(Err(failure.problem())),
            None => None,
        };
        self.state = State::Done(Box::new(Verdict {
            perspective: self.perspective.clone(),
            attempt: self.request.attempt,
            control,
            caa,
        }));
    }

    /// The attempt's deadline has passed.
    fn overrun(&mut self) {
        match self.state {
            State::Begin | State::Control(_) => self.finish(Err(Failure::Deadline), None),
            State::Caa(_) => self.finish(Ok(()), Some(Err(Failure::Deadline))),
            State::Done(_) | State::Ended => {}
        }
    }

    /// What is out for too long counts as timed out, and a late answer isn't awaited. A request
    /// that was never answered may have connected, so it is no reason to try another address.
    fn time_out(&mut self, now: Timestamp) {
        let is_overdue = |effect: &InFlight| effect.number.is_some() && effect.gives_up() <= now;
        while let Some(place) = self.effects.iter().position(is_overdue) {
            let failed = NetworkFailure::TimedOut;
            let answered = match self.effects.remove(place).wanted {
                Wanted::Dns(asked) => Answered::Dns(asked, DnsOutcome::TimedOut),
                Wanted::Fetch(asked) => Answered::Fetch(asked, FetchOutcome::Failed(failed)),
                Wanted::Handshake(asked) => {
                    Answered::Handshake(asked, HandshakeOutcome::Failed(failed))
                }
            };
            self.advance(answered, now);
        }
    }

    fn wake(&self) -> Timestamp {
        let first = self.effects.iter().map(InFlight::gives_up).min();
        first
            .unwrap_or(self.request.deadline)
            .min(self.request.deadline)
    }
}

impl InFlight {
    fn gives_up(&self) -> Timestamp {
        self.wanted.deadline().after(GRACE)
    }

    fn hand_out(&mut self, tickets: &mut Tickets) -> Step {
        match self.wanted.clone() {
            Wanted::Dns(question) => {
                let (number, ticket) = tickets.issue();
                self.number = Some(number);
                Step::Dns(question, ticket)
            }
            Wanted::Fetch(request) => {
                let (number, ticket) = tickets.issue();
                self.number = Some(number);
                Step::Fetch(request, ticket)
            }
            Wanted::Handshake(request) => {
                let (number, ticket) = tickets.issue();
                self.number = Some(number);
                Step::Handshake(request, ticket)
            }
        }
    }
}

impl Control {
    /// A method that isn't on offer for the identifier proves nothing, whoever asks for it.
    fn begin(ctx: &Context<'_>) -> Turn<Self> {
        let request = ctx.request;
        let offered = ctx
            .policy
            .methods_for(&request.identifier, request.wildcard);
        let method = &request.method;
        if !offered.contains(method) {
            Turn::Done(Err(Failure::MethodOff))
        } else if *method == ChallengeType::HTTP_01 {
            Http01::begin(ctx).map(Self::Http01)
        } else if *method == ChallengeType::DNS_01 {
            Dns01::begin(ctx).map(Self::Dns01)
        } else if *method == ChallengeType::TLS_ALPN_01 {
            TlsAlpn01::begin(ctx).map(Self::TlsAlpn01)
        } else {
            Turn::Done(Err(Failure::MethodOff))
        }
    }

    fn answered(self, ctx: &Context<'_>, answered: Answered) -> Turn<Self> {
        match self {
            Self::Http01(state) => state.answered(ctx, answered).map(Self::Http01),
            Self::Dns01(state) => state.answered(ctx, answered).map(Self::Dns01),
            Self::TlsAlpn01(state) => state.answered(ctx, answered).map(Self::TlsAlpn01),
        }
    }
}

#[cfg(test)]
mod tests;
