//! An order under way: its key and its intent, durable before anything is ordered.

use std::path::PathBuf;
use std::sync::Arc;

use acme_client_core::{IssueJob, JobId};
use acme_crypto::KeyPair;
use acme_csr::CsrError;
use acme_types::{CertificateId, base64url};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::{FORMAT, json, read_json};
use super::{CertificateFolder, PRIVATE_KEY};
use crate::durable::{self, Readers};
use crate::folder::account::read_key;
use crate::folder::{At, FolderError, FolderFault, Wish};
use crate::{clock, keys};

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

impl CertificateFolder {
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
        let Some(intent) = read_json::<Intent>(&folder.join(INTENT))? else {
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

    pub(super) fn pending_path(&self) -> PathBuf {
        self.path.join("pending")
    }
}

const INTENT: &str = "intent.json";
