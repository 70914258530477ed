//! How this CA came to be: at the first start a root and an intermediate are made, at every later
//! one they are read. Written into a folder of its own that gets its name when it is complete, so
//! that a start that is cut short leaves no half an authority.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use acme_ca_core::issuance::{
    CaName, CeremonyError, IntermediateDraft, Issuer, IssuerError, RootDraft,
};
use acme_ca_core::schema::Serial;
use acme_crypto::{CryptoError, KeyAlgorithm, KeyPair, Provider};
use acme_types::{Timestamp, pem};

use crate::folder::{self, DataFolder, FolderError};
use crate::random;
use crate::signer::Signer;

/// The issuer's name: in the URL of its certificate, and what the signer calls its key.
pub const ISSUER: &str = "e1";
/// The shards of the issuer's CRLs. A certificate's shard is fixed when it is issued, so this
/// range may grow but never shrink.
const SHARDS: RangeInclusive<u16> = 0..=3;
const YEAR: Duration = Duration::from_secs(365 * 86_400);
/// As long as the root programs let a root live.
const ROOT_YEARS: u32 = 15;
const INTERMEDIATE_YEARS: u32 = 10;
/// For clocks that are behind.
const BACKDATE: Duration = Duration::from_secs(3_600);
/// Larger than any key or certificate that is made here.
const FILE_LEN_MAX: u64 = 64 * 1024;

/// Root and intermediate, with the intermediate's key. The root's key stays in its file.
#[derive(Debug)]
pub(crate) struct Ceremony {
    pub(crate) issuer: Issuer,
    pub(crate) signer: Signer,
    pub(crate) root_pem: String,
}

/// The authority can't be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// A file.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A key or certificate can't be made.
    #[error("can't make the CA's {what}: {source}")]
    Make {
        /// Which.
        what: &'static str,
        /// Why.
        source: CeremonyError,
    },
    /// A key can't be used.
    #[error("the key in {path} can't be used ({source}): restore it from a copy")]
    Key {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: CryptoError,
    },
    /// A certificate doesn't read.
    #[error("the file {0} doesn't hold one PEM certificate: restore it from a copy")]
    Certificate(PathBuf),
    /// They don't fit together.
    #[error("the certificates in {path} don't make an issuer ({source}): restore them from a copy")]
    Issuer {
        /// Their folder.
        path: PathBuf,
        /// Why.
        source: IssuerError,
    },
    /// The key is another one's.
    #[error("the key {0} is not that of the certificate beside it: restore them from a copy")]
    WrongKey(PathBuf),
}

/// The authority of a data folder: read, or made at the first start.
pub(crate) fn open(
    data: &DataFolder,
    name: &str,
    provider: &dyn Provider,
    now: Timestamp,
) -> Result<Ceremony, AuthorityError> {
    let folder = data.path("authority");
    if !folder.exists() {
        make(data, &folder, name, provider, now)?;
    }
    let ceremony = read(&folder, provider)?;
    let published = data.path("root.pem");
    if fs::read(&published).ok().as_deref() != Some(ceremony.root_pem.as_bytes()) {
        folder::write_public(&published, ceremony.root_pem.as_bytes())?;
    }
    Ok(ceremony)
}

fn make(
    data: &DataFolder,
    folder: &Path,
    name: &str,
    provider: &dyn Provider,
    now: Timestamp,
) -> Result<(), AuthorityError> {
    let unfinished = data.path("authority.new");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(folder::io_at("remove", &unfinished))?;
    }
    folder::make_folder(&unfinished)?;
    let root_key = generate(&unfinished.join("root.key"), provider)?;
    let key = generate(&unfinished.join("intermediate.key"), provider)?;
    let (root, intermediate) = certify(name, &*root_key, &*key, provider, now)?;
    for (file, der) in [("root.pem", root), ("intermediate.pem", intermediate)] {
        let text = pem::chain_from_der(&[der]);
        folder::write_public(&unfinished.join(file), text.as_bytes())?;
    }
    fs::rename(&unfinished, folder).map_err(folder::io_at("write", folder))?;
    folder::sync_folder_of(folder)?;
    tracing::info!(folder = %folder.display(), "made a root and an intermediate");
    Ok(())
}

fn generate(path: &Path, provider: &dyn Provider) -> Result<Box<dyn KeyPair>, AuthorityError> {
    let entropy = zeroize::Zeroizing::new(random::bytes());
    let key = provider.generate(KeyAlgorithm::EcP256, &entropy);
    let key = key.map_err(|source| AuthorityError::Key {
        path: path.to_owned(),
        source,
    })?;
    folder::write_secret(path, key.to_pkcs8_pem().as_bytes())?;
    Ok(key)
}

/// The certificates of root and intermediate, DER.
fn certify(
    name: &str,
    root_key: &dyn KeyPair,
    key: &dyn KeyPair,
    provider: &dyn Provider,
    now: Timestamp,
) -> Result<(Vec<u8>, Vec<u8>), AuthorityError> {
    let root = || -> Result<Vec<u8>, CeremonyError> {
        let draft = RootDraft::new(
            &CaName::new(&format!("{name} Root X1"), Some(name), None)?,
            root_key.public_key(),
            Serial::new(&random::bytes()),
            validity(now, ROOT_YEARS),
            provider,
        )?;
        let signature = root_key.sign(draft.algorithm(), draft.message());
        draft.attach(&signature.map_err(|_| CeremonyError::Encoding)?)
    };
    let root = root().map_err(|source| AuthorityError::Make {
        what: "root",
        source,
    })?;
    let intermediate = || -> Result<Vec<u8>, CeremonyError> {
        let draft = IntermediateDraft::new(
            &root,
            &CaName::new(&format!("{name} E1"), Some(name), None)?,
            key.public_key(),
            Serial::new(&random::bytes()),
            validity(now, INTERMEDIATE_YEARS),
            None,
            None,
            provider,
        )?;
        let signature = root_key.sign(draft.algorithm(), draft.message());
        draft.attach(&signature.map_err(|_| CeremonyError::Encoding)?)
    };
    let intermediate = intermediate().map_err(|source| AuthorityError::Make {
        what: "intermediate",
        source,
    })?;
    Ok((root, intermediate))
}

fn validity(now: Timestamp, years: u32) -> (Timestamp, Timestamp) {
    let not_before = now.before(BACKDATE).truncate_to_secs();
    (not_before, not_before.after(YEAR.saturating_mul(years)))
}

fn read(folder: &Path, provider: &dyn Provider) -> Result<Ceremony, AuthorityError> {
    let root = read_certificate(&folder.join("root.pem"))?;
    let intermediate = read_certificate(&folder.join("intermediate.pem"))?;
    let root_pem = pem::chain_from_der(std::slice::from_ref(&root));
    let issuer =
        Issuer::new(ISSUER, &intermediate, &[root], SHARDS, provider).map_err(|source| {
            AuthorityError::Issuer {
                path: folder.to_owned(),
                source,
            }
        })?;
    let path = folder.join("intermediate.key");
    let text = zeroize::Zeroizing::new(read_file(&path)?);
    let key = provider
        .key_from_pkcs8_pem(&text)
        .map_err(|source| AuthorityError::Key {
            path: path.clone(),
            source,
        })?;
    if key.public_key() != issuer.public_key() {
        return Err(AuthorityError::WrongKey(path));
    }
    Ok(Ceremony {
        issuer,
        signer: Signer::new().with_key(ISSUER, key),
        root_pem,
    })
}

fn read_certificate(path: &Path) -> Result<Vec<u8>, AuthorityError> {
    let wrong = || AuthorityError::Certificate(path.to_owned());
    let chain = pem::chain_to_der(read_file(path)?.as_bytes()).map_err(|_| wrong())?;
    <[Vec<u8>; 1]>::try_from(chain)
        .map(|[der]| der)
        .map_err(|_| wrong())
}

fn read_file(path: &Path) -> Result<String, FolderError> {
    let len = fs::metadata(path)
        .map_err(folder::io_at("read", path))?
        .len();
    if len > FILE_LEN_MAX {
        let source = std::io::Error::from(std::io::ErrorKind::FileTooLarge);
        return Err(folder::io_at("read", path)(source));
    }
    fs::read_to_string(path).map_err(folder::io_at("read", path))
}

#[cfg(test)]
mod tests {
    use acme_crypto::aws_lc::AwsLc;

    use super::*;

    fn at() -> Timestamp {
        Timestamp::from_rfc3339("2026-11-24T00:00:00Z").unwrap()
    }

    #[test]
    fn the_authority_is_the_same_at_the_second_start() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        // A first start that was cut short.
        fs::create_dir(data.path("authority.new")).unwrap();
        fs::write(data.path("authority.new").join("root.key"), "half").unwrap();
        let first = open(&data, "Test", &AwsLc, at()).unwrap();
        let second = open(&data, "Another", &AwsLc, at().after(YEAR)).unwrap();
        assert_eq!(first.issuer, second.issuer);
        assert_eq!(first.root_pem, second.root_pem);
        assert_eq!(
            fs::read_to_string(data.path("root.pem")).unwrap(),
            first.root_pem
        );
    }

    #[test]
    fn a_key_that_was_exchanged_is_found_out() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        open(&data, "Test", &AwsLc, at()).unwrap();
        let key = |name: &str| data.path("authority").join(name);
        fs::copy(key("root.key"), key("intermediate.key")).unwrap();
        let refused = open(&data, "Test", &AwsLc, at()).unwrap_err();
        assert!(matches!(refused, AuthorityError::WrongKey(_)), "{refused}");
        fs::write(key("intermediate.key"), "no key").unwrap();
        let refused = open(&data, "Test", &AwsLc, at()).unwrap_err();
        assert!(matches!(refused, AuthorityError::Key { .. }), "{refused}");
    }
}
