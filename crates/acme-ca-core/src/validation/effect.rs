//! What a probe asks of the world. Every request names the exact address: which addresses may be
//! contacted is decided in the core, after every DNS answer and every redirect.

use std::net::{Ipv4Addr, Ipv6Addr};

use acme_types::Timestamp;

use super::Target;

/// One question to the perspective's own resolver, which follows aliases and caches nothing
/// between attempts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsQuestion {
    /// The name, A-labels, without the final dot.
    pub name: String,
    /// Which records.
    pub kind: RecordKind,
    /// Without an answer by then, [`DnsOutcome::TimedOut`].
    pub deadline: Timestamp,
}

/// The record types that validation needs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the names of the record types")]
pub enum RecordKind {
    A,
    Aaaa,
    Txt,
    Caa,
}

/// What came of a DNS question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DnsOutcome {
    /// NOERROR with the records of the kind asked for, at the end of the aliases. Never empty.
    Records(Vec<DnsRecord>),
    /// NOERROR, the name has no such records.
    NoRecords,
    /// NXDOMAIN.
    NoName,
    /// The resolver answered with this RCODE, SERVFAIL and REFUSED among them, or DNSSEC failed.
    Refused(u16),
    /// No answer by the deadline, over UDP or TCP.
    TimedOut,
    /// An answer that can't be used: malformed, truncated, over a limit, an alias loop.
    Unusable,
}

/// A record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DnsRecord {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The character-strings of one TXT record, concatenated.
    Txt(Vec<u8>),
    /// A CAA record (RFC 8659 §4.1), its parts as received.
    Caa {
        /// Flags.
        flags: u8,
        /// Tag.
        tag: Vec<u8>,
        /// Value.
        value: Vec<u8>,
    },
}

/// One HTTP/1.1 GET, no redirect followed, no proxy, no connection reused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FetchRequest {
    /// Where to connect, exactly.
    pub target: Target,
    /// With TLS (≥ 1.2, the certificate not verified) and this server name, or plain. An address
    /// as the server name means no server name indication (RFC 6066 §3).
    pub tls: Option<String>,
    /// The Host header: name or bracketed address, with the port if it isn't the scheme's.
    pub host: String,
    /// Path and query.
    pub path: String,
    /// At most so many bytes of the body are read; one more is enough to know it is longer.
    pub body_max: usize,
    /// Without a connection by then, [`FetchOutcome::NotConnected`].
    pub connect_by: Timestamp,
    /// Without a whole response by then, [`NetworkFailure::TimedOut`].
    pub deadline: Timestamp,
}

/// What came of an HTTP request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FetchOutcome {
    /// A response.
    Response {
        /// The status.
        status: u16,
        /// All Location headers, as received.
        locations: Vec<Vec<u8>>,
        /// The body, cut at `body_max` + 1 bytes.
        body: Vec<u8>,
    },
    /// No connection was made: the one case in which another address may be tried.
    NotConnected(NetworkFailure),
    /// A connection, but no usable response.
    Failed(NetworkFailure),
}

/// One TLS handshake for tls-alpn-01 (RFC 8737 §3): TLS ≥ 1.2, ALPN exactly `acme-tls/1`, this
/// server name, the certificate taken as it comes, then close.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HandshakeRequest {
    /// Where to connect, exactly.
    pub target: Target,
    /// The server name indication.
    pub server_name: String,
    /// Without a connection by then, [`HandshakeOutcome::NotConnected`].
    pub connect_by: Timestamp,
    /// Without a handshake by then, [`NetworkFailure::TimedOut`].
    pub deadline: Timestamp,
}

/// What came of a TLS handshake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HandshakeOutcome {
    /// It completed.
    Completed {
        /// The protocol that the server chose.
        alpn: Option<Vec<u8>>,
        /// The certificates that the server sent, DER, its own first.
        certificates: Vec<Vec<u8>>,
    },
    /// No connection was made: the one case in which another address may be tried.
    NotConnected(NetworkFailure),
    /// A connection, but no handshake.
    Failed(NetworkFailure),
}

/// Why the network didn't answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NetworkFailure {
    /// The connection was refused.
    Refused,
    /// The deadline passed.
    TimedOut,
    /// The peer reset or closed the connection.
    Closed,
    /// No route, no such network.
    Unreachable,
    /// What came is not the protocol: not HTTP/1, or over a limit.
    Protocol,
    /// The TLS handshake failed, with the peer's alert if it sent one.
    Tls(Option<u8>),
}
