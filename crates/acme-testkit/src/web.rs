//! A plain web server on loopback: a target for http-01 (RFC 8555 §8.3).
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use acme_testkit::{site::Page, web::Web};
//! let web = Web::start("127.0.0.1:0".parse().unwrap()).await?;
//! web.set("/.well-known/acme-challenge/token", "token.thumbprint");
//! web.set("/old", Page::redirect(301, "https://example.com/new"));
//! web.site().set_for([127, 0, 0, 3].into(), "/old", Page::endless());
//! assert_eq!(web.site().count("/old"), 0);
//! # std::io::Result::Ok(()) }).unwrap();
//! ```

use std::io;
use std::net::SocketAddr;

use crate::background::{self, Background};
use crate::site::{Page, Site};

/// The server. It stops when this is dropped.
#[derive(Debug)]
pub struct Web {
    address: SocketAddr,
    site: Site,
    _accepting: Background,
}

impl Web {
    /// Starts on this address; port 0 takes a free one. Nothing is found there yet.
    ///
    /// # Errors
    /// When the address can't be bound.
    pub async fn start(address: SocketAddr) -> io::Result<Web> {
        Web::start_with(address, Site::new()).await
    }

    /// The same with a site that other servers may serve as well.
    ///
    /// # Errors
    /// When the address can't be bound.
    pub async fn start_with(address: SocketAddr, site: Site) -> io::Result<Web> {
        let (listener, address) = background::listen(address).await?;
        let served = site.clone();
        let serve = move |stream, source| {
            let site = served.clone();
            async move { crate::site::serve(stream, source, false, &site).await }
        };
        let accepting = Background::spawn(background::accept(listener, serve));
        Ok(Web {
            address,
            site,
            _accepting: accepting,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its pages and visits.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// As [`Site::set`].
    pub fn set(&self, path: &str, page: impl Into<Page>) {
        self.site.set(path, page);
    }
}
