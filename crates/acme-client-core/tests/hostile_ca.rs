//! A CA that is broken or means harm: its directory, its nonces, its errors.
//! Each case ends in a typed failure, or is put up with.

mod world;

use acme_client_core::*;
use acme_types::{Origin, Url};
use http::Response;
use serde_json::{Value, json};
use std::time::Duration;
use world::edited::{Edit, account_fails, change, job, set, succeeds};
use world::{Faults, Policy, World, ca, config};

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
