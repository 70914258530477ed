//! What a web server says, set at run time: pages by path, and the visits they had.
//!
//! A [`Site`] is served by [`crate::web::Web`] (plain) and [`crate::tls::Tls`] (over TLS).

mod page;
mod serve;

pub use page::Page;
pub(crate) use serve::serve;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most visits that are remembered; later ones are served, not remembered.
pub const VISITS_MAX: usize = 1_000_000;

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Who came.
    pub source: SocketAddr,
    /// Whether over TLS.
    pub encrypted: bool,
    /// `GET`, …
    pub method: String,
    /// The `Host` header, as sent.
    pub host: Option<String>,
    /// The path and the query, as sent.
    pub path: String,
    /// The `User-Agent` header, as sent.
    pub user_agent: Option<String>,
}

/// Pages and visits: a handle, whose clones are the same site.
#[derive(Clone, Debug, Default)]
pub struct Site(Arc<Mutex<Content>>);

#[derive(Debug, Default)]
struct Content {
    pages: BTreeMap<(Option<IpAddr>, String), Page>,
    visits: Vec<Visit>,
}

impl Site {
    /// A site where nothing is found.
    pub fn new() -> Site {
        Site::default()
    }

    /// What everyone gets at this path (with its query, if it has one). All else is 404.
    pub fn set(&self, path: &str, page: impl Into<Page>) {
        self.lock()
            .pages
            .insert((None, path.to_owned()), page.into());
    }

    /// What one source address gets at this path, instead of what everyone gets.
    pub fn set_for(&self, source: IpAddr, path: &str, page: impl Into<Page>) {
        self.lock()
            .pages
            .insert((Some(source), path.to_owned()), page.into());
    }

    /// Nobody gets anything at this path any more; says whether there was a page.
    pub fn remove(&self, path: &str) -> bool {
        let mut content = self.lock();
        let before = content.pages.len();
        content.pages.retain(|(_, other), _| other != path);
        content.pages.len() < before
    }

    /// All visits, in the order they came.
    pub fn visits(&self) -> Vec<Visit> {
        self.lock().visits.clone()
    }

    /// How many requests asked for this path.
    pub fn count(&self, path: &str) -> usize {
        self.lock()
            .visits
            .iter()
            .filter(|visit| visit.path == path)
            .count()
    }

    /// The addresses that asked for this path.
    pub fn sources(&self, path: &str) -> BTreeSet<IpAddr> {
        let content = self.lock();
        let of_path = content.visits.iter().filter(|visit| visit.path == path);
        of_path.map(|visit| visit.source.ip()).collect()
    }

    /// Starts to remember anew.
    pub fn forget_visits(&self) {
        self.lock().visits.clear();
    }

    /// Remembers the visit and finds its page.
    fn visit(&self, visit: Visit) -> Option<Page> {
        let mut content = self.lock();
        let own = (Some(visit.source.ip()), visit.path.clone());
        let pages = &content.pages;
        let page = pages
            .get(&own)
            .or_else(|| pages.get(&(None, own.1.clone())))
            .cloned();
        if content.visits.len() < VISITS_MAX {
            content.visits.push(visit);
        }
        page
    }

    /// A panic elsewhere in a test must not hide behind a poisoned lock.
    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
