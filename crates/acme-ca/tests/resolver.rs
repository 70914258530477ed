//! The stub resolver against a DNS server that answers, lies, is silent and talks rubbish.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use acme_ca::network::Source;
use acme_ca::resolver::Resolver;
use acme_ca_core::validation::{DnsOutcome, DnsQuestion, DnsRecord, RecordKind};
use acme_testkit::dns::{Dns, Fault, Record, RecordType, Transport};
use acme_types::Timestamp;

const NAME: &str = "example.com";

fn soon(millis: u64) -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(u64::try_from(now.as_millis()).unwrap() + millis)
}

struct Asking {
    dns: Dns,
    resolver: Resolver,
}

impl Asking {
    async fn start() -> Self {
        let dns = Dns::start().await.unwrap();
        dns.add_zone(NAME);
        let resolver = Resolver::new(vec![dns.address()], Source::default());
        Self { dns, resolver }
    }

    async fn ask(&self, name: &str, kind: RecordKind) -> DnsOutcome {
        self.ask_for(name, kind, 4_000).await
    }

    async fn ask_for(&self, name: &str, kind: RecordKind, millis: u64) -> DnsOutcome {
        let deadline = soon(millis);
        self.resolver
            .ask(DnsQuestion {
                name: name.to_owned(),
                kind,
                deadline,
            })
            .await
    }
}

#[tokio::test]
async fn records_of_every_kind_come_as_they_are() {
    let asking = Asking::start().await;
    let v4 = Ipv4Addr::new(192, 0, 2, 7);
    asking.dns.add(NAME, Record::A(v4));
    asking
        .dns
        .add(NAME, Record::Aaaa("2001:db8::7".parse().unwrap()));
    asking.dns.add(
        NAME,
        Record::TxtStrings(vec![b"one ".to_vec(), vec![0xff], b" two".to_vec()]),
    );
    asking
        .dns
        .add(NAME, Record::caa("issue", "ca.example; a=b"));
    // Critical, and with bits that nobody has given a meaning yet.
    asking.dns.add(
        NAME,
        Record::Raw(RecordType(257), b"\xc1\x03Odd\xfe".to_vec()),
    );
    let records = |records: Vec<DnsRecord>| DnsOutcome::Records(records);
    assert_eq!(
        asking.ask(NAME, RecordKind::A).await,
        records(vec![DnsRecord::A(v4)])
    );
    let v6 = DnsRecord::Aaaa("2001:db8::7".parse().unwrap());
    assert_eq!(
        asking.ask("EXAMPLE.com", RecordKind::Aaaa).await,
        records(vec![v6])
    );
    let text = DnsRecord::Txt(b"one \xff two".to_vec());
    assert_eq!(asking.ask(NAME, RecordKind::Txt).await, records(vec![text]));
    let DnsOutcome::Records(caa) = asking.ask(NAME, RecordKind::Caa).await else {
        panic!()
    };
    let known = DnsRecord::Caa {
        flags: 0,
        tag: b"issue".to_vec(),
        value: b"ca.example; a=b".to_vec(),
    };
    let DnsRecord::Caa { flags, value, .. } = caa.iter().find(|one| **one != known).unwrap() else {
        panic!()
    };
    assert!(caa.contains(&known));
    assert_eq!((*flags, value.as_slice()), (0xc1, &b"\xfe"[..]));
}

#[tokio::test]
async fn absence_has_two_forms_and_refusal_its_codes() {
    let asking = Asking::start().await;
    asking.dns.add(NAME, Record::txt("x"));
    let asked = async |name: &str| asking.ask(name, RecordKind::A).await;
    assert_eq!(asked(NAME).await, DnsOutcome::NoRecords);
    assert_eq!(asked("none.example.com").await, DnsOutcome::NoName);
    for (fault, outcome) in [
        (Fault::ServFail, DnsOutcome::Refused(2)),
        (Fault::Refused, DnsOutcome::Refused(5)),
        (Fault::NxDomain, DnsOutcome::NoName),
    ] {
        asking.dns.fault(NAME, None, fault);
        assert_eq!(asked(NAME).await, outcome);
        asking.dns.heal(NAME);
    }
}

#[tokio::test]
async fn aliases_are_followed_to_their_end_and_not_in_circles() {
    let asking = Asking::start().await;
    let v4 = Ipv4Addr::new(192, 0, 2, 7);
    let alias = |name: &str, to: &str| asking.dns.add(name, Record::Cname(to.to_owned()));
    alias("a.example.com", "b.example.com");
    alias("b.example.com", "c.example.com");
    asking.dns.add("c.example.com", Record::A(v4));
    alias("round.example.com", "and.example.com");
    alias("and.example.com", "round.example.com");
    alias("dead.example.com", "end.example.com");
    asking.dns.add("end.example.com", Record::txt("no address"));
    let asked = async |name: &str| asking.ask(name, RecordKind::A).await;
    assert_eq!(
        asked("a.example.com").await,
        DnsOutcome::Records(vec![DnsRecord::A(v4)])
    );
    assert_eq!(asked("round.example.com").await, DnsOutcome::Unusable);
    assert_eq!(asked("dead.example.com").await, DnsOutcome::NoRecords);
}

#[tokio::test]
async fn a_truncated_answer_is_asked_for_over_tcp() {
    let asking = Asking::start().await;
    let text = "x".repeat(250);
    (0..40).for_each(|n| asking.dns.add(NAME, Record::txt(format!("{text}{n}"))));
    let DnsOutcome::Records(records) = asking.ask(NAME, RecordKind::Txt).await else {
        panic!()
    };
    assert_eq!(records.len(), 40);
    let transports: Vec<_> = asking
        .dns
        .queries()
        .iter()
        .map(|query| query.transport)
        .collect();
    assert_eq!(transports, [Transport::Udp, Transport::Tcp]);
}

#[tokio::test]
async fn what_is_not_the_answer_is_passed_over() {
    let asking = Asking::start().await;
    asking.dns.add(NAME, Record::A(Ipv4Addr::LOCALHOST));
    for fault in [Fault::WrongId, Fault::WrongName] {
        asking.dns.fault(NAME, None, fault);
        let outcome = asking.ask_for(NAME, RecordKind::A, 300).await;
        assert_eq!(outcome, DnsOutcome::TimedOut, "{fault:?}");
        asking.dns.heal(NAME);
    }
    asking.dns.fault(NAME, None, Fault::Garbage);
    let outcome = asking.ask_for(NAME, RecordKind::A, 300).await;
    assert!(
        matches!(outcome, DnsOutcome::TimedOut | DnsOutcome::Unusable),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_lost_packet_is_sent_again_and_silence_ends_at_the_deadline() {
    let asking = Asking::start().await;
    asking.dns.add(NAME, Record::A(Ipv4Addr::LOCALHOST));
    asking.dns.fault_times(NAME, None, Fault::Silence, 1);
    let found = DnsOutcome::Records(vec![DnsRecord::A(Ipv4Addr::LOCALHOST)]);
    assert_eq!(asking.ask(NAME, RecordKind::A).await, found);
    asking.dns.fault(NAME, None, Fault::Silence);
    let began = Instant::now();
    assert_eq!(
        asking.ask_for(NAME, RecordKind::A, 300).await,
        DnsOutcome::TimedOut
    );
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_server_that_is_not_there_leaves_the_question_to_the_next() {
    let asking = Asking::start().await;
    asking.dns.add(NAME, Record::A(Ipv4Addr::LOCALHOST));
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let servers = vec![nobody, asking.dns.address()];
    let resolver = Resolver::new(servers, Source::default());
    let question = DnsQuestion {
        name: NAME.to_owned(),
        kind: RecordKind::A,
        deadline: soon(4_000),
    };
    let found = DnsOutcome::Records(vec![DnsRecord::A(Ipv4Addr::LOCALHOST)]);
    assert_eq!(resolver.ask(question.clone()).await, found);
    let alone = Resolver::new(Vec::new(), Source::default());
    assert_eq!(alone.ask(question).await, DnsOutcome::TimedOut);
}

#[tokio::test]
async fn a_question_comes_from_the_perspective_s_own_address() {
    let asking = Asking::start().await;
    let address: IpAddr = "127.0.0.77".parse().unwrap();
    asking
        .dns
        .seen_from(address)
        .add(NAME, Record::txt("for you alone"));
    let resolver = Resolver::new(vec![asking.dns.address()], Source::from(address));
    let question = DnsQuestion {
        name: NAME.to_owned(),
        kind: RecordKind::Txt,
        deadline: soon(4_000),
    };
    let found = DnsOutcome::Records(vec![DnsRecord::Txt(b"for you alone".to_vec())]);
    assert_eq!(resolver.ask(question).await, found);
    assert_eq!(
        asking.ask(NAME, RecordKind::Txt).await,
        DnsOutcome::NoRecords
    );
}
