//! The data folder: who owns it, which format it has, and how files get into it whole.
//!
//! ```text
//! format      one line: which program's, which format
//! lock        held by the running server
//! root.pem    the root's certificate, for clients to trust
//! authority/  keys (mode 0600) and certificates of root and intermediate
//! store/      the rows
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// What the `format` file says before the number.
const FORMAT_PREFIX: &str = "acme-ca data, format ";
/// The format that this version reads and writes.
const FORMAT: u32 = 1;
/// The `format` file is one short line.
const FORMAT_FILE_LEN_MAX: usize = 128;
/// For the owner alone.
const FILE_MODE_SECRET: u32 = 0o600;
/// For all to read.
const FILE_MODE_PUBLIC: u32 = 0o644;
const FOLDER_MODE: u32 = 0o700;

/// A data folder that this process owns until it is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// A data folder can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// Another process owns it.
    #[error(
        "the data folder {0} is in use by another acme-ca: stop that one, or give another folder"
    )]
    Locked(PathBuf),
    /// There is something in it that isn't ours.
    #[error("the folder {0} is not empty and holds no acme-ca data: give an empty or a new folder")]
    Foreign(PathBuf),
    /// Another version wrote it.
    #[error(
        "the data folder {path} has format {found}, this version reads format {FORMAT}: use the \
         version of acme-ca that wrote it, or another folder"
    )]
    Format {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: String,
    },
    /// The system said no.
    #[error("can't {what} {path}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What came of it.
        source: io::Error,
    },
}

impl DataFolder {
    /// Takes a folder, or makes a new one.
    ///
    /// # Errors
    /// [`FolderError`]. Nothing was changed in a folder that isn't ours.
    pub(crate) fn open(path: &Path) -> Result<Self, FolderError> {
        make_folder(path)?;
        let format = path.join("format");
        let is_new = match read_format(&format)? {
            Some(text) => {
                check_format(path, &text)?;
                false
            }
            None => true,
        };
        if is_new && !is_empty(path)? {
            return Err(FolderError::Foreign(path.to_owned()));
        }
        let lock = lock(path)?;
        if is_new {
            write_file(
                &format,
                format!("{FORMAT_PREFIX}{FORMAT}\n").as_bytes(),
                FILE_MODE_PUBLIC,
            )?;
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Makes a folder for the owner alone; one that is there stays as it is.
pub(crate) fn make_folder(path: &Path) -> Result<(), FolderError> {
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(path)
        .map_err(io_at("make", path))
}

/// Writes a file that others may read.
pub(crate) fn write_public(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    write_file(path, bytes, FILE_MODE_PUBLIC)
}

/// Writes a file that only the owner may read.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    write_file(path, bytes, FILE_MODE_SECRET)
}

/// The whole file or none of it, durable: beside it first, then in its place.
fn write_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FolderError> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(io_at("write", &beside))?;
    fs::rename(&beside, path).map_err(io_at("write", path))?;
    sync_folder_of(path)
}

/// Makes the names in a path's folder durable.
pub(crate) fn sync_folder_of(path: &Path) -> Result<(), FolderError> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(io_at("sync", folder))
}

pub(crate) fn io_at<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> FolderError + 'a {
    move |source| FolderError::Io {
        what,
        path: path.to_owned(),
        source,
    }
}

fn read_format(path: &Path) -> Result<Option<String>, FolderError> {
    match fs::read(path) {
        Ok(mut bytes) => {
            bytes.truncate(FORMAT_FILE_LEN_MAX);
            Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_at("read", path)(error)),
    }
}

fn check_format(folder: &Path, text: &str) -> Result<(), FolderError> {
    let Some(found) = text.trim_end().strip_prefix(FORMAT_PREFIX) else {
        return Err(FolderError::Foreign(folder.to_owned()));
    };
    if found == FORMAT.to_string() {
        return Ok(());
    }
    let found = found.escape_default().to_string();
    Err(FolderError::Format {
        path: folder.to_owned(),
        found,
    })
}

/// Whether nothing is there but what a start that was cut short may have left.
fn is_empty(path: &Path) -> Result<bool, FolderError> {
    for entry in fs::read_dir(path).map_err(io_at("read", path))? {
        let name = entry.map_err(io_at("read", path))?.file_name();
        if name != "lock" && name != "format.new" {
            return Ok(false);
        }
    }
    Ok(true)
}

fn lock(folder: &Path) -> Result<File, FolderError> {
    let path = folder.join("lock");
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE_SECRET);
    let file = options.open(&path).map_err(io_at("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FolderError::Locked(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(io_at("lock", &path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_new_folder_is_made_and_opens_again() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("a/b");
        drop(DataFolder::open(&path).unwrap());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(DataFolder::open(&path).unwrap());
    }

    #[test]
    fn a_folder_in_use_is_refused() {
        let outer = tempfile::tempdir().unwrap();
        let first = DataFolder::open(outer.path()).unwrap();
        let refused = DataFolder::open(outer.path()).unwrap_err();
        assert!(matches!(refused, FolderError::Locked(_)), "{refused}");
        drop(first);
        DataFolder::open(outer.path()).unwrap();
    }

    #[test]
    fn a_folder_of_another_version_is_refused_and_says_which() {
        let outer = tempfile::tempdir().unwrap();
        fs::write(outer.path().join("format"), "acme-ca data, format 2\n").unwrap();
        let refused = DataFolder::open(outer.path()).unwrap_err().to_string();
        assert!(
            refused.contains("has format 2, this version reads format 1"),
            "{refused}"
        );
    }

    #[test]
    fn a_folder_with_something_else_in_it_is_refused_and_left_alone() {
        for (name, text) in [("letter.txt", "Dear"), ("format", "something else")] {
            let outer = tempfile::tempdir().unwrap();
            fs::write(outer.path().join(name), text).unwrap();
            let refused = DataFolder::open(outer.path()).unwrap_err();
            assert!(matches!(refused, FolderError::Foreign(_)), "{refused}");
            assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_secret_is_for_its_owner_alone() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("key");
        write_secret(&path, b"1").unwrap();
        write_secret(&path, b"2").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"2");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}
