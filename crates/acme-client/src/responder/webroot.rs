use std::io;
use std::path::{Path, PathBuf};

use acme_client_core::ChallengeResponse;
use acme_types::ChallengeType;

use super::{PresentError, Responder, RetractError, WELL_KNOWN, http_01_token, not_mine};
use crate::BoxFuture;
use crate::durable::{self, Readers};

/// http-01 by a file that a web server serves: `ROOT/.well-known/acme-challenge/TOKEN`.
#[derive(Clone, Debug)]
pub struct Webroot {
    root: PathBuf,
}

impl Webroot {
    /// Below this folder, which the web server serves as `/` of every name on port 80.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where the files go.
    pub fn folder(&self) -> PathBuf {
        self.root.join(WELL_KNOWN.trim_matches('/'))
    }

    fn file(&self, path: &str) -> Option<PathBuf> {
        http_01_token(path).map(|token| self.folder().join(token.as_str()))
    }
}

fn publish(root: &Path, folder: &Path, file: &Path, body: &str) -> io::Result<()> {
    // A root that isn't there is a mistake, or a disk that isn't mounted: nothing is made there.
    if !root.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the web root is not a folder",
        ));
    }
    durable::create_folder(folder, Readers::All)?;
    durable::write(file, body.as_bytes(), Readers::All)
}

impl Responder for Webroot {
    fn challenge_types(&self) -> Vec<ChallengeType> {
        vec![ChallengeType::HTTP_01]
    }

    fn present<'a>(
        &'a self,
        response: &'a ChallengeResponse,
    ) -> BoxFuture<'a, Result<(), PresentError>> {
        Box::pin(async move {
            let ChallengeResponse::Http01 { path, body, .. } = response else {
                return Err(not_mine(response));
            };
            let file = self.file(path).ok_or_else(|| not_mine(response))?;
            let (root, folder, body) = (self.root.clone(), self.folder(), body.clone());
            let shown = file.display().to_string();
            tokio::task::spawn_blocking(move || publish(&root, &folder, &file, &body))
                .await
                .map_err(|_| PresentError::Failed("the writing thread died".to_owned()))?
                .map_err(|error| PresentError::Failed(format!("{shown}: {error}")))
        })
    }

    fn retract<'a>(
        &'a self,
        response: &'a ChallengeResponse,
    ) -> BoxFuture<'a, Result<(), RetractError>> {
        Box::pin(async move {
            let ChallengeResponse::Http01 { path, .. } = response else {
                return Ok(());
            };
            let Some(file) = self.file(path) else {
                return Ok(());
            };
            let removed = tokio::task::spawn_blocking(move || {
                durable::remove_file(&file)
                    .map_err(|error| RetractError(format!("{}: {error}", file.display())))
            });
            removed
                .await
                .map_err(|_| RetractError("the writing thread died".to_owned()))?
        })
    }
}
