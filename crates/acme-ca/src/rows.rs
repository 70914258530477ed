//! A store as the machines' effects see it: what a store can't say is unavailable, or unknown.

use std::sync::Arc;

use acme_ca_core::effect::Unavailable;
use acme_ca_core::schema::{Commit, Committed, Loaded, Read, Scan};

use crate::store::{Store, StoreFailure};

/// The rows, for machines.
#[derive(Clone, Debug)]
pub(crate) struct Rows(Arc<dyn Store>);

impl Rows {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    pub(crate) async fn load(&self, reads: Vec<Read>) -> Result<Loaded, Unavailable> {
        self.0
            .load(reads)
            .await
            .map_err(|failure| unavailable("load", failure))
    }

    pub(crate) async fn scan(&self, scan: Scan) -> Result<Vec<Read>, Unavailable> {
        self.0
            .scan(scan)
            .await
            .map_err(|failure| unavailable("scan", failure))
    }

    /// A commit that the store turned away changed nothing; but its machine is told nothing that
    /// it could rely on.
    pub(crate) async fn commit(&self, commit: Commit) -> Committed {
        match self.0.commit(commit).await {
            Ok(committed) => committed,
            Err(failure) => {
                tracing::error!(%failure, "the store could not commit");
                Committed::Unknown
            }
        }
    }
}

fn unavailable(what: &str, failure: StoreFailure) -> Unavailable {
    tracing::error!(%failure, "the store could not {what}");
    Unavailable
}
