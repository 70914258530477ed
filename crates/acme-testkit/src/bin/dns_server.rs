//! The DNS server as a program, for scripts that drive other people's ACME clients:
//!
//! ```sh
//! cargo run -p acme-testkit --bin dns_server
//! # dns 127.0.0.1:35353
//! # control http://127.0.0.1:40404/
//! curl --data 'add example.com A 127.0.0.1' http://127.0.0.1:40404/
//! curl --data 'add _acme-challenge.example.com TXT gfj9Xq...Rg85nM' http://127.0.0.1:40404/
//! curl --data 'remove _acme-challenge.example.com TXT gfj9Xq...Rg85nM' http://127.0.0.1:40404/
//! curl --data 'fault example.com CAA servfail' http://127.0.0.1:40404/
//! curl --data 'heal example.com' http://127.0.0.1:40404/
//! ```
//!
//! A body has one command per line; if one can't be understood, the reply is 400 and says which,
//! and those before it are done. `GET /` lists the queries that came. It runs until it is killed.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::Arc;

use acme_testkit::dns::{Dns, Fault, Record, RecordType};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let dns = Arc::new(Dns::start().await?);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("dns {}", dns.address());
    println!("control http://{}/", listener.local_addr()?);
    let control = get(queries).post(commands);
    let app = axum::Router::new().route("/", control).with_state(dns);
    axum::serve(listener, app).await
}

async fn queries(State(dns): State<Arc<Dns>>) -> String {
    let mut text = String::new();
    for query in dns.queries() {
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "{} {:?} {} {}",
            query.source, query.transport, query.name, query.record_type.0
        );
    }
    text
}

async fn commands(State(dns): State<Arc<Dns>>, body: String) -> (StatusCode, String) {
    for line in body.lines().filter(|line| !line.trim().is_empty()) {
        if command(&dns, line).is_none() {
            return (StatusCode::BAD_REQUEST, format!("not understood: {line}\n"));
        }
    }
    (StatusCode::OK, "done\n".to_owned())
}

fn command(dns: &Dns, line: &str) -> Option<()> {
    let (verb, rest) = line.split_once(' ')?;
    let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    match verb {
        "add" => dns.add(name, record(rest)?),
        "remove" => {
            dns.remove(name, &record(rest)?);
        }
        "fault" => {
            let (kind, fault) = rest.split_once(' ')?;
            dns.fault(name, Some(record_type(kind)?), named_fault(fault)?);
        }
        "heal" => dns.heal(name),
        _ => return None,
    }
    Some(())
}

fn record(text: &str) -> Option<Record> {
    let (kind, value) = text.split_once(' ')?;
    Some(match kind {
        "A" => Record::A(value.parse().ok()?),
        "AAAA" => Record::Aaaa(value.parse().ok()?),
        "CNAME" => Record::Cname(value.to_owned()),
        "TXT" => Record::txt(value),
        "CAA" => {
            let (tag, value) = value.split_once(' ')?;
            Record::caa(tag, value)
        }
        _ => return None,
    })
}

fn record_type(text: &str) -> Option<RecordType> {
    Some(match text {
        "A" => RecordType::A,
        "AAAA" => RecordType::AAAA,
        "CNAME" => RecordType::CNAME,
        "TXT" => RecordType::TXT,
        "CAA" => RecordType::CAA,
        _ => return None,
    })
}

fn named_fault(text: &str) -> Option<Fault> {
    Some(match text {
        "servfail" => Fault::ServFail,
        "refused" => Fault::Refused,
        "nxdomain" => Fault::NxDomain,
        "silence" => Fault::Silence,
        "truncate" => Fault::Truncate,
        _ => return None,
    })
}
