mod redirects;

use std::time::Duration;

use acme_types::ChallengeType;

use super::*;
use crate::validation::stage::{KEY_AUTHORIZATION, PATH, Played, Reply, Stage, redirect, response};
use crate::validation::{DnsOutcome, NetworkFailure};

const V4: &str = "198.8.8.8";
const V6: &str = "2a00::8";

fn stage() -> Stage {
    Stage::new(ChallengeType::HTTP_01, "example.com").host("example.com", &[V4])
}

/// A stage whose first answer is this.
fn answered(outcome: FetchOutcome) -> Stage {
    stage().on(&url("example.com"), outcome)
}

fn url(host: &str) -> String {
    format!("http://{host}{PATH}")
}

fn good() -> FetchOutcome {
    response(200, KEY_AUTHORIZATION)
}

fn fetches(played: &Played) -> Vec<&str> {
    let is_fetch = |line: &&str| line.starts_with("http");
    played
        .asked
        .iter()
        .map(String::as_str)
        .filter(is_fetch)
        .collect()
}

#[test]
fn the_key_authorization_at_the_well_known_path_proves_control() {
    let played = answered(good()).check("valid");
    let fetched = format!("http://example.com{PATH} @198.8.8.8:80");
    assert_eq!(
        played.asked,
        [
            "AAAA example.com",
            "A example.com",
            &fetched,
            "CAA example.com",
            "CAA com"
        ]
    );
}

#[test]
fn only_the_body_itself_will_do() {
    // H130.
    for space in ["\n", "\r\n", " ", " \t\r\n\r\n"] {
        answered(response(200, &format!("{KEY_AUTHORIZATION}{space}"))).check("valid");
    }
    let padded = |len: usize| format!("{KEY_AUTHORIZATION:<len$}");
    answered(response(200, &padded(128))).check("valid");
    let other = KEY_AUTHORIZATION.replace("9jg", "9jh");
    let cut = &KEY_AUTHORIZATION[..KEY_AUTHORIZATION.len() - 1];
    for body in [
        format!(" {KEY_AUTHORIZATION}"),
        format!("\u{feff}{KEY_AUTHORIZATION}"),
        format!("{KEY_AUTHORIZATION}\0"),
        format!("{KEY_AUTHORIZATION}\nline"),
        format!("{KEY_AUTHORIZATION}\u{a0}"),
        KEY_AUTHORIZATION.to_lowercase(),
        other,
        cut.to_owned(),
        String::new(),
        padded(129),
    ] {
        answered(response(200, &body)).check("incorrectResponse");
    }
    // H145.
    let played = answered(response(200, "\u{1b}[1m<b>")).check("incorrectResponse");
    assert_eq!(
        played.detail(),
        format!(
            "GET http://example.com{PATH} at 198.8.8.8:80: \"\\x1b[1m<b>\" is not the key \
             authorization"
        )
    );
}

#[test]
fn only_status_200_will_do() {
    // H131, H133.
    for status in [
        100, 201, 204, 206, 300, 303, 304, 305, 400, 403, 404, 500, 503,
    ] {
        answered(response(status, KEY_AUTHORIZATION)).check("unauthorized");
    }
    let played = answered(redirect(303, &url("other.com"))).check("unauthorized");
    assert_eq!(fetches(&played).len(), 1);
}

#[test]
fn ipv6_is_first_and_ipv4_is_for_a_connection_that_is_not_made() {
    // H141.
    let both = stage().host("example.com", &[V4, V6]);
    let (v4, v6) = (
        format!("{} @198.8.8.8:80", url("example.com")),
        format!("{} @[2a00::8]:80", url("example.com")),
    );
    for reply in [
        NetworkFailure::Refused,
        NetworkFailure::TimedOut,
        NetworkFailure::Unreachable,
    ] {
        let dead = both
            .clone()
            .on(&v6, FetchOutcome::NotConnected(reply))
            .on(&v4, good());
        assert_eq!(fetches(&dead.check("valid")), [v6.as_str(), &v4]);
    }
    let neither = both
        .clone()
        .on(&v6, FetchOutcome::NotConnected(NetworkFailure::Refused));
    assert_eq!(fetches(&neither.check("connection")), [v6.as_str(), &v4]);
    let wrong = both.clone().on(&v6, response(404, "")).on(&v4, good());
    assert_eq!(fetches(&wrong.check("unauthorized")), [v6.as_str()]);
    for failure in [
        NetworkFailure::Closed,
        NetworkFailure::TimedOut,
        NetworkFailure::Protocol,
    ] {
        let broken = both
            .clone()
            .on(&v6, FetchOutcome::Failed(failure))
            .on(&v4, good());
        assert_eq!(fetches(&broken.check("connection")), [v6.as_str()]);
    }
    let silent = both.clone().on(&v6, Reply::Never).on(&v4, good());
    assert_eq!(fetches(&silent.check("connection")), [v6.as_str()]);
    // After the fallback a redirect of the same host doesn't go to IPv6 again.
    let moved = both
        .on(&v4, redirect(302, "/a"))
        .on("http://example.com/a @198.8.8.8:80", good());
    assert_eq!(
        fetches(&moved.check("valid")),
        [v6.as_str(), &v4, "http://example.com/a @198.8.8.8:80"]
    );
}

#[test]
fn only_public_addresses_are_contacted() {
    // H127, and rebinding: each redirect looks the name up anew, and is checked anew.
    let private = stage().host("example.com", &["10.0.0.1", "127.0.0.1", "::1", "fd00::1"]);
    let played = private.clone().on(&url("example.com"), good()).check("dns");
    assert_eq!(fetches(&played), [""; 0]);
    assert!(
        played.detail().contains("none of the 4"),
        "{}",
        played.detail()
    );
    let mixed = private
        .host("example.com", &["10.0.0.1", V4])
        .on(&url("example.com"), good());
    assert_eq!(fetches(&mixed.check("valid")).len(), 1);
    let moved = answered(redirect(302, "http://other.com/"))
        .host("other.com", &["169.254.169.254"])
        .on("http://other.com/", good());
    assert_eq!(fetches(&moved.check("dns")).len(), 1);
}

#[test]
fn without_an_address_there_is_nothing_to_ask() {
    for failed in [
        DnsOutcome::NoName,
        DnsOutcome::Refused(2),
        DnsOutcome::TimedOut,
        DnsOutcome::Unusable,
    ] {
        let stage = stage()
            .on("A example.com", failed.clone())
            .on("AAAA example.com", failed.clone());
        stage.check("dns");
        // One kind of address is enough.
        let half = answered(good()).on("AAAA example.com", failed);
        half.check("valid");
    }
    stage().host("example.com", &[]).check("dns");
    let silent = answered(good())
        .on("AAAA example.com", Reply::Never)
        .check("valid");
    assert!(silent.took <= Duration::from_secs(6));
    stage().on("A example.com", Reply::Never).check("dns");
}

#[test]
fn an_address_is_asked_without_dns() {
    let v4 = Stage::new(ChallengeType::HTTP_01, "198.8.8.8").on(&url("198.8.8.8"), good());
    assert_eq!(
        v4.check("valid").asked,
        [format!("{} @198.8.8.8:80", url("198.8.8.8"))]
    );
    let v6 = Stage::new(ChallengeType::HTTP_01, "2a00::8").on(&url("[2a00::8]"), good());
    assert_eq!(
        v6.check("valid").asked,
        [format!("{} @[2a00::8]:80", url("[2a00::8]"))]
    );
    let private = Stage::new(ChallengeType::HTTP_01, "192.168.0.1").on(&url("192.168.0.1"), good());
    assert_eq!(private.check("dns").asked, [""; 0]);
}

#[test]
fn what_the_network_says_is_told() {
    // H142.
    for (failure, kind) in [
        (NetworkFailure::Refused, "connection"),
        (NetworkFailure::TimedOut, "connection"),
        (NetworkFailure::Closed, "connection"),
        (NetworkFailure::Unreachable, "connection"),
        (NetworkFailure::Protocol, "connection"),
        (NetworkFailure::Tls(Some(70)), "tls"),
        (NetworkFailure::Tls(None), "tls"),
    ] {
        answered(FetchOutcome::Failed(failure)).check(kind);
        answered(FetchOutcome::NotConnected(failure)).check(kind);
    }
}

#[test]
fn a_wildcard_is_not_proved_over_http() {
    let mut stage = answered(good());
    stage.request.wildcard = true;
    assert_eq!(stage.check("unauthorized").asked, [""; 0]);
}

#[test]
fn the_deadline_of_the_attempt_ends_everything() {
    let mut stage = answered(redirect(302, "/1"));
    for hop in 1..10 {
        let here = format!("http://example.com/{hop}");
        stage = stage.on(&here, redirect(302, &format!("/{}", hop + 1)));
    }
    // Each answer in time, all of them together not.
    stage.delay = Duration::from_secs(3);
    let played = stage.check("connection");
    assert!(played.took < stage.policy.deadline + stage.delay);
    assert!(played.detail().contains("time"));
}
