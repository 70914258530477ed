//! A TLS server on loopback: an HTTPS site whose certificate can be swapped while it runs, and
//! tls-alpn-01 (RFC 8737) on the same port.
//!
//! A handshake that offers `acme-tls/1` gets the certificate set for its server name, and then
//! the connection is closed; any other handshake gets the site.

mod certificates;
mod handshake;

pub use certificates::TlsError;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::background::{self, Background};
use crate::site::Site;
use certificates::Certificates;

/// The most handshakes that are remembered; later ones are served, not remembered.
pub const HANDSHAKES_MAX: usize = 1_000_000;

/// A way to fail, before or in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is accepted, and nothing is ever said.
    Silence,
    /// The connection is closed when the ClientHello has been read.
    HangUp,
    /// The handshake waits for this time.
    Delay(Duration),
    /// tls-alpn-01 handshakes succeed, but no protocol is negotiated, which RFC 8737 §3 forbids
    /// to accept.
    NoProtocol,
}

/// A ClientHello as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// Who sent it.
    pub source: SocketAddr,
    /// The server name (SNI), if there was one.
    pub server_name: Option<String>,
    /// The protocols offered (ALPN).
    pub protocols: Vec<Vec<u8>>,
}

/// The server. It stops when this is dropped.
#[derive(Debug)]
pub struct Tls {
    address: SocketAddr,
    site: Site,
    shared: Arc<Mutex<Shared>>,
    _accepting: Background,
}

#[derive(Debug, Default)]
struct Shared {
    certificates: Certificates,
    faults: BTreeMap<Option<IpAddr>, Fault>,
    hellos: Vec<ClientHello>,
}

impl Tls {
    /// Starts on this address; port 0 takes a free one. Handshakes fail until there is a
    /// certificate.
    ///
    /// # Errors
    /// When the address can't be bound.
    pub async fn start(address: SocketAddr) -> io::Result<Tls> {
        Tls::start_with(address, Site::new()).await
    }

    /// The same with a site that other servers may serve as well.
    ///
    /// # Errors
    /// When the address can't be bound.
    pub async fn start_with(address: SocketAddr, site: Site) -> io::Result<Tls> {
        let (listener, address) = background::listen(address).await?;
        let shared = Arc::new(Mutex::new(Shared::default()));
        let (served, state) = (site.clone(), shared.clone());
        let serve = move |stream, source| {
            let (site, shared) = (served.clone(), state.clone());
            async move {
                // A failed handshake is the client's matter, or what the test wants.
                let _ended = handshake::serve(stream, source, &shared, &site).await;
            }
        };
        let accepting = Background::spawn(background::accept(listener, serve));
        Ok(Tls {
            address,
            site,
            shared,
            _accepting: accepting,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The pages of the HTTPS site and the visits it had.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// From now on the site has this certificate: the chain in DER, end entity first, and its
    /// private key as the DER of PKCS#8. Connections that are open keep theirs.
    ///
    /// # Errors
    /// When they aren't readable, or don't belong together; then nothing has changed.
    pub fn set_certificate(&self, chain: &[Vec<u8>], key_pkcs8: &[u8]) -> Result<(), TlsError> {
        let certified = certificates::certified(chain, key_pkcs8)?;
        lock(&self.shared).certificates.set_default(certified);
        Ok(())
    }

    /// The same for one server name (SNI).
    ///
    /// # Errors
    /// As [`Tls::set_certificate`].
    pub fn set_certificate_for(
        &self,
        server_name: &str,
        chain: &[Vec<u8>],
        key_pkcs8: &[u8],
    ) -> Result<(), TlsError> {
        let certified = certificates::certified(chain, key_pkcs8)?;
        lock(&self.shared)
            .certificates
            .set_for(server_name, certified);
        Ok(())
    }

    /// Answers `acme-tls/1` handshakes for this server name with this certificate. For an IP
    /// address the server name is its reverse name (RFC 8738 §6).
    ///
    /// # Errors
    /// As [`Tls::set_certificate`].
    pub fn present_tls_alpn_01(
        &self,
        server_name: &str,
        certificate: &[u8],
        key_pkcs8: &[u8],
    ) -> Result<(), TlsError> {
        let certified = certificates::certified(&[certificate.to_vec()], key_pkcs8)?;
        lock(&self.shared)
            .certificates
            .set_challenge(server_name, certified);
        Ok(())
    }

    /// Stops to answer; says whether there was an answer.
    pub fn retract_tls_alpn_01(&self, server_name: &str) -> bool {
        lock(&self.shared)
            .certificates
            .remove_challenge(server_name)
    }

    /// From now on handshakes of this source (`None`: of everyone) fail in this way.
    pub fn fault(&self, source: Option<IpAddr>, fault: Fault) {
        lock(&self.shared).faults.insert(source, fault);
    }

    /// Ends all faults.
    pub fn heal(&self) {
        lock(&self.shared).faults.clear();
    }

    /// All ClientHellos, in the order they came.
    pub fn client_hellos(&self) -> Vec<ClientHello> {
        lock(&self.shared).hellos.clone()
    }
}

/// A panic elsewhere in a test must not hide behind a poisoned lock.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
