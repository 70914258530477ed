//! A certificate with its key: one version, whole or not there.

use std::path::PathBuf;

use acme_client_core::certificate::{CHAIN_BYTES_MAX, CertificateFacts, Chain};
use acme_crypto::KeyPair;
use acme_types::{Timestamp, pem};

use super::{CertificateFolder, PRIVATE_KEY, VERSIONS};
use crate::durable::{self, Readers};
use crate::folder::{At, FolderError, FolderFault};

/// How many versions stay. The oldest beyond that go: their certificates have ended long ago.
pub const VERSIONS_KEPT_MAX: usize = 20;

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

impl CertificateFolder {
    /// Notes that a version is revoked: it is not renewed.
    ///
    /// # Errors
    /// It can't be written.
    pub fn set_revoked(&self, version: u32, at: Timestamp) -> Result<(), FolderError> {
        let path = self.version_path(version).join(REVOKED);
        durable::write(&path, format!("{at}\n").as_bytes(), Readers::All).at(&path)
    }

    pub(super) fn write_version(
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

    pub(super) fn version(&self, version: u32) -> Result<Option<Installed>, FolderError> {
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

    pub(super) fn versions(&self) -> Result<Vec<u32>, FolderError> {
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

    pub(super) fn clear_out(&self, current: u32) -> Result<(), FolderError> {
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

    pub(super) fn version_path(&self, version: u32) -> PathBuf {
        self.path.join(VERSIONS).join(version_name(version))
    }
}

const CERTIFICATE: &str = "cert.pem";
const CHAIN: &str = "chain.pem";
const FULL_CHAIN: &str = "fullchain.pem";
const REVOKED: &str = "revoked";

pub(super) fn version_name(version: u32) -> String {
    format!("{version:04}")
}
