//! Perspectives: each a task of its own, with its own resolver and its own source address, that
//! looks at challenges and says what it found.
//!
//! What a probe asks of the network and what it makes of the answers is the core's; here it is
//! carried out.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use acme_ca_core::Config;
use acme_ca_core::effect::Unavailable;
use acme_ca_core::validation::{PerspectiveId, Probe, ProbeRequest, Step, Verdict};
use acme_types::Timestamp;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::network::{Network, Source};
use crate::node::Effect;
use crate::resolver::Resolver;
use crate::{clock, random};

/// Probes that one perspective runs at once: each holds a socket or two. Who comes later waits,
/// within the attempt's deadline.
const PROBES_MAX: usize = 512;
/// Requests that wait for a perspective.
const QUEUE_LEN_MAX: usize = 1_024;

/// Where a perspective looks from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Viewpoint {
    /// Whose: an id in the policy.
    pub perspective: PerspectiveId,
    /// The address that its questions and connections come from.
    pub source: Source,
    /// Its resolvers.
    pub resolvers: Vec<SocketAddr>,
}

/// The perspectives of a node, by id. Dropping them ends their tasks.
#[derive(Debug)]
pub(crate) struct Perspectives {
    queues: BTreeMap<PerspectiveId, mpsc::Sender<Request>>,
    _tasks: JoinSet<()>,
}

struct Request {
    probe: ProbeRequest,
    answer: oneshot::Sender<Verdict>,
}

impl Perspectives {
    /// Starts a task for each.
    pub(crate) fn start(config: &Arc<Config>, viewpoints: Vec<Viewpoint>) -> Self {
        let mut tasks = JoinSet::new();
        let mut queues = BTreeMap::new();
        for viewpoint in viewpoints {
            let (queue, requests) = mpsc::channel(QUEUE_LEN_MAX);
            let perspective = Arc::new(Perspective {
                config: Arc::clone(config),
                resolver: Resolver::new(viewpoint.resolvers, viewpoint.source),
                network: Network::new(viewpoint.source),
                id: viewpoint.perspective.clone(),
            });
            queues.insert(viewpoint.perspective, queue);
            tasks.spawn(perspective.run(requests));
        }
        Self {
            queues,
            _tasks: tasks,
        }
    }

    /// What this perspective finds.
    pub(crate) async fn ask(
        &self,
        perspective: &PerspectiveId,
        probe: ProbeRequest,
    ) -> Result<Verdict, Unavailable> {
        let queue = self.queues.get(perspective).ok_or(Unavailable)?;
        let (answer, answered) = oneshot::channel();
        queue
            .send(Request { probe, answer })
            .await
            .map_err(|_| Unavailable)?;
        answered.await.map_err(|_| Unavailable)
    }
}

#[derive(Debug)]
struct Perspective {
    config: Arc<Config>,
    id: PerspectiveId,
    resolver: Resolver,
    network: Network,
}

impl Perspective {
    async fn run(self: Arc<Self>, mut requests: mpsc::Receiver<Request>) {
        let mut probes = JoinSet::new();
        loop {
            tokio::select! {
                request = requests.recv(), if probes.len() < PROBES_MAX => match request {
                    Some(request) => {
                        probes.spawn(Arc::clone(&self).serve(request));
                    }
                    None => return,
                },
                Some(ended) = probes.join_next() => if let Err(error) = ended {
                    tracing::error!(perspective = %self.id.0, %error, "a probe broke off");
                },
            }
        }
    }

    async fn serve(self: Arc<Self>, request: Request) {
        let Request { probe, mut answer } = request;
        let method = probe.method.clone();
        let identifier = probe.identifier.clone();
        let verdict = tokio::select! {
            verdict = self.probe(probe) => verdict,
            // Whoever asked has gone.
            () = answer.closed() => return,
        };
        let Some(verdict) = verdict else { return };
        let (control, caa) = (
            verdict.control.is_ok(),
            verdict.caa.as_ref().map(Result::is_ok),
        );
        tracing::info!(
            perspective = %self.id.0, %method, ?identifier, control, ?caa, "looked"
        );
        // Whoever asked may have gone.
        let _ = answer.send(verdict);
    }

    async fn probe(&self, request: ProbeRequest) -> Option<Verdict> {
        let config = Arc::clone(&self.config);
        let mut probe = Probe::new(config, self.id.clone(), request, random::seed());
        let mut effects: FuturesUnordered<Effect<'_>> = FuturesUnordered::new();
        loop {
            match probe.poll(clock::now()) {
                Step::Dns(question, ticket) => effects.push(Box::pin(async {
                    ticket.with(self.resolver.ask(question).await)
                })),
                Step::Fetch(request, ticket) => effects.push(Box::pin(async {
                    ticket.with(self.network.fetch(request).await)
                })),
                Step::Handshake(request, ticket) => effects.push(Box::pin(async {
                    ticket.with(self.network.handshake(request).await)
                })),
                Step::Done(verdict) => return Some(verdict),
                Step::Wait(Timestamp::NEVER) => return None,
                Step::Wait(at) => tokio::select! {
                    Some(answer) = effects.next() => {
                        if let Err(misuse) = probe.accept(answer, clock::now()) {
                            tracing::debug!(%misuse, "an answer came late");
                        }
                    }
                    () = clock::sleep_until(at) => {}
                },
            }
        }
    }
}
