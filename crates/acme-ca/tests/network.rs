//! HTTP requests and TLS handshakes against web servers that do as they like.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use acme_ca::network::{Network, Source};
use acme_ca_core::validation::{
    AddressPolicy, FetchOutcome, FetchRequest, HandshakeOutcome, HandshakeRequest, NetworkFailure,
};
use acme_crypto::aws_lc::AwsLc;
use acme_crypto::{KeyAlgorithm, Provider};
use acme_testkit::authority::{Authority, Entity};
use acme_testkit::site::Page;
use acme_testkit::tls::{Fault, Tls};
use acme_testkit::web::Web;
use acme_types::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn soon(millis: u64) -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(u64::try_from(now.as_millis()).unwrap() + millis)
}

fn request(address: SocketAddr, path: &str) -> FetchRequest {
    FetchRequest {
        target: AddressPolicy::Any
            .target(address.ip(), address.port())
            .unwrap(),
        tls: None,
        host: "example.com".to_owned(),
        path: path.to_owned(),
        body_max: 100,
        connect_by: soon(2_000),
        deadline: soon(3_000),
    }
}

async fn fetch(request: FetchRequest) -> FetchOutcome {
    Network::new(Source::default()).fetch(request).await
}

fn response(status: u16, locations: &[&str], body: &[u8]) -> FetchOutcome {
    let locations = locations.iter().map(|l| l.as_bytes().to_vec()).collect();
    FetchOutcome::Response {
        status,
        locations,
        body: body.to_vec(),
    }
}

#[tokio::test]
async fn a_response_comes_whole_and_unfollowed() {
    let web = Web::start(LOOPBACK).await.unwrap();
    web.set("/ok", Page::text("hello"));
    web.set("/moved", Page::redirect(302, "http://elsewhere.example/"));
    web.set("/bytes", Page::text(vec![0xff; 100]));
    let at = |path| request(web.address(), path);
    assert_eq!(fetch(at("/ok")).await, response(200, &[], b"hello"));
    let FetchOutcome::Response {
        status, locations, ..
    } = fetch(at("/moved")).await
    else {
        panic!()
    };
    assert_eq!(
        (status, locations),
        (302, vec![b"http://elsewhere.example/".to_vec()])
    );
    assert_eq!(fetch(at("/bytes")).await, response(200, &[], &[0xff; 100]));
    let FetchOutcome::Response { status, .. } = fetch(at("/none")).await else {
        panic!()
    };
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_body_without_an_end_is_cut_one_byte_after_the_limit() {
    let web = Web::start(LOOPBACK).await.unwrap();
    web.set("/long", Page::endless());
    web.set("/101", Page::text(vec![b'x'; 101]));
    for path in ["/long", "/101"] {
        let FetchOutcome::Response { body, .. } = fetch(request(web.address(), path)).await else {
            panic!("{path}")
        };
        assert_eq!(body.len(), 101, "{path}");
    }
}

#[tokio::test]
async fn a_slow_response_ends_at_the_deadline() {
    let web = Web::start(LOOPBACK).await.unwrap();
    web.set("/slow", Page::text("x").delay(Duration::from_secs(60)));
    web.set(
        "/drip",
        Page::text(vec![b'x'; 90]).drip(1, Duration::from_millis(100)),
    );
    web.set("/gone", Page::hang_up());
    let failed = |failure| FetchOutcome::Failed(failure);
    for path in ["/slow", "/drip"] {
        let request = FetchRequest {
            deadline: soon(400),
            ..request(web.address(), path)
        };
        assert_eq!(
            fetch(request).await,
            failed(NetworkFailure::TimedOut),
            "{path}"
        );
    }
    let gone = fetch(request(web.address(), "/gone")).await;
    assert_eq!(gone, failed(NetworkFailure::Closed));
}

#[tokio::test]
async fn nobody_there_is_told_from_nothing_said() {
    let free = TcpListener::bind(LOOPBACK)
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let refused = FetchOutcome::NotConnected(NetworkFailure::Refused);
    assert_eq!(fetch(request(free, "/")).await, refused);
}

/// A server that says this and closes, whatever it is asked.
async fn says(bytes: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 1_024];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

#[tokio::test]
async fn what_is_not_http_or_over_a_limit_fails() {
    let head = |text: &str| format!("HTTP/1.1 200 OK\r\n{text}\r\n").into_bytes();
    let many: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
    let long = format!("X: {}\r\n", "y".repeat(100_000));
    for (bytes, failure) in [
        (b"SSH-2.0-OpenSSH\r\n".to_vec(), NetworkFailure::Protocol),
        (
            vec![0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5],
            NetworkFailure::Protocol,
        ),
        (head(&many), NetworkFailure::Protocol),
        (head(&long), NetworkFailure::Protocol),
        (
            head("Content-Length: 5\r\nContent-Length: 6\r\n"),
            NetworkFailure::Protocol,
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-".to_vec(),
            NetworkFailure::Closed,
        ),
        (
            [head("Content-Length: 50\r\n"), b"short".to_vec()].concat(),
            NetworkFailure::Closed,
        ),
        (Vec::new(), NetworkFailure::Closed),
    ] {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        let outcome = fetch(request(says(bytes).await, "/")).await;
        assert_eq!(outcome, FetchOutcome::Failed(failure), "{shown:?}");
    }
}

#[tokio::test]
async fn a_request_comes_from_the_perspective_s_own_address() {
    let web = Web::start(LOOPBACK).await.unwrap();
    let address: IpAddr = "127.0.0.78".parse().unwrap();
    web.site()
        .set_for(address, "/", Page::text("for you alone"));
    let network = Network::new(Source::from(address));
    let outcome = network.fetch(request(web.address(), "/")).await;
    assert_eq!(outcome, response(200, &[], b"for you alone"));
}

#[tokio::test]
async fn a_redirect_to_https_meets_any_certificate() {
    let tls = Tls::start(LOOPBACK).await.unwrap();
    let entity = Entity::new(&["another.example"]);
    let chain = Authority::root("Nobody's").issue_chain(&entity);
    tls.set_certificate(&chain, &entity.key().to_pkcs8_der())
        .unwrap();
    tls.site().set("/", Page::text("secure"));
    for name in ["example.com", "192.0.2.1"] {
        let request = FetchRequest {
            tls: Some(name.to_owned()),
            ..request(tls.address(), "/")
        };
        assert_eq!(
            fetch(request).await,
            response(200, &[], b"secure"),
            "{name}"
        );
    }
    let names: Vec<_> = tls
        .client_hellos()
        .into_iter()
        .map(|hello| hello.server_name)
        .collect();
    // RFC 6066 §3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"."
    assert_eq!(names, [Some("example.com".to_owned()), None]);
    // Plain HTTP on the TLS port, and TLS on a plain port.
    let plain = fetch(request(tls.address(), "/")).await;
    assert!(matches!(plain, FetchOutcome::Failed(_)), "{plain:?}");
    let web = Web::start(LOOPBACK).await.unwrap();
    let secure = FetchRequest {
        tls: Some("x.example".into()),
        ..request(web.address(), "/")
    };
    let secure = fetch(secure).await;
    assert!(
        matches!(secure, FetchOutcome::Failed(NetworkFailure::Tls(None))),
        "{secure:?}"
    );
}

fn handshake(address: SocketAddr, name: &str) -> HandshakeRequest {
    HandshakeRequest {
        target: AddressPolicy::Any
            .target(address.ip(), address.port())
            .unwrap(),
        server_name: name.to_owned(),
        connect_by: soon(2_000),
        deadline: soon(3_000),
    }
}

/// A certificate of tls-alpn-01 for `example.com`: its critical extension is known to no reader
/// of chains.
fn tls_alpn_01() -> (Vec<u8>, Vec<u8>) {
    use acme_csr::tls_alpn::CertificateDraft;
    let key = AwsLc.generate(KeyAlgorithm::EcP256, &[9; 32]).unwrap();
    let algorithm = key.public_key().default_algorithm();
    let name = acme_types::Identifier::dns("example.com").unwrap();
    let (from, to) = (soon(0), soon(86_400_000));
    let draft = CertificateDraft::new(
        &name,
        [7; 32],
        key.public_key(),
        algorithm,
        from,
        to,
        [0x41; 16],
    )
    .unwrap();
    let signature = key.sign(algorithm, draft.message()).unwrap();
    (
        draft.attach(&signature).unwrap(),
        key.to_pkcs8_der().to_vec(),
    )
}

#[tokio::test]
async fn a_handshake_brings_the_protocol_and_the_certificate() {
    let tls = Tls::start(LOOPBACK).await.unwrap();
    let (certificate, key) = tls_alpn_01();
    tls.present_tls_alpn_01("example.com", &certificate, &key)
        .unwrap();
    let network = Network::new(Source::default());
    let outcome = network
        .handshake(handshake(tls.address(), "example.com"))
        .await;
    let alpn = Some(b"acme-tls/1".to_vec());
    let completed = HandshakeOutcome::Completed {
        alpn,
        certificates: vec![certificate.clone()],
    };
    assert_eq!(outcome, completed);
    let hello = tls.client_hellos().remove(0);
    assert_eq!(hello.protocols, [b"acme-tls/1".to_vec()], "and no other");
    tls.fault(None, Fault::NoProtocol);
    let outcome = network
        .handshake(handshake(tls.address(), "example.com"))
        .await;
    let completed = HandshakeOutcome::Completed {
        alpn: None,
        certificates: vec![certificate],
    };
    assert_eq!(outcome, completed);
}

#[tokio::test]
async fn a_handshake_that_fails_says_how() {
    let network = Network::new(Source::default());
    // A web server that knows nothing of ACME: RFC 7301 §3.2, no_application_protocol.
    let (certificate, key) = tls_alpn_01();
    let web = impostor(certificate, key, b"h2").await;
    let outcome = network.handshake(handshake(web, "example.com")).await;
    assert_eq!(
        outcome,
        HandshakeOutcome::Failed(NetworkFailure::Tls(Some(120)))
    );
    let tls = Tls::start(LOOPBACK).await.unwrap();
    tls.fault(None, Fault::HangUp);
    let outcome = network
        .handshake(handshake(tls.address(), "example.com"))
        .await;
    assert_eq!(outcome, HandshakeOutcome::Failed(NetworkFailure::Closed));
    tls.fault(None, Fault::Silence);
    let request = HandshakeRequest {
        deadline: soon(300),
        ..handshake(tls.address(), "a.example")
    };
    let outcome = network.handshake(request).await;
    assert_eq!(outcome, HandshakeOutcome::Failed(NetworkFailure::TimedOut));
    let free = TcpListener::bind(LOOPBACK)
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let outcome = network.handshake(handshake(free, "example.com")).await;
    assert_eq!(
        outcome,
        HandshakeOutcome::NotConnected(NetworkFailure::Refused)
    );
}

/// A server that speaks this protocol and presents this certificate, whatever key it has.
async fn impostor(certificate: Vec<u8>, key: Vec<u8>, protocol: &[u8]) -> SocketAddr {
    use rustls::crypto::aws_lc_rs;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::sign::CertifiedKey;

    #[derive(Debug)]
    struct Always(Arc<CertifiedKey>);
    impl rustls::server::ResolvesServerCert for Always {
        fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }
    let provider = aws_lc_rs::default_provider();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
    let key = provider.key_provider.load_private_key(key).unwrap();
    let certified = Arc::new(CertifiedKey::new(vec![certificate.into()], key));
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(certified)));
    config.alpn_protocols = vec![protocol.to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    address
}

#[tokio::test]
async fn a_certificate_without_its_key_is_no_handshake() {
    let (certificate, key) = tls_alpn_01();
    let network = Network::new(Source::default());
    let own = impostor(certificate.clone(), key, b"acme-tls/1").await;
    let outcome = network.handshake(handshake(own, "example.com")).await;
    assert!(
        matches!(outcome, HandshakeOutcome::Completed { .. }),
        "{outcome:?}"
    );
    let other = AwsLc
        .generate(KeyAlgorithm::EcP256, &[8; 32])
        .unwrap()
        .to_pkcs8_der();
    let stolen = impostor(certificate, other.to_vec(), b"acme-tls/1").await;
    let outcome = network.handshake(handshake(stolen, "example.com")).await;
    assert_eq!(outcome, HandshakeOutcome::Failed(NetworkFailure::Tls(None)));
}
