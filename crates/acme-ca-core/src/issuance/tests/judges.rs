//! Judges of others: `openssl`, `pkilint` and the test vectors, where they are there.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A command that judges, and a folder for it to work in.
pub(crate) struct Judge {
    command: &'static str,
    folder: PathBuf,
}

impl Judge {
    /// OpenSSL. `None`, loudly, if the command isn't there.
    pub(crate) fn openssl(test: &str) -> Option<Self> {
        Self::find("openssl", &["version"], test)
    }

    /// A command of pkilint. `None`, loudly, if it isn't there.
    pub(crate) fn pkilint(command: &'static str, test: &str) -> Option<Self> {
        Self::find(command, &["lint", "-h"], test)
    }

    fn find(command: &'static str, probe: &[&str], test: &str) -> Option<Self> {
        if Command::new(command).args(probe).output().is_err() {
            eprintln!("skipped: {test}: no {command} command");
            return None;
        }
        let name = format!("acme-ca-core-{test}-{command}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Some(Self { command, folder })
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, contents: &[u8]) -> String {
        let path = self.folder.join(name);
        std::fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Whether the command succeeded, and all that it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(self.command).args(arguments).output().unwrap();
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        (output.status.success(), text)
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The test vectors; `None`, loudly, if they aren't there.
pub(crate) fn vectors(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ACME_TEST_VECTORS").map(PathBuf::from);
    if folder
        .as_deref()
        .is_none_or(|folder| !Path::new(folder).is_dir())
    {
        eprintln!("skipped: {test}: ACME_TEST_VECTORS is not set");
        return None;
    }
    folder
}
