//! What is kept on disk, for programs that keep it as files: an account with its key and its
//! snapshots, and certificates with theirs.
//!
//! ```text
//! DIR/lock                                 held by the one process that works here
//! DIR/accounts/HOST-PORT-HASH/key.pem      the account's key
//!                             server.txt   the CA's directory URL
//!                             snapshots/   what the machine saved
//! DIR/certificates/NAME/pending/           key and intent of an order under way
//!                       versions/0001/     privkey.pem cert.pem chain.pem fullchain.pem
//!                       current            -> the version in use
//!                       settings.json      what was asked for
//!                       watch.json         when to renew
//! ```
//! A key and its chain are one version, and never apart. A version is written whole before
//! `current` points to it, in one step; the ones before it stay.

mod account;
mod certificate;
mod state;
mod wish;

use std::io;
use std::path::{Path, PathBuf};

pub use account::AccountFolder;
pub use certificate::{CertificateFolder, Installed, Pending, VERSIONS_KEPT_MAX, Watch};
pub use state::StateFolder;
pub use wish::{Wish, key_algorithm_from_name, key_algorithm_name};

/// Something could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
#[non_exhaustive]
pub struct FolderError {
    /// Which file or folder.
    pub path: PathBuf,
    /// Why.
    pub reason: FolderFault,
}

/// Why a file or folder is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderFault {
    /// The system says so.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Another process works here.
    #[error("another process is working here")]
    Locked,
    /// Not what it should be.
    #[error("not {0}")]
    Malformed(&'static str),
    /// Written by another version of this program.
    #[error("written by another version of this program (format {0})")]
    UnknownFormat(u32),
    /// An order under way is not the one that is meant.
    #[error("no order of this job is under way")]
    NotPending,
}

impl FolderError {
    fn new(path: &Path, reason: impl Into<FolderFault>) -> Self {
        Self {
            path: path.to_path_buf(),
            reason: reason.into(),
        }
    }
}

/// Puts the path to an error of the system.
trait At<T> {
    fn at(self, path: &Path) -> Result<T, FolderError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, FolderError> {
        self.map_err(|error| FolderError::new(path, error))
    }
}
