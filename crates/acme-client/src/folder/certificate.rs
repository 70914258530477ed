mod json;
mod pending;
mod version;

use std::path::{Path, PathBuf};

use acme_client_core::JobId;
use acme_client_core::certificate::Chain;
use acme_types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::json::{FORMAT, json, read_json};
pub use self::pending::Pending;
use self::version::version_name;
pub use self::version::{Installed, VERSIONS_KEPT_MAX};
use super::account::read_key;
use super::{At, FolderError, FolderFault, Wish};
use crate::durable::{self, Readers};

/// One certificate through all its renewals.
#[derive(Clone, Debug)]
pub struct CertificateFolder {
    path: PathBuf,
}

/// When a version is to be renewed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Watch {
    /// Which version.
    pub version: u32,
    /// The job that watches it.
    pub job: JobId,
    /// When, if it was decided.
    pub at: Option<Timestamp>,
    /// What the CA has to say about it: to be shown, not to be opened.
    pub explanation: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Settings {
    format: u32,
    wish: Wish,
    note: Value,
}

#[derive(Serialize, Deserialize)]
struct WatchFile {
    format: u32,
    watch: Watch,
}

impl CertificateFolder {
    /// At this path; nothing is made yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a chain in use, with the key of the order under way. To do it twice does no harm. The
    /// order stays under way until [`CertificateFolder::abandon`].
    ///
    /// # Errors
    /// [`FolderFault::NotPending`], or it can't be written; what was in use stays in use then.
    pub fn install(&self, job: JobId, chain: &Chain) -> Result<Installed, FolderError> {
        let pending = self.pending()?.filter(|pending| pending.job == job);
        let not_pending = || FolderError::new(&self.path, FolderFault::NotPending);
        let pending = pending.ok_or_else(not_pending)?;
        let last = self.versions()?.last().copied().unwrap_or_default();
        let known = self.version(last)?.filter(|known| known.chain == *chain);
        let version = match known {
            Some(known) => known.version,
            None => {
                let version = last.saturating_add(1);
                self.write_version(version, chain, &*pending.key)?;
                version
            }
        };
        let settings = Settings {
            format: FORMAT,
            wish: pending.wish,
            note: pending.note,
        };
        self.write_json(SETTINGS, &settings)?;
        let link = self.path.join(CURRENT);
        let target = Path::new(VERSIONS).join(version_name(version));
        durable::point(&link, &target).at(&link)?;
        self.clear_out(version)?;
        self.current()?.ok_or_else(not_pending)
    }

    /// Is the certificate in use the one that this order was for?
    ///
    /// # Errors
    /// It can't be read.
    pub fn has_installed(&self, pending: &Pending) -> Result<bool, FolderError> {
        let Some(current) = self.current()? else {
            return Ok(false);
        };
        let key = read_key(&current.folder.join(PRIVATE_KEY))?;
        Ok(key.is_some_and(|key| key.public_key() == pending.key.public_key()))
    }

    /// The certificate in use, if there is one.
    ///
    /// # Errors
    /// It can't be read.
    pub fn current(&self) -> Result<Option<Installed>, FolderError> {
        let link = self.path.join(CURRENT);
        let Ok(target) = std::fs::read_link(&link) else {
            return Ok(None);
        };
        let name = target.file_name().and_then(|name| name.to_str());
        match name.and_then(|name| name.parse().ok()) {
            Some(version) => self.version(version),
            None => Err(FolderError::new(
                &link,
                FolderFault::Malformed("a link to a version"),
            )),
        }
    }

    /// What was asked for, and what the application noted with it.
    ///
    /// # Errors
    /// It can't be read.
    pub fn settings(&self) -> Result<Option<(Wish, Value)>, FolderError> {
        let settings = read_json::<Settings>(&self.path.join(SETTINGS))?;
        Ok(settings.map(|settings| (settings.wish, settings.note)))
    }

    /// Notes other settings for the next renewal.
    ///
    /// # Errors
    /// They can't be written.
    pub fn set_settings(&self, wish: &Wish, note: Value) -> Result<(), FolderError> {
        self.write_json(
            SETTINGS,
            &Settings {
                format: FORMAT,
                wish: wish.clone(),
                note,
            },
        )
    }

    /// When to renew, if it was noted.
    ///
    /// # Errors
    /// It can't be read.
    pub fn watch(&self) -> Result<Option<Watch>, FolderError> {
        let file = read_json::<WatchFile>(&self.path.join(WATCH))?;
        Ok(file.map(|file| file.watch))
    }

    /// Notes when to renew.
    ///
    /// # Errors
    /// It can't be written.
    pub fn set_watch(&self, watch: &Watch) -> Result<(), FolderError> {
        self.write_json(
            WATCH,
            &WatchFile {
                format: FORMAT,
                watch: watch.clone(),
            },
        )
    }

    fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), FolderError> {
        durable::create_folder(&self.path, Readers::Owner).at(&self.path)?;
        let path = self.path.join(name);
        durable::write(&path, &json(value, &path)?, Readers::Owner).at(&path)
    }
}

const PRIVATE_KEY: &str = "privkey.pem";
const SETTINGS: &str = "settings.json";
const WATCH: &str = "watch.json";
const VERSIONS: &str = "versions";
const CURRENT: &str = "current";

#[cfg(test)]
mod tests;
