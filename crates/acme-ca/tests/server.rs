//! A whole CA on loopback: real sockets, real DNS, real TLS, and a client that knows no better.

mod acme;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use acme_ca::network::Source;
use acme_ca::{Server, ServerConfig, StartError};
use acme_ca_core::crl::Crl;
use acme_ca_core::issuance::{Log, LogKind};
use acme_crypto::aws_lc::AwsLc;
use acme_testkit::ct::CtLog;
use acme_testkit::dns::{Dns, Record};
use acme_testkit::site::Page;
use acme_testkit::tls::Tls;
use acme_testkit::web::Web;
use acme_types::{Url, base64url, pem};
use http::Method;
use serde_json::{Value, json};

use acme::Client;

const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const NAMES: [&str; 2] = ["example.com", "www.example.com"];

/// DNS and a web server, as they are for `example.com`.
struct World {
    dns: Dns,
    web: Web,
}

impl World {
    async fn start() -> Self {
        let dns = Dns::start().await.unwrap();
        dns.add_zone("example.com");
        for name in NAMES {
            dns.add(name, Record::A(Ipv4Addr::LOCALHOST));
        }
        Self {
            dns,
            web: Web::start(LOOPBACK).await.unwrap(),
        }
    }

    fn config(&self, data: &Path) -> ServerConfig {
        let mut config = ServerConfig::private(data, vec![self.dns.address()]);
        config.policy.validation.ports.http = self.web.address().port();
        config
    }

    /// Answers every http-01 challenge of an order.
    async fn prove(&self, client: &mut Client, order: &Value) -> Vec<Value> {
        let mut settled = Vec::new();
        for authorization in order["authorizations"].as_array().unwrap() {
            let authorization = authorization.as_str().unwrap();
            let challenge = client.challenge(authorization, "http-01").await;
            let path = format!("/.well-known/acme-challenge/{}", challenge.token);
            self.web
                .set(&path, Page::text(challenge.key_authorization.as_str()));
            assert_eq!(client.post(&challenge.url, &json!({})).await.status(), 200);
            settled.push(client.settled(authorization).await);
        }
        settled
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn account(server: &Server) -> Client {
    Client::with_account(server.root_pem(), server.directory_url()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn from_an_empty_folder_to_a_certificate_its_revocation_and_the_crl() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let server = Server::start(world.config(folder.path())).await.unwrap();
    let mut client = account(&server).await;
    let (url, order) = client.order(&NAMES).await;
    for authorization in world.prove(&mut client, &order).await {
        assert_eq!(authorization["status"], "valid", "{authorization}");
    }
    let (order, _) = client.finalize(&url, &order).await;
    let chain = client.chain(&order).await;
    assert_eq!(chain.len(), 2, "the certificate and the intermediate");

    let revocation = json!({"certificate": base64url::encode(&chain[0]), "reason": 4});
    let url = client.directory["revokeCert"].as_str().unwrap().to_owned();
    assert_eq!(client.post(&url, &revocation).await.status(), 200);
    let serial = order["certificate"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let issuer = &server.node().config().authority.issuers()[0];
    let mut listed = false;
    for _ in 0..100 {
        for shard in issuer.shards() {
            let path = format!("/crl/{}", shard.0);
            let reply = acme::get(server.publication_address(), Method::GET, &path).await;
            if reply.status() != 200 {
                continue;
            }
            assert_eq!(reply.header("content-type"), Some("application/pkix-crl"));
            let crl = Crl::parse(&reply.body).unwrap();
            listed |= crl
                .entries()
                .any(|entry| hex(entry.unwrap().serial) == serial);
        }
        if listed {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(listed, "{serial} is in no CRL");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_loses_nothing_and_an_order_goes_on() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let first = Server::start(world.config(folder.path())).await.unwrap();
    let (listen, http) = (first.listen_address(), first.publication_address());
    let root = first.root_pem().to_owned();
    let mut client = account(&first).await;
    let (url, order) = client.order(&NAMES).await;
    world.prove(&mut client, &order).await;
    first.shutdown().await;

    let mut config = world.config(folder.path());
    (config.listen, config.publication.listen) = (listen, http);
    let second = Server::start(config).await.unwrap();
    assert_eq!(second.root_pem(), root);
    // The client's nonce is of before; it gets a fresh one and goes on.
    let (order, _) = client.finalize(&url, &order).await;
    assert_eq!(client.chain(&order).await.len(), 2);
    second.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_01_and_tls_alpn_01_prove_control_as_well() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let tls = Tls::start(LOOPBACK).await.unwrap();
    let mut config = world.config(folder.path());
    config.policy.validation.ports.tls = tls.address().port();
    let server = Server::start(config).await.unwrap();
    let mut client = account(&server).await;
    let (url, order) = client.order(&["*.example.com", "www.example.com"]).await;
    for authorization in order["authorizations"].as_array().unwrap() {
        let authorization = authorization.as_str().unwrap();
        let is_wildcard = client.post(authorization, &Value::Null).await.json()["wildcard"] == true;
        let kind = if is_wildcard { "dns-01" } else { "tls-alpn-01" };
        let challenge = client.challenge(authorization, kind).await;
        if is_wildcard {
            let value = challenge.key_authorization.dns_01_value(&AwsLc);
            world
                .dns
                .add("_acme-challenge.example.com", Record::txt(value));
        } else {
            let digest = challenge.key_authorization.tls_alpn_01_digest(&AwsLc);
            let (certificate, key) = acme::tls_alpn_01(&challenge.name, digest);
            tls.present_tls_alpn_01(&challenge.name, &certificate, &key)
                .unwrap();
        }
        client.post(&challenge.url, &json!({})).await;
        let settled = client.settled(authorization).await;
        assert_eq!(settled["status"], "valid", "{kind}: {settled}");
    }
    let (order, _) = client.finalize(&url, &order).await;
    assert_eq!(client.chain(&order).await.len(), 2);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caa_of_another_ca_refuses() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    world
        .dns
        .add("example.com", Record::caa("issue", "another.example"));
    let server = Server::start(world.config(folder.path())).await.unwrap();
    let mut client = account(&server).await;
    let (_, order) = client.order(&["www.example.com"]).await;
    let authorization = order["authorizations"][0].as_str().unwrap().to_owned();
    let challenge = client.challenge(&authorization, "http-01").await;
    let path = format!("/.well-known/acme-challenge/{}", challenge.token);
    world
        .web
        .set(&path, Page::text(challenge.key_authorization.as_str()));
    client.post(&challenge.url, &json!({})).await;
    let error = client.failed(&challenge.url).await;
    assert_eq!(error["type"], "urn:ietf:params:acme:error:caa", "{error}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_logged_and_carry_the_logs_signatures() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let mut logs = Vec::new();
    for name in ["Oak", "Elm"] {
        logs.push(
            CtLog::start(name, &format!("{name} Inc."), &[])
                .await
                .unwrap(),
        );
    }
    let known = logs.iter().map(|log| {
        let url = Url::parse(&log.url()).unwrap();
        let spki = log.public_key_der();
        Log::new(&spki, url, log.operator(), LogKind::Rfc6962, None, &AwsLc).unwrap()
    });
    let config = world
        .config(folder.path())
        .with_logs(known.collect())
        .unwrap();
    let server = Server::start(config).await.unwrap();
    let root = pem::chain_to_der(server.root_pem().as_bytes())
        .unwrap()
        .remove(0);
    logs.iter().for_each(|log| log.add_root(&root));
    let mut client = account(&server).await;
    let (url, order) = client.order(&["example.com"]).await;
    world.prove(&mut client, &order).await;
    let (order, _) = client.finalize(&url, &order).await;
    let certificate = client.chain(&order).await.remove(0);
    for log in &logs {
        assert_eq!(log.size(), 1, "one precertificate in each log");
        // An SCT holds its log's id as it is.
        let id = log.log_id();
        assert!(
            certificate.windows(id.len()).any(|window| window == id),
            "{}",
            log.name()
        );
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_that_is_not_met_fails_with_the_reason() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let server = Server::start(world.config(folder.path())).await.unwrap();
    let mut client = account(&server).await;
    let (_, order) = client.order(&["example.com"]).await;
    let authorization = order["authorizations"][0].as_str().unwrap().to_owned();
    let challenge = client.challenge(&authorization, "http-01").await;
    assert_eq!(client.post(&challenge.url, &json!({})).await.status(), 200);
    let error = client.failed(&challenge.url).await;
    assert_eq!(
        error["type"], "urn:ietf:params:acme:error:unauthorized",
        "{error}"
    );
    assert!(error["detail"].as_str().unwrap().contains("404"), "{error}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn six_perspectives_look_from_their_own_addresses() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let sources: Vec<IpAddr> = (1..=6)
        .map(|n| IpAddr::V4(Ipv4Addr::new(127, 0, 0, 100 + n)))
        .collect();
    let config = world.config(folder.path());
    let all: Vec<Source> = sources.iter().copied().map(Source::from).collect();
    let config = config.with_perspectives(&all, vec![world.dns.address()]);
    let server = Server::start(config).await.unwrap();
    let mut client = account(&server).await;
    let (_, order) = client.order(&["example.com"]).await;
    let authorization = world.prove(&mut client, &order).await.remove(0);
    assert_eq!(authorization["status"], "valid", "{authorization}");
    assert_eq!(
        world.dns.sources("example.com"),
        sources.iter().copied().collect()
    );
    let visits = world.web.site().visits();
    assert_eq!(visits.len(), 6);

    // One that sees something else is outvoted, two are not.
    for (wrong, status) in [(1, "valid"), (2, "pending")] {
        let (_, order) = client.order(&["www.example.com"]).await;
        let authorization = order["authorizations"][0].as_str().unwrap().to_owned();
        let challenge = client.challenge(&authorization, "http-01").await;
        let path = format!("/.well-known/acme-challenge/{}", challenge.token);
        world
            .web
            .set(&path, Page::text(challenge.key_authorization.as_str()));
        for source in &sources[6 - wrong..] {
            world
                .web
                .site()
                .set_for(*source, &path, Page::text("something else"));
        }
        client.post(&challenge.url, &json!({})).await;
        for _ in 0..100 {
            let reply = client.post(&challenge.url, &Value::Null).await.json();
            if reply["status"] == "valid" || !reply["error"].is_null() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let authorization = client.post(&authorization, &Value::Null).await.json();
        assert_eq!(
            authorization["status"], status,
            "{wrong} wrong: {authorization}"
        );
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_acme_request_gets_a_problem_document() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let server = Server::start(world.config(folder.path())).await.unwrap();
    let mut client = account(&server).await;
    let url = client.directory["newOrder"].as_str().unwrap().to_owned();
    for (method, body, status) in [
        (Method::POST, b"no JSON".to_vec(), 400),
        (Method::POST, vec![b'x'; 64 * 1024 + 1], 413),
        (Method::GET, Vec::new(), 405),
        (Method::PUT, b"{}".to_vec(), 405),
    ] {
        let reply = client.send(method.clone(), &url, body).await;
        assert_eq!(
            (reply.status(), reply.problem().as_str()),
            (status, "malformed"),
            "{method}"
        );
    }
    let base = server
        .directory_url()
        .as_str()
        .trim_end_matches("/directory")
        .to_owned();
    let reply = client.get(&format!("{base}/nothing")).await;
    assert_eq!(
        (reply.status(), reply.problem().as_str()),
        (404, "malformed")
    );
    // A nonce twice.
    let nonce = client.take_nonce().await;
    let payload = json!({"identifiers": [{"type": "dns", "value": "example.com"}]}).to_string();
    let body = client.sign(Some(nonce), &url, payload.as_bytes());
    assert_eq!(
        client.send(Method::POST, &url, body.clone()).await.status(),
        201
    );
    let reply = client.send(Method::POST, &url, body).await;
    assert_eq!(
        (reply.status(), reply.problem().as_str()),
        (400, "badNonce")
    );
    // The plain listener has what is published, and no ACME.
    let http = server.publication_address();
    for (method, path, status) in [
        (Method::GET, "/issuer/e1", 200),
        (Method::HEAD, "/issuer/e1", 200),
        (Method::GET, "/issuer/e2", 404),
        (Method::GET, "/directory", 404),
        (Method::POST, "/acme/new-order", 404),
        (Method::POST, "/crl/0", 405),
    ] {
        let reply = acme::get(http, method.clone(), path).await;
        assert_eq!(reply.status(), status, "{method} {path}");
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_same_folder_or_port_says_so_and_changes_nothing() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let server = Server::start(world.config(folder.path())).await.unwrap();
    let refused = Server::start(world.config(folder.path()))
        .await
        .unwrap_err();
    assert!(matches!(refused, StartError::Folder(_)), "{refused}");
    let other = tempfile::tempdir().unwrap();
    let mut config = world.config(&other.path().join("new"));
    config.listen = server.listen_address();
    let refused = Server::start(config).await.unwrap_err();
    assert!(matches!(refused, StartError::Listen { .. }), "{refused}");
    assert!(!other.path().join("new").exists());
    server.shutdown().await;
    Server::start(world.config(folder.path()))
        .await
        .unwrap()
        .shutdown()
        .await;
}
