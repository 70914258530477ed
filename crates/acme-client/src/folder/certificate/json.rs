//! Small JSON files: written whole, with a format number.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::durable;
use crate::folder::{At, FolderError, FolderFault};

/// Longest JSON file that is read: a thousand names with their CSR take half of it.
const JSON_LEN_MAX: u64 = 1024 * 1024;
/// The format that is written; another one is an error.
pub(super) const FORMAT: u32 = 1;

pub(super) fn json<T: Serialize>(value: &T, path: &Path) -> Result<Vec<u8>, FolderError> {
    serde_json::to_vec_pretty(value)
        .map_err(std::io::Error::other)
        .at(path)
}

fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, FolderError> {
    let malformed = |_| FolderError::new(path, FolderFault::Malformed("a file of this program"));
    serde_json::from_slice(bytes).map_err(malformed)
}

/// Reads a file of [`FORMAT`]; `None` if it isn't there.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FolderError> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let Some(bytes) = durable::read(path, JSON_LEN_MAX).at(path)? else {
        return Ok(None);
    };
    let head: Head = parse(path, &bytes)?;
    if head.format != FORMAT {
        return Err(FolderError::new(
            path,
            FolderFault::UnknownFormat(head.format),
        ));
    }
    parse(path, &bytes).map(Some)
}
