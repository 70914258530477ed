use std::collections::{BTreeMap, BTreeSet};

use acme_ca_core::validation::{
    DnsOutcome, DnsQuestion, DnsRecord, FetchOutcome, FetchRequest, NetworkFailure, RecordKind,
};
use acme_client_core::ChallengeResponse;
use acme_types::Identifier;

/// What the world outside of CA and clients looks like: who controls which names, what their
/// hosts and zones serve.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// Name → client that controls it.
    owners: BTreeMap<String, usize>,
    pages: BTreeMap<(String, String), String>,
    texts: BTreeMap<String, BTreeSet<String>>,
}

impl Truth {
    pub(crate) fn give(&mut self, name: &str, client: usize) {
        self.owners.insert(name.to_owned(), client);
    }

    pub(crate) fn owner(&self, identifier: &Identifier) -> Option<usize> {
        match identifier.base() {
            Identifier::Dns(name) => self.owners.get(name.as_str()).copied(),
            _ => None,
        }
    }

    /// A client publishes. Only what is published on a host of its own has an effect.
    pub(crate) fn present(&mut self, client: usize, response: &ChallengeResponse) {
        if self.owner(response.identifier()) != Some(client) {
            return;
        }
        match response {
            ChallengeResponse::Http01 {
                identifier,
                path,
                body,
            } => {
                self.pages
                    .insert((identifier.to_string(), path.clone()), body.clone());
            }
            ChallengeResponse::Dns01 { name, value, .. } => {
                self.texts
                    .entry(name.clone())
                    .or_default()
                    .insert(value.clone());
            }
            _ => {}
        }
    }

    pub(crate) fn retract(&mut self, client: usize, response: &ChallengeResponse) {
        if self.owner(response.identifier()) != Some(client) {
            return;
        }
        match response {
            ChallengeResponse::Http01 {
                identifier, path, ..
            } => {
                self.pages.remove(&(identifier.to_string(), path.clone()));
            }
            ChallengeResponse::Dns01 { name, value, .. } => {
                if let Some(values) = self.texts.get_mut(name) {
                    values.remove(value);
                }
            }
            _ => {}
        }
    }

    /// Is anything published?
    pub(crate) fn is_bare(&self) -> bool {
        self.pages.is_empty() && self.texts.values().all(BTreeSet::is_empty)
    }

    pub(crate) fn resolve(&self, question: &DnsQuestion) -> DnsOutcome {
        match question.kind {
            RecordKind::A if self.owners.contains_key(&question.name) => {
                DnsOutcome::Records(vec![DnsRecord::A([127, 0, 0, 1].into())])
            }
            RecordKind::Txt => match self.texts.get(&question.name) {
                Some(values) if !values.is_empty() => {
                    let text = |value: &String| DnsRecord::Txt(value.clone().into_bytes());
                    DnsOutcome::Records(values.iter().map(text).collect())
                }
                _ => DnsOutcome::NoName,
            },
            _ => DnsOutcome::NoRecords,
        }
    }

    pub(crate) fn fetch(&self, request: &FetchRequest) -> FetchOutcome {
        let host = request
            .host
            .split(':')
            .next()
            .unwrap_or_default()
            .to_owned();
        if !self.owners.contains_key(&host) {
            return FetchOutcome::NotConnected(NetworkFailure::Refused);
        }
        let (status, body) = match self.pages.get(&(host, request.path.clone())) {
            Some(body) => (200, body.clone().into_bytes()),
            None => (404, Vec::new()),
        };
        FetchOutcome::Response {
            status,
            locations: Vec::new(),
            body,
        }
    }
}
