//! What the shell does, told while it happens.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use acme_client_core::{ChallengeResponse, JobId};
use acme_types::Timestamp;
use http::{Method, StatusCode, Uri};

use crate::http::{Lost, Unsent};

/// Something that happened. Holds no key, no signature and no body.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Progress {
    /// A request is about to be sent.
    Sending {
        /// Its method.
        method: Method,
        /// To where.
        uri: Uri,
    },
    /// A complete response came.
    Received {
        /// Of the request with this method.
        method: Method,
        /// From where.
        uri: Uri,
        /// Its status.
        status: StatusCode,
        /// Since the request.
        took: Duration,
    },
    /// Not a byte of a request was sent.
    NotSent {
        /// To where it was to be sent.
        uri: Uri,
        /// Why.
        reason: Unsent,
    },
    /// Something was sent, and what came of it isn't known.
    Lost {
        /// To where.
        uri: Uri,
        /// Why.
        reason: Lost,
    },
    /// A response was longer than any honest one.
    TooLarge {
        /// From where.
        uri: Uri,
    },
    /// A challenge response is being published.
    Presenting(JobId, ChallengeResponse),
    /// It is published.
    Presented(JobId, ChallengeResponse),
    /// It isn't: the responder says why.
    PresentFailed(JobId, ChallengeResponse, String),
    /// It was withdrawn.
    Retracted(JobId, ChallengeResponse),
    /// It could not be withdrawn: the responder says why.
    RetractFailed(JobId, ChallengeResponse, String),
    /// A snapshot could not be made durable.
    SaveFailed(String),
    /// Nothing is in flight, and nothing to do before this time.
    Waiting(Timestamp),
}

/// Is told what happens. Called between two steps: it must not block.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Progress) + Send + Sync>);

impl Observer {
    /// Calls this.
    pub fn new(observe: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    /// Listens to nothing.
    pub fn none() -> Self {
        Self::new(|_| ())
    }

    pub(crate) fn tell(&self, progress: &Progress) {
        (self.0)(progress);
    }
}

impl Default for Observer {
    fn default() -> Self {
        Self::none()
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
