use acme_ca_core::validation::{DnsOutcome, DnsRecord, RecordKind};
use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

use super::ALIASES_MAX;

/// The largest answer over UDP that fits every path unfragmented, as resolvers have agreed since
/// 2020.
const UDP_PAYLOAD_MAX: u16 = 1_232;
/// Records of the kind asked for; a name that needs more of them has another problem.
const RECORDS_MAX: usize = 256;

/// What an answer comes to.
pub(super) enum Reading {
    Outcome(DnsOutcome),
    /// An alias whose target the answer says nothing about.
    Alias(Name),
}

/// The question as bytes.
pub(super) fn question(id: u16, name: &Name, kind: RecordType) -> Option<Vec<u8>> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name.clone(), kind));
    let mut edns = Edns::new();
    edns.set_max_payload(UDP_PAYLOAD_MAX).set_version(0);
    message.set_edns(edns);
    message.to_vec().ok()
}

/// Whether a message is the answer to this question, whatever it says.
pub(super) fn answers(message: &Message, id: u16, name: &Name, kind: RecordType) -> bool {
    let asked = |query: &Query| {
        query.query_class() == DNSClass::IN
            && query.query_type() == kind
            && query.name().eq_ignore_root(name)
    };
    message.metadata.id == id
        && message.metadata.message_type == MessageType::Response
        && message.metadata.op_code == OpCode::Query
        && matches!(message.queries.as_slice(), [query] if asked(query))
}

pub(super) fn record_type(kind: RecordKind) -> RecordType {
    match kind {
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
        RecordKind::Txt => RecordType::TXT,
        RecordKind::Caa => RecordType::CAA,
    }
}

/// What the answer says about the name, over the aliases that it gives.
pub(super) fn read(message: &Message, name: &Name, kind: RecordKind) -> Reading {
    match message.metadata.response_code {
        ResponseCode::NoError => {}
        ResponseCode::NXDomain => return Reading::Outcome(DnsOutcome::NoName),
        other => return Reading::Outcome(DnsOutcome::Refused(u16::from(other))),
    }
    let Some(end) = end_of_aliases(message, name) else {
        return Reading::Outcome(DnsOutcome::Unusable);
    };
    let wanted = record_type(kind);
    let mut records = Vec::new();
    for record in answers_for(message, &end).filter(|record| record.record_type() == wanted) {
        match read_record(&record.data) {
            Some(record) if records.len() < RECORDS_MAX => records.push(record),
            _ => return Reading::Outcome(DnsOutcome::Unusable),
        }
    }
    match (records.is_empty(), end.eq_ignore_root(name)) {
        (false, _) => Reading::Outcome(DnsOutcome::Records(records)),
        (true, true) => Reading::Outcome(DnsOutcome::NoRecords),
        (true, false) => Reading::Alias(end),
    }
}

/// The name at the end of the answer's aliases. `None`: a loop, or two targets for one name.
fn end_of_aliases(message: &Message, name: &Name) -> Option<Name> {
    let mut end = name.clone();
    for _ in 0..=ALIASES_MAX {
        let mut targets = answers_for(message, &end).filter_map(|record| match &record.data {
            RData::CNAME(target) => Some(&target.0),
            _ => None,
        });
        let target = match (targets.next(), targets.next()) {
            (None, _) => None,
            (Some(target), None) => Some(target.clone()),
            (Some(_), Some(_)) => return None,
        };
        drop(targets);
        match target {
            Some(target) => end = target,
            None => return Some(end),
        }
    }
    None
}

fn answers_for<'a>(message: &'a Message, name: &'a Name) -> impl Iterator<Item = &'a Record> {
    let ours =
        |record: &&Record| record.dns_class == DNSClass::IN && record.name.eq_ignore_root(name);
    message.answers.iter().filter(ours)
}

/// `None` for a record whose parts aren't those of its type.
fn read_record(data: &RData) -> Option<DnsRecord> {
    match data {
        RData::A(address) => Some(DnsRecord::A(address.0)),
        RData::AAAA(address) => Some(DnsRecord::Aaaa(address.0)),
        RData::TXT(text) => Some(DnsRecord::Txt(text.txt_data.concat())),
        RData::CAA(caa) => Some(DnsRecord::Caa {
            flags: u8::from(caa.issuer_critical) << 7 | caa.reserved_flags,
            tag: caa.tag.clone().into_bytes(),
            value: caa.value.clone(),
        }),
        _ => None,
    }
}
