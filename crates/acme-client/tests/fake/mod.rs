//! A pretended CA on loopback: just enough ACME to see what a client does, over plain HTTP, and
//! with the file of a web root looked at instead of port 80. It checks no signature.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of it"
)]

pub mod x509;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use acme_client::clock;
use acme_csr::Csr;
use acme_types::{base64url, pem};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// The client is to die when this request has come.
#[derive(Clone, Copy, Debug)]
pub struct Crash {
    pub at_request: usize,
    /// The request is acted on all the same.
    pub acted_on: bool,
}

#[derive(Default)]
pub struct State {
    pub orders: Vec<Order>,
    pub requests: Vec<String>,
    pub accounts: usize,
    pub revoked: Vec<Vec<u8>>,
    pub nonces: BTreeSet<String>,
    /// Certificates with these serial numbers are to be renewed at once.
    pub due: BTreeSet<u8>,
    pub refuse_orders: bool,
    /// New orders meet a server in trouble.
    pub unavailable: bool,
    crash: Option<Crash>,
    nonce: usize,
}

pub struct Order {
    identifiers: Value,
    pub replaces: Option<String>,
    valid: BTreeSet<usize>,
    pub csr: Option<Csr>,
    certificate: Option<String>,
}

#[derive(Clone)]
pub struct FakeCa {
    pub state: Arc<Mutex<State>>,
    pub crashed: Arc<Notify>,
    pub base: String,
    webroot: PathBuf,
}

struct Reply {
    status: u16,
    kind: &'static str,
    location: Option<String>,
    body: String,
}

impl FakeCa {
    pub fn start(webroot: PathBuf, crash: Option<Crash>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("bound"));
        let state = Arc::new(Mutex::new(State {
            crash,
            ..State::default()
        }));
        let ca = Self {
            state,
            crashed: Arc::new(Notify::new()),
            base,
            webroot,
        };
        let serving = ca.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let ca = serving.clone();
                std::thread::spawn(move || while ca.serve_one(&stream).is_some() {});
            }
        });
        ca
    }

    pub fn directory(&self) -> String {
        format!("{}/dir", self.base)
    }

    pub fn orders(&self) -> usize {
        self.state.lock().expect("no test panicked").orders.len()
    }

    fn serve_one(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut parts = line.split_whitespace().map(str::to_owned);
        let (method, path) = (parts.next()?, parts.next()?);
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let header = header.trim().to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if header.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let crash = {
            let mut state = self.state.lock().ok()?;
            state.requests.push(format!("{method} {path}"));
            let number = state.requests.len();
            state.crash.filter(|crash| crash.at_request == number)
        };
        if crash.is_some_and(|crash| !crash.acted_on) {
            self.crashed.notify_one();
            return None;
        }
        let reply = self.reply(&method, &path, &body)?;
        if crash.is_some() {
            self.crashed.notify_one();
            return None;
        }
        let nonce = self.nonce();
        let location = reply
            .location
            .map(|to| format!("Location: {}{to}\r\n", self.base));
        let head = format!(
            "HTTP/1.1 {} X\r\nContent-Type: {}\r\nReplay-Nonce: {nonce}\r\n{}\
             Content-Length: {}\r\n\r\n",
            reply.status,
            reply.kind,
            location.unwrap_or_default(),
            if method == "HEAD" {
                0
            } else {
                reply.body.len()
            },
        );
        let mut stream = stream;
        stream.write_all(head.as_bytes()).ok()?;
        if method != "HEAD" {
            stream.write_all(reply.body.as_bytes()).ok()?;
        }
        Some(())
    }

    fn nonce(&self) -> String {
        let mut state = self.state.lock().expect("no test panicked");
        state.nonce += 1;
        format!("nonce-{:020}", state.nonce)
    }

    fn reply(&self, method: &str, path: &str, body: &[u8]) -> Option<Reply> {
        let mut state = self.state.lock().ok()?;
        let payload = self.payload(&mut state, method, path, body)?;
        let mut at = path.trim_start_matches('/').split('/');
        let kind = at.next()?;
        let mut number = || at.next().and_then(|text| text.parse::<usize>().ok());
        let (order, place) = (number(), number());
        Some(match kind {
            "dir" => ok(self.endpoints()),
            "nonce" => Reply {
                status: 200,
                ..ok(Value::Null)
            },
            "account" => {
                state.accounts += 1;
                let status = if state.accounts == 1 { 201 } else { 200 };
                let location = Some("/acct/1".to_owned());
                Reply {
                    status,
                    location,
                    ..ok(json!({"status": "valid"}))
                }
            }
            "new-order" if state.unavailable => Reply {
                status: 503,
                ..ok(json!({}))
            },
            "new-order" if state.refuse_orders => Reply {
                status: 400,
                kind: "application/problem+json",
                ..ok(json!({
                    "type": "urn:ietf:params:acme:error:rejectedIdentifier",
                    "detail": "not here",
                }))
            },
            "new-order" => self.new_order(&mut state, &payload),
            "revoke" => {
                let certificate = payload["certificate"].as_str()?;
                state.revoked.push(base64url::decode(certificate).ok()?);
                ok(json!({}))
            }
            "ari" => {
                let serial = path
                    .rsplit('.')
                    .next()
                    .and_then(|it| base64url::decode(it).ok())?;
                let now = clock::now();
                let start = if state.due.contains(serial.last()?) {
                    now.before(Duration::from_secs(10))
                } else {
                    now.after(Duration::from_secs(86_400))
                };
                let end = start.after(Duration::from_secs(1));
                ok(json!({ "suggestedWindow": {
                    "start": start.to_rfc3339(),
                    "end": end.to_rfc3339(),
                } }))
            }
            _ => return self.of_order(&mut state, kind, order?, place, &payload),
        })
    }

    fn of_order(
        &self,
        state: &mut State,
        kind: &str,
        number: usize,
        place: Option<usize>,
        payload: &Value,
    ) -> Option<Reply> {
        Some(match kind {
            "order" => ok(self.order(state.orders.get(number)?, number)),
            "authz" => ok(self.authorization(state.orders.get(number)?, number, place?)),
            "chall" => {
                let token = token(number, place?);
                let file = self.webroot.join(".well-known/acme-challenge").join(&token);
                let found = std::fs::read_to_string(file).unwrap_or_default();
                if found.starts_with(&format!("{token}.")) {
                    state.orders.get_mut(number)?.valid.insert(place?);
                }
                ok(self.authorization(state.orders.get(number)?, number, place?))
            }
            "finalize" => {
                let csr = base64url::decode(payload["csr"].as_str()?).ok()?;
                let csr = Csr::parse(&csr).expect("a CSR");
                self.finalize(state, number, csr);
                ok(self.order(state.orders.get(number)?, number))
            }
            "cert" => {
                let body = state.orders.get(number)?.certificate.clone()?;
                let kind = "application/pem-certificate-chain";
                Reply {
                    status: 200,
                    kind,
                    location: None,
                    body,
                }
            }
            _ => Reply {
                status: 404,
                ..ok(json!({}))
            },
        })
    }

    /// What a request says, if its nonce is fresh and its URL its own.
    fn payload(&self, state: &mut State, method: &str, path: &str, body: &[u8]) -> Option<Value> {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let decoded = |name: &str| {
            let member = request.get(name).and_then(Value::as_str);
            member
                .and_then(|text| base64url::decode(text).ok())
                .unwrap_or_default()
        };
        let payload: Value = serde_json::from_slice(&decoded("payload")).unwrap_or_default();
        if method == "POST" {
            let protected: Value = serde_json::from_slice(&decoded("protected")).ok()?;
            let nonce = protected["nonce"].as_str()?.to_owned();
            assert!(state.nonces.insert(nonce), "a nonce used twice");
            assert_eq!(protected["url"], format!("{}{path}", self.base));
        }
        Some(payload)
    }

    fn new_order(&self, state: &mut State, payload: &Value) -> Reply {
        state.orders.push(Order {
            identifiers: payload["identifiers"].clone(),
            replaces: payload["replaces"].as_str().map(str::to_owned),
            valid: BTreeSet::new(),
            csr: None,
            certificate: None,
        });
        let order = state.orders.len() - 1;
        let location = Some(format!("/order/{order}"));
        let body = self.order(&state.orders[order], order);
        Reply {
            status: 201,
            location,
            ..ok(body)
        }
    }

    fn endpoints(&self) -> Value {
        let base = &self.base;
        json!({
            "newNonce": format!("{base}/nonce"),
            "newAccount": format!("{base}/account"),
            "newOrder": format!("{base}/new-order"),
            "revokeCert": format!("{base}/revoke"),
            "keyChange": format!("{base}/key-change"),
            "renewalInfo": format!("{base}/ari"),
        })
    }

    fn names(order: &Order) -> usize {
        order.identifiers.as_array().map_or(0, Vec::len)
    }

    fn finalize(&self, state: &mut State, number: usize, csr: Csr) {
        let order = &mut state.orders[number];
        assert_eq!(
            order.valid.len(),
            Self::names(order),
            "finalized when ready only"
        );
        let now = clock::now();
        let (start, end) = (
            now.before(Duration::from_secs(60)),
            now.after(Duration::from_secs(90 * 86_400)),
        );
        let der = x509::issue(&csr, number as u8 + 1, start, end);
        order.certificate = Some(pem::chain_from_der(&[der]));
        order.csr = Some(csr);
    }

    fn order(&self, order: &Order, number: usize) -> Value {
        let base = &self.base;
        let names = Self::names(order);
        let status = match &order.certificate {
            Some(_) => "valid",
            None if order.valid.len() == names => "ready",
            None => "pending",
        };
        let authorizations: Vec<_> = (0..names)
            .map(|at| format!("{base}/authz/{number}/{at}"))
            .collect();
        let mut body = json!({
            "status": status,
            "identifiers": order.identifiers,
            "authorizations": authorizations,
            "finalize": format!("{base}/finalize/{number}"),
        });
        if order.certificate.is_some() {
            body["certificate"] = json!(format!("{base}/cert/{number}"));
        }
        body
    }

    fn authorization(&self, order: &Order, number: usize, at: usize) -> Value {
        let status = if order.valid.contains(&at) {
            "valid"
        } else {
            "pending"
        };
        json!({
            "status": status,
            "identifier": order.identifiers[at],
            "challenges": [{
                "type": "http-01",
                "status": status,
                "url": format!("{}/chall/{number}/{at}", self.base),
                "token": token(number, at),
            }],
        })
    }
}

fn token(order: usize, at: usize) -> String {
    format!("a-token-of-this-test-{order:04}-{at:04}")
}

fn ok(body: Value) -> Reply {
    Reply {
        status: 200,
        kind: "application/json",
        location: None,
        body: body.to_string(),
    }
}
