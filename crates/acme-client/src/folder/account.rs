use std::path::{Path, PathBuf};
use std::sync::Arc;

use acme_crypto::{KeyAlgorithm, KeyPair};
use acme_types::Url;

use super::{At, FolderError, FolderFault};
use crate::durable::{self, Readers};
use crate::keys;
use crate::store::FileStore;

/// Longest PEM of a key: 4,096 bits of RSA take 3,300 bytes.
pub(super) const KEY_LEN_MAX: u64 = 16 * 1024;
const TEXT_LEN_MAX: u64 = 8 * 1024;

/// An account at one CA: its key and its snapshots.
#[derive(Clone, Debug)]
pub struct AccountFolder {
    path: PathBuf,
}

impl AccountFolder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The account's key, if there is one.
    ///
    /// # Errors
    /// It can't be read, or isn't a key.
    pub fn key(&self) -> Result<Option<Arc<dyn KeyPair>>, FolderError> {
        read_key(&self.path.join(KEY))
    }

    /// The account's key; a new one of this kind if there is none. It is durable then.
    ///
    /// # Errors
    /// It can't be read or written.
    pub fn key_or_new(
        &self,
        algorithm: KeyAlgorithm,
        directory: &Url,
    ) -> Result<Arc<dyn KeyPair>, FolderError> {
        if let Some(key) = self.key()? {
            return Ok(key);
        }
        durable::create_folder(&self.path, Readers::Owner).at(&self.path)?;
        let server = self.path.join(SERVER);
        let text = format!("{directory}\n");
        durable::write(&server, text.as_bytes(), Readers::Owner).at(&server)?;
        let path = self.path.join(KEY);
        let key = keys::generate_key(algorithm).at(&path)?;
        durable::write(&path, key.to_pkcs8_pem().as_bytes(), Readers::Owner).at(&path)?;
        Ok(key)
    }

    /// The CA's directory, if the account is there.
    ///
    /// # Errors
    /// It can't be read.
    pub fn directory(&self) -> Result<Option<Url>, FolderError> {
        let path = self.path.join(SERVER);
        let Some(bytes) = durable::read(&path, TEXT_LEN_MAX).at(&path)? else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&bytes);
        let url = Url::parse(text.trim());
        url.map(Some)
            .map_err(|_| FolderError::new(&path, FolderFault::Malformed("a URL")))
    }

    /// The machine's snapshots.
    ///
    /// # Errors
    /// They can't be read.
    pub fn store(&self) -> Result<FileStore, FolderError> {
        let path = self.path.join("snapshots");
        FileStore::open(&path).at(&path)
    }
}

const KEY: &str = "key.pem";
const SERVER: &str = "server.txt";

/// Reads a private key in PEM.
pub(super) fn read_key(path: &Path) -> Result<Option<Arc<dyn KeyPair>>, FolderError> {
    let Some(bytes) = durable::read(path, KEY_LEN_MAX).at(path)? else {
        return Ok(None);
    };
    let bytes = zeroize::Zeroizing::new(bytes);
    let malformed = || FolderError::new(path, FolderFault::Malformed("a PKCS#8 key in PEM"));
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?;
    keys::key_from_pem(text).map(Some).map_err(|_| malformed())
}
