mod random;

use acme_types::ChallengeType;

use super::*;
use crate::validation::DnsRecord;
use crate::validation::stage::{KEY_AUTHORIZATION, PATH, Reply, Stage, name, now, response};

/// base64url(SHA-256([`KEY_AUTHORIZATION`])).
fn digest() -> String {
    use acme_crypto::Provider;
    let hash = acme_crypto::rustcrypto::RustCrypto.sha256(KEY_AUTHORIZATION.as_bytes());
    acme_types::base64url::encode(&hash)
}

fn txt(texts: &[&str]) -> DnsOutcome {
    DnsOutcome::Records(
        texts
            .iter()
            .map(|text| DnsRecord::Txt(text.as_bytes().to_vec()))
            .collect(),
    )
}

const QUESTION: &str = "TXT _acme-challenge.example.com";

fn dns_01() -> Stage {
    Stage::new(ChallengeType::DNS_01, "example.com")
}

#[test]
fn dns_01_wants_the_digest_and_nothing_else() {
    let digest = digest();
    let digest = digest.as_str();
    let check = |texts: &[&str], expected| dns_01().on(QUESTION, txt(texts)).check(expected);
    assert_eq!(
        check(&[digest], "valid").asked,
        [QUESTION, "CAA example.com", "CAA com"]
    );
    check(&["v=spf1", digest, "other"], "valid");
    // H128.
    let (quoted, padded) = (format!("\"{digest}\""), format!("{digest}="));
    for wrong in [
        KEY_AUTHORIZATION,
        &quoted,
        &padded,
        &digest.to_lowercase(),
        &digest[1..],
        "",
        &format!(" {digest}"),
        &format!("{digest}\n"),
    ] {
        check(&[wrong], "incorrectResponse");
    }
    let mut many = vec!["x"; 100];
    many[99] = digest;
    check(&many, "valid");
    many.insert(0, "x");
    check(&many, "incorrectResponse");
    let played = check(&["one\u{7}", "two", "three"], "incorrectResponse");
    assert_eq!(
        played.detail(),
        "TXT at _acme-challenge.example.com: \"one\\x07\" is not the digest, nor are 2 more"
    );
}

#[test]
fn dns_01_tells_silence_from_failure() {
    dns_01().check("unauthorized");
    for failed in [
        DnsOutcome::NoName,
        DnsOutcome::Refused(2),
        DnsOutcome::TimedOut,
        DnsOutcome::Unusable,
    ] {
        dns_01().on(QUESTION, failed).check("dns");
    }
    let played = dns_01().on(QUESTION, Reply::Never).check("dns");
    assert_eq!(
        played.detail(),
        "looking up TXT for _acme-challenge.example.com: no answer in time"
    );
}

#[test]
fn dns_01_proves_wildcards_and_no_addresses() {
    let mut wildcard = dns_01().on(QUESTION, txt(&[&digest()]));
    wildcard.request.wildcard = true;
    wildcard.check("valid");
    let address = Stage::new(ChallengeType::DNS_01, "198.8.8.8");
    assert_eq!(address.check("unauthorized").asked, [""; 0]);
}

#[test]
fn a_method_that_is_off_or_unknown_proves_nothing() {
    let mut off = dns_01().on(QUESTION, txt(&[&digest()]));
    off.policy.methods = vec![ChallengeType::HTTP_01];
    off.check("unauthorized");
    let mut unknown = Stage::new(ChallengeType::DNS_PERSIST_01, "example.com");
    unknown.policy.methods.push(ChallengeType::DNS_PERSIST_01);
    unknown.check("unauthorized");
}

fn caa(value: &str) -> DnsOutcome {
    let (flags, tag, value) = (0, b"issue".to_vec(), value.into());
    DnsOutcome::Records(vec![DnsRecord::Caa { flags, tag, value }])
}

/// What CAA comes to after control was proved.
fn caa_of(replies: &[(&str, Reply)]) -> String {
    let mut stage = Stage::new(ChallengeType::DNS_01, "a.b.example.com")
        .on("TXT _acme-challenge.a.b.example.com", txt(&[&digest()]));
    stage.policy.caa_identities = vec![acme_types::DnsName::parse("ca.example").unwrap()];
    for (question, reply) in replies {
        stage = stage.on(question, reply.clone());
    }
    let played = stage.check("valid");
    let asked: Vec<_> = played
        .asked
        .iter()
        .filter(|line| line.starts_with("CAA"))
        .collect();
    assert_eq!(
        asked,
        [
            "CAA a.b.example.com",
            "CAA b.example.com",
            "CAA example.com",
            "CAA com"
        ]
    );
    name(&played.verdict.caa.unwrap())
}

#[test]
fn caa_is_climbed_and_the_nearest_set_decides() {
    let (ours, other) = (Reply::from(caa("ca.example")), Reply::from(caa(";")));
    let no_name = Reply::from(DnsOutcome::NoName);
    let failed = Reply::from(DnsOutcome::Refused(2));
    let check = |replies: &[(&str, &Reply)], expected| {
        let replies: Vec<_> = replies
            .iter()
            .map(|(line, reply)| (*line, (*reply).clone()))
            .collect();
        assert_eq!(caa_of(&replies), expected, "{replies:?}");
    };
    check(&[], "valid");
    check(&[("CAA com", &ours)], "valid");
    check(&[("CAA com", &other)], "caa");
    check(
        &[("CAA com", &other), ("CAA b.example.com", &ours)],
        "valid",
    );
    check(&[("CAA com", &ours), ("CAA b.example.com", &other)], "caa");
    check(
        &[
            ("CAA a.b.example.com", &no_name),
            ("CAA example.com", &other),
        ],
        "caa",
    );
    // H116: a failure before the deciding set is no permission; one behind it doesn't matter.
    check(&[("CAA com", &failed)], "dns");
    check(
        &[("CAA a.b.example.com", &failed), ("CAA example.com", &ours)],
        "dns",
    );
    check(
        &[("CAA a.b.example.com", &ours), ("CAA example.com", &failed)],
        "valid",
    );
    check(&[("CAA com", &Reply::Never)], "dns");
    check(
        &[
            ("CAA a.b.example.com", &ours),
            ("CAA example.com", &Reply::Never),
        ],
        "valid",
    );
    check(
        &[
            ("CAA a.b.example.com", &other),
            ("CAA example.com", &Reply::Never),
        ],
        "caa",
    );
    check(
        &[("CAA b.example.com", &Reply::Never), ("CAA com", &ours)],
        "dns",
    );
}

#[test]
fn tickets_are_answered_once_and_in_kind() {
    let stage = dns_01();
    let mut probe = stage.probe();
    let Step::Dns(_, ticket) = probe.poll(now()) else {
        panic!()
    };
    let Step::Wait(until) = probe.poll(now()) else {
        panic!()
    };
    assert_eq!(until, now().after(stage.policy.dns_deadline + GRACE));
    let mut other = Stage::new(ChallengeType::HTTP_01, "198.8.8.8").probe();
    let Step::Fetch(_, foreign) = other.poll(now()) else {
        panic!()
    };
    // Same seed, same number, another kind: as good as an answer to the wrong question.
    let wrong = probe.answer(
        foreign,
        super::FetchOutcome::Failed(NetworkFailure::Closed),
        now(),
    );
    assert_eq!(wrong, Err(Misuse::WrongKind));
    let late = until;
    assert!(matches!(probe.poll(late), Step::Done(_)));
    assert_eq!(
        probe.answer(ticket, DnsOutcome::NoName, late),
        Err(Misuse::NotAwaited)
    );
    let (_, never_issued) = Tickets::new(99).issue::<Dns>();
    assert_eq!(
        probe.answer(never_issued, DnsOutcome::NoName, late),
        Err(Misuse::ForeignTicket)
    );
}

#[test]
fn an_attempt_that_is_over_when_it_begins_asks_nothing() {
    let mut stage = dns_01();
    stage.request.deadline = now();
    assert_eq!(stage.check("connection").asked, [""; 0]);
}

#[test]
fn answers_to_the_losing_question_come_too_late_for_anything() {
    // AAAA never comes; A does; then the body proves control, and AAAA's ticket is dead.
    let mut probe = Stage::new(ChallengeType::HTTP_01, "example.com").probe();
    let mut at = now();
    let Step::Dns(_, aaaa) = probe.poll(at) else {
        panic!()
    };
    let Step::Dns(_, a) = probe.poll(at) else {
        panic!()
    };
    let address = DnsRecord::A([198, 8, 8, 8].into());
    probe
        .answer(a, DnsOutcome::Records(vec![address]), at)
        .unwrap();
    let Step::Wait(until) = probe.poll(at) else {
        panic!()
    };
    at = until;
    let Step::Fetch(request, fetch) = probe.poll(at) else {
        panic!()
    };
    assert_eq!(request.path, PATH);
    assert_eq!(
        probe.answer(aaaa, DnsOutcome::NoRecords, at),
        Err(Misuse::NotAwaited)
    );
    probe
        .answer(fetch, response(200, KEY_AUTHORIZATION), at)
        .unwrap();
    assert!(matches!(probe.poll(at), Step::Dns(..)));
}
