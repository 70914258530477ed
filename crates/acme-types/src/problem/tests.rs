use super::*;
use crate::tolerant;

fn read(document: &str) -> Problem {
    tolerant::from_slice(document.as_bytes()).expect(document)
}

#[test]
fn the_rfcs_example_with_subproblems_is_read_and_written() {
    // RFC 8555 §6.7.1.
    let problem = read(
        r#"{
          "type": "urn:ietf:params:acme:error:malformed",
          "detail": "Some of the identifiers requested were rejected",
          "subproblems": [
            {
              "type": "urn:ietf:params:acme:error:malformed",
              "detail": "Invalid underscore in DNS name \"_example.org\"",
              "identifier": {"type": "dns", "value": "_example.org"}
            },
            {
              "type": "urn:ietf:params:acme:error:rejectedIdentifier",
              "detail": "This CA will not issue for \"example.net\"",
              "identifier": {"type": "dns", "value": "example.net"}
            }
          ]
        }"#,
    );
    assert_eq!(problem.kind, ProblemType::MALFORMED);
    let [first, second] = problem.subproblems.as_slice() else {
        panic!("two subproblems")
    };
    assert_eq!(first.identifier, Some(Known::Unknown));
    assert_eq!(second.kind, ProblemType::REJECTED_IDENTIFIER);
    let net = Identifier::dns("example.net").unwrap();
    assert_eq!(second.identifier, Some(Known::Known(net.clone())));

    let written = Problem::new(ProblemType::MALFORMED)
        .with_status(400)
        .with_subproblem(Subproblem::new(ProblemType::REJECTED_IDENTIFIER, net).with_detail("no"));
    assert_eq!(
        serde_json::to_string(&written).unwrap(),
        concat!(
            r#"{"type":"urn:ietf:params:acme:error:malformed","status":400,"subproblems":["#,
            r#"{"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"no","#,
            r#""identifier":{"type":"dns","value":"example.net"}}]}"#,
        ),
    );
}

#[test]
fn problems_of_all_cas_are_read() {
    let check = |document: &str, problem: Problem| assert_eq!(read(document), problem);
    check("{}", Problem::new(ProblemType::ABOUT_BLANK));
    check(
        r#"{"type":"urn:acme:error:badNonce","status":"400","subproblems":null,"detail":null}"#,
        Problem::new(ProblemType::BAD_NONCE).with_status(400),
    );
    check(
        r#"{"type":7,"status":[],"detail":{},"subproblems":{},"algorithms":["ES256",1]}"#,
        Problem::new(ProblemType::ABOUT_BLANK).with_algorithms(["ES256"]),
    );
    check(
        r#"{"type":"https://ca.example/x","detail":"d","instance":"javascript:x","extra":[]}"#,
        Problem::new(ProblemType::from_uri("https://ca.example/x"))
            .with_detail("d")
            .with_instance("javascript:x"),
    );
}

#[test]
fn sizes_are_bounded() {
    let detail = "\u{e4}".repeat(PROBLEM_DETAIL_LEN_MAX);
    let entries = vec![r#"{"type":"x:y"}"#; SUBPROBLEMS_MAX + 1].join(",");
    let problem = read(&format!(
        r#"{{"type":"{}","detail":"a{detail}","subproblems":[{entries}]}}"#,
        "x".repeat(300)
    ));
    assert_eq!(problem.kind, ProblemType::ABOUT_BLANK);
    assert_eq!(
        problem.detail.as_ref().map(String::len),
        Some(PROBLEM_DETAIL_LEN_MAX - 1)
    );
    assert_eq!(problem.subproblems.len(), SUBPROBLEMS_MAX);
}

#[test]
fn what_is_displayed_cannot_steer_a_terminal() {
    // H227.
    let check = |detail: &str, shown: &str| {
        let problem = Problem::new(ProblemType::DNS).with_detail(detail);
        assert_eq!(problem.to_string(), shown);
    };
    check("plain \u{e4}", "dns: plain \u{e4}");
    check("a\u{1b}[2J\r\nb", "dns: a\\u{1b}[2J\\u{d}\\u{a}b");
    check("a\u{202e}b", "dns: a\\u{202e}b");
    assert!(
        Problem::new(ProblemType::DNS)
            .with_detail("x".repeat(9_999))
            .to_string()
            .len()
            < 1_100
    );
    let kind = ProblemType::from_uri("x:\u{1b}[0m");
    assert_eq!(Problem::new(kind).to_string(), "x:\\u{1b}[0m");
}

#[test]
fn a_compact_format_keeps_all_fields() {
    let problem = Problem {
        title: Some("t".into()),
        ..Problem::new(ProblemType::CAA)
    }
    .with_status(403)
    .with_instance("i")
    .with_algorithms(["RS256"])
    .with_subproblem(Subproblem::new(
        ProblemType::DNS,
        Identifier::dns("a.example").unwrap(),
    ));
    let stored = postcard::to_allocvec(&problem).unwrap();
    assert_eq!(postcard::from_bytes::<Problem>(&stored).unwrap(), problem);
}

#[test]
fn the_registry_has_no_name_twice() {
    let names: std::collections::BTreeSet<_> = ProblemType::REGISTERED.iter().collect();
    assert_eq!(names.len(), ProblemType::REGISTERED.len());
    assert_eq!(
        ProblemType::BAD_CSR.as_str(),
        "urn:ietf:params:acme:error:badCSR"
    );
    assert_eq!(ProblemType::BAD_CSR.name(), Some("badCSR"));
    assert_eq!(ProblemType::ABOUT_BLANK.name(), None);
}
