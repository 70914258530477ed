use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use acme_client_core::ChallengeResponse;
use acme_crypto::{KeyAlgorithm, SignatureAlgorithm};
use acme_csr::tls_alpn::{ALPN_PROTOCOL, CertificateDraft};
use acme_types::{ChallengeType, Identifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::{PresentError, Responder, RetractError, not_mine};
use crate::BoxFuture;
use crate::clock;
use crate::keys::generate_key;

/// Connections served at once: see the HTTP listener.
const CONNECTIONS_MAX: usize = 256;
/// How long a handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(20);
/// The pause after an error of `accept`: most often too many open files, which takes a while.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How long the certificate of a challenge response is valid: longer than any order lives. It
/// begins a day early, for validators whose clock is slow.
const VALIDITY: Duration = Duration::from_secs(30 * 86_400);
const BACKDATED: Duration = Duration::from_secs(86_400);

/// tls-alpn-01 by a TLS server of our own: answers `acme-tls/1` and nothing else (RFC 8737).
#[derive(Debug)]
pub struct TlsAlpnListener {
    certificates: Arc<Certificates>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// By server name.
#[derive(Debug, Default)]
struct Certificates(RwLock<BTreeMap<String, Arc<CertifiedKey>>>);

impl TlsAlpnListener {
    /// Listens there. RFC 8737 §3: validators connect to port 443.
    ///
    /// # Errors
    /// The port is in use, or may not be used.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let certificates = Arc::new(Certificates::default());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&certificates) as _;
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![ALPN_PROTOCOL.to_vec()];
        let task = tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(config))));
        Ok(Self {
            certificates,
            address,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for TlsAlpnListener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The next connection, whatever becomes of others.
pub(super) async fn next(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "a connection can't be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        let stream = next(&listener).await;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let handshake = tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await;
            match handshake {
                Ok(Ok(mut stream)) => {
                    // RFC 8737 §3: no application data; the handshake was all.
                    let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "tls-alpn-01 handshake failed"),
                Err(_) => tracing::debug!("a tls-alpn-01 handshake took too long"),
            }
            drop(permit);
        });
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // RFC 8737 §3: who doesn't negotiate acme-tls/1 is no validator.
        let validator = hello
            .alpn()
            .is_some_and(|mut offered| offered.any(|p| p == ALPN_PROTOCOL));
        let name = hello.server_name()?.to_ascii_lowercase();
        let certificates = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = certificates.get(&name).filter(|_| validator).cloned();
        tracing::debug!(
            server_name = name,
            found = found.is_some(),
            "tls-alpn-01 handshake"
        );
        found
    }
}

/// A certificate with the digest, of a key made for it alone.
fn certificate(identifier: &Identifier, digest: [u8; 32]) -> io::Result<CertifiedKey> {
    let key = generate_key(KeyAlgorithm::EcP256)?;
    let algorithm = SignatureAlgorithm::Es256;
    let now = clock::now();
    let draft = CertificateDraft::new(
        identifier,
        digest,
        key.public_key(),
        algorithm,
        now.before(BACKDATED),
        now.after(VALIDITY),
        clock::random()?,
    )
    .map_err(io::Error::other)?;
    let signature = key
        .sign(algorithm, draft.message())
        .map_err(io::Error::other)?;
    let der = draft.attach(&signature).map_err(io::Error::other)?;
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.to_pkcs8_der().to_vec()));
    let signer =
        rustls::crypto::aws_lc_rs::sign::any_supported_type(&private).map_err(io::Error::other)?;
    Ok(CertifiedKey::new(vec![CertificateDer::from(der)], signer))
}

impl Responder for TlsAlpnListener {
    fn challenge_types(&self) -> Vec<ChallengeType> {
        vec![ChallengeType::TLS_ALPN_01]
    }

    fn present<'a>(
        &'a self,
        response: &'a ChallengeResponse,
    ) -> BoxFuture<'a, Result<(), PresentError>> {
        let ChallengeResponse::TlsAlpn01 {
            identifier,
            server_name,
            digest,
        } = response
        else {
            return Box::pin(std::future::ready(Err(not_mine(response))));
        };
        let made = certificate(identifier, *digest)
            .map_err(|error| PresentError::Failed(error.to_string()))
            .map(|made| {
                let mut all = self
                    .certificates
                    .0
                    .write()
                    .unwrap_or_else(PoisonError::into_inner);
                all.insert(server_name.to_ascii_lowercase(), Arc::new(made));
            });
        Box::pin(std::future::ready(made))
    }

    fn retract<'a>(
        &'a self,
        response: &'a ChallengeResponse,
    ) -> BoxFuture<'a, Result<(), RetractError>> {
        if let ChallengeResponse::TlsAlpn01 { server_name, .. } = response {
            let mut all = self
                .certificates
                .0
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            all.remove(&server_name.to_ascii_lowercase());
        }
        Box::pin(std::future::ready(Ok(())))
    }
}
