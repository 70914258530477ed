//! Judges of others: the `openssl` command and the test vectors, where they are there.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder for `openssl` to work in.
pub(crate) struct Openssl(PathBuf);

impl Openssl {
    /// `None`, loudly, if the command isn't there.
    pub(crate) fn find(test: &str) -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("skipped: {test}: no openssl command");
            return None;
        }
        let folder =
            std::env::temp_dir().join(format!("acme-ca-core-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Some(Self(folder))
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, contents: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Whether the command succeeded, and all that it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new("openssl").args(arguments).output().unwrap();
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        (output.status.success(), text)
    }
}

impl Drop for Openssl {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
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
