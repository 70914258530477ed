//! The DNS server, asked by a plain socket and by a real stub resolver.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use acme_testkit::dns::{Dns, Fault, Record, RecordType, Transport};
use hickory_proto::op::{Edns, Message, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData};
use hickory_resolver::Resolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// Longer than any answer on loopback takes, short enough to wait for silence.
const PATIENCE: Duration = Duration::from_millis(300);
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn question(name: &str, record_type: RecordType) -> Message {
    let mut message = Message::query();
    message.add_query(Query::query(
        Name::from_ascii(name).unwrap(),
        record_type.0.into(),
    ));
    message
}

/// Sends bytes over UDP from this source, and waits a little for an answer.
async fn datagram(dns: &Dns, source: IpAddr, bytes: &[u8]) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind((source, 0)).await.unwrap();
    socket.send_to(bytes, dns.address()).await.unwrap();
    let mut buffer = [0; 4096];
    let received = tokio::time::timeout(PATIENCE, socket.recv_from(&mut buffer)).await;
    let (len, from) = received.ok()?.unwrap();
    assert_eq!(from, dns.address());
    Some(buffer[..len].to_vec())
}

async fn ask(dns: &Dns, name: &str, record_type: RecordType) -> Message {
    let bytes = question(name, record_type).to_vec().unwrap();
    Message::from_vec(&datagram(dns, LOCALHOST, &bytes).await.expect("an answer")).unwrap()
}

async fn ask_tcp(dns: &Dns, name: &str, record_type: RecordType) -> Message {
    let bytes = question(name, record_type).to_vec().unwrap();
    let mut stream = TcpStream::connect(dns.address()).await.unwrap();
    stream.write_u16(bytes.len() as u16).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    let mut answer = vec![0; stream.read_u16().await.unwrap() as usize];
    stream.read_exact(&mut answer).await.unwrap();
    Message::from_vec(&answer).unwrap()
}

fn resolver(dns: &Dns, source: IpAddr) -> Resolver<TokioRuntimeProvider> {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = dns.address().port();
        connection.bind_addr = Some(SocketAddr::new(source, 0));
        connection
    });
    let server = NameServerConfig::new(dns.address().ip(), true, connections.to_vec());
    let config = ResolverConfig::from_parts(None, vec![], vec![server]);
    let provider = TokioRuntimeProvider::default();
    let mut builder = Resolver::builder_with_config(config, provider);
    builder.options_mut().timeout = PATIENCE;
    builder.build().unwrap()
}

#[tokio::test]
async fn a_stub_resolver_reads_every_kind_of_record() {
    let dns = Dns::start().await.unwrap();
    let long = "x".repeat(300);
    dns.add("example.com", Record::A([127, 0, 0, 9].into()));
    dns.add("example.com", Record::Aaaa("::1".parse().unwrap()));
    dns.add("www.example.com", Record::Cname("example.com".into()));
    dns.add("_acme-challenge.example.com", Record::txt("first"));
    dns.add("_acme-challenge.example.com", Record::txt(&long));
    dns.add(
        "example.com",
        Record::caa("issue", "ca.example; validationmethods=dns-01"),
    );
    let resolver = resolver(&dns, LOCALHOST);
    let addresses: BTreeSet<IpAddr> = resolver
        .lookup_ip("www.example.com.")
        .await
        .unwrap()
        .iter()
        .collect();
    let first = *addresses.first().unwrap();
    assert!(first == IpAddr::from([127, 0, 0, 9]) || first == "::1".parse::<IpAddr>().unwrap());
    let texts = resolver
        .txt_lookup("_acme-challenge.example.com.")
        .await
        .unwrap();
    let texts: BTreeSet<Vec<u8>> = texts
        .answers()
        .iter()
        .map(|record| match &record.data {
            RData::TXT(txt) => txt.txt_data.concat(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        texts,
        BTreeSet::from([b"first".to_vec(), long.into_bytes()])
    );
    let caa = resolver
        .lookup("example.com.", 257u16.into())
        .await
        .unwrap();
    match &caa.answers()[0].data {
        RData::CAA(caa) => assert_eq!(caa.value, b"ca.example; validationmethods=dns-01"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn negative_answers_carry_the_soa_of_their_zone() {
    let dns = Dns::start().await.unwrap();
    dns.add_zone("example.com");
    dns.add("a.example.com", Record::A(Ipv4Addr::LOCALHOST));
    let cases = [
        ("a.example.com", ResponseCode::NoError, "example.com."),
        ("b.example.com", ResponseCode::NXDomain, "example.com."),
        ("example.com", ResponseCode::NoError, "example.com."),
        ("example.org", ResponseCode::NXDomain, "."),
    ];
    for (name, code, apex) in cases {
        let answer = ask(&dns, name, RecordType::TXT).await;
        assert_eq!(answer.metadata.response_code, code, "{name}");
        assert!(
            answer.metadata.authoritative && answer.answers.is_empty(),
            "{name}"
        );
        let [soa] = answer.authorities.as_slice() else {
            panic!("{name}: no SOA")
        };
        assert_eq!(
            (soa.name.to_ascii().as_str(), soa.record_type().into()),
            (apex, 6u16)
        );
    }
    let soa = ask(&dns, "example.com", RecordType::SOA).await;
    assert_eq!(soa.answers.len(), 1);
}

#[tokio::test]
async fn five_perspectives_are_seen_with_five_sources_and_can_be_told_apart() {
    let dns = Dns::start().await.unwrap();
    dns.add("example.com", Record::A([127, 0, 0, 9].into()));
    let liar = IpAddr::from([127, 0, 0, 4]);
    dns.seen_from(liar)
        .add("example.com", Record::A([127, 6, 6, 6].into()));
    let sources: BTreeSet<IpAddr> = (2..=6).map(|last| [127, 0, 0, last].into()).collect();
    for source in &sources {
        let addresses = resolver(&dns, *source)
            .ipv4_lookup("example.com.")
            .await
            .unwrap();
        let RData::A(address) = &addresses.answers()[0].data else {
            panic!("no A")
        };
        let expected: Ipv4Addr = if *source == liar {
            [127, 6, 6, 6].into()
        } else {
            [127, 0, 0, 9].into()
        };
        assert_eq!(address.0, expected);
    }
    assert_eq!(dns.sources("EXAMPLE.com."), sources);
    assert_eq!(dns.count("example.com", RecordType::A), 5);
    dns.forget_queries();
    assert_eq!(dns.queries(), []);
}

#[tokio::test]
async fn records_go_at_run_time_and_capitals_come_back_as_asked() {
    let dns = Dns::start().await.unwrap();
    let record = Record::A(Ipv4Addr::LOCALHOST);
    dns.add("Example.com.", record.clone());
    let answer = ask(&dns, "eXaMpLe.CoM", RecordType::A).await;
    assert_eq!(answer.answers[0].name.to_ascii(), "eXaMpLe.CoM.");
    assert_eq!(answer.answers[0].ttl, 0);
    assert!(dns.remove("example.com", &record));
    let answer = ask(&dns, "example.com", RecordType::A).await;
    assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
}

#[tokio::test]
async fn each_fault_is_what_it_says() {
    let dns = Dns::start().await.unwrap();
    let name = "example.com";
    dns.add(name, Record::A(Ipv4Addr::LOCALHOST));
    for (fault, code) in [
        (Fault::ServFail, ResponseCode::ServFail),
        (Fault::Refused, ResponseCode::Refused),
        (Fault::NxDomain, ResponseCode::NXDomain),
    ] {
        dns.fault(name, None, fault);
        let answer = ask(&dns, name, RecordType::A).await;
        assert_eq!(
            (answer.metadata.response_code, answer.answers.len()),
            (code, 0)
        );
    }
    let query = question(name, RecordType::A);
    let bytes = query.to_vec().unwrap();
    dns.fault(name, None, Fault::Silence);
    assert_eq!(datagram(&dns, LOCALHOST, &bytes).await, None);
    dns.fault(name, None, Fault::Garbage);
    let garbage = datagram(&dns, LOCALHOST, &bytes).await.unwrap();
    assert!(Message::from_vec(&garbage).is_err());
    dns.fault(name, None, Fault::WrongId);
    let spoofed = Message::from_vec(&datagram(&dns, LOCALHOST, &bytes).await.unwrap()).unwrap();
    assert_ne!(spoofed.metadata.id, query.metadata.id);
    dns.fault(name, None, Fault::WrongName);
    assert_ne!(ask(&dns, name, RecordType::A).await.queries, query.queries);
    let before = std::time::Instant::now();
    dns.fault(name, None, Fault::Delay(Duration::from_millis(60)));
    assert_eq!(ask(&dns, name, RecordType::A).await.answers.len(), 1);
    assert!(before.elapsed() >= Duration::from_millis(60));
    dns.heal(name);
    assert_eq!(ask(&dns, name, RecordType::A).await.answers.len(), 1);
}

#[tokio::test]
async fn what_is_truncated_over_udp_is_whole_over_tcp() {
    let dns = Dns::start().await.unwrap();
    dns.add("example.com", Record::A(Ipv4Addr::LOCALHOST));
    dns.fault("example.com", None, Fault::Truncate);
    for n in 0..20 {
        dns.add("big.example", Record::txt(format!("{n:0>60}")));
    }
    for (name, record_type, count) in [
        ("example.com", RecordType::A, 1),
        ("big.example", RecordType::TXT, 20),
    ] {
        let cut = ask(&dns, name, record_type).await;
        assert!(cut.metadata.truncation && cut.answers.is_empty(), "{name}");
        let whole = ask_tcp(&dns, name, record_type).await;
        assert!(!whole.metadata.truncation);
        assert_eq!(whole.answers.len(), count, "{name}");
    }
    let transports: Vec<Transport> = dns.queries().iter().map(|query| query.transport).collect();
    assert_eq!(
        transports,
        [
            Transport::Udp,
            Transport::Tcp,
            Transport::Udp,
            Transport::Tcp
        ]
    );
    // And a stub resolver finds its own way.
    let texts = resolver(&dns, LOCALHOST)
        .txt_lookup("big.example.")
        .await
        .unwrap();
    assert_eq!(texts.answers().len(), 20);
}

#[tokio::test]
async fn edns_is_answered_and_its_other_versions_are_refused() {
    let dns = Dns::start().await.unwrap();
    dns.add("example.com", Record::txt("x".repeat(700)));
    let mut query = question("example.com", RecordType::TXT);
    query.set_edns(Edns::new().set_max_payload(1232).clone());
    let bytes = datagram(&dns, LOCALHOST, &query.to_vec().unwrap())
        .await
        .unwrap();
    let answer = Message::from_vec(&bytes).unwrap();
    assert_eq!((answer.answers.len(), answer.edns.is_some()), (1, true));
    query.set_edns(Edns::new().set_version(1).clone());
    let bytes = datagram(&dns, LOCALHOST, &query.to_vec().unwrap())
        .await
        .unwrap();
    let answer = Message::from_vec(&bytes).unwrap();
    // BADVERS and BADSIG share the number (RFC 6895 §2.3).
    assert_eq!(u16::from(answer.metadata.response_code), 16);
}

#[tokio::test]
async fn what_is_no_question_is_refused_or_ignored() {
    let dns = Dns::start().await.unwrap();
    let mut update = question("example.com", RecordType::A);
    update.metadata.op_code = OpCode::Notify;
    let bytes = datagram(&dns, LOCALHOST, &update.to_vec().unwrap())
        .await
        .unwrap();
    let answer = Message::from_vec(&bytes).unwrap();
    assert_eq!(answer.metadata.response_code, ResponseCode::NotImp);
    let none = Message::query().to_vec().unwrap();
    let answer = Message::from_vec(&datagram(&dns, LOCALHOST, &none).await.unwrap()).unwrap();
    assert_eq!(answer.metadata.response_code, ResponseCode::FormErr);
    let mut cut = question("example.com", RecordType::A).to_vec().unwrap();
    cut.truncate(20);
    let answer = Message::from_vec(&datagram(&dns, LOCALHOST, &cut).await.unwrap()).unwrap();
    assert_eq!(answer.metadata.response_code, ResponseCode::FormErr);
    assert_eq!(datagram(&dns, LOCALHOST, b"short").await, None);
    let response = Message::response(7, OpCode::Query).to_vec().unwrap();
    assert_eq!(datagram(&dns, LOCALHOST, &response).await, None);
    assert_eq!(dns.queries(), []);
}

#[tokio::test]
async fn a_dropped_server_is_gone_and_its_address_is_free() {
    let dns = Dns::start_at("127.0.0.77:0".parse().unwrap())
        .await
        .unwrap();
    let address = dns.address();
    assert_eq!(address.ip(), IpAddr::from([127, 0, 0, 77]));
    assert!(TcpStream::connect(address).await.is_ok());
    drop(dns);
    // Aborted tasks end at their next turn.
    for _ in 0..100 {
        if TcpStream::connect(address).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("still there");
}
