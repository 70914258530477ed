//! Each effect of the machine, performed: nothing is decided here.

use std::sync::Arc;
use std::time::Instant;

use acme_client_core::{
    ChallengeResponse, Fetch, HttpOutcome, JobId, PresentOutcome, RetractOutcome, SaveOutcome,
    Snapshot,
};

use crate::clock;
use crate::http::{HttpClient, Sent};
use crate::keys::Signer;
use crate::progress::{Observer, Progress};
use crate::responder::{PresentError, Responder};
use crate::store::Store;

/// What the machine's effects are performed with. Cheap to clone.
#[derive(Clone)]
pub struct Shell {
    /// Sends requests.
    pub http: HttpClient,
    /// Holds the keys.
    pub signer: Arc<dyn Signer>,
    /// Keeps snapshots.
    pub store: Arc<dyn Store>,
    /// Publishes challenge responses.
    pub responder: Arc<dyn Responder>,
    /// Is told what happens.
    pub observer: Observer,
}

impl Shell {
    pub(crate) async fn fetch(&self, fetch: Fetch) -> HttpOutcome {
        let (method, uri) = (fetch.request.method().clone(), fetch.request.uri().clone());
        self.observer.tell(&Progress::Sending {
            method: method.clone(),
            uri: uri.clone(),
        });
        let begun = Instant::now();
        let sent = self.http.send(fetch, clock::now()).await;
        let took = begun.elapsed();
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let progress = match &sent {
            Sent::Response(response) => {
                let status = response.status();
                tracing::debug!(%method, %uri, status = status.as_u16(), millis, "response");
                Progress::Received {
                    method,
                    uri,
                    status,
                    took,
                }
            }
            Sent::NotSent(reason) => {
                tracing::debug!(%method, %uri, %reason, millis, "not sent");
                Progress::NotSent {
                    uri,
                    reason: reason.clone(),
                }
            }
            Sent::Unknown(reason) => {
                tracing::debug!(%method, %uri, %reason, millis, "outcome unknown");
                Progress::Lost {
                    uri,
                    reason: reason.clone(),
                }
            }
            Sent::TooLarge => {
                tracing::debug!(%method, %uri, millis, "response too large");
                Progress::TooLarge { uri }
            }
        };
        self.observer.tell(&progress);
        sent.into()
    }

    pub(crate) async fn save(&self, snapshot: Snapshot) -> SaveOutcome {
        let store = Arc::clone(&self.store);
        let (record, revision) = (snapshot.record(), snapshot.revision());
        let saving = tokio::task::spawn_blocking(move || store.save(&snapshot));
        let error = match saving.await {
            Ok(Ok(())) => {
                tracing::debug!(?record, revision, "saved");
                return SaveOutcome::Saved;
            }
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(?record, revision, error, "not saved");
        self.observer.tell(&Progress::SaveFailed(error));
        SaveOutcome::Failed
    }

    pub(crate) async fn present(&self, id: JobId, response: ChallengeResponse) -> PresentOutcome {
        let (kind, identifier) = (response.challenge_type(), response.identifier().clone());
        self.observer
            .tell(&Progress::Presenting(id, response.clone()));
        match self.responder.present(&response).await {
            Ok(()) => {
                tracing::debug!(%id, %kind, %identifier, "presented");
                self.observer.tell(&Progress::Presented(id, response));
                PresentOutcome::Presented
            }
            Err(error) => {
                tracing::warn!(%id, %kind, %identifier, %error, "not presented");
                let why = Progress::PresentFailed(id, response, error.to_string());
                self.observer.tell(&why);
                match error {
                    PresentError::Refused(_) => PresentOutcome::Refused,
                    PresentError::Failed(_) => PresentOutcome::Failed,
                }
            }
        }
    }

    pub(crate) async fn retract(&self, id: JobId, response: ChallengeResponse) -> RetractOutcome {
        let (kind, identifier) = (response.challenge_type(), response.identifier().clone());
        match self.responder.retract(&response).await {
            Ok(()) => {
                tracing::debug!(%id, %kind, %identifier, "retracted");
                self.observer.tell(&Progress::Retracted(id, response));
                RetractOutcome::Retracted
            }
            Err(error) => {
                tracing::warn!(%id, %kind, %identifier, %error, "not retracted");
                let why = Progress::RetractFailed(id, response, error.to_string());
                self.observer.tell(&why);
                RetractOutcome::Failed
            }
        }
    }
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell").finish_non_exhaustive()
    }
}
