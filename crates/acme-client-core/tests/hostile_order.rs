//! Orders, authorizations and challenges that are broken or mean harm.
//! Each case ends in a typed failure, or is put up with.

mod world;

use acme_client_core::*;
use serde_json::{Value, json};
use std::time::Duration;
use world::edited::{Edit, change, fails, job, misbehaves, set, succeeds, with_edit};
use world::{Policy, World, ca};

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
