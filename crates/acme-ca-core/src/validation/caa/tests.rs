use super::*;

const TWICE: &str = "accounturi=https://ca.example/acme/account/1; \
    accounturi=https://ca.example/acme/account/1";
const ACCOUNT: &str = "https://ca.example/acme/account/1";

fn record(flags: u8, tag: &str, value: &str) -> DnsRecord {
    DnsRecord::Caa {
        flags,
        tag: tag.into(),
        value: value.into(),
    }
}

fn decide(
    records: &[(u8, &str, &str)],
    wildcard: bool,
    method: ChallengeType,
) -> Result<(), CaaFault> {
    let records: Vec<DnsRecord> = records
        .iter()
        .map(|(flags, tag, value)| record(*flags, tag, value))
        .collect();
    let identities = ["ca.example", "other-name.example"].map(|name| DnsName::parse(name).unwrap());
    let account = Url::parse(ACCOUNT).unwrap();
    let request = CaaRequest {
        identities: &identities,
        wildcard,
        account: &account,
        method: &method,
    };
    permits(&records, &request)
}

const OK: Result<(), CaaFault> = Ok(());
const NOT_NAMED: Result<(), CaaFault> = Err(CaaFault::NotNamed);
const CONSTRAINED: Result<(), CaaFault> = Err(CaaFault::Constrained);

#[test]
fn an_issue_property_permits_whom_it_names() {
    let check = |value: &str, expected| {
        let records = [(0, "issue", value)];
        assert_eq!(
            decide(&records, false, ChallengeType::HTTP_01),
            expected,
            "{value:?}"
        );
        // Without issuewild, issue decides for wildcards as well.
        assert_eq!(
            decide(&records, true, ChallengeType::HTTP_01),
            expected,
            "{value:?}"
        );
    };
    check("ca.example", OK);
    check("CA.Example", OK);
    check(" \tca.example\t ", OK);
    check("ca.example;", OK);
    check("ca.example ; ", OK);
    check("other-name.example", OK);
    check("ca.example; account=230123", OK);
    check("ca.example; a=1 ; b-c = 2", OK);
    check("ca.example; a=", OK);
    check("ca.example; a==;b=1", OK);
    // H106, H107.
    for nobody in [
        "",
        ";",
        " ; ",
        "%%%%%",
        "ca.example.evil.com",
        "xca.example",
        "ca.example.",
        ".ca.example",
        "ca..example",
        "c\u{430}.example",
        "ca.example\0",
        "ca.example x",
        "-ca.example",
        "ca",
        "\"ca.example\"",
        "ca.example,",
        "ca example",
    ] {
        check(nobody, NOT_NAMED);
    }
    // H111: what doesn't match the grammar names nobody.
    for malformed in [
        "ca.example; a",
        "ca.example; =1",
        "ca.example; a=1;",
        "ca.example;; a=1",
        "ca.example; a=b c",
        "ca.example; a=\u{e9}",
        "ca.example; a=\u{1}",
        "ca.example; -a=1",
        "ca.example; a-=1",
        "ca.example; a b=1",
        "ca.example;;",
        "ca.example; a=1;;b=2",
    ] {
        check(malformed, NOT_NAMED);
    }
}

#[test]
fn the_examples_of_rfc_8659_are_decided_as_it_says() {
    let http = ChallengeType::HTTP_01;
    let check = |records: &[(u8, &str, &str)], name, wildcard| {
        assert_eq!(decide(records, false, http.clone()), name, "{records:?}");
        assert_eq!(decide(records, true, http.clone()), wildcard, "{records:?}");
    };
    check(
        &[
            (0, "issue", "ca.example"),
            (0, "issuewild", "ca2.example.org"),
        ],
        OK,
        NOT_NAMED,
    );
    check(
        &[
            (0, "issue", "ca1.example.net"),
            (0, "issuewild", "ca.example"),
        ],
        NOT_NAMED,
        OK,
    );
    check(
        &[(0, "issuewild", "ca.example"), (0, "issue", ";")],
        NOT_NAMED,
        OK,
    );
    check(&[(0, "issuewild", "ca2.example.org")], OK, NOT_NAMED);
    check(&[(0, "issuewild", ";")], OK, NOT_NAMED);
    // "the result of specifying both an empty issuer-domain-name and a non-empty … is the same as
    // specifying just the non-empty".
    check(&[(0, "issue", ";"), (0, "issue", "ca.example")], OK, OK);
    check(&[(0, "iodef", "mailto:security@example.com")], OK, OK);
    check(&[(0, "tbs", "Unknown")], OK, OK);
    let critical = Err(CaaFault::Critical);
    check(&[(128, "tbs", "Unknown")], critical, critical);
    check(
        &[(0, "issue", "ca.example"), (255, "tbs", "")],
        critical,
        critical,
    );
    // Reserved flags are ignored, and what is understood may be critical.
    check(&[(127, "tbs", "Unknown")], OK, OK);
    check(
        &[(128, "ISSUE", "ca.example"), (128, "IssueMail", ";")],
        OK,
        OK,
    );
}

#[test]
fn a_tag_that_is_none_is_doubt() {
    let long = "a".repeat(255);
    for tag in [
        "",
        "is-sue",
        "issue\0",
        "iss\u{fc}e",
        " issue",
        long.as_str(),
    ] {
        let records = [(0, "issue", "ca.example"), (0, tag, "ca.example")];
        let decided = decide(&records, false, ChallengeType::HTTP_01);
        assert_eq!(decided, Err(CaaFault::Malformed), "{tag:?}");
    }
    let account = Url::parse(ACCOUNT).unwrap();
    let method = ChallengeType::DNS_01;
    let request = CaaRequest {
        identities: &[],
        wildcard: false,
        account: &account,
        method: &method,
    };
    assert_eq!(
        permits(&[DnsRecord::Txt(vec![])], &request),
        Err(CaaFault::Malformed)
    );
}

#[test]
fn parameters_bind_to_account_and_method() {
    let check = |parameters: &str, expected| {
        let value = format!("ca.example; {parameters}");
        let decided = decide(&[(0, "issue", &value)], false, ChallengeType::DNS_01);
        assert_eq!(decided, expected, "{parameters}");
    };
    // H112, RFC 8657 §3.
    check("accounturi=https://ca.example/acme/account/1", OK);
    check("AccountURI = https://ca.example/acme/account/1", OK);
    for other in [
        "accounturi=https://ca.example/acme/account/2",
        "accounturi=https://ca.example/acme/account/1/",
        "accounturi=http://ca.example/acme/account/1",
        "accounturi=https://ca.example:443/acme/account/1",
        "accounturi=https://CA.example/acme/account/1",
        "accounturi=",
        "accounturi=1",
        TWICE,
    ] {
        check(other, CONSTRAINED);
    }
    // H113, RFC 8657 §4.
    check("validationmethods=dns-01", OK);
    check("validationmethods=http-01,dns-01", OK);
    check("validationmethods=ca-secret,dns-01", OK);
    for other in [
        "validationmethods=http-01",
        "validationmethods=",
        "validationmethods=dns-02",
        "validationmethods=DNS-01",
        "validationmethods=dns-01,",
        "validationmethods=,dns-01",
        "validationmethods=dns-01,a_b",
        "validationmethods=dns-01; validationmethods=dns-01",
        "validationmethods=dns-01; accounturi=https://ca.example/acme/account/2",
    ] {
        check(other, CONSTRAINED);
    }
    // One property of several is enough.
    let two = [
        (0, "issue", "ca.example; validationmethods=http-01"),
        (0, "issue", "ca.example"),
    ];
    assert_eq!(decide(&two, false, ChallengeType::DNS_01), OK);
}

#[test]
fn the_climb_goes_up_to_the_top_level() {
    let names = climb(&DnsName::parse("*.x.y.z").unwrap());
    let names: Vec<&str> = names.iter().map(DnsName::as_str).collect();
    assert_eq!(names, ["x.y.z", "y.z", "z"]);
}

#[test]
fn the_nearest_set_decides_and_a_failure_before_it_does_not_permit() {
    let set = DnsOutcome::Records(vec![record(0, "issue", "ca.example")]);
    let DnsOutcome::Records(records) = &set else {
        panic!()
    };
    let none = [None, Some(DnsOutcome::NoRecords), Some(DnsOutcome::NoName)];
    for empty in none.iter().skip(1) {
        let answers = [empty.clone(), Some(set.clone()), None];
        assert_eq!(relevant(&answers), Climb::Found(1, records));
        assert_eq!(
            relevant(&[empty.clone(), None, Some(set.clone())]),
            Climb::Waiting
        );
        assert_eq!(relevant(&[empty.clone(), empty.clone()]), Climb::Nothing);
    }
    // H116, H117, H119.
    let many = DnsOutcome::Records(vec![record(0, "iodef", "x"); CAA_RECORDS_MAX + 1]);
    let empty = DnsOutcome::Records(Vec::new());
    for failed in [
        DnsOutcome::Refused(2),
        DnsOutcome::TimedOut,
        DnsOutcome::Unusable,
        many,
        empty,
    ] {
        let nearer = [Some(failed.clone()), Some(set.clone())];
        assert_eq!(relevant(&nearer), Climb::Failed(0, &failed));
        let farther = [Some(set.clone()), Some(failed.clone())];
        assert_eq!(relevant(&farther), Climb::Found(0, records));
        let alone = [Some(DnsOutcome::NoName), Some(failed.clone())];
        assert_eq!(relevant(&alone), Climb::Failed(1, &failed));
    }
    assert_eq!(relevant(&[]), Climb::Nothing);
}
