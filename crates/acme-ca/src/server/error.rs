use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use acme_ca_core::issuance::AuthorityError as AuthorityMisfit;
use acme_types::{Url, UrlError};

use crate::ceremony::AuthorityError;
use crate::folder::FolderError;
use crate::front::FrontCertificateError;
use crate::store::OpenError;
use crate::submission::SubmissionError;

/// A server can't start. Says what failed, on what, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address.
    #[error(
        "can't listen on {address}: {source}; stop what listens there, or give another \
             address with {flag}"
    )]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
        /// What changes it.
        flag: &'static str,
    },
    /// No URL can be made of the address.
    #[error("no URL can be made of {0} ({1}): give one with --url or --publication-url")]
    Url(SocketAddr, UrlError),
    /// CRLs over https would need a certificate that needs the CRL.
    #[error("the publication URL {0} must be http, not https: what is published there is signed")]
    PublicationUrl(Url),
    /// The public URL isn't https.
    #[error("the URL {0} must be https: ACME is served over TLS only (RFC 8555 section 6.1)")]
    NotHttps(Url),
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Keys and certificates.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Issuers, profiles and logs.
    #[error("the configuration doesn't fit together: {0}")]
    Misfit(#[from] AuthorityMisfit),
    /// The store.
    #[error("the store in {path} can't be opened: {source}")]
    Store {
        /// Its folder.
        path: PathBuf,
        /// Why not.
        source: OpenError,
    },
    /// The first rows.
    #[error("the store can't be written; the log says why")]
    Bootstrap,
    /// TLS towards the logs.
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    /// The front's certificate.
    #[error(transparent)]
    Front(#[from] FrontCertificateError),
}
