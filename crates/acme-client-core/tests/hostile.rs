//! A server that is broken or means harm: each case ends in a typed failure, or is put up with.

mod world;

use std::time::Duration;

use acme_client_core::*;
use acme_types::{Origin, Url};
use http::{Request, Response};
use serde_json::{Value, json};
use world::{Faults, Policy, World, ca, config, csr, key, x509};

type Edit = fn(&mut Response<Vec<u8>>);

fn job(names: &[&str]) -> IssueJob {
    IssueJob::new(&csr(names, &*key(101)))
        .expect("a CSR")
        .give_up_after(1)
}

/// Issues with every reply under this path edited, and gives back the world when all is over.
fn with_edit(path: &'static str, edit: Edit) -> World {
    let mut world = World::new(1, Policy::default());
    world.edit = Some(Box::new(move |request: &Request<Vec<u8>>, response| {
        if request.uri().path().starts_with(path) {
            edit(response);
        }
    }));
    world.issue_job(1, job(&["a.example.com", "b.example.com"]));
    world.run_until(world.now.after(Duration::from_secs(7_200)));
    world
}

fn fails(path: &'static str, edit: Edit, operation: Operation, fault: Fault) {
    let world = with_edit(path, edit);
    let failure = world.failed(1);
    assert_eq!(
        (failure.operation, failure.fault),
        (operation, fault),
        "{path}"
    );
    world.check_clean();
}

fn misbehaves(path: &'static str, edit: Edit, operation: Operation, how: Misbehaviour) {
    fails(path, edit, operation, Fault::ServerMisbehaved(how));
}

fn succeeds(path: &'static str, edit: Edit) {
    let world = with_edit(path, edit);
    world.issued(1);
    world.check_clean();
}

fn change(response: &mut Response<Vec<u8>>, edit: impl FnOnce(&mut Value)) {
    if let Ok(mut body) = serde_json::from_slice(response.body()) {
        edit(&mut body);
        *response.body_mut() = body.to_string().into_bytes();
    }
}

fn set(response: &mut Response<Vec<u8>>, name: &'static str, value: &str) {
    response
        .headers_mut()
        .insert(name, value.parse().expect("a header value"));
}

fn account_fails(path: &'static str, edit: Edit, operation: Operation, how: Misbehaviour) {
    let world = with_edit(path, edit);
    let delay = world.delayed(JobId::ACCOUNT);
    assert_eq!(delay.failure.operation, operation);
    assert_eq!(delay.failure.fault, Fault::ServerMisbehaved(how), "{path}");
}

#[test]
fn a_directory_that_is_none_is_told() {
    use Misbehaviour::*;
    let check = |edit: Edit, how| account_fails("/directory", edit, Operation::Directory, how);
    // H191, H225
    check(
        |r| *r.body_mut() = b"<html>hello</html>".to_vec(),
        MalformedBody,
    );
    check(
        |r| {
            change(r, |b| {
                drop(b.as_object_mut().expect("object").remove("newOrder"))
            })
        },
        MalformedBody,
    );
    check(|r| change(r, |b| b["newNonce"] = json!(7)), MalformedBody);
    check(
        |r| change(r, |b| b["newAccount"] = json!("https://evil.test/x")),
        ForeignOrigin,
    );
    check(
        |r| change(r, |b| b["newAccount"] = json!("http://169.254.169.254/x")),
        PlainHttp,
    );
    check(
        |r| change(r, |b| b["newAccount"] = json!("file:///etc/passwd")),
        MalformedBody,
    );
    check(
        |r| change(r, |b| b["newAccount"] = json!("https://u:p@ca.test/x")),
        MalformedBody,
    );
    check(
        |r| change(r, |b| b["newAccount"] = json!("https://ca.test/\r\nX: y")),
        MalformedBody,
    );
    check(|r| *r.body_mut() = vec![b'a'; 2 << 20], TooLarge);
    check(
        |r| *r.status_mut() = http::StatusCode::FOUND,
        UnexpectedStatus,
    );
}

#[test]
fn odd_directories_are_put_up_with() {
    succeeds("/directory", |r| change(r, |b| b["meta"] = Value::Null));
    succeeds("/directory", |r| {
        change(r, |b| {
            b["meta"] = json!({"caaIdentities": {"a": 1}, "profiles": null})
        })
    });
    succeeds("/directory", |r| {
        change(r, |b| b["revokeCert"] = json!("https://evil.test/revoke"))
    });
    // H183: behind a proxy that ends TLS.
    succeeds("/directory", |r| {
        change(r, |b| b["newOrder"] = json!("http://ca.test/new-order"))
    });
}

#[test]
fn a_directory_without_tls_is_never_asked() {
    let url = Url::parse("http://ca.test/directory").expect("a URL");
    let plain = Config::new(world::provider(), url);
    let mut world = World::with(1, Policy::default(), plain, |intent| intent);
    world.client.open_account(world.now);
    world.run_until(world.now.after(Duration::from_secs(600)));
    assert!(world.ca.asked.is_empty());
    let how = Misbehaviour::PlainHttp;
    assert_eq!(
        world.delayed(JobId::ACCOUNT).failure.fault,
        Fault::ServerMisbehaved(how)
    );
}

#[test]
fn another_origin_must_be_allowed() {
    let other: Origin = Url::parse("https://other.test/").expect("a URL").origin();
    let admitted = config().allow_origin(other);
    let mut world = World::with(1, Policy::default(), admitted, |intent| {
        intent.agree_to_terms()
    });
    world.edit = Some(Box::new(|request, response| {
        if request.uri().path() == "/directory" {
            change(response, |b| {
                b["revokeCert"] = json!("https://other.test/revoke")
            });
        }
    }));
    world.client.open_account(world.now);
    world.run();
    assert!(
        world
            .client
            .endpoints()
            .expect("read")
            .revoke_certificate
            .is_some()
    );
}

#[test]
fn odd_nonces_are_put_up_with() {
    // H194, H195, H196
    for unhelpful in [http::Method::HEAD, http::Method::GET] {
        let mut world = World::new(1, Policy::default());
        world.edit = Some(Box::new(move |request, response| {
            let directory = request.uri().path() == "/directory";
            if unhelpful == request.method() && !directory {
                response.headers_mut().remove("replay-nonce");
                *response.status_mut() = http::StatusCode::METHOD_NOT_ALLOWED;
            }
        }));
        world.issue_job(1, job(&["example.com"]));
        world.run();
        world.issued(1);
    }
    succeeds("/new-order", |r| {
        drop(r.headers_mut().remove("replay-nonce"))
    });
    succeeds("/order", |r| set(r, "replay-nonce", "not a nonce!"));
    succeeds("/authorization", |r| {
        set(r, "replay-nonce", &"x".repeat(1 << 16))
    });
    // The same nonce over and over: used once at most, which the CA here checks.
    for path in [
        "/order",
        "/authorization",
        "/challenge",
        "/new-order",
        "/new-account",
    ] {
        succeeds(path, |r| set(r, "replay-nonce", "nonce-0000000001"));
    }
}

#[test]
fn a_ca_without_fresh_nonces_is_given_up_on() {
    let edits: [Edit; 2] = [
        |response| drop(response.headers_mut().remove("replay-nonce")),
        |response| set(response, "replay-nonce", "always-the-same"),
    ];
    for edit in edits {
        let mut world = World::new(1, Policy::default());
        world.edit = Some(Box::new(move |_, response| edit(response)));
        world.issue(1, &["example.com"]);
        world.run_until(world.now.after(Duration::from_secs(3_600)));
        let how = Misbehaviour::NoNonce;
        assert!(world.events.iter().any(|(_, event)| matches!(event,
            Event::Delayed(delay) if delay.failure.fault == Fault::ServerMisbehaved(how))));
        assert!(
            world.ca.count("/new-nonce") < 200,
            "{}",
            world.ca.count("/new-nonce")
        );
    }
}

#[test]
fn bad_nonces_for_ever_are_given_up_on() {
    // H193
    let mut world = World::new(
        1,
        Policy {
            refuse_every: Some(1),
            ..Policy::default()
        },
    );
    world.client.open_account(world.now);
    world.run_until(world.now.after(Duration::from_secs(600)));
    let how = Misbehaviour::NoncesRefused;
    assert_eq!(
        world.delayed(JobId::ACCOUNT).failure.fault,
        Fault::ServerMisbehaved(how)
    );
    assert!(
        world.ca.count("/new-account") < 150,
        "{}",
        world.ca.count("/new-account")
    );
}

#[test]
fn a_nonce_refused_with_another_status_is_a_refused_nonce() {
    for status in [401, 403, 500, 503] {
        let mut world = World::new(
            1,
            Policy {
                refuse_every: Some(3),
                ..Policy::default()
            },
        );
        world.edit = Some(Box::new(move |_, response| {
            if response.status() == 400 {
                *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
            }
        }));
        world.issue_job(1, job(&["example.com"]));
        world.run();
        world.issued(1);
    }
}

#[test]
fn an_order_must_be_the_one_that_was_asked_for() {
    use Misbehaviour::*;
    let at_once = |edit: Edit, how| misbehaves("/new-order", edit, Operation::NewOrder, how);
    // H185, H187, H188
    at_once(
        |r| set(r, "location", "https://evil.test/order/0"),
        ForeignOrigin,
    );
    at_once(|r| set(r, "location", "file:///order/0"), BadUrl);
    at_once(
        |r| set(r, "location", "https://ca.test/account/0"),
        UrlReused,
    );
    at_once(
        |r| set(r, "location", "https://ca.test/finalize/0"),
        UrlReused,
    );
    at_once(
        |r| set(r, "location", "https://ca.test/new-order"),
        UrlReused,
    );
    at_once(
        |r| drop(r.headers_mut().remove("location")),
        MissingLocation,
    );
    succeeds("/new-order", |r| {
        let path = r.headers()["location"]
            .to_str()
            .expect("text")
            .replace(ca::BASE, "");
        set(r, "location", &path);
    });
    // H199
    at_once(
        |r| {
            change(r, |b| {
                drop(b["identifiers"].as_array_mut().expect("list").pop())
            })
        },
        IdentifiersChanged,
    );
    at_once(
        |r| {
            change(r, |b| {
                let more = json!({"type": "dns", "value": "evil.test"});
                b["identifiers"].as_array_mut().expect("list").push(more);
            });
        },
        IdentifiersChanged,
    );
    let later = |edit: Edit, how| misbehaves("/order", edit, Operation::Order, how);
    later(
        |r| change(r, |b| b["identifiers"][0]["value"] = json!("evil.test")),
        IdentifiersChanged,
    );
    later(
        |r| change(r, |b| b["finalize"] = json!("https://evil.test/f")),
        ForeignOrigin,
    );
    // H189
    later(|r| *r.body_mut() = b"[1,2".to_vec(), MalformedBody);
}

#[test]
fn odd_orders_are_put_up_with() {
    succeeds("/new-order", |r| {
        change(r, |b| {
            b["identifiers"].as_array_mut().expect("list").reverse()
        })
    });
    succeeds("/new-order", |r| {
        change(r, |b| {
            let first = b["authorizations"][0].clone();
            b["authorizations"]
                .as_array_mut()
                .expect("list")
                .push(first);
        });
    });
    succeeds("/", |r| change(r, |b| b["error"] = json!({})));
    succeeds("/", |r| {
        change(r, |b| b["expires"] = json!("0001-01-01T00:00:00Z"))
    });
    succeeds("/", |r| {
        change(r, |b| b["id"] = json!([null, {"deep": []}]))
    });
    succeeds("/order", |r| drop(r.headers_mut().remove("retry-after")));
    for value in [
        "-1",
        "0",
        "1e30",
        "NaN",
        "soon",
        "Thu, 01 Jan 1970 00:00:00 GMT",
    ] {
        // H212
        let mut world = World::new(1, Policy::default());
        world.edit = Some(Box::new(move |_, response| {
            set(response, "retry-after", value)
        }));
        world.issue_job(1, job(&["example.com"]));
        world.run();
        world.issued(1);
    }
}

#[test]
fn a_status_that_is_not_known_is_read_again_within_patience() {
    for status in [json!("PENDING"), json!("weird"), json!(7), Value::Null] {
        for path in ["/order", "/authorization"] {
            let status = status.clone();
            let mut world = World::new(1, Policy::default());
            world.edit = Some(Box::new(move |request, response| {
                if request.uri().path().starts_with(path) {
                    change(response, |b| b["status"] = status.clone());
                }
            }));
            world.issue_job(1, job(&["example.com"]));
            world.run_until(world.now.after(Duration::from_secs(7_200)));
            assert_eq!(world.failed(1).fault, Fault::Unfinished, "{path}");
            assert!(world.ca.asked.values().sum::<u32>() < 400);
        }
    }
}

#[test]
fn authorizations_must_fit_the_order() {
    use Misbehaviour::*;
    let check = |edit: Edit| {
        misbehaves(
            "/authorization",
            edit,
            Operation::Authorization,
            AuthorizationMismatch,
        );
    };
    // H200
    check(|r| change(r, |b| b["identifier"]["value"] = json!("evil.test")));
    check(|r| change(r, |b| b["wildcard"] = json!(true)));
    check(|r| change(r, |b| b["identifier"]["value"] = json!("a.example.com")));
    // H201
    misbehaves(
        "/new-order",
        |r| {
            change(r, |b| {
                b["authorizations"] = (0..1_010)
                    .map(|n| json!(format!("{}/authorization/{n}", ca::BASE)))
                    .collect();
            });
        },
        Operation::NewOrder,
        TooManyAuthorizations,
    );
    fails(
        "/order",
        |r| {
            change(r, |b| {
                b["authorizations"] = json!([]);
                b["status"] = json!("pending");
            })
        },
        Operation::Order,
        Fault::Unfinished,
    );
}

#[test]
fn a_token_that_could_do_harm_is_not_used() {
    // H202, H203
    let tokens = [
        "../../etc/cron.d/x",
        "",
        "a",
        "a/b/c/d/e/f/g/h/i/j/k/l/m/n",
        "a%2fbbbbbbbbbbbbbbbbbbbbbbb",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaa\0",
        "ääääääääääääääääääääää",
        "short-token-of-21-byt",
    ];
    for token in tokens
        .into_iter()
        .map(str::to_owned)
        .chain(["x".repeat(10_000)])
    {
        let mut world = World::new(1, Policy::default());
        let bad = token.clone();
        world.edit = Some(Box::new(move |request, response| {
            if request.uri().path().starts_with("/authorization") {
                change(response, |b| b["challenges"][0]["token"] = json!(bad));
            }
        }));
        world.issue_job(1, job(&["example.com"]));
        world.run();
        world.issued(1);
        let presented = world.trace.iter().find(|line| line.starts_with("present"));
        assert!(
            presented.is_some_and(|line| line.contains("dns-01")),
            "{token:?}"
        );
    }
    fails(
        "/authorization",
        |r| {
            change(r, |b| {
                b["challenges"] = json!([{"type": "http-01"}, 7, null, "x"])
            })
        },
        Operation::Authorization,
        Fault::NoChallenge,
    );
}

#[test]
fn challenges_at_foreign_places_are_not_answered() {
    fails(
        "/authorization",
        |r| {
            change(r, |b| {
                for challenge in b["challenges"].as_array_mut().expect("list") {
                    challenge["url"] = json!("https://evil.test/challenge");
                }
            });
        },
        Operation::Authorization,
        Fault::NoChallenge,
    );
}

#[test]
fn a_refused_challenge_is_judged_by_its_authorization() {
    succeeds("/challenge", |r| *r = ca::problem(400, "malformed"));
    succeeds("/challenge", |r| *r = ca::problem(403, "unauthorized"));
    succeeds("/challenge", |r| *r.body_mut() = b"<html>".to_vec());
}

#[test]
fn finalize_is_judged_by_the_order() {
    // H213, H214, H215
    succeeds("/finalize", |r| *r = ca::problem(403, "orderNotReady"));
    succeeds("/finalize", |r| {
        *r.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR
    });
    succeeds("/finalize", |r| change(r, |b| b["status"] = json!("ready")));
    fails(
        "/finalize",
        |r| *r = ca::problem(400, "badCSR"),
        Operation::Finalize,
        Fault::ServerRefused,
    );
    // The order stays ready, and finalize is refused each time.
    let mut world = World::new(1, Policy::default());
    world.instead = Some(Box::new(|request, _| {
        let refused = request.uri().path().starts_with("/finalize");
        refused.then(|| HttpOutcome::Response(ca::problem(403, "unauthorized")))
    }));
    world.issue_job(1, job(&["example.com"]));
    world.run();
    assert_eq!(world.failed(1).operation, Operation::Finalize);
    assert_eq!(world.failed(1).status, Some(403));
}

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
fn a_lost_order_is_replaced_once() {
    let mut first = true;
    let mut world = World::new(1, Policy::default());
    world.edit = Some(Box::new(move |request, response| {
        let order = request.uri().path().starts_with("/order");
        if order && std::mem::replace(&mut first, false) {
            *response = ca::problem(404, "malformed");
        }
    }));
    world.issue_job(1, job(&["example.com"]));
    world.run();
    world.issued(1);
    assert_eq!(world.ca.orders.len(), 2);
    let world = with_edit("/order", |r| *r = ca::problem(404, "malformed"));
    assert_eq!(world.failed(1).status, Some(404));
    assert_eq!(world.ca.orders.len(), 2);
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

#[test]
fn a_rate_limit_is_waited_for_as_the_server_says() {
    // H211, H212
    let mut world = World::new(1, Policy::default());
    let mut first = true;
    world.edit = Some(Box::new(move |request, response| {
        if request.uri().path() == "/new-order" && std::mem::replace(&mut first, false) {
            *response = ca::problem(429, "rateLimited");
            set(response, "retry-after", "4000");
        }
    }));
    let id = 1;
    world.issue(id, &["example.com"]);
    let start = world.now;
    world.run();
    world.issued(id);
    let delay = world.delayed(JobId(id));
    assert_eq!(delay.failure.fault, Fault::ServerUnavailable);
    assert!(delay.until >= start.after(Duration::from_secs(4_000)));
    assert!(delay.until <= start.after(Duration::from_secs(4_100)));
}

#[test]
fn error_pages_are_put_up_with_for_a_while() {
    for status in [500, 502, 503, 504, 429] {
        for path in [
            "/directory",
            "/new-nonce",
            "/new-account",
            "/order",
            "/authorization",
            "/certificate",
        ] {
            let mut left = 2;
            let mut world = World::new(1, Policy::default());
            world.instead = Some(Box::new(move |request, _| {
                if !request.uri().path().starts_with(path) || left == 0 {
                    return None;
                }
                left -= 1;
                let page = Response::builder()
                    .status(status)
                    .body(b"<html>busy</html>".to_vec());
                Some(HttpOutcome::Response(page.expect("a response")))
            }));
            world.issue_job(1, job(&["example.com"]));
            world.run();
            world.issued(1);
            assert_eq!(world.ca.orders.len(), 1, "{status} {path}");
        }
    }
}

#[test]
fn refusals_of_an_order_are_final_or_wait() {
    let check = |kind: &'static str, status: u16, fails: bool| {
        let mut world = World::new(1, Policy::default());
        world.instead = Some(Box::new(move |request, _| {
            let order = request.uri().path() == "/new-order";
            order.then(|| HttpOutcome::Response(ca::problem(status, kind)))
        }));
        world.issue(1, &["example.com"]);
        world.run_until(world.now.after(Duration::from_secs(30)));
        let failed = world
            .events
            .iter()
            .any(|(_, event)| matches!(event, Event::Failed(_)));
        assert_eq!(failed, fails, "{kind}");
        assert_eq!(world.client.jobs() == 0, fails, "{kind}");
    };
    check("rejectedIdentifier", 400, true);
    check("unsupportedIdentifier", 400, true);
    check("malformed", 400, true);
    check("rateLimited", 403, false);
    check("userActionRequired", 403, false);
    check("accountDoesNotExist", 400, false);
    check("somethingNew", 418, false);
}

#[test]
fn an_endless_server_is_given_up_on() {
    // K10, C13: whatever one path always answers, the number of requests is bounded.
    let answers: [fn() -> Response<Vec<u8>>; 6] = [
        || ca::reply(200, &json!({})),
        || ca::reply(200, &json!({"status": "pending"})),
        || ca::problem(400, "badNonce"),
        || ca::problem(500, "serverInternal"),
        || ca::problem(400, "alreadyReplaced"),
        || {
            Response::builder()
                .status(302)
                .header("location", "/x")
                .body(vec![])
                .expect("a response")
        },
    ];
    for path in [
        "/new-account",
        "/new-order",
        "/order",
        "/authorization",
        "/challenge",
        "/finalize",
        "/certificate",
    ] {
        for answer in answers {
            let mut world = World::new(1, Policy::default());
            world.edit = Some(Box::new(move |request, response| {
                if request.uri().path().starts_with(path) {
                    let nonce = response.headers().get("replay-nonce").cloned();
                    *response = answer();
                    if let Some(nonce) = nonce {
                        response.headers_mut().insert("replay-nonce", nonce);
                    }
                }
            }));
            world.issue_job(1, job(&["a.example.com", "b.example.com"]));
            world.run_until(world.now.after(Duration::from_secs(3_600)));
            let sum: u32 = world.ca.asked.values().sum();
            assert!(sum < 600, "{path}: {:?}", world.ca.asked);
            assert!(!world.events.is_empty(), "{path}");
        }
    }
}

#[test]
fn a_forgetful_shell_is_asked_again() {
    let mut world = World::new(9, Policy::default());
    world.faults = Faults {
        forgotten: 30,
        ..Faults::default()
    };
    world.healed_at = world.now.after(Duration::from_secs(3_000));
    world.issue(1, &["a.example.com", "b.example.com"]);
    world.run();
    world.issued(1);
    world.check_clean();
}
