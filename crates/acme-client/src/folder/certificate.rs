use std::path::{Path, PathBuf};
use std::sync::Arc;

use acme_client_core::certificate::{CHAIN_BYTES_MAX, CertificateFacts, Chain};
use acme_client_core::{IssueJob, JobId};
use acme_crypto::KeyPair;
use acme_csr::CsrError;
use acme_types::{CertificateId, Timestamp, base64url, pem};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::account::read_key;
use super::{At, FolderError, FolderFault, Wish};
use crate::durable::{self, Readers};
use crate::{clock, keys};

/// How many versions stay. The oldest beyond that go: their certificates have ended long ago.
pub const VERSIONS_KEPT_MAX: usize = 20;
/// Longest JSON file that is read: a thousand names with their CSR take half of it.
const JSON_LEN_MAX: u64 = 1024 * 1024;
/// The format that is written; another one is an error.
const FORMAT: u32 = 1;

/// One certificate through all its renewals.
#[derive(Clone, Debug)]
pub struct CertificateFolder {
    path: PathBuf,
}

/// An order under way: what it takes to go on with it after a crash. The key is durable.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pending {
    /// The job's name.
    pub job: JobId,
    /// What was asked for.
    pub wish: Wish,
    /// What the application noted with it.
    pub note: Value,
    /// The certificate that is to be replaced.
    pub replaces: Option<CertificateId>,
    /// The request in DER.
    pub csr: Vec<u8>,
    /// The certificate's key to be.
    pub key: Arc<dyn KeyPair>,
}

/// A certificate in use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Installed {
    /// Its number; rises by one with each.
    pub version: u32,
    /// Where `privkey.pem`, `cert.pem`, `chain.pem` and `fullchain.pem` are; reached by `current`
    /// too.
    pub folder: PathBuf,
    /// The chain.
    pub chain: Chain,
    /// Its validity and its name.
    pub facts: CertificateFacts,
    /// Was it revoked, as far as is known here?
    pub revoked: bool,
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

impl Pending {
    /// The machine's job for it.
    ///
    /// # Errors
    /// The request isn't one: not of what was made here.
    pub fn issue_job(&self) -> Result<IssueJob, CsrError> {
        let mut job = IssueJob::new(&self.csr)?;
        if let Some(profile) = &self.wish.profile {
            job = job.with_profile(profile);
        }
        if let Some(replaced) = &self.replaces {
            job = job.replacing(replaced.clone());
        }
        Ok(job)
    }
}

#[derive(Serialize, Deserialize)]
struct Intent {
    format: u32,
    job: JobId,
    wish: Wish,
    note: Value,
    replaces: Option<CertificateId>,
    #[serde(with = "base64url::member")]
    csr: Vec<u8>,
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

    /// Makes a key and a request, and notes the intent: all durable when this is done, before
    /// anything is ordered. An order under way before is forgotten.
    ///
    /// # Errors
    /// They can't be written; then nothing is there.
    pub fn begin(
        &self,
        wish: &Wish,
        note: Value,
        replaces: Option<CertificateId>,
    ) -> Result<Pending, FolderError> {
        let folder = self.pending_path();
        let key = keys::generate_key(wish.key_algorithm).at(&folder)?;
        let csr = keys::certificate_request(&wish.identifiers, &*key)
            .map_err(|error| FolderError::new(&folder, std::io::Error::other(error)))?;
        let job = JobId(clock::fresh_number().at(&folder)? >> 1);
        let csr = csr.as_der().to_vec();
        let (wish, format) = (wish.clone(), FORMAT);
        let intent = Intent {
            format,
            job,
            wish,
            note,
            replaces,
            csr,
        };
        self.abandon()?;
        let unfinished = self.path.join(".pending.new");
        durable::remove_folder(&unfinished).at(&unfinished)?;
        durable::create_folder(&unfinished, Readers::Owner).at(&unfinished)?;
        let pem = key.to_pkcs8_pem();
        let write = |name: &str, bytes: &[u8]| {
            let path = unfinished.join(name);
            durable::write_new(&path, bytes, Readers::Owner).at(&path)
        };
        write(PRIVATE_KEY, pem.as_bytes())?;
        write(INTENT, &json(&intent, &unfinished)?)?;
        durable::sync_folder(&unfinished).at(&unfinished)?;
        std::fs::rename(&unfinished, &folder).at(&folder)?;
        durable::sync_folder(&self.path).at(&self.path)?;
        let Intent {
            job,
            wish,
            note,
            replaces,
            csr,
            ..
        } = intent;
        Ok(Pending {
            job,
            wish,
            note,
            replaces,
            csr,
            key,
        })
    }

    /// The order under way, if there is one.
    ///
    /// # Errors
    /// It can't be read.
    pub fn pending(&self) -> Result<Option<Pending>, FolderError> {
        let folder = self.pending_path();
        let Some(intent) = read_json::<Intent>(&folder.join(INTENT), FORMAT)? else {
            return Ok(None);
        };
        let path = folder.join(PRIVATE_KEY);
        let missing = || FolderError::new(&path, FolderFault::Malformed("there"));
        let key = read_key(&path)?.ok_or_else(missing)?;
        let Intent {
            job,
            wish,
            note,
            replaces,
            csr,
            ..
        } = intent;
        Ok(Some(Pending {
            job,
            wish,
            note,
            replaces,
            csr,
            key,
        }))
    }

    /// Forgets the order under way, if there is one.
    ///
    /// # Errors
    /// It may still be there.
    pub fn abandon(&self) -> Result<(), FolderError> {
        let folder = self.pending_path();
        if !folder.exists() {
            return Ok(());
        }
        // Moved first: half an intent is none.
        let removed = self.path.join(".pending.old");
        durable::remove_folder(&removed).at(&removed)?;
        std::fs::rename(&folder, &removed).at(&folder)?;
        durable::sync_folder(&self.path).at(&self.path)?;
        durable::remove_folder(&removed).at(&removed)
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
        let settings = read_json::<Settings>(&self.path.join(SETTINGS), FORMAT)?;
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
        let file = read_json::<WatchFile>(&self.path.join(WATCH), FORMAT)?;
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

    /// Notes that a version is revoked: it is not renewed.
    ///
    /// # Errors
    /// It can't be written.
    pub fn set_revoked(&self, version: u32, at: Timestamp) -> Result<(), FolderError> {
        let path = self.version_path(version).join(REVOKED);
        durable::write(&path, format!("{at}\n").as_bytes(), Readers::All).at(&path)
    }

    fn write_version(
        &self,
        version: u32,
        chain: &Chain,
        key: &dyn KeyPair,
    ) -> Result<(), FolderError> {
        let versions = self.path.join(VERSIONS);
        durable::create_folder(&versions, Readers::Owner).at(&versions)?;
        let unfinished = versions.join(".new");
        durable::remove_folder(&unfinished).at(&unfinished)?;
        durable::create_folder(&unfinished, Readers::Owner).at(&unfinished)?;
        let (leaf, others) = chain
            .certificates()
            .split_at(1.min(chain.certificates().len()));
        let key = key.to_pkcs8_pem();
        for (name, text, readers) in [
            (PRIVATE_KEY, key.as_str(), Readers::Owner),
            (CERTIFICATE, &pem::chain_from_der(leaf), Readers::All),
            (CHAIN, &pem::chain_from_der(others), Readers::All),
            (FULL_CHAIN, &chain.to_pem(), Readers::All),
        ] {
            let path = unfinished.join(name);
            durable::write_new(&path, text.as_bytes(), readers).at(&path)?;
        }
        durable::sync_folder(&unfinished).at(&unfinished)?;
        let folder = self.version_path(version);
        std::fs::rename(&unfinished, &folder).at(&folder)?;
        durable::sync_folder(&versions).at(&versions)
    }

    fn version(&self, version: u32) -> Result<Option<Installed>, FolderError> {
        let folder = self.version_path(version);
        let path = folder.join(FULL_CHAIN);
        let len_max = u64::try_from(CHAIN_BYTES_MAX).unwrap_or(u64::MAX);
        let Some(text) = durable::read(&path, len_max).at(&path)? else {
            return Ok(None);
        };
        let malformed = |_| FolderError::new(&path, FolderFault::Malformed("a certificate chain"));
        let chain = Chain::from_pem(&text).map_err(malformed)?;
        let facts = CertificateFacts::from_der(chain.leaf()).map_err(malformed)?;
        let revoked = folder.join(REVOKED).exists();
        Ok(Some(Installed {
            version,
            folder,
            chain,
            facts,
            revoked,
        }))
    }

    fn versions(&self) -> Result<Vec<u32>, FolderError> {
        let folder = self.path.join(VERSIONS);
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let entries = std::fs::read_dir(&folder).at(&folder)?;
        let number = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
        let mut versions: Vec<u32> = entries.flatten().filter_map(number).collect();
        versions.sort_unstable();
        Ok(versions)
    }

    fn clear_out(&self, current: u32) -> Result<(), FolderError> {
        let versions = self.versions()?;
        let surplus = versions.len().saturating_sub(VERSIONS_KEPT_MAX);
        for version in versions
            .into_iter()
            .take(surplus)
            .filter(|version| *version != current)
        {
            let folder = self.version_path(version);
            durable::remove_folder(&folder).at(&folder)?;
        }
        Ok(())
    }

    fn pending_path(&self) -> PathBuf {
        self.path.join("pending")
    }

    fn version_path(&self, version: u32) -> PathBuf {
        self.path.join(VERSIONS).join(version_name(version))
    }

    fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), FolderError> {
        durable::create_folder(&self.path, Readers::Owner).at(&self.path)?;
        let path = self.path.join(name);
        durable::write(&path, &json(value, &path)?, Readers::Owner).at(&path)
    }
}

const PRIVATE_KEY: &str = "privkey.pem";
const CERTIFICATE: &str = "cert.pem";
const CHAIN: &str = "chain.pem";
const FULL_CHAIN: &str = "fullchain.pem";
const INTENT: &str = "intent.json";
const SETTINGS: &str = "settings.json";
const WATCH: &str = "watch.json";
const REVOKED: &str = "revoked";
const VERSIONS: &str = "versions";
const CURRENT: &str = "current";

fn version_name(version: u32) -> String {
    format!("{version:04}")
}

fn json<T: Serialize>(value: &T, path: &Path) -> Result<Vec<u8>, FolderError> {
    serde_json::to_vec_pretty(value)
        .map_err(std::io::Error::other)
        .at(path)
}

fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, FolderError> {
    let malformed = |_| FolderError::new(path, FolderFault::Malformed("a file of this program"));
    serde_json::from_slice(bytes).map_err(malformed)
}

fn read_json<T: DeserializeOwned>(path: &Path, format: u32) -> Result<Option<T>, FolderError> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let Some(bytes) = durable::read(path, JSON_LEN_MAX).at(path)? else {
        return Ok(None);
    };
    let head: Head = parse(path, &bytes)?;
    if head.format != format {
        return Err(FolderError::new(
            path,
            FolderFault::UnknownFormat(head.format),
        ));
    }
    parse(path, &bytes).map(Some)
}

#[cfg(test)]
mod tests;
