//! Challenge responses, published on real sockets and files.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use acme_client::responder::{
    DnsHook, FunctionResponder, HttpListener, PresentError, Responder, Responders, TlsAlpnListener,
    Webroot,
};
use acme_client_core::ChallengeResponse;
use acme_types::{ChallengeType, Identifier};

const TOKEN: &str = "DGyRejmCefe7v4NfDGDKfA-token";

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn identifier() -> Identifier {
    Identifier::dns("example.com").expect("a name")
}

fn http_01(path: &str) -> ChallengeResponse {
    ChallengeResponse::Http01 {
        identifier: identifier(),
        path: path.to_owned(),
        body: format!("{TOKEN}.thumbprint"),
    }
}

fn well_known() -> String {
    format!("/.well-known/acme-challenge/{TOKEN}")
}

fn dns_01() -> ChallengeResponse {
    ChallengeResponse::Dns01 {
        identifier: identifier(),
        name: "_acme-challenge.example.com".to_owned(),
        value: "LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM".to_owned(),
    }
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: example.com\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn the_http_listener_serves_what_is_presented_and_nothing_else() {
    let listener = HttpListener::bind(loopback()).await.expect("bound");
    let (address, response) = (listener.address(), http_01(&well_known()));
    assert!(get(address, &well_known()).starts_with("HTTP/1.1 404"));
    for _ in 0..2 {
        listener.present(&response).await.expect("presented");
    }
    let answer = get(address, &well_known());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.ends_with(&format!("\r\n\r\n{TOKEN}.thumbprint")),
        "{answer}"
    );
    assert!(get(address, "/").starts_with("HTTP/1.1 404"));
    for _ in 0..2 {
        listener.retract(&response).await.expect("retracted");
    }
    assert!(get(address, &well_known()).starts_with("HTTP/1.1 404"));
    assert!(listener.present(&dns_01()).await.is_err());
    let busy = HttpListener::bind(address).await.expect_err("busy");
    assert_eq!(busy.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_web_root_gets_one_file_per_token() {
    let root = tempfile::tempdir().expect("a folder");
    let webroot = Webroot::new(root.path());
    let response = http_01(&well_known());
    let file = root.path().join(well_known().trim_start_matches('/'));
    for _ in 0..2 {
        webroot.present(&response).await.expect("presented");
        assert_eq!(
            std::fs::read_to_string(&file).expect("readable"),
            format!("{TOKEN}.thumbprint")
        );
    }
    let mode = std::fs::metadata(&file)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o644, "a web server may read it");
    for _ in 0..2 {
        webroot.retract(&response).await.expect("retracted");
        assert!(!file.exists());
    }
    // What can be no token is never the name of a file.
    for path in [
        "/.well-known/acme-challenge/../../x",
        "/.well-known/acme-challenge/",
        "/x",
    ] {
        let error = webroot.present(&http_01(path)).await.expect_err("refused");
        assert!(matches!(error, PresentError::Refused(_)), "{path}");
        webroot
            .retract(&http_01(path))
            .await
            .expect("nothing to do");
    }
    let nowhere = Webroot::new(root.path().join("not-there"));
    let error = nowhere.present(&response).await.expect_err("no folder");
    assert!(matches!(error, PresentError::Failed(_)));
    assert!(
        !root.path().join("not-there").exists(),
        "a root is never made"
    );
}

mod tls {
    use rustls_pki_types::{CertificateDer, ServerName};
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::client::danger::{
        HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
    };
    use tokio_rustls::rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs};
    use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

    use super::*;

    /// A validator: takes any certificate, but only with a valid signature of the handshake.
    #[derive(Debug)]
    struct AnyCertificate(WebPkiSupportedAlgorithms);

    impl ServerCertVerifier for AnyCertificate {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: rustls_pki_types::UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        // rustls' own check reads the certificate as webpki does, which knows no critical
        // acmeIdentifier; what counts here is which certificate comes.
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.0.supported_schemes()
        }
    }

    pub(super) async fn certificate(
        address: SocketAddr,
        server_name: &str,
        protocol: &[u8],
    ) -> Option<Vec<u8>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = AnyCertificate(provider.signature_verification_algorithms);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let stream = tokio::net::TcpStream::connect(address)
            .await
            .expect("connected");
        let name = ServerName::try_from(server_name.to_owned()).expect("a name");
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .ok()?;
        let (_, session) = stream.get_ref();
        assert_eq!(session.alpn_protocol(), Some(protocol));
        session
            .peer_certificates()?
            .first()
            .map(|certificate| certificate.to_vec())
    }
}

#[tokio::test]
async fn the_tls_listener_shows_the_digest_to_validators_only() {
    let listener = TlsAlpnListener::bind(loopback()).await.expect("bound");
    let digest = [0x5a; 32];
    let cases = [
        (identifier(), "example.com"),
        (
            Identifier::ip([192, 0, 2, 1].into()),
            "1.2.0.192.in-addr.arpa",
        ),
    ];
    for (identifier, name) in cases {
        let server_name = name.to_owned();
        let response = ChallengeResponse::TlsAlpn01 {
            identifier,
            server_name,
            digest,
        };
        let shown = async || tls::certificate(listener.address(), name, b"acme-tls/1").await;
        assert_eq!(shown().await, None);
        for _ in 0..2 {
            listener.present(&response).await.expect("presented");
        }
        let certificate = shown().await.expect("shown");
        // RFC 8737 §3: the digest as an OCTET STRING in the extension.
        let wanted = [&[0x04, 0x22, 0x04, 0x20], digest.as_slice()].concat();
        assert!(
            certificate
                .windows(wanted.len())
                .any(|window| window == wanted)
        );
        assert_eq!(
            tls::certificate(listener.address(), name, b"http/1.1").await,
            None
        );
        assert_eq!(
            tls::certificate(listener.address(), "b.example", b"acme-tls/1").await,
            None
        );
        listener.retract(&response).await.expect("retracted");
        assert_eq!(shown().await, None);
    }
}

fn script(folder: &Path, text: &str) -> std::path::PathBuf {
    let path = folder.join("hook");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&path, mode).expect("executable");
    path
}

// One test for all that runs programs: a program that was just written can't be run while another
// thread forks.
#[tokio::test]
async fn a_dns_hook_is_run_with_the_record_and_quoted_when_it_fails() {
    gets_the_record_as_arguments_and_environment().await;
    is_quoted_when_it_fails().await;
}

async fn gets_the_record_as_arguments_and_environment() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let text = format!(
        "echo \"$# $1 $2 $3 / $ACME_ACTION $ACME_DNS_NAME $ACME_DNS_VALUE\" >> '{}'",
        log.display()
    );
    let hook = DnsHook::new(script(folder.path(), &text));
    hook.present(&dns_01()).await.expect("presented");
    hook.retract(&dns_01()).await.expect("retracted");
    let record = "_acme-challenge.example.com LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM";
    let line = |action: &str| format!("3 {action} {record} / {action} {record}\n");
    let logged = std::fs::read_to_string(log).expect("logged");
    assert_eq!(logged, line("present") + &line("retract"));
}

async fn is_quoted_when_it_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let hook = DnsHook::new(script(folder.path(), "echo no such zone >&2; exit 4"));
    let PresentError::Failed(said) = hook.present(&dns_01()).await.expect_err("failed") else {
        panic!("not refused")
    };
    assert!(
        said.contains("exit status: 4") && said.contains("no such zone"),
        "{said}"
    );
    assert!(hook.retract(&dns_01()).await.is_err());
    let hook = DnsHook::new(folder.path().join("not-there"));
    assert!(matches!(
        hook.present(&dns_01()).await,
        Err(PresentError::Failed(_))
    ));
    // What is no DNS record is none of its business.
    let hook = DnsHook::new(script(folder.path(), "exit 1"));
    hook.retract(&http_01(&well_known()))
        .await
        .expect("nothing to do");
}

#[tokio::test]
async fn of_several_responders_the_first_that_can_publishes() {
    let refusing = FunctionResponder::new(
        [ChallengeType::DNS_01],
        |_| async { Err(PresentError::Refused("not my zone".to_owned())) },
        |_| async { Ok(()) },
    );
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let withdrawn = tell.clone();
    let willing = FunctionResponder::new(
        [ChallengeType::DNS_01, ChallengeType::DNS_ACCOUNT_01],
        move |response| {
            let _ = tell.send(("present", response));
            async { Ok(()) }
        },
        move |response| {
            let _ = withdrawn.send(("retract", response));
            async { Ok(()) }
        },
    );
    let responders = Responders::new().with(refusing).with(willing);
    let types = [ChallengeType::DNS_01, ChallengeType::DNS_ACCOUNT_01];
    assert_eq!(responders.challenge_types(), types);
    responders.present(&dns_01()).await.expect("presented");
    responders.retract(&dns_01()).await.expect("retracted");
    assert_eq!(told.recv().await, Some(("present", dns_01())));
    assert_eq!(told.recv().await, Some(("retract", dns_01())));
    let error = responders
        .present(&http_01(&well_known()))
        .await
        .expect_err("nobody");
    assert!(matches!(error, PresentError::Refused(_)));
}
