//! What anybody may read: renewal information, CRLs, issuers' certificates. And `replaces`.

use std::time::Duration;

use acme_types::CertificateId;
use serde_json::json;

use super::client::{Client, dns, key, path, path_of};
use super::issued::{certificate, validate};
use super::world::{Ca, Got, request};
use crate::schema::{CertificateRow, CrlShardRow, Row, Shard};

fn id(ca: &Ca, row: &CertificateRow) -> CertificateId {
    let issuer = ca.config.authority.issuer(&row.issuer).unwrap();
    let key = issuer.authority_key_identifier().to_vec();
    CertificateId::new(key, row.serial.as_bytes().to_vec()).unwrap()
}

#[test]
fn renewal_information_is_open_to_all() {
    let mut ca = Ca::new();
    let client = Client::registered(&mut ca, 1);
    let row = certificate(&mut ca, &client, key(9).as_ref(), &["a.example"]);
    let target = format!("/acme/renewal-info/{}", id(&ca, &row));
    let got = ca.get(&target);
    got.is("", 200, "renewal information");
    let start = got.json()["suggestedWindow"]["start"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(start > ca.now.to_rfc3339());
    assert!(got.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    let revoke = json!({ "certificate": acme_types::base64url::encode(&row.der.unwrap()) });
    client
        .post(&mut ca, "/acme/revoke-cert", &revoke)
        .is("", 200, "revoked");
    let end = ca.get(&target).json()["suggestedWindow"]["end"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(end < ca.now.to_rfc3339());
    let unknown = CertificateId::new(vec![1; 20], row.serial.as_bytes().to_vec()).unwrap();
    for (what, id, status) in [
        ("no dot", "AAAA".to_owned(), 400),
        ("three parts", "AA.AA.AA".to_owned(), 400),
        ("padding", "AA==.AA".to_owned(), 400),
        ("empty", ".".to_owned(), 400),
        ("another issuer's", unknown.to_string(), 404),
        ("no serial of ours", "AAAA.AAAA".to_owned(), 404),
    ] {
        ca.get(&format!("/acme/renewal-info/{id}"))
            .is("malformed", status, what);
    }
}

#[test]
fn crls_and_issuers_are_published() {
    let mut ca = Ca::new();
    ca.get("/crl/3").is("malformed", 404, "none yet");
    ca.put(vec![Row::CrlShard(CrlShardRow {
        shard: Shard(3),
        number: 1,
        this_update: ca.now,
        next_update: ca.now.after(Duration::from_secs(60)),
        der: b"a CRL".to_vec(),
    })]);
    for target in ["/crl/3", "http://pub.ca.example/crl/3"] {
        let got = ca.get(target);
        assert_eq!(
            (got.status, got.body.as_slice()),
            (200, b"a CRL".as_slice())
        );
        assert_eq!(got.header("content-type"), Some("application/pkix-crl"));
        assert_eq!(got.header("cache-control"), Some("public, max-age=60"));
    }
    let got = ca.get("/issuer/e1");
    let issuer = ca
        .config
        .authority
        .issuer("e1")
        .unwrap()
        .certificate_der()
        .to_vec();
    assert_eq!((got.status, &got.body), (200, &issuer));
    assert_eq!(got.header("content-type"), Some("application/pkix-cert"));
    ca.get("/issuer/e2").is("malformed", 404, "no such issuer");
    let head = ca.send(&request("HEAD", "/crl/3", Vec::new(), &[]));
    assert_eq!((head.status, head.body.len()), (200, 0));
}

fn replacing(ca: &mut Ca, client: &Client, id: &str, names: &[&str]) -> Got {
    let payload = json!({ "identifiers": dns(names), "replaces": id });
    client.post(ca, "/acme/new-order", &payload)
}

#[test]
fn an_order_replaces_one_certificate_of_its_account() {
    let mut ca = Ca::new();
    let (client, eve) = (
        Client::registered(&mut ca, 1),
        Client::registered(&mut ca, 2),
    );
    let row = certificate(
        &mut ca,
        &client,
        key(9).as_ref(),
        &["a.example", "b.example"],
    );
    let id = id(&ca, &row).to_string();
    let nobody = CertificateId::new(vec![1; 20], row.serial.as_bytes().to_vec()).unwrap();
    // H092
    for (what, id, kind, status) in [
        ("no identifier", "x", "malformed", 400),
        ("three parts", "AA.AA.AA", "malformed", 400),
        ("another issuer's", &nobody.to_string(), "malformed", 404),
        ("unknown", "AAAA.AAAA", "malformed", 404),
    ] {
        replacing(&mut ca, &client, id, &["a.example"]).is(kind, status, what);
    }
    replacing(&mut ca, &eve, &id, &["a.example"]).is("unauthorized", 403, "foreign");
    replacing(&mut ca, &client, &id, &["c.example"]).is("malformed", 400, "disjoint");
    let got = replacing(&mut ca, &client, &id, &["a.example"]);
    got.is("", 201, "replaced");
    assert_eq!(got.json()["replaces"], json!(id));
    let order = path(&got.location());
    assert_eq!(
        client.post_as_get(&mut ca, &order).json()["replaces"],
        json!(id)
    );
    replacing(&mut ca, &client, &id, &["a.example"]).is("alreadyReplaced", 409, "twice");
    // An order that came to nothing replaces nothing.
    let authorization = path_of(&got.json()["authorizations"][0]);
    client
        .post(&mut ca, &authorization, &json!({ "status": "deactivated" }))
        .is("", 200, "");
    let again = replacing(&mut ca, &client, &id, &["b.example"]);
    again.is("", 201, "the first came to nothing");
    // Finalized it still says what it replaces.
    validate(&mut ca, &client, &again.json());
    let csr = super::issued::csr(key(8).as_ref(), &["b.example"]);
    let payload = json!({ "csr": acme_types::base64url::encode(&csr) });
    let finalize = format!("{}/finalize", path(&again.location()));
    assert_eq!(
        client.post(&mut ca, &finalize, &payload).json()["replaces"],
        json!(id)
    );
    ca.pass(Duration::from_secs(400 * 86_400));
    replacing(&mut ca, &client, &id, &["a.example"]).is("malformed", 400, "expired");
}
