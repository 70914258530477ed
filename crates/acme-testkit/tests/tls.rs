//! The TLS target, met by rustls' client.

mod common;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use acme_testkit::authority::{Authority, Entity};
use acme_testkit::tls::{Fault, Tls, TlsError};
use common::{LOCALHOST, connect, exchange, get};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

async fn start() -> Tls {
    Tls::start("127.0.0.1:0".parse().unwrap()).await.unwrap()
}

fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
}

/// A browser that trusts this root.
fn browser(root: &Authority) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(root.certificate().to_vec()))
        .unwrap();
    builder()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// A validator of tls-alpn-01, which looks at the certificate later (RFC 8737 §3).
fn validator() -> ClientConfig {
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
    let mut config = builder()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(algorithms)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    config
}

async fn handshake(
    tls: &Tls,
    source: IpAddr,
    name: &str,
    config: ClientConfig,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = connect(source, tls.address()).await;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

fn shown(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[derive(Debug)]
struct Anyone(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

#[tokio::test]
async fn a_browser_gets_the_site_with_the_certificate_of_the_moment() {
    let tls = start().await;
    tls.site().set("/", "hello");
    let root = Authority::root("tls root");
    let authority = root.intermediate("tls intermediate");
    for serial in ["first", "second"] {
        let entity = Entity::new(&["example.com"]).serial(serial);
        let chain = [authority.issue(&entity), authority.certificate().to_vec()];
        tls.set_certificate(&chain, &entity.key().to_pkcs8_der())
            .unwrap();
        let stream = handshake(&tls, LOCALHOST, "example.com", browser(&root))
            .await
            .unwrap();
        assert_eq!(shown(&stream), chain[0]);
        assert_eq!(exchange(stream, get("/")).await.unwrap().body(), "hello");
    }
    assert!(tls.site().visits().iter().all(|visit| visit.encrypted));
    let stranger = Authority::root("another root");
    assert!(
        handshake(&tls, LOCALHOST, "example.com", browser(&stranger))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn each_server_name_can_have_its_own_certificate() {
    let tls = start().await;
    let root = Authority::root("tls root");
    let (one, two) = (Entity::new(&["one.example"]), Entity::new(&["two.example"]));
    tls.set_certificate(&[root.issue(&one)], &one.key().to_pkcs8_der())
        .unwrap();
    let name = "Two.example";
    tls.set_certificate_for(name, &[root.issue(&two)], &two.key().to_pkcs8_der())
        .unwrap();
    for (name, entity) in [("one.example", &one), ("two.example", &two)] {
        let stream = handshake(&tls, LOCALHOST, name, browser(&root))
            .await
            .unwrap();
        assert_eq!(shown(&stream), root.issue(entity));
    }
}

#[tokio::test]
async fn tls_alpn_01_is_answered_beside_the_site() {
    let tls = start().await;
    let root = Authority::root("tls root");
    let site = Entity::new(&["example.com"]);
    let challenge = Entity::new(&["example.com"]).serial("challenge");
    tls.set_certificate(&[root.issue(&site)], &site.key().to_pkcs8_der())
        .unwrap();
    let name = "example.com";
    // Before, as any web server: no protocol in common.
    assert!(handshake(&tls, LOCALHOST, name, validator()).await.is_err());
    let key = challenge.key().to_pkcs8_der();
    tls.present_tls_alpn_01(name, &root.issue(&challenge), &key)
        .unwrap();
    let source = IpAddr::from([127, 0, 0, 5]);
    let stream = handshake(&tls, source, name, validator()).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"acme-tls/1"[..]));
    assert_eq!(shown(&stream), root.issue(&challenge));
    // The site is still there for others, and the challenge only for its name.
    let stream = handshake(&tls, LOCALHOST, name, browser(&root))
        .await
        .unwrap();
    assert_eq!(shown(&stream), root.issue(&site));
    assert!(
        handshake(&tls, LOCALHOST, "other.example", validator())
            .await
            .is_err()
    );
    let hello = &tls.client_hellos()[1];
    assert_eq!(
        (hello.source.ip(), hello.server_name.as_deref()),
        (source, Some(name))
    );
    assert_eq!(hello.protocols, [b"acme-tls/1"]);
    assert!(tls.retract_tls_alpn_01(name));
    assert!(!tls.retract_tls_alpn_01(name));
    assert!(handshake(&tls, LOCALHOST, name, validator()).await.is_err());
}

#[tokio::test]
async fn faults_meet_everyone_or_one_source() {
    let tls = start().await;
    let root = Authority::root("tls root");
    let entity = Entity::new(&["example.com"]);
    let (certificate, key) = (root.issue(&entity), entity.key().to_pkcs8_der());
    tls.present_tls_alpn_01("example.com", &certificate, &key)
        .unwrap();
    let (name, victim) = ("example.com", IpAddr::from([127, 0, 0, 6]));
    tls.fault(Some(victim), Fault::HangUp);
    assert!(handshake(&tls, victim, name, validator()).await.is_err());
    assert!(handshake(&tls, LOCALHOST, name, validator()).await.is_ok());
    tls.fault(None, Fault::NoProtocol);
    let stream = handshake(&tls, LOCALHOST, name, validator()).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), None);
    tls.fault(Some(victim), Fault::Silence);
    let silent = handshake(&tls, victim, name, validator());
    assert!(
        tokio::time::timeout(Duration::from_millis(100), silent)
            .await
            .is_err()
    );
    tls.heal();
    tls.fault(None, Fault::Delay(Duration::from_millis(50)));
    let before = std::time::Instant::now();
    assert!(handshake(&tls, victim, name, validator()).await.is_ok());
    assert!(before.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused() {
    let tls = start().await;
    let root = Authority::root("tls root");
    let (one, two) = (Entity::new(&["one.example"]), Entity::new(&["two.example"]));
    let other = two.key().to_pkcs8_der();
    assert_eq!(
        tls.set_certificate(&[root.issue(&one)], &other),
        Err(TlsError::Key)
    );
    assert_eq!(tls.set_certificate(&[], &other), Err(TlsError::Empty));
    assert_eq!(
        tls.set_certificate(&[root.issue(&one)], b"no key"),
        Err(TlsError::Key)
    );
}
