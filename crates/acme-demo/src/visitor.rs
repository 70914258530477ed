//! A visitor of the site: an HTTPS client that trusts one root, and may have read CRLs.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::story::{Proved, Unproved};

/// A page, and the chain that the server proved itself with.
pub(crate) struct Visit {
    pub(crate) page: String,
    pub(crate) chain: Vec<Vec<u8>>,
}

/// Requests `https://name/` at this address. With CRLs, every certificate below the root must be
/// known to be good, or not be covered by any of them.
pub(crate) async fn visit(
    address: SocketAddr,
    name: &str,
    root: &[u8],
    crls: &[Vec<u8>],
) -> Proved<Visit> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(root.to_vec()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    if !crls.is_empty() {
        let crls = crls
            .iter()
            .map(|crl| CertificateRevocationListDer::from(crl.clone()));
        verifier = verifier
            .with_crls(crls)
            .only_check_end_entity_revocation()
            .enforce_revocation_expiration();
    }
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_webpki_verifier(verifier.build()?)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let server = ServerName::try_from(name.to_owned())?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(server, stream)
        .await?;
    let peer = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let chain = peer
        .iter()
        .map(|certificate| certificate.to_vec())
        .collect();
    let page = get(stream, name, "/").await?;
    Ok(Visit {
        page: String::from_utf8_lossy(&page).into_owned(),
        chain,
    })
}

/// Requests `http://address/path`.
pub(crate) async fn fetch(address: SocketAddr, path: &str) -> Proved<Vec<u8>> {
    let stream = TcpStream::connect(address).await?;
    get(stream, &address.to_string(), path).await
}

async fn get<S>(stream: S, host: &str, path: &str) -> Proved<Vec<u8>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = hyper::Request::get(path)
        .header("host", host)
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    connection.abort();
    if status.is_success() {
        Ok(body.to_vec())
    } else {
        Err(Unproved(format!("{path} on {host} answers {status}")))
    }
}
