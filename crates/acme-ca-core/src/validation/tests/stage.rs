//! A world for probes in tests: what is asked is written down as one line, and answered by it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use acme_types::{Answer, ChallengeType, Identifier, Problem, Timestamp, Token, Url};

use super::{
    AttemptId, DnsOutcome, DnsRecord, FetchOutcome, HandshakeOutcome, NetworkFailure,
    PerspectiveId, Probe, ProbeRequest, RecordKind, Step, Verdict,
};
use crate::Config;
use crate::effect::Outcome;
use crate::issuance::tests::world;
use crate::policy::ValidationPolicy;

pub(super) const TOKEN: &str = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
pub(super) const KEY_AUTHORIZATION: &str =
    "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";
pub(super) const PATH: &str =
    "/.well-known/acme-challenge/LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";

/// What comes of one effect.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Dns(DnsOutcome),
    Fetch(FetchOutcome),
    Handshake(HandshakeOutcome),
    /// No answer, ever.
    Never,
}

/// In which order answers come to effects that are out together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sequence {
    Forwards,
    Backwards,
}

#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) policy: ValidationPolicy,
    pub(super) request: ProbeRequest,
    pub(super) replies: BTreeMap<String, Reply>,
    pub(super) sequence: Sequence,
    /// How long each answer takes.
    pub(super) delay: Duration,
}

/// What came of a probe.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) verdict: Verdict,
    /// What was asked, in this order.
    pub(super) asked: Vec<String>,
    pub(super) took: Duration,
}

pub(super) fn now() -> Timestamp {
    world::now()
}

impl Stage {
    /// The Web PKI's policy, and a challenge of this method for this identifier.
    pub(super) fn new(method: ChallengeType, identifier: &str) -> Self {
        let identifier = match identifier.parse() {
            Ok(address) => Identifier::Ip(address),
            Err(_) => Identifier::dns(identifier).unwrap(),
        };
        let policy = ValidationPolicy::webpki();
        let request = ProbeRequest {
            attempt: AttemptId([3; 16]),
            identifier,
            wildcard: false,
            method,
            token: Token::parse(TOKEN).unwrap(),
            key_authorization: KEY_AUTHORIZATION.to_owned(),
            account: Url::parse("https://ca.example/acme/account/1").unwrap(),
            deadline: now().after(policy.deadline),
        };
        let replies = BTreeMap::new();
        Self {
            policy,
            request,
            replies,
            sequence: Sequence::Forwards,
            delay: Duration::ZERO,
        }
    }

    pub(super) fn on(mut self, asked: &str, reply: impl Into<Reply>) -> Self {
        self.replies.insert(asked.to_owned(), reply.into());
        self
    }

    /// A and AAAA of a host.
    pub(super) fn host(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|address| address.parse().unwrap());
        let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = addresses.partition(IpAddr::is_ipv4);
        for (kind, addresses) in [("A", v4), ("AAAA", v6)] {
            let record = |address: &IpAddr| match address {
                IpAddr::V4(v4) => DnsRecord::A(*v4),
                IpAddr::V6(v6) => DnsRecord::Aaaa(*v6),
            };
            let reply = match addresses.as_slice() {
                [] => DnsOutcome::NoRecords,
                some => DnsOutcome::Records(some.iter().map(record).collect()),
            };
            self = self.on(&format!("{kind} {name}"), reply);
        }
        self
    }

    fn config(&self) -> Arc<Config> {
        // Its issuers are certified on the spot, which takes long in a test's eyes.
        static BASE: OnceLock<Config> = OnceLock::new();
        let mut config = BASE.get_or_init(world::config).clone();
        config.policy.validation = self.policy.clone();
        Arc::new(config)
    }

    pub(super) fn probe(&self) -> Probe {
        let perspective = PerspectiveId("p".to_owned());
        Probe::new(self.config(), perspective, self.request.clone(), 5)
    }

    /// Runs the probe to its verdict. What isn't scripted: no such DNS records, no connection.
    pub(super) fn play(&self) -> Played {
        let mut probe = self.probe();
        let (mut now, mut asked) = (now(), Vec::new());
        let mut out: Vec<Option<Answer<Outcome>>> = Vec::new();
        for _ in 0..1_000 {
            let (line, answer) = match probe.poll(now) {
                Step::Dns(question, ticket) => {
                    let line = format!("{} {}", kind(question.kind), question.name);
                    let answer = match self.replies.get(&line) {
                        Some(Reply::Dns(outcome)) => Some(ticket.with(outcome.clone())),
                        None => Some(ticket.with(DnsOutcome::NoRecords)),
                        _ => None,
                    };
                    (line, answer)
                }
                Step::Fetch(request, ticket) => {
                    assert!(request.connect_by <= request.deadline && request.deadline > now);
                    let scheme = match &request.tls {
                        Some(name) => {
                            assert!(request.host.contains(name.as_str()));
                            "https"
                        }
                        None => "http",
                    };
                    let url = format!("{scheme}://{}{}", request.host, request.path);
                    let line = format!("{url} @{}", request.target);
                    let answer = match self.replies.get(&line).or(self.replies.get(&url)) {
                        Some(Reply::Fetch(outcome)) => Some(ticket.with(outcome.clone())),
                        None => Some(ticket.with(FetchOutcome::NotConnected(REFUSED))),
                        _ => None,
                    };
                    (line, answer)
                }
                Step::Handshake(request, ticket) => {
                    let line = format!("tls {} @{}", request.server_name, request.target);
                    let answer = match self.replies.get(&line) {
                        Some(Reply::Handshake(outcome)) => Some(ticket.with(outcome.clone())),
                        None => Some(ticket.with(HandshakeOutcome::NotConnected(REFUSED))),
                        _ => None,
                    };
                    (line, answer)
                }
                Step::Done(verdict) => {
                    assert!(matches!(probe.poll(now), Step::Wait(Timestamp::NEVER)));
                    let took = now.since(self::now());
                    return Played {
                        verdict,
                        asked,
                        took,
                    };
                }
                Step::Wait(until) => {
                    let next = match self.sequence {
                        Sequence::Forwards => out.iter_mut().find_map(Option::take),
                        Sequence::Backwards => out.iter_mut().rev().find_map(Option::take),
                    };
                    match next {
                        Some(answer) => {
                            now = now.after(self.delay);
                            // What came too late isn't awaited any more.
                            let _ = probe.accept(answer, now);
                        }
                        None => {
                            assert!(until > now && until < Timestamp::NEVER);
                            now = until;
                        }
                    }
                    continue;
                }
            };
            asked.push(line);
            out.push(answer);
        }
        panic!("the probe never ends: {asked:?}");
    }

    /// Plays it forwards and backwards: the outcome of control is `expected`, the problem's name
    /// or "valid".
    pub(super) fn check(&self, expected: &str) -> Played {
        for sequence in [Sequence::Backwards, Sequence::Forwards] {
            let stage = Self {
                sequence,
                ..self.clone()
            };
            let played = stage.play();
            assert_eq!(name(&played.verdict.control), expected, "{played:#?}");
            assert_eq!(played.verdict.attempt, self.request.attempt);
            assert_eq!(
                played.verdict.caa.is_some(),
                played.verdict.control.is_ok(),
                "CAA is looked at if, and only if, control is proved"
            );
        }
        self.play()
    }
}

const REFUSED: NetworkFailure = NetworkFailure::Refused;

fn kind(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::A => "A",
        RecordKind::Aaaa => "AAAA",
        RecordKind::Txt => "TXT",
        RecordKind::Caa => "CAA",
    }
}

pub(super) fn name(result: &Result<(), Problem>) -> String {
    match result {
        Ok(()) => "valid".to_owned(),
        Err(problem) => problem.kind.name().unwrap().to_owned(),
    }
}

impl Played {
    pub(super) fn detail(&self) -> &str {
        let problem = self.verdict.control.as_ref().unwrap_err();
        problem.detail.as_deref().unwrap()
    }
}

/// A response with this status and body.
pub(super) fn response(status: u16, body: &str) -> FetchOutcome {
    FetchOutcome::Response {
        status,
        locations: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

/// A redirect.
pub(super) fn redirect(status: u16, location: &str) -> FetchOutcome {
    FetchOutcome::Response {
        status,
        locations: vec![location.as_bytes().to_vec()],
        body: Vec::new(),
    }
}

impl From<DnsOutcome> for Reply {
    fn from(outcome: DnsOutcome) -> Self {
        Self::Dns(outcome)
    }
}

impl From<FetchOutcome> for Reply {
    fn from(outcome: FetchOutcome) -> Self {
        Self::Fetch(outcome)
    }
}

impl From<HandshakeOutcome> for Reply {
    fn from(outcome: HandshakeOutcome) -> Self {
        Self::Handshake(outcome)
    }
}
