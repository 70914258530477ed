//! Publishing challenge responses where the CA's validators look for them (RFC 8555 §8).

mod dns_hook;
mod function;
mod http_listener;
mod tls_alpn_listener;
mod webroot;

use std::fmt;
use std::sync::Arc;

use acme_client_core::ChallengeResponse;
use acme_types::ChallengeType;
pub use dns_hook::DnsHook;
pub use function::FunctionResponder;
pub use http_listener::HttpListener;
pub use tls_alpn_listener::TlsAlpnListener;
pub use webroot::Webroot;

use crate::BoxFuture;

/// Performs [`acme_client_core::Step::Present`] and [`acme_client_core::Step::Retract`] for some
/// challenge types. Both may be asked for again, and must do no harm then.
pub trait Responder: Send + Sync + 'static {
    /// What it can publish, the preferred first.
    fn challenge_types(&self) -> Vec<ChallengeType>;

    /// Publishes; done when a validator would find it.
    fn present<'a>(
        &'a self,
        response: &'a ChallengeResponse,
    ) -> BoxFuture<'a, Result<(), PresentError>>;

    /// Withdraws; done also if it was never there.
    fn retract<'a>(
        &'a self,
        response: &'a ChallengeResponse,
    ) -> BoxFuture<'a, Result<(), RetractError>>;
}

/// Why a challenge response is not published.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PresentError {
    /// It can't be published here, now or later: another challenge type is tried.
    #[error("{0}")]
    Refused(String),
    /// It failed this time.
    #[error("{0}")]
    Failed(String),
}

/// Why a challenge response is not withdrawn.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct RetractError(pub String);

/// Several responders: the first that can publish a response does.
#[derive(Clone, Default)]
pub struct Responders {
    all: Vec<Arc<dyn Responder>>,
}

impl Responders {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// This one after those before it.
    pub fn with(mut self, responder: impl Responder) -> Self {
        self.all.push(Arc::new(responder));
        self
    }

    /// This one after those before it.
    pub fn with_shared(mut self, responder: Arc<dyn Responder>) -> Self {
        self.all.push(responder);
        self
    }

    fn of(&self, kind: &ChallengeType) -> impl Iterator<Item = &Arc<dyn Responder>> {
        self.all
            .iter()
            .filter(move |one| one.challenge_types().contains(kind))
    }
}

impl Responder for Responders {
    fn challenge_types(&self) -> Vec<ChallengeType> {
        let mut types = Vec::new();
        for kind in self.all.iter().flat_map(|one| one.challenge_types()) {
            if !types.contains(&kind) {
                types.push(kind);
            }
        }
        types
    }

    fn present<'a>(
        &'a self,
        response: &'a ChallengeResponse,
    ) -> BoxFuture<'a, Result<(), PresentError>> {
        Box::pin(async move {
            let kind = response.challenge_type();
            let mut refused = PresentError::Refused(format!("nothing here publishes {kind}"));
            for responder in self.of(&kind) {
                match responder.present(response).await {
                    Err(error @ PresentError::Refused(_)) => refused = error,
                    other => return other,
                }
            }
            Err(refused)
        })
    }

    /// From all of them: which one published it may be forgotten.
    fn retract<'a>(
        &'a self,
        response: &'a ChallengeResponse,
    ) -> BoxFuture<'a, Result<(), RetractError>> {
        Box::pin(async move {
            let mut outcome = Ok(());
            for responder in self.of(&response.challenge_type()) {
                outcome = outcome.and(responder.retract(response).await);
            }
            outcome
        })
    }
}

impl fmt::Debug for Responders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.challenge_types()).finish()
    }
}

/// What a responder says of a response that it can't publish.
fn not_mine(response: &ChallengeResponse) -> PresentError {
    PresentError::Refused(format!(
        "{} can't be published here",
        response.challenge_type()
    ))
}

/// The token in the path of an http-01 response, checked again: it becomes the name of a file.
fn http_01_token(path: &str) -> Option<acme_types::Token> {
    acme_types::Token::parse(path.strip_prefix(WELL_KNOWN)?).ok()
}

/// RFC 8555 §8.3.
const WELL_KNOWN: &str = "/.well-known/acme-challenge/";
