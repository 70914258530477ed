//! The store on this machine's disk: an embedded engine behind one writer thread.
//!
//! ```text
//! commit ──► queue ──► writer: check guards, collect, write, sync, open a snapshot, answer
//! load, scan ──► the snapshot that the writer opened last
//! ```
//! - The batch grows with the load: what has queued up during one sync shares the next one.
//! - Readers never open a snapshot of their own: the engine would show them half a batch. They
//!   use the writer's, opened between two batches and after the sync, and hold it for one load.
//! - After a failed sync nothing is believed any more: everyone who waits learns `Unknown`, and
//!   so does everyone who comes later, until the process starts anew.

mod engine;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use acme_ca_core::schema::{Commit, Committed, Loaded, Read, Row, Scan};
use acme_ca_core::store::StoreError;
use tokio::sync::{mpsc, oneshot};

use self::engine::{Fjall, Slot};
use self::writer::{QUEUE_LEN_MAX, Request, Writer};
use super::{Pending, Store, StoreFailure};

/// A store in a folder of its own. Dropping it waits until what was queued is done, and gives the
/// folder free.
pub struct EmbeddedStore {
    durable: Arc<Slot>,
    queue: Option<mpsc::Sender<Request>>,
    writer: Option<JoinHandle<()>>,
}

/// The folder could not be opened as a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open.
    #[error("another process has the store open")]
    Locked,
    /// The engine's files are of another version, or damaged, or can't be read; the log says more.
    #[error("the storage engine can't open its files")]
    Engine,
    /// The writer thread could not be started.
    #[error("no thread for the writer")]
    Thread,
}

impl EmbeddedStore {
    /// Opens the store in this folder, or makes an empty one there.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let engine = Fjall::open(folder)?;
        let durable = engine.slot();
        let (queue, requests) = mpsc::channel(QUEUE_LEN_MAX);
        let writer = Writer::new(engine);
        let writer = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer.run(requests))
            .map_err(|_| OpenError::Thread)?;
        Ok(Self {
            durable,
            queue: Some(queue),
            writer: Some(writer),
        })
    }

    /// A point read takes microseconds, most of them in the engine's cache: to hand it to another
    /// thread would cost more.
    fn load_now(&self, reads: Vec<Read>) -> Result<Loaded, StoreFailure> {
        let durable = self.durable.latest();
        let mut found = Vec::with_capacity(reads.len());
        for read in reads {
            let row = match durable.get(&read.key())? {
                Some((version, bytes)) => {
                    Some((version, Row::decode(&bytes).map_err(StoreError::from)?))
                }
                None => None,
            };
            found.push((read, row));
        }
        Ok(Loaded(found))
    }

    fn scan_now(&self, scan: &Scan) -> Result<Vec<Read>, StoreFailure> {
        let (start, end, limit) = scan.range();
        let keys = self.durable.latest().keys(start, end, limit)?;
        let read = |key: &Vec<u8>| Read::from_key(key).map_err(|e| StoreError::from(e).into());
        keys.iter().map(read).collect()
    }

    async fn queue(&self, commit: Commit) -> Result<Committed, StoreFailure> {
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(StoreFailure::Stopped)?;
        let request = Request { commit, answer };
        queue
            .send(request)
            .await
            .map_err(|_| StoreFailure::Stopped)?;
        // The writer is gone with the answer: it may have been in the middle of the batch.
        answered.await.unwrap_or(Ok(Committed::Unknown))
    }
}

impl Store for EmbeddedStore {
    fn load(&self, reads: Vec<Read>) -> Pending<'_, Loaded> {
        Box::pin(async move { self.load_now(reads) })
    }

    fn scan(&self, scan: Scan) -> Pending<'_, Vec<Read>> {
        Box::pin(async move { self.scan_now(&scan) })
    }

    fn commit(&self, commit: Commit) -> Pending<'_, Committed> {
        Box::pin(self.queue(commit))
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer panicked");
        }
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore").finish_non_exhaustive()
    }
}
