use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use acme_types::{Identifier, Url};

use super::{AccountFolder, At, CertificateFolder, FolderError, FolderFault};
use crate::durable::{self, Readers};

/// Most certificates that are listed.
const CERTIFICATES_MAX: usize = 100_000;

/// The folder with everything in it.
#[derive(Debug)]
pub struct StateFolder {
    root: PathBuf,
    /// Held open: the lock ends with it, also if the process is killed.
    lock: Option<File>,
}

impl StateFolder {
    /// Makes it if it isn't there, and locks it.
    ///
    /// # Errors
    /// [`FolderFault::Locked`], or it can't be written to.
    pub fn open(root: &Path) -> Result<Self, FolderError> {
        durable::create_folder(root, Readers::Owner).at(root)?;
        let path = root.join("lock");
        let mut options = OpenOptions::new();
        let file = options
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path);
        let lock = file.at(&path)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                root: root.to_path_buf(),
                lock: Some(lock),
            }),
            Err(TryLockError::WouldBlock) => Err(FolderError::new(root, FolderFault::Locked)),
            Err(TryLockError::Error(error)) => Err(FolderError::new(&path, error)),
        }
    }

    /// Opens it to look at, without a lock. It need not be there.
    pub fn look(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            lock: None,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// May it be written to?
    pub fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// The account at this CA.
    pub fn account(&self, directory: &Url) -> AccountFolder {
        AccountFolder::new(self.root.join("accounts").join(account_name(directory)))
    }

    /// The certificate whose first identifier this is.
    pub fn certificate(&self, first: &Identifier) -> CertificateFolder {
        CertificateFolder::new(self.root.join("certificates").join(certificate_name(first)))
    }

    /// The certificates that are there, by name.
    ///
    /// # Errors
    /// They can't be read.
    pub fn certificates(&self) -> Result<Vec<(String, CertificateFolder)>, FolderError> {
        let folder = self.root.join("certificates");
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&folder)
            .at(&folder)?
            .take(CERTIFICATES_MAX)
        {
            let entry = entry.at(&folder)?;
            if let (Ok(name), true) = (entry.file_name().into_string(), entry.path().is_dir()) {
                found.push((name, CertificateFolder::new(entry.path())));
            }
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(found)
    }
}

/// One folder per CA: readable, and told apart by a hash of the URL.
fn account_name(directory: &Url) -> String {
    use acme_crypto::Provider;
    let hash = acme_crypto::aws_lc::AwsLc.sha256(directory.as_str().as_bytes());
    let hash: String = hash
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '.' {
            c
        } else {
            '_'
        }
    };
    let host: String = directory.host().chars().map(plain).take(100).collect();
    format!("{host}-{}-{hash}", directory.port())
}

/// The name of a certificate's folder. `_` is in no DNS name that can be ordered, so that a
/// wildcard's folder and an address's are no other name's.
pub(super) fn certificate_name(first: &Identifier) -> String {
    let text = first.to_string();
    match text.strip_prefix("*.") {
        Some(base) => format!("_wildcard.{base}"),
        None => text.replace(':', "_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_by_plain_text() {
        let check = |text: &str, name: &str| {
            let identifier = text
                .parse::<std::net::IpAddr>()
                .map(Identifier::ip)
                .or_else(|_| Identifier::dns(text))
                .expect("an identifier");
            assert_eq!(certificate_name(&identifier), name);
        };
        check("example.com", "example.com");
        check("*.example.com", "_wildcard.example.com");
        check("192.0.2.1", "192.0.2.1");
        check("2001:db8::1", "2001_db8__1");
        let url = |text| Url::parse(text).expect("a URL");
        let one = account_name(&url("https://ca.example/directory"));
        assert!(one.starts_with("ca.example-443-"), "{one}");
        assert_ne!(one, account_name(&url("https://ca.example/directory2")));
        let six = account_name(&url("https://[2001:db8::1]:8443/dir"));
        assert!(
            six.chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)),
            "{six}"
        );
    }

    #[test]
    fn one_process_works_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state");
        let first = StateFolder::open(&path).expect("opened");
        let second = StateFolder::open(&path).expect_err("locked");
        assert!(matches!(second.reason, FolderFault::Locked));
        drop(first);
        assert!(StateFolder::open(&path).is_ok());
    }
}
