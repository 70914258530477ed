//! Files that survive a crash: whole or not at all, and on the disk when it is said so.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Readers {
    /// Its owner: keys, and what is nobody's business.
    Owner,
    /// Everybody: certificates, challenge responses.
    All,
}

impl Readers {
    fn file_mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::All => 0o644,
        }
    }

    fn folder_mode(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::All => 0o755,
        }
    }
}

/// Writes a file: after a crash it is there as it was before, or as it is to be.
pub(crate) fn write(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let (folder, name) = parts(path)?;
    // The name is fixed: what a crash left over is overwritten, not piled up.
    let temporary = folder.join(format!(".{name}.new"));
    remove_file(&temporary)?;
    write_new(&temporary, bytes, readers)?;
    fs::rename(&temporary, path)?;
    sync_folder(folder)
}

/// Writes a file that isn't there yet, and syncs it, but not its folder.
pub(crate) fn write_new(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(readers.file_mode())
        .open(path)?;
    if readers == Readers::All {
        // Whatever the umask: a web server that is another user must read it.
        file.set_permissions(Permissions::from_mode(readers.file_mode()))?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a folder and those above it, durably.
pub(crate) fn create_folder(path: &Path, readers: Readers) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        create_folder(above, readers)?;
    }
    match DirBuilder::new().mode(readers.folder_mode()).create(path) {
        Ok(()) if readers == Readers::All => {
            fs::set_permissions(path, Permissions::from_mode(readers.folder_mode()))?;
        }
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    path.parent()
        .filter(|above| !above.as_os_str().is_empty())
        .map_or(Ok(()), sync_folder)
}

/// Lets a symbolic link point there, in one step.
pub(crate) fn point(link: &Path, target: &Path) -> io::Result<()> {
    let (folder, name) = parts(link)?;
    let temporary = folder.join(format!(".{name}.new"));
    remove_file(&temporary)?;
    symlink(target, &temporary)?;
    fs::rename(&temporary, link)?;
    sync_folder(folder)
}

/// What was created, renamed or removed in this folder is durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes a file, if it is there.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    absent_is_fine(fs::remove_file(path))
}

/// Removes a folder and what is in it, if it is there.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    absent_is_fine(fs::remove_dir_all(path))
}

/// Reads a file; `None` if it isn't there.
pub(crate) fn read(path: &Path, len_max: u64) -> io::Result<Option<Vec<u8>>> {
    use std::io::Read;
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    file.take(len_max.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > len_max {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the file is too long",
        ));
    }
    Ok(Some(bytes))
}

fn absent_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn parts(path: &Path) -> io::Result<(&Path, &str)> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let name = path.file_name().and_then(|name| name.to_str());
    match (folder, name) {
        (Some(folder), Some(name)) => Ok((folder, name)),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a path to a file",
        )),
    }
}
