//! Reads an authorization as the client does, to show what the CA offers.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use acme_client::clock;
use acme_client::http::{HttpClient, Sent};
use acme_client_core::Fetch;
use acme_crypto::KeyPair;
use acme_jws::{Draft, Signer};
use acme_types::{Authorization, Identifier, Nonce, Url, tolerant};
use http::Request;

use crate::story::{Proved, Unproved};
use crate::witness::Witness;

/// Asks with the account's key, by signed requests of its own.
pub(crate) struct Asker {
    http: HttpClient,
    key: Arc<dyn KeyPair>,
    witness: Witness,
    account: OnceLock<Url>,
    offers: Mutex<Vec<(String, Vec<String>)>>,
}

const RESPONSE_MAX: usize = 64 * 1024;
const DEADLINE: Duration = Duration::from_secs(5);

impl Asker {
    pub(crate) fn new(http: HttpClient, key: Arc<dyn KeyPair>, witness: Witness) -> Self {
        Self {
            http,
            key,
            witness,
            account: OnceLock::new(),
            offers: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn set_account(&self, account: Url) {
        let _first = self.account.set(account);
    }

    /// What was offered, by name.
    pub(crate) fn offers(&self) -> Vec<(String, Vec<String>)> {
        self.offers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reads the authorizations that the client has read, before any is validated.
    pub(crate) async fn ask_once(&self, _identifier: &Identifier) {
        if self.offers().len() >= 2 {
            return;
        }
        let mut place = 0;
        let mut urls: Vec<String> = Vec::new();
        while let Some((found, line)) = self.witness.request(place, "/authorization/") {
            place = found + 1;
            if let Some((_, url)) = line.split_once(' ')
                && !urls.iter().any(|known| known == url)
            {
                urls.push(url.to_owned());
            }
        }
        let mut offers = Vec::new();
        for url in urls {
            if let Ok(offer) = self.read(&url).await {
                offers.push(offer);
            }
        }
        *self.offers.lock().unwrap_or_else(PoisonError::into_inner) = offers;
    }

    async fn read(&self, url: &str) -> Proved<(String, Vec<String>)> {
        let url = Url::parse(url)?;
        let account = self
            .account
            .get()
            .ok_or_else(|| Unproved("no account yet".into()))?;
        let head = Request::head(url.join("/acme/new-nonce")?.as_str()).body(Vec::new())?;
        let response = self.send(head).await?;
        let nonce = response
            .headers()
            .get("replay-nonce")
            .and_then(|value| value.to_str().ok());
        let nonce = Nonce::parse(nonce.unwrap_or_default())?;
        let algorithm = self.key.public_key().default_algorithm();
        let signer = Signer::Kid(account.as_str().to_owned());
        // RFC 8555 §6.3: POST-as-GET, the payload is empty.
        let draft = Draft::new(algorithm, &signer, Some(nonce), &url, b"");
        let body = draft.attach(&self.key.sign(algorithm, draft.signing_input())?);
        let request = Request::post(url.as_str())
            .header("content-type", "application/jose+json")
            .body(body)?;
        let response = self.send(request).await?;
        let authorization: Authorization = tolerant::from_slice(response.body())?;
        let offered = authorization
            .known_challenges()
            .map(|one| one.kind.as_str().to_owned());
        let name = authorization.identifier.as_known().map(ToString::to_string);
        Ok((name.unwrap_or_default(), offered.collect()))
    }

    async fn send(&self, request: Request<Vec<u8>>) -> Proved<http::Response<Vec<u8>>> {
        let now = clock::now();
        let fetch = Fetch {
            request,
            response_max: RESPONSE_MAX,
            deadline: now.after(DEADLINE),
        };
        match self.http.send(fetch, now).await {
            Sent::Response(response) => Ok(response),
            other => Err(Unproved(format!("{other:?}"))),
        }
    }
}
