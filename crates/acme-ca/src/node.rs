//! One node of a CA: an HTTP request goes in, its response comes out.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use acme_ca_core::Config;
use acme_ca_core::effect::Outcome;
use acme_ca_core::exchange::{Arrival, Exchange, Step};
use acme_types::{Answer, ProblemType, Timestamp};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::{Request, Response, StatusCode};

use crate::nonce::Nonces;
use crate::rows::Rows;
use crate::worker::Spawner;
use crate::{clock, problem, random};

/// An effect of a machine that is under way.
pub(crate) type Effect<'a> = Pin<Box<dyn Future<Output = Answer<Outcome>> + Send + 'a>>;

/// A node: what exchanges need of the world.
#[derive(Clone, Debug)]
pub struct Node {
    config: Arc<Config>,
    nonces: Arc<Nonces>,
    rows: Rows,
    spawner: Spawner,
}

impl Node {
    pub(crate) fn new(
        config: Arc<Config>,
        nonces: Arc<Nonces>,
        rows: Rows,
        spawner: Spawner,
    ) -> Self {
        Self {
            config,
            nonces,
            rows,
            spawner,
        }
    }

    /// What this CA is.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The response to a request. The request is worked on to its end even if nobody waits for
    /// the response any more, so that a job that it gave birth to is started.
    pub async fn serve_exchange(&self, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        let node = self.clone();
        let served = tokio::spawn(async move { node.exchange(&request).await });
        served.await.unwrap_or_else(|error| {
            tracing::error!(%error, "an exchange broke off");
            internal()
        })
    }

    async fn exchange(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let arrival = Arrival {
            at: clock::now(),
            entropy: random::entropy(),
            fresh_nonce: self.nonces.issue(),
            ticket_seed: random::seed(),
        };
        let mut exchange = Exchange::new(Arc::clone(&self.config), arrival, request);
        let id = exchange.id();
        let response = self.run(&mut exchange).await.unwrap_or_else(internal);
        let (method, path) = (request.method(), request.uri().path());
        let status = response.status().as_u16();
        // Paths hold ids, which are public to who has their URL; bodies, tokens and nonces stay
        // out of the log.
        tracing::info!(%id, %method, path, status, "served");
        response
    }

    /// `None`: the exchange ended without a response, which is a mistake in it.
    async fn run(&self, exchange: &mut Exchange) -> Option<Response<Vec<u8>>> {
        let mut effects: FuturesUnordered<Effect<'_>> = FuturesUnordered::new();
        loop {
            match exchange.poll(clock::now()) {
                Step::Redeem(nonce, ticket) => {
                    let redeemed = self.nonces.redeem(&nonce);
                    accept(exchange, ticket.with(redeemed));
                }
                Step::Load(reads, ticket) => {
                    effects.push(Box::pin(
                        async move { ticket.with(self.rows.load(reads).await) },
                    ))
                }
                Step::Scan(scan, ticket) => {
                    effects.push(Box::pin(
                        async move { ticket.with(self.rows.scan(scan).await) },
                    ))
                }
                Step::Commit(commit, ticket) => effects.push(Box::pin(async move {
                    ticket.with(self.rows.commit(commit).await)
                })),
                Step::Spawn(job, version) => self.spawner.spawn(job, version),
                Step::Reply(response) => return Some(response),
                Step::Wait(Timestamp::NEVER) => return None,
                Step::Wait(at) => tokio::select! {
                    Some(answer) = effects.next() => accept(exchange, answer),
                    () = clock::sleep_until(at) => {}
                },
            }
        }
    }
}

/// An answer that came too late is one that nobody waits for any more.
fn accept(exchange: &mut Exchange, answer: Answer<Outcome>) {
    if let Err(misuse) = exchange.accept(answer, clock::now()) {
        tracing::debug!(%misuse, "an answer came late");
    }
}

fn internal() -> Response<Vec<u8>> {
    problem::response(
        StatusCode::INTERNAL_SERVER_ERROR,
        ProblemType::SERVER_INTERNAL,
        "the server failed; try again later",
    )
}
