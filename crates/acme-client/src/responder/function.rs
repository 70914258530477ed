use std::fmt;
use std::future::Future;

use acme_client_core::ChallengeResponse;
use acme_types::ChallengeType;

use super::{PresentError, Responder, RetractError};
use crate::BoxFuture;

type Call<E> = Box<dyn Fn(ChallengeResponse) -> BoxFuture<'static, Result<(), E>> + Send + Sync>;

/// A responder made of two functions.
pub struct FunctionResponder {
    types: Vec<ChallengeType>,
    present: Call<PresentError>,
    retract: Call<RetractError>,
}

impl FunctionResponder {
    /// Publishes these types by these functions.
    pub fn new<P, PF, R, RF>(
        types: impl IntoIterator<Item = ChallengeType>,
        present: P,
        retract: R,
    ) -> Self
    where
        P: Fn(ChallengeResponse) -> PF + Send + Sync + 'static,
        PF: Future<Output = Result<(), PresentError>> + Send + 'static,
        R: Fn(ChallengeResponse) -> RF + Send + Sync + 'static,
        RF: Future<Output = Result<(), RetractError>> + Send + 'static,
    {
        Self {
            types: types.into_iter().collect(),
            present: Box::new(move |response| Box::pin(present(response))),
            retract: Box::new(move |response| Box::pin(retract(response))),
        }
    }
}

impl Responder for FunctionResponder {
    fn challenge_types(&self) -> Vec<ChallengeType> {
        self.types.clone()
    }

    fn present<'a>(
        &'a self,
        response: &'a ChallengeResponse,
    ) -> BoxFuture<'a, Result<(), PresentError>> {
        (self.present)(response.clone())
    }

    fn retract<'a>(
        &'a self,
        response: &'a ChallengeResponse,
    ) -> BoxFuture<'a, Result<(), RetractError>> {
        (self.retract)(response.clone())
    }
}

impl fmt::Debug for FunctionResponder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionResponder")
            .field("types", &self.types)
            .finish_non_exhaustive()
    }
}
