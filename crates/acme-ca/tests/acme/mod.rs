//! A small ACME client for these tests: no cleverness, real sockets, real TLS under the CA's root.
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use acme_crypto::aws_lc::AwsLc;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_csr::CsrDraft;
use acme_csr::tls_alpn::CertificateDraft;
use acme_jws::{Draft, Jwk, KeyAuthorization, Signer};
use acme_types::{Identifier, Nonce, Timestamp, Token, Url, base64url, pem};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// An account at a CA.
pub(crate) struct Client {
    tls: Arc<ClientConfig>,
    pub(crate) directory: Value,
    directory_url: Url,
    pub(crate) key: Box<dyn KeyPair>,
    pub(crate) kid: Option<String>,
    nonce: Option<Nonce>,
}

/// A reply with its body as JSON, null where there is none.
pub(crate) struct Reply {
    pub(crate) head: http::response::Parts,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The type of the problem document, without its prefix.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let json = self.json();
        let kind = json["type"].as_str().unwrap_or_default();
        kind.trim_start_matches("urn:ietf:params:acme:error:")
            .to_owned()
    }
}

pub(crate) fn entropy() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

impl Client {
    /// With a new key, before there is an account.
    pub(crate) async fn new(root_pem: &str, directory: &Url) -> Self {
        let mut roots = RootCertStore::empty();
        for der in pem::chain_to_der(root_pem.as_bytes()).unwrap() {
            roots.add(CertificateDer::from(der)).unwrap();
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let key = AwsLc.generate(KeyAlgorithm::EcP256, &entropy()).unwrap();
        let mut client = Self {
            tls: Arc::new(tls),
            directory: Value::Null,
            directory_url: directory.clone(),
            key,
            kid: None,
            nonce: None,
        };
        client.directory = client.get(directory.as_str()).await.json();
        client
    }

    /// With an account.
    pub(crate) async fn with_account(root_pem: &str, directory: &Url) -> Self {
        let mut client = Self::new(root_pem, directory).await;
        let url = client.directory["newAccount"].as_str().unwrap().to_owned();
        let reply = client
            .post(&url, &json!({"termsOfServiceAgreed": true}))
            .await;
        assert_eq!(
            reply.status(),
            201,
            "{}",
            String::from_utf8_lossy(&reply.body)
        );
        client.kid = reply.header("location").map(str::to_owned);
        client
    }

    pub(crate) async fn get(&self, url: &str) -> Reply {
        self.send(Method::GET, url, Vec::new()).await
    }

    /// POST, signed; a bad nonce is tried again once.
    pub(crate) async fn post(&mut self, url: &str, payload: &Value) -> Reply {
        let payload = if payload.is_null() {
            Vec::new()
        } else {
            payload.to_string().into_bytes()
        };
        for _ in 0..2 {
            let nonce = self.take_nonce().await;
            let body = self.sign(Some(nonce), url, &payload);
            let reply = self.send(Method::POST, url, body).await;
            self.nonce = reply
                .header("replay-nonce")
                .map(|text| Nonce::parse(text).unwrap());
            let is_bad = reply.status() == 400 && reply.problem() == "badNonce";
            if !is_bad {
                return reply;
            }
        }
        panic!("badNonce twice");
    }

    pub(crate) async fn take_nonce(&mut self) -> Nonce {
        if let Some(nonce) = self.nonce.take() {
            return nonce;
        }
        let url = self.directory["newNonce"].as_str().unwrap().to_owned();
        let reply = self.send(Method::HEAD, &url, Vec::new()).await;
        Nonce::parse(reply.header("replay-nonce").unwrap()).unwrap()
    }

    pub(crate) fn sign(&self, nonce: Option<Nonce>, url: &str, payload: &[u8]) -> Vec<u8> {
        let signer = match &self.kid {
            Some(kid) => Signer::Kid(kid.clone()),
            None => Signer::Jwk(Jwk::from_public_key(self.key.public_key().clone())),
        };
        let algorithm = self.key.public_key().default_algorithm();
        let url = Url::parse(url).unwrap();
        let draft = Draft::new(algorithm, &signer, nonce, &url, payload);
        draft.attach(&self.key.sign(algorithm, draft.signing_input()).unwrap())
    }

    /// One request on a connection of its own.
    pub(crate) async fn send(&self, method: Method, url: &str, body: Vec<u8>) -> Reply {
        let url = Url::parse(url).unwrap();
        let stream = TcpStream::connect((url.host(), url.port())).await.unwrap();
        let name = ServerName::try_from(url.host().to_owned()).unwrap();
        let stream = TlsConnector::from(self.tls.clone())
            .connect(name, stream)
            .await
            .unwrap();
        let request = Request::builder()
            .method(method)
            .uri(url.path_and_query().as_ref())
            .header("host", url.authority())
            .header("content-type", "application/jose+json")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        reply(sender.send_request(request).await.unwrap()).await
    }

    /// A new order for these names; its URL and itself.
    pub(crate) async fn order(&mut self, names: &[&str]) -> (String, Value) {
        let url = self.directory["newOrder"].as_str().unwrap().to_owned();
        let identifiers: Vec<Value> = names
            .iter()
            .map(|name| json!({"type": "dns", "value": name}))
            .collect();
        let reply = self.post(&url, &json!({"identifiers": identifiers})).await;
        assert_eq!(
            reply.status(),
            201,
            "{}",
            String::from_utf8_lossy(&reply.body)
        );
        (reply.header("location").unwrap().to_owned(), reply.json())
    }

    /// The challenge of this type of an authorization: its name, URL, token and what is to be
    /// published.
    pub(crate) async fn challenge(&mut self, authorization: &str, kind: &str) -> Challenge {
        let reply = self.post(authorization, &Value::Null).await.json();
        let all = reply["challenges"].as_array().unwrap();
        let challenge = all
            .iter()
            .find(|challenge| challenge["type"] == kind)
            .unwrap();
        let token = challenge["token"].as_str().unwrap().to_owned();
        let jwk = Jwk::from_public_key(self.key.public_key().clone());
        let thumbprint = jwk.thumbprint(&AwsLc);
        Challenge {
            name: reply["identifier"]["value"].as_str().unwrap().to_owned(),
            url: challenge["url"].as_str().unwrap().to_owned(),
            key_authorization: KeyAuthorization::new(&Token::parse(&token).unwrap(), &thumbprint),
            token,
        }
    }

    /// What stands there once it is no longer pending or processing.
    pub(crate) async fn settled(&mut self, url: &str) -> Value {
        for _ in 0..600 {
            let value = self.post(url, &Value::Null).await.json();
            let status = value["status"].as_str().unwrap_or_default();
            if !["pending", "processing"].contains(&status) {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{url} doesn't settle");
    }

    /// The error of a challenge, once it has one.
    pub(crate) async fn failed(&mut self, url: &str) -> Value {
        for _ in 0..600 {
            let error = self.post(url, &Value::Null).await.json()["error"].take();
            if !error.is_null() {
                return error;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{url} doesn't fail");
    }

    /// Finalizes with a new key; the order when it has settled, and the key.
    pub(crate) async fn finalize(
        &mut self,
        order_url: &str,
        order: &Value,
    ) -> (Value, Box<dyn KeyPair>) {
        self.finalize_and(order_url, order, || ()).await.0
    }

    /// The same, and something done right after the request.
    pub(crate) async fn finalize_and<T>(
        &mut self,
        order_url: &str,
        order: &Value,
        then: impl FnOnce() -> T,
    ) -> ((Value, Box<dyn KeyPair>), T) {
        let names = order["identifiers"].as_array().unwrap();
        let names: Vec<Identifier> = names
            .iter()
            .map(|name| serde_json::from_value(name.clone()).unwrap())
            .collect();
        let key = AwsLc.generate(KeyAlgorithm::EcP256, &entropy()).unwrap();
        let algorithm = key.public_key().default_algorithm();
        let draft = CsrDraft::new(&names, key.public_key(), algorithm).unwrap();
        let csr = draft
            .attach(&key.sign(algorithm, draft.message()).unwrap())
            .unwrap();
        let payload = json!({"csr": base64url::encode(csr.as_der())});
        let reply = self
            .post(order["finalize"].as_str().unwrap(), &payload)
            .await;
        assert_eq!(
            reply.status(),
            200,
            "{}",
            String::from_utf8_lossy(&reply.body)
        );
        let done = then();
        ((self.settled(order_url).await, key), done)
    }

    /// The chain of a valid order, DER.
    pub(crate) async fn chain(&mut self, order: &Value) -> Vec<Vec<u8>> {
        assert_eq!(order["status"], "valid", "{order}");
        let reply = self
            .post(order["certificate"].as_str().unwrap(), &Value::Null)
            .await;
        pem::chain_to_der(&reply.body).unwrap()
    }
}

/// A certificate of tls-alpn-01 with this digest, and its key.
pub(crate) fn tls_alpn_01(name: &str, digest: [u8; 32]) -> (Vec<u8>, Vec<u8>) {
    let key = AwsLc.generate(KeyAlgorithm::EcP256, &entropy()).unwrap();
    let algorithm = key.public_key().default_algorithm();
    let name = Identifier::dns(name).unwrap();
    let at = |text| Timestamp::from_rfc3339(text).unwrap();
    let (from, to) = (at("2026-01-01T00:00:00Z"), at("2046-01-01T00:00:00Z"));
    let key_of = key.public_key();
    let draft = CertificateDraft::new(&name, digest, key_of, algorithm, from, to, [0x41; 16]);
    let draft = draft.unwrap();
    let signature = key.sign(algorithm, draft.message()).unwrap();
    (
        draft.attach(&signature).unwrap(),
        key.to_pkcs8_der().to_vec(),
    )
}

pub(crate) struct Challenge {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) key_authorization: KeyAuthorization,
}

/// A GET over plain HTTP.
pub(crate) async fn get(address: SocketAddr, method: Method, path: &str) -> Reply {
    let stream = TcpStream::connect(address).await.unwrap();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", address.to_string())
        .body(Full::new(Bytes::new()))
        .unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    reply(sender.send_request(request).await.unwrap()).await
}

async fn reply(response: Response<hyper::body::Incoming>) -> Reply {
    let (head, body) = response.into_parts();
    Reply {
        head,
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}
