use std::io;
use std::sync::Arc;

use acme_ca_core::validation::NetworkFailure;
use der::asn1::{AnyRef, BitStringRef};
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged as _};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::failure_of;

/// The protocol of tls-alpn-01 (RFC 8737 §6.2).
const ACME_TLS_1: &[u8] = b"acme-tls/1";

/// TLS 1.2 and 1.3 with whoever answers: the certificate is taken as it comes, but its key must
/// have signed the handshake.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    http: Arc<ClientConfig>,
    acme: Arc<ClientConfig>,
}

impl Tls {
    pub(super) fn new() -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let http = config(&provider);
        let mut acme = http.clone();
        acme.alpn_protocols = vec![ACME_TLS_1.to_vec()];
        Self {
            http: Arc::new(http),
            acme: Arc::new(acme),
        }
    }

    /// A handshake for HTTP.
    pub(super) async fn http(
        &self,
        stream: TcpStream,
        server_name: &str,
    ) -> Result<TlsStream<TcpStream>, NetworkFailure> {
        connect(&self.http, stream, server_name).await
    }

    /// A handshake that offers nothing but `acme-tls/1`.
    pub(super) async fn acme(
        &self,
        stream: TcpStream,
        server_name: &str,
    ) -> Result<TlsStream<TcpStream>, NetworkFailure> {
        connect(&self.acme, stream, server_name).await
    }
}

#[expect(
    clippy::expect_used,
    reason = "the provider has suites for both versions"
)]
fn config(provider: &Arc<CryptoProvider>) -> ClientConfig {
    let algorithms = provider.signature_verification_algorithms;
    let mut config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AsItComes { algorithms }))
        .with_no_client_auth();
    // What a server said an earlier time proves nothing now.
    config.resumption = Resumption::disabled();
    config
}

async fn connect(
    config: &Arc<ClientConfig>,
    stream: TcpStream,
    server_name: &str,
) -> Result<TlsStream<TcpStream>, NetworkFailure> {
    let name =
        ServerName::try_from(server_name.to_owned()).map_err(|_| NetworkFailure::Tls(None))?;
    let connector = TlsConnector::from(Arc::clone(config));
    connector
        .connect(name, stream)
        .await
        .map_err(|error| tls_failure_of(&error))
}

/// What an error of a TLS stream says about the peer.
pub(super) fn tls_failure_of(error: &io::Error) -> NetworkFailure {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
    {
        Some(Error::AlertReceived(alert)) => NetworkFailure::Tls(Some(alert_number(*alert))),
        Some(_) => NetworkFailure::Tls(None),
        None => failure_of(error),
    }
}

fn alert_number(alert: AlertDescription) -> u8 {
    u8::from(alert)
}

/// Any certificate, as long as its key signed the handshake. Written here because what reads
/// certificates for a chain refuses those of tls-alpn-01: their extension is critical and known to
/// nobody else.
#[derive(Debug)]
struct AsItComes {
    algorithms: WebPkiSupportedAlgorithms,
}

impl AsItComes {
    fn verify(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let bad = || Error::InvalidCertificate(CertificateError::BadSignature);
        let (algorithm, key) = subject_public_key(certificate)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let (_, candidates) = self
            .algorithms
            .mapping
            .iter()
            .find(|(scheme, _)| *scheme == signed.scheme)
            .ok_or_else(bad)?;
        candidates
            .iter()
            .filter(|candidate| candidate.public_key_alg_id().as_ref() == algorithm)
            .find(|candidate| {
                candidate
                    .verify_signature(key, message, signed.signature())
                    .is_ok()
            })
            .map(|_| HandshakeSignatureValid::assertion())
            .ok_or_else(bad)
    }
}

/// The content of the AlgorithmIdentifier and of the key in a certificate's
/// SubjectPublicKeyInfo (RFC 5280 §4.1); nothing else of it is looked at.
fn subject_public_key<'a>(certificate: &'a [u8]) -> der::Result<(&'a [u8], &'a [u8])> {
    let certificate = AnyRef::from_der(certificate)?;
    let mut parts = SliceReader::new(content(certificate)?)?;
    let mut fields = SliceReader::new(content(parts.decode()?)?)?;
    let version = Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(0),
    };
    if Tag::peek(&fields)? == version {
        fields.decode::<AnyRef<'a>>()?;
    }
    // serialNumber, signature, issuer, validity, subject.
    for _ in 0..5 {
        fields.decode::<AnyRef<'a>>()?;
    }
    let mut key = SliceReader::new(content(fields.decode()?)?)?;
    let algorithm = content(key.decode()?)?;
    let bits: BitStringRef<'a> = key.decode()?;
    bits.as_bytes()
        .map(|bits| (algorithm, bits))
        .ok_or_else(|| Tag::BitString.value_error().into())
}

/// The content of a SEQUENCE.
fn content(any: AnyRef<'_>) -> der::Result<&[u8]> {
    match any.tag() {
        Tag::Sequence => Ok(any.value()),
        other => Err(other.unexpected_error(Some(Tag::Sequence)).into()),
    }
}

impl ServerCertVerifier for AsItComes {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
