use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, SignatureAlgorithm};
use acme_csr::tls_alpn::CertificateDraft;
use acme_types::{ChallengeType, Timestamp};

use super::*;
use crate::validation::NetworkFailure;
use crate::validation::stage::{KEY_AUTHORIZATION, Reply, Stage};

const TLS: &str = "tls example.com @198.8.8.8:443";

/// A certificate as a client of RFC 8737 makes it.
fn certificate(identifier: &Identifier, text: &str) -> Vec<u8> {
    use acme_crypto::Provider;
    let key = RustCrypto.generate(KeyAlgorithm::EcP256, &[8; 32]).unwrap();
    let digest = RustCrypto.sha256(text.as_bytes());
    let algorithm = SignatureAlgorithm::Es256;
    let (from, to) = (Timestamp::EPOCH, Timestamp::from_secs(2_000_000_000));
    let draft = CertificateDraft::new(
        identifier,
        digest,
        key.public_key(),
        algorithm,
        from,
        to,
        [1; 16],
    );
    let draft = draft.unwrap();
    draft
        .attach(&key.sign(algorithm, draft.message()).unwrap())
        .unwrap()
}

fn shown(alpn: Option<&[u8]>, certificates: Vec<Vec<u8>>) -> HandshakeOutcome {
    HandshakeOutcome::Completed {
        alpn: alpn.map(<[u8]>::to_vec),
        certificates,
    }
}

fn good() -> HandshakeOutcome {
    let name = Identifier::dns("example.com").unwrap();
    shown(Some(PROTOCOL), vec![certificate(&name, KEY_AUTHORIZATION)])
}

fn stage() -> Stage {
    Stage::new(ChallengeType::TLS_ALPN_01, "example.com").host("example.com", &["198.8.8.8"])
}

#[test]
fn the_certificate_in_the_handshake_proves_control() {
    let played = stage().on(TLS, good()).check("valid");
    assert_eq!(
        played.asked,
        [
            "AAAA example.com",
            "A example.com",
            TLS,
            "CAA example.com",
            "CAA com"
        ]
    );
}

#[test]
fn addresses_are_asked_by_their_reverse_names() {
    // H154, RFC 8738 §6.
    for (address, line) in [
        (
            "198.8.8.8",
            "tls 8.8.8.198.in-addr.arpa @198.8.8.8:443".to_owned(),
        ),
        (
            "2a00::8",
            format!("tls 8.{}0.0.a.2.ip6.arpa @[2a00::8]:443", "0.".repeat(27)),
        ),
    ] {
        let identifier = Identifier::Ip(address.parse().unwrap());
        let shown = shown(
            Some(PROTOCOL),
            vec![certificate(&identifier, KEY_AUTHORIZATION)],
        );
        let stage = Stage::new(ChallengeType::TLS_ALPN_01, address).on(&line, shown);
        assert_eq!(stage.check("valid").asked, [line]);
    }
    let private = Stage::new(ChallengeType::TLS_ALPN_01, "10.0.0.1");
    assert_eq!(private.check("dns").asked, [""; 0]);
}

#[test]
fn another_protocol_or_none_proves_nothing() {
    // H146.
    let HandshakeOutcome::Completed { certificates, .. } = good() else {
        panic!()
    };
    for alpn in [
        None,
        Some(b"http/1.1".as_slice()),
        Some(b"ACME-TLS/1"),
        Some(b"acme-tls/1."),
    ] {
        stage()
            .on(TLS, shown(alpn, certificates.clone()))
            .check("unauthorized");
    }
    stage()
        .on(TLS, shown(Some(PROTOCOL), Vec::new()))
        .check("unauthorized");
}

#[test]
fn the_digest_and_the_name_are_the_challenges() {
    // H157: the server ignored the SNI; and a client that answers with another's token.
    let other = Identifier::dns("other.com").unwrap();
    let name = Identifier::dns("example.com").unwrap();
    for certificate in [
        certificate(&other, KEY_AUTHORIZATION),
        certificate(&name, "other"),
    ] {
        stage()
            .on(TLS, shown(Some(PROTOCOL), vec![certificate]))
            .check("unauthorized");
    }
    let played = stage()
        .on(
            TLS,
            shown(Some(PROTOCOL), vec![certificate(&name, "other")]),
        )
        .check("unauthorized");
    assert_eq!(
        played.detail(),
        "the certificate of 198.8.8.8:443 has another digest than the key authorization's"
    );
}

#[test]
fn too_much_is_not_read() {
    // H155.
    let HandshakeOutcome::Completed { certificates, .. } = good() else {
        panic!()
    };
    let many = vec![certificates[0].clone(); 11];
    stage().on(TLS, shown(Some(PROTOCOL), many)).check("tls");
    let large = vec![certificates[0].clone(), vec![0x30; 1 << 20]];
    stage().on(TLS, shown(Some(PROTOCOL), large)).check("tls");
    let chain = vec![certificates[0].clone(); 10];
    stage().on(TLS, shown(Some(PROTOCOL), chain)).check("valid");
}

#[test]
fn failures_have_their_kinds_and_only_no_connection_falls_back() {
    // H147: a server of TLS 1.1 alone ends in an alert.
    for (failure, kind) in [
        (NetworkFailure::Tls(Some(70)), "tls"),
        (NetworkFailure::Tls(Some(120)), "tls"),
        (NetworkFailure::Tls(None), "tls"),
        (NetworkFailure::Protocol, "connection"),
        (NetworkFailure::Closed, "connection"),
        (NetworkFailure::TimedOut, "connection"),
    ] {
        stage()
            .on(TLS, HandshakeOutcome::Failed(failure))
            .check(kind);
        let both = stage()
            .host("example.com", &["198.8.8.8", "2a00::8"])
            .on(
                "tls example.com @[2a00::8]:443",
                HandshakeOutcome::Failed(failure),
            )
            .on(TLS, good());
        both.check(kind);
    }
    let dead = stage()
        .host("example.com", &["198.8.8.8", "2a00::8"])
        .on(TLS, good());
    assert_eq!(
        dead.check("valid").asked[2..4],
        ["tls example.com @[2a00::8]:443", TLS]
    );
    dead.on("tls example.com @[2a00::8]:443", Reply::Never)
        .check("connection");
    stage().check("connection");
    stage().host("example.com", &["127.0.0.1"]).check("dns");
}
