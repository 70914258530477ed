//! From a query's bytes to the reply's bytes.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{NS, SOA};
use hickory_proto::rr::{DNSClass, Name, RData, Record as WireRecord};

use super::record::{Record, RecordType, normal, wire_name};
use super::zone::{End, Fault, World};
use super::{QUERIES_MAX, Query, Shared, Transport};

/// Nothing may be cached: tests change records between two questions.
const TTL: u32 = 0;
/// What every client takes over UDP (RFC 1035 §2.3.4).
const UDP_LEN_CLASSIC: usize = 512;
/// What this server sends over UDP at most: the size that never fragments (DNS flag day 2020).
const UDP_LEN_MAX: usize = 1232;

/// What to send, and when.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// These bytes, after this time.
    Send(Vec<u8>, Duration),
    /// Nothing.
    Silence,
}

/// Remembers the query and answers it.
pub(super) fn reply(
    shared: &mut Shared,
    bytes: &[u8],
    source: SocketAddr,
    transport: Transport,
) -> Reply {
    let Ok(request) = Message::from_vec(bytes) else {
        return malformed(bytes);
    };
    // An answer to an answer makes two servers talk for ever.
    if request.metadata.message_type != MessageType::Query {
        return Reply::Silence;
    }
    let mut message = Message::response(request.metadata.id, request.metadata.op_code);
    message.metadata.recursion_desired = request.metadata.recursion_desired;
    message.add_queries(request.queries.iter().cloned());
    let mut len_max = UDP_LEN_CLASSIC;
    if let Some(edns) = &request.edns {
        len_max = usize::from(edns.max_payload()).clamp(UDP_LEN_CLASSIC, UDP_LEN_MAX);
        let mut ours = Edns::new();
        ours.set_max_payload(UDP_LEN_MAX as u16);
        message.set_edns(ours);
    }
    if transport == Transport::Tcp {
        len_max = usize::from(u16::MAX);
    }
    let question = match refusal(&request) {
        Some(code) => {
            message.metadata.response_code = code;
            return encode(&message, len_max);
        }
        None => request.queries.first(),
    };
    let Some(question) = question else {
        return Reply::Silence;
    };
    let query = Query {
        source,
        transport,
        name: normal(&question.name.to_ascii()),
        record_type: RecordType(question.query_type.into()),
    };
    remember(shared, query.clone());
    let fault = shared
        .world
        .take_fault(source.ip(), &query.name, query.record_type);
    answer(&shared.world, &query, &question.name, &mut message);
    spoil(fault, message, len_max, transport)
}

/// The header's id and FORMERR (RFC 1035 §4.1.1), if there was a header.
fn malformed(bytes: &[u8]) -> Reply {
    let [high, low, flags, ..] = bytes else {
        return Reply::Silence;
    };
    // The first bit of the flags: a response, which is never answered.
    if bytes.len() < 12 || flags & 0x80 != 0 {
        return Reply::Silence;
    }
    let id = u16::from_be_bytes([*high, *low]);
    let message = Message::error_msg(id, OpCode::Query, ResponseCode::FormErr);
    encode(&message, UDP_LEN_CLASSIC)
}

/// What this server answers to no question.
fn refusal(request: &Message) -> Option<ResponseCode> {
    if request.metadata.op_code != OpCode::Query {
        return Some(ResponseCode::NotImp);
    }
    // RFC 6891 §6.1.3.
    if request
        .edns
        .as_ref()
        .is_some_and(|edns| edns.version() != 0)
    {
        return Some(ResponseCode::BADVERS);
    }
    match request.queries.as_slice() {
        // RFC 9619: exactly one question.
        [question] if question.query_class == DNSClass::IN => None,
        [_] => Some(ResponseCode::Refused),
        _ => Some(ResponseCode::FormErr),
    }
}

fn remember(shared: &mut Shared, query: Query) {
    if shared.queries.len() < QUERIES_MAX {
        shared.queries.push(query);
    } else {
        shared.forgotten = shared.forgotten.saturating_add(1);
    }
}

/// Fills in the good answer. `asked` is the name with the capitals of the question (0x20).
fn answer(world: &World, query: &Query, asked: &Name, message: &mut Message) {
    message.metadata.authoritative = true;
    // Aliases are followed here, so stub resolvers may take this for a recursive server.
    message.metadata.recursion_available = true;
    let apex = world.apex(&query.name);
    if apex == query.name {
        let own = match query.record_type {
            RecordType::SOA => soa(&apex),
            RecordType::NS => ns(&apex),
            _ => None,
        };
        if let Some(own) = own {
            message.add_answer(own);
            return;
        }
    }
    let found = world.find(query.source.ip(), &query.name, query.record_type);
    let mut last = query.name.clone();
    for (owner, record) in found.answers {
        let name = if owner == query.name {
            Some(asked.clone())
        } else {
            wire_name(&owner)
        };
        let (Some(name), Some(data)) = (name, record.data()) else {
            message.answers.clear();
            message.metadata.response_code = ResponseCode::ServFail;
            return;
        };
        message.add_answer(WireRecord::from_rdata(name, TTL, data));
        last = match record {
            Record::Cname(target) => normal(&target),
            _ => owner,
        };
    }
    match found.end {
        End::Records => return,
        End::NoRecords => {}
        End::NoName => message.metadata.response_code = ResponseCode::NXDomain,
    }
    // RFC 2308 §3: the SOA of the zone makes a negative answer.
    if let Some(soa) = soa(&world.apex(&last)) {
        message.add_authority(soa);
    }
}

fn soa(apex: &str) -> Option<WireRecord> {
    let name = zone_name(apex)?;
    let server = name.prepend_label("ns").ok()?;
    let contact = name.prepend_label("hostmaster").ok()?;
    let soa = SOA::new(server, contact, 1, 3600, 600, 86_400, TTL);
    Some(WireRecord::from_rdata(name, TTL, RData::SOA(soa)))
}

fn ns(apex: &str) -> Option<WireRecord> {
    let name = zone_name(apex)?;
    let server = name.prepend_label("ns").ok()?;
    Some(WireRecord::from_rdata(name, TTL, RData::NS(NS(server))))
}

fn zone_name(apex: &str) -> Option<Name> {
    if apex.is_empty() {
        Some(Name::root())
    } else {
        wire_name(apex)
    }
}

/// Applies the fault to the good answer.
fn spoil(
    fault: Option<Fault>,
    mut message: Message,
    len_max: usize,
    transport: Transport,
) -> Reply {
    match fault {
        None => {}
        Some(Fault::ServFail) => empty(&mut message, ResponseCode::ServFail),
        Some(Fault::Refused) => empty(&mut message, ResponseCode::Refused),
        Some(Fault::NxDomain) => empty(&mut message, ResponseCode::NXDomain),
        Some(Fault::Silence) => return Reply::Silence,
        Some(Fault::Truncate) if transport == Transport::Udp => {
            empty(&mut message, ResponseCode::NoError);
            message.metadata.truncation = true;
        }
        Some(Fault::Truncate) => {}
        Some(Fault::Delay(delay)) => {
            return match encode(&message, len_max) {
                Reply::Send(bytes, _) => Reply::Send(bytes, delay),
                Reply::Silence => Reply::Silence,
            };
        }
        Some(Fault::WrongId) => message.metadata.id = !message.metadata.id,
        Some(Fault::WrongName) => {
            for query in &mut message.queries {
                query.name = other_name(&query.name);
            }
        }
        Some(Fault::Garbage) => return Reply::Send(vec![0xff; 7], Duration::ZERO),
    }
    encode(&message, len_max)
}

fn empty(message: &mut Message, code: ResponseCode) {
    message.answers.clear();
    message.authorities.clear();
    message.metadata.response_code = code;
}

fn other_name(name: &Name) -> Name {
    name.base_name()
        .prepend_label("not-what-was-asked")
        .unwrap_or_else(|_| Name::root())
}

/// The bytes; what is longer than allowed is cut to the question with the TC bit.
fn encode(message: &Message, len_max: usize) -> Reply {
    match message.to_vec() {
        Ok(bytes) if bytes.len() <= len_max => Reply::Send(bytes, Duration::ZERO),
        Ok(_) => match message.truncate().to_vec() {
            Ok(bytes) => Reply::Send(bytes, Duration::ZERO),
            Err(_) => Reply::Silence,
        },
        Err(_) => Reply::Silence,
    }
}
