//! Submission of precertificates to logs (RFC 6962 §4.2): one POST, no retry. The issuance job
//! decides what comes after.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use acme_ca_core::effect::Submitted;
use acme_ca_core::issuance::REPLY_LEN_MAX;
use acme_types::Url;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

/// Longer than a log takes that answers at all; the job's own deadline may be shorter.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of a response's head.
const HEAD_LEN_MAX: usize = 16 * 1024;
const AGENT: &str = concat!("acme-ca/", env!("CARGO_PKG_VERSION"));

/// How logs are reached: over http, or over https with the system's roots.
#[derive(Clone, Debug)]
pub struct Submission {
    tls: Arc<ClientConfig>,
}

/// TLS is not to be had.
#[derive(Clone, Debug, thiserror::Error)]
#[error("TLS towards the logs can't be set up: {0}")]
pub struct SubmissionError(#[from] rustls::Error);

impl Submission {
    /// With the system's roots, and these.
    ///
    /// # Errors
    /// [`SubmissionError`].
    pub fn new(roots: &[Vec<u8>]) -> Result<Self, SubmissionError> {
        let mut store = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        // A system without roots reaches logs over http only, which is what loopback has.
        store.add_parsable_certificates(system.certs);
        for root in roots {
            store.add(CertificateDer::from(root.clone()))?;
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Self {
            tls: Arc::new(config),
        })
    }

    /// The log's response, or that there was none.
    pub async fn submit(&self, url: &Url, body: Vec<u8>) -> Submitted {
        match tokio::time::timeout(PATIENCE, self.post(url, body)).await {
            Ok(Ok((status, body))) => Submitted::Response { status, body },
            Ok(Err(error)) => {
                tracing::warn!(%url, %error, "a log could not be reached");
                Submitted::Unreachable
            }
            Err(_) => {
                tracing::warn!(%url, "a log didn't answer in time");
                Submitted::Unreachable
            }
        }
    }

    async fn post(&self, url: &Url, body: Vec<u8>) -> io::Result<(u16, Vec<u8>)> {
        let host = url.host().trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, url.port())).await?;
        stream.set_nodelay(true)?;
        if !url.is_https() {
            return exchange(stream, url, body).await;
        }
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        exchange(connector.connect(name, stream).await?, url, body).await
    }
}

async fn exchange<S>(stream: S, url: &Url, body: Vec<u8>) -> io::Result<(u16, Vec<u8>)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let request = http::Request::post(url.path_and_query().as_ref())
        .header(HOST, url.authority())
        .header(USER_AGENT, AGENT)
        .header(CONTENT_TYPE, "application/json")
        .header(CONNECTION, "close")
        .body(Full::new(Bytes::from(body)))
        .map_err(io::Error::other)?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_LEN_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    // Ends with this function, however that ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender
        .send_request(request)
        .await
        .map_err(io::Error::other)?;
    let status = response.status().as_u16();
    Ok((status, read_body(response.into_body()).await?))
}

/// The body, cut after one byte more than the longest reply that means anything.
async fn read_body(mut body: Incoming) -> io::Result<Vec<u8>> {
    let keep = REPLY_LEN_MAX.saturating_add(1);
    let mut bytes = Vec::new();
    while bytes.len() < keep
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(io::Error::other)?;
        if let Some(more) = frame.data_ref() {
            let room = keep.saturating_sub(bytes.len());
            bytes.extend_from_slice(more.get(..room).unwrap_or(more));
        }
    }
    Ok(bytes)
}
