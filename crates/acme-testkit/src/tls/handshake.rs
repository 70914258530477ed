//! One connection: read the ClientHello, choose, finish.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustls::server::Acceptor;
use rustls::sign::CertifiedKey;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;

use super::certificates::{ACME_TLS, config};
use super::{ClientHello, Fault, HANDSHAKES_MAX, Shared, lock};
use crate::site::Site;

/// What a site speaks.
const SITE_PROTOCOLS: &[&[u8]] = &[b"http/1.1"];

/// What the handshake is for.
enum Purpose {
    Site,
    /// With the protocols that are negotiable.
    Challenge(&'static [&'static [u8]]),
}

pub(super) async fn serve(
    stream: TcpStream,
    source: SocketAddr,
    shared: &Mutex<Shared>,
    site: &Site,
) -> io::Result<()> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let hello = start.client_hello();
    let protocols = hello
        .alpn()
        .into_iter()
        .flatten()
        .map(<[u8]>::to_vec)
        .collect();
    let hello = ClientHello {
        source,
        server_name: hello.server_name().map(str::to_owned),
        protocols,
    };
    let fault = remember(&mut lock(shared), hello.clone());
    match fault {
        Some(Fault::Silence) => std::future::pending().await,
        Some(Fault::HangUp) => return Ok(()),
        Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
        Some(Fault::NoProtocol) | None => {}
    }
    let (certified, purpose) = choose(&lock(shared), &hello, fault);
    let Some(certified) = certified else {
        return Ok(());
    };
    match purpose {
        Purpose::Site => {
            let stream = start.into_stream(config(certified, SITE_PROTOCOLS)).await?;
            crate::site::serve(stream, source, true, site).await;
            Ok(())
        }
        Purpose::Challenge(negotiable) => {
            // The handshake is the whole answer; no data follows (RFC 8737 §3).
            start
                .into_stream(config(certified, negotiable))
                .await?
                .shutdown()
                .await
        }
    }
}

/// The certificate, if there is one for this ClientHello, and what it is for.
fn choose(
    shared: &Shared,
    hello: &ClientHello,
    fault: Option<Fault>,
) -> (Option<Arc<CertifiedKey>>, Purpose) {
    let server_name = hello.server_name.as_deref();
    // RFC 8737 §3: the client offers "acme-tls/1" and nothing else.
    if hello.protocols.iter().any(|name| name == ACME_TLS) {
        let negotiable: &[&[u8]] = if fault == Some(Fault::NoProtocol) {
            &[]
        } else {
            &[ACME_TLS]
        };
        let challenge = shared.certificates.challenge(server_name);
        if challenge.is_some() {
            return (challenge, Purpose::Challenge(negotiable));
        }
    }
    // Without a challenge this ends as with any web server: no common protocol, so an alert.
    (shared.certificates.site(server_name), Purpose::Site)
}

/// Remembers the ClientHello and finds the fault it meets.
fn remember(shared: &mut Shared, hello: ClientHello) -> Option<Fault> {
    let source = Some(hello.source.ip());
    let fault = shared
        .faults
        .get(&source)
        .or_else(|| shared.faults.get(&None))
        .copied();
    if shared.hellos.len() < HANDSHAKES_MAX {
        shared.hellos.push(hello);
    }
    fault
}
