use acme_ca_core::validation::{HandshakeOutcome, HandshakeRequest, NetworkFailure};
use tokio::io::AsyncWriteExt as _;

use super::connect::Source;
use super::tls::Tls;
use crate::clock;

/// One TLS handshake for tls-alpn-01.
pub(super) async fn handshake(
    source: Source,
    tls: &Tls,
    request: HandshakeRequest,
) -> HandshakeOutcome {
    let HandshakeRequest {
        target,
        server_name,
        connect_by,
        deadline,
    } = request;
    let stream = match source
        .connect_by(target.socket_addr(), connect_by.min(deadline))
        .await
    {
        Ok(stream) => stream,
        Err(failure) => return HandshakeOutcome::NotConnected(failure),
    };
    let mut stream = match clock::by(deadline, tls.acme(stream, &server_name)).await {
        Some(Ok(stream)) => stream,
        Some(Err(failure)) => return HandshakeOutcome::Failed(failure),
        None => return HandshakeOutcome::Failed(NetworkFailure::TimedOut),
    };
    let (_, session) = stream.get_ref();
    let certificates = session.peer_certificates().unwrap_or_default();
    let outcome = HandshakeOutcome::Completed {
        alpn: session.alpn_protocol().map(<[u8]>::to_vec),
        certificates: certificates.iter().map(|der| der.to_vec()).collect(),
    };
    // RFC 8737 §3: after the handshake the client closes. Whether the server listens is its own
    // affair.
    let _ = clock::by(deadline, stream.shutdown()).await;
    outcome
}
