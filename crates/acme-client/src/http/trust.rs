use std::fmt;

use acme_types::pem;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;

/// The roots that a server's certificate must lead to.
#[derive(Clone)]
pub struct Trust {
    roots: RootCertStore,
}

/// Why a root can't be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Not PEM with CERTIFICATE blocks and nothing else.
    #[error("not a PEM file of certificates")]
    Pem,
    /// A certificate that can't be a root.
    #[error("certificate {0} of the file can't be used as a root")]
    Certificate(usize),
}

impl Trust {
    /// Nothing is trusted yet.
    pub fn none() -> Self {
        Self {
            roots: RootCertStore::empty(),
        }
    }

    /// The roots that this system trusts. A system without any is no error here: connections
    /// will fail, and say so.
    pub fn system() -> Self {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        let (added, ignored) = roots.add_parsable_certificates(found.certs);
        tracing::debug!(added, ignored, errors = found.errors.len(), "system roots");
        Self { roots }
    }

    /// These as well: PEM, one or more certificates.
    ///
    /// # Errors
    /// Nothing is added then.
    pub fn with_pem(self, text: &[u8]) -> Result<Self, TrustError> {
        let certificates = pem::chain_to_der(text).map_err(|_| TrustError::Pem)?;
        self.with_der(&certificates)
    }

    /// These as well: certificates in DER.
    ///
    /// # Errors
    /// Nothing is added then.
    pub fn with_der(mut self, certificates: &[Vec<u8>]) -> Result<Self, TrustError> {
        for (at, der) in certificates.iter().enumerate() {
            let der = CertificateDer::from(der.clone());
            self.roots
                .add(der)
                .map_err(|_| TrustError::Certificate(at.saturating_add(1)))?;
        }
        Ok(self)
    }

    pub(crate) fn into_roots(self) -> RootCertStore {
        self.roots
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({} roots)", self.roots.len())
    }
}
