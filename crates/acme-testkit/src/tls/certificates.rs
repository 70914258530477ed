//! Which certificate answers which handshake.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The protocol of tls-alpn-01 (RFC 8737 §6.2).
pub(super) const ACME_TLS: &[u8] = b"acme-tls/1";

/// Why a certificate can't be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The chain is empty.
    #[error("there is no certificate")]
    Empty,
    /// The key is no PKCS#8 that rustls reads, or the certificate isn't its own.
    #[error("the key is unusable or belongs to another certificate")]
    Key,
}

/// Everything that can be served. Server names are matched in lower case.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    default: Option<Arc<CertifiedKey>>,
    names: BTreeMap<String, Arc<CertifiedKey>>,
    challenges: BTreeMap<String, Arc<CertifiedKey>>,
}

impl Certificates {
    pub(super) fn set_default(&mut self, certified: Arc<CertifiedKey>) {
        self.default = Some(certified);
    }

    pub(super) fn set_for(&mut self, server_name: &str, certified: Arc<CertifiedKey>) {
        self.names
            .insert(server_name.to_ascii_lowercase(), certified);
    }

    pub(super) fn set_challenge(&mut self, server_name: &str, certified: Arc<CertifiedKey>) {
        self.challenges
            .insert(server_name.to_ascii_lowercase(), certified);
    }

    pub(super) fn remove_challenge(&mut self, server_name: &str) -> bool {
        self.challenges
            .remove(&server_name.to_ascii_lowercase())
            .is_some()
    }

    /// The site's certificate for this name.
    pub(super) fn site(&self, server_name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let name = server_name.map(str::to_ascii_lowercase);
        let own = name.and_then(|name| self.names.get(&name));
        own.or(self.default.as_ref()).cloned()
    }

    /// The answer to a tls-alpn-01 challenge for this name.
    pub(super) fn challenge(&self, server_name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        self.challenges
            .get(&server_name?.to_ascii_lowercase())
            .cloned()
    }
}

pub(super) fn certified(
    chain: &[Vec<u8>],
    key_pkcs8: &[u8],
) -> Result<Arc<CertifiedKey>, TlsError> {
    if chain.is_empty() {
        return Err(TlsError::Empty);
    }
    let chain = chain
        .iter()
        .map(|der| CertificateDer::from(der.clone()))
        .collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key_pkcs8));
    let key = aws_lc_rs::sign::any_supported_type(&key).map_err(|_| TlsError::Key)?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        // "Unknown" is for certificates that rustls can't read: broken ones are served on purpose.
        Ok(()) | Err(rustls::Error::InvalidCertificate(_)) => Ok(Arc::new(certified)),
        Err(_) => Err(TlsError::Key),
    }
}

/// The configuration for one handshake: this certificate and these protocols.
pub(super) fn config(certified: Arc<CertifiedKey>, protocols: &[&[u8]]) -> Arc<ServerConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let versions = builder
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .expect("the provider knows all versions that rustls knows");
    let mut config = versions
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(certified)));
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    // A resumed session would hide that the certificate was swapped.
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Arc::new(config)
}

/// The certificate was chosen when the ClientHello was read.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}
