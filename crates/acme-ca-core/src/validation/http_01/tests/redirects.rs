//! Where redirects lead, and where they don't.

use acme_types::ChallengeType;

use super::{PATH, answered, fetches, good, url};
use crate::policy::{Ports, RedirectHosts};
use crate::validation::stage::{KEY_AUTHORIZATION, Stage, redirect};
use crate::validation::{AddressPolicy, FetchOutcome};

#[test]
fn redirects_are_followed_within_http() {
    for status in [301, 302, 307, 308] {
        for (location, next) in [
            (
                "http://other.com/a?b=c#d",
                "http://other.com/a?b=c @198.9.9.9:80",
            ),
            ("https://other.com/a", "https://other.com/a @198.9.9.9:443"),
            (
                "https://other.com:443/a",
                "https://other.com/a @198.9.9.9:443",
            ),
            ("HTTPS://OTHER.com/A", "https://other.com/A @198.9.9.9:443"),
            (
                "http://other.com:443/",
                "http://other.com:443/ @198.9.9.9:443",
            ),
            ("//other.com/a", "http://other.com/a @198.9.9.9:80"),
            ("/other", "http://example.com/other @198.8.8.8:80"),
            (
                "x",
                "http://example.com/.well-known/acme-challenge/x @198.8.8.8:80",
            ),
            ("?x", &format!("http://example.com{PATH}?x @198.8.8.8:80")),
            ("https://198.9.9.9/a", "https://198.9.9.9/a @198.9.9.9:443"),
            ("http://[2a00::1]/a", "http://[2a00::1]/a @[2a00::1]:80"),
        ] {
            let played = answered(redirect(status, location))
                .host("other.com", &["198.9.9.9"])
                .on(next, good())
                .check("valid");
            assert_eq!(fetches(&played).last(), Some(&next));
        }
    }
}

#[test]
fn redirects_elsewhere_are_refused() {
    // H135 to H139.
    for location in [
        "http://other.com:8080/",
        "http://other.com:22/",
        "ftp://other.com/",
        "file:///etc/passwd",
        "gopher://other.com/",
        "data:text/plain,x",
        "javascript:x",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://[::ffff:10.0.0.1]/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://169.254.169.254/latest",
        "http://user@other.com/",
        "http://user:pass@other.com/",
        "http://other.com\\@evil.com/",
        "\\\\other.com\\x",
        "http://other.com/\r\nX: y",
        "http://",
        "http:///x",
        "http://other..com/",
        "http://localhost/",
        "http://other.internal/",
        "http://other_host.com/",
        "http://*.other.com/",
        "http://other.com:0/",
        "http://other.com:99999/",
        "http://b\u{fc}cher.com/",
        "",
        "http://example.com.well-known/acme",
    ] {
        let played = answered(redirect(302, location)).check("connection");
        assert_eq!(fetches(&played).len(), 1, "{location}");
        assert!(
            played.detail().contains("redirect to"),
            "{}",
            played.detail()
        );
    }
    let long = format!("http://other.com/{}", "a".repeat(2_000));
    answered(redirect(302, &long)).check("connection");
    let locations = |locations: &[&[u8]]| FetchOutcome::Response {
        status: 302,
        locations: locations.iter().map(|one| one.to_vec()).collect(),
        body: KEY_AUTHORIZATION.into(),
    };
    let other = b"http://other.com/".as_slice();
    for several in [
        vec![],
        vec![other, other],
        vec![b"http://other.com/\xff".as_slice()],
    ] {
        let stage = answered(locations(&several)).host("other.com", &["198.9.9.9"]);
        stage.check("connection");
    }
}

#[test]
fn chains_of_redirects_are_bounded() {
    let chain = |hops: usize| {
        let mut stage = answered(redirect(302, "/1"));
        for hop in 1..=hops {
            let here = format!("http://example.com/{hop}");
            let next = format!("/{}", hop + 1);
            let reply = if hop == hops {
                good()
            } else {
                redirect(302, &next)
            };
            stage = stage.on(&here, reply);
        }
        stage
    };
    chain(10).check("valid");
    let played = chain(11).check("connection");
    assert_eq!(fetches(&played).len(), 11);
    let itself = answered(redirect(301, &url("EXAMPLE.com"))).check("connection");
    assert_eq!(fetches(&itself).len(), 1);
    let two = answered(redirect(301, "/1")).on("http://example.com/1", redirect(307, PATH));
    assert_eq!(fetches(&two.check("connection")).len(), 2);
}

#[test]
fn a_ca_of_ones_own_has_other_ports_and_hosts() {
    let mut stage = Stage::new(ChallengeType::HTTP_01, "printer").host("printer", &["10.0.0.9"]);
    stage.policy.addresses = AddressPolicy::Any;
    stage.policy.redirect_hosts = RedirectHosts::Any;
    stage.policy.ports = Ports {
        http: 5002,
        https: 5003,
        tls: 5001,
    };
    let first = format!("{} @10.0.0.9:5002", url("printer"));
    stage.clone().on(&first, good()).check("valid");
    for (location, next) in [
        ("https://printer/a", "https://printer/a @10.0.0.9:5003"),
        (
            "https://printer:5003/a",
            "https://printer:5003/a @10.0.0.9:5003",
        ),
        (
            "http://printer:5002/a",
            "http://printer:5002/a @10.0.0.9:5002",
        ),
        ("http://127.0.0.1/a", "http://127.0.0.1/a @127.0.0.1:5002"),
    ] {
        stage
            .clone()
            .on(&first, redirect(302, location))
            .on(next, good())
            .check("valid");
    }
    stage
        .clone()
        .on(&first, redirect(302, "http://printer:5001/"))
        .check("connection");
}
