//! Certificates and chains that are not what was ordered.
//! Each case ends in a typed failure, or is put up with.

mod world;

use acme_client_core::*;
use http::Response;
use serde_json::Value;
use std::time::Duration;
use world::edited::{Edit, change, job, misbehaves, succeeds};
use world::{Policy, World, ca, config, key, x509};

#[test]
fn valid_without_a_certificate_is_looked_at_again() {
    let mut seen = 0;
    let mut world = World::new(1, Policy::default());
    world.edit = Some(Box::new(move |_, response| {
        change(response, |b| {
            if b["certificate"].is_string() && seen < 3 {
                seen += 1;
                b["certificate"] = Value::Null;
            }
        });
    }));
    world.issue_job(1, job(&["example.com"]));
    world.run();
    world.issued(1);
}

#[test]
fn only_the_certificate_that_was_ordered_is_issued() {
    use CertificateFault as Fault;
    type Forge = fn(&mut x509::Draft);
    let check = |forge: Forge, expected: CertificateFault| {
        let mut world = World::new(1, Policy::default());
        let mut maker = ca::Ca::new(Policy::default());
        let (names, spki) = (
            vec![world::dns("example.com")],
            key(101).public_key().to_spki_der(),
        );
        world.edit = Some(Box::new(move |request, response| {
            if request.uri().path().starts_with("/certificate") {
                let mut draft = maker.draft(&spki, names.clone());
                draft.not_before = world::START.before(Duration::from_secs(3_600));
                draft.not_after = world::START.after(Duration::from_secs(90 * 86_400));
                forge(&mut draft);
                *response.body_mut() = maker.sign(&draft).into_bytes();
            }
        }));
        world.issue_job(1, job(&["example.com"]));
        world.run_until(world.now.after(Duration::from_secs(7_200)));
        let how = Misbehaviour::Certificate(expected);
        assert_eq!(
            world.failed(1).fault,
            acme_client_core::Fault::ServerMisbehaved(how)
        );
        assert!(
            world.ca.orders.len() <= 2,
            "no certificate after certificate"
        );
        world.check_clean();
    };
    // H218 to H221
    check(|d| d.spki = key(55).public_key().to_spki_der(), Fault::Key);
    check(|d| d.names = vec![world::dns("evil.test")], Fault::Names);
    check(|d| d.names.push(world::dns("evil.test")), Fault::Names);
    check(|d| d.names.clear(), Fault::Names);
    check(
        |d| d.not_after = world::START.before(Duration::from_secs(60)),
        Fault::Validity,
    );
    check(
        |d| d.not_before = world::START.after(Duration::from_secs(400 * 86_400)),
        Fault::Validity,
    );
    check(|d| d.not_after = d.not_before, Fault::Validity);
    check(
        |d| d.not_after = d.not_before.after(Duration::from_secs(11 * 366 * 86_400)),
        Fault::Validity,
    );
    check(|d| d.is_authority = true, Fault::Purpose);
    check(|d| d.poisoned = true, Fault::Purpose);
    check(|d| d.issuer = "Somebody Else", Fault::Chain);
}

#[test]
fn a_chain_must_be_one() {
    use CertificateFault::*;
    let check = |edit: Edit, fault| {
        let how = Misbehaviour::Certificate(fault);
        misbehaves("/certificate", edit, Operation::Certificate, how);
    };
    // H217, H224; RFC 8555 §11.4
    check(|r| *r.body_mut() = vec![b'-'; 90_000], Pem);
    check(|r| r.body_mut().clear(), Pem);
    check(
        |r| {
            let key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
            r.body_mut().extend_from_slice(key);
        },
        Pem,
    );
    check(
        |r| {
            let copy = r.body().clone();
            for _ in 0..6 {
                r.body_mut().extend_from_slice(&copy);
            }
        },
        Pem,
    );
    check(
        |r| {
            let chain = acme_types::pem::chain_to_der(r.body()).expect("PEM");
            let reversed: Vec<_> = chain.into_iter().rev().collect();
            *r.body_mut() = acme_types::pem::chain_from_der(&reversed).into_bytes();
        },
        Key,
    );
    check(
        |r| {
            let mut chain = acme_types::pem::chain_to_der(r.body()).expect("PEM");
            let last = chain[0].len() - 1;
            chain[0][last] ^= 1;
            *r.body_mut() = acme_types::pem::chain_from_der(&chain).into_bytes();
        },
        Signature,
    );
    check(
        |r| {
            let mut chain = acme_types::pem::chain_to_der(r.body()).expect("PEM");
            chain[0].push(0);
            *r.body_mut() = acme_types::pem::chain_from_der(&chain).into_bytes();
        },
        Der,
    );
    misbehaves(
        "/certificate",
        |r| *r.body_mut() = vec![b'\n'; 200_000],
        Operation::Certificate,
        Misbehaviour::TooLarge,
    );
    // Odd, but a chain.
    succeeds("/certificate", |r| {
        let text = String::from_utf8(r.body().clone())
            .expect("text")
            .replace('\n', "\r\n");
        *r.body_mut() = text.into_bytes();
    });
    succeeds("/certificate", |r| {
        let text = String::from_utf8(r.body().clone()).expect("text");
        *r.body_mut() = text.trim_end().as_bytes().to_vec();
    });
}

#[test]
fn alternates_are_bounded_and_must_share_the_certificate() {
    // H223
    let with = config().with_alternates();
    let mut world = World::with(1, Policy::default(), with, |intent| intent.agree_to_terms());
    let mut main = true;
    world.edit = Some(Box::new(move |request, response| {
        if !request.uri().path().starts_with("/certificate") {
            return;
        }
        if std::mem::replace(&mut main, false) {
            for n in 0..30 {
                let link = format!("<{}/certificate/0?{n}>;rel=\"alternate\"", ca::BASE);
                response
                    .headers_mut()
                    .append("link", link.parse().expect("a header"));
            }
            let foreign = "<https://evil.test/certificate/0>;rel=\"alternate\"";
            response
                .headers_mut()
                .append("link", foreign.parse().expect("a header"));
        } else if request.uri().query() == Some("1") {
            let mut chain = acme_types::pem::chain_to_der(response.body()).expect("PEM");
            chain.reverse();
            *response.body_mut() = acme_types::pem::chain_from_der(&chain).into_bytes();
        }
    }));
    world.instead = Some(Box::new(|request, ca| {
        let alternate = request.uri().query().is_some();
        alternate.then(|| {
            let body = ca.certificates[0].clone().into_bytes();
            let nonce = format!("alternate-{}", request.body().len());
            let response = Response::builder().header("replay-nonce", nonce).body(body);
            HttpOutcome::Response(response.expect("a response"))
        })
    }));
    world.issue_job(1, job(&["example.com"]));
    world.run();
    assert_eq!(world.issued(1).alternates.len(), ALTERNATES_MAX);
    world.check_clean();
}
