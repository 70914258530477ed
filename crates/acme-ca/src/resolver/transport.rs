use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::Message;
use hickory_proto::rr::{Name, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::message;
use crate::network::Source;
use crate::random;

/// Longer than any good resolver needs for a name that it has to look up from the root; a lost
/// packet is asked again after it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Rounds over all servers; the question's deadline usually comes first.
const ROUNDS_MAX: usize = 5;
/// Answers to another question that are passed over before the socket is given up: a forger's.
const STRAYS_MAX: usize = 64;
/// The most that UDP can carry.
const DATAGRAM_LEN_MAX: usize = 65_535;

/// Why there is no answer.
pub(super) enum Failed {
    /// What came isn't DNS, or not an answer.
    Unusable,
    /// Nothing came.
    Unreachable,
}

/// What one try came to.
enum Tried {
    Answer(Message),
    Unusable,
    /// Nothing, or the network failed: the next server may know.
    Nothing,
}

/// The answer of the first server that gives one.
pub(super) async fn ask(
    servers: &[SocketAddr],
    source: Source,
    name: &Name,
    kind: RecordType,
) -> Result<Message, Failed> {
    for _ in 0..ROUNDS_MAX {
        for server in servers {
            match ask_once(*server, source, name, kind).await {
                Tried::Answer(message) => return Ok(message),
                Tried::Unusable => return Err(Failed::Unusable),
                Tried::Nothing => {}
            }
        }
    }
    Err(Failed::Unreachable)
}

async fn ask_once(server: SocketAddr, source: Source, name: &Name, kind: RecordType) -> Tried {
    let question = Question::new(name, kind);
    let Some(question) = question else {
        return Tried::Unusable;
    };
    match tried(timeout(PATIENCE, over_udp(server, source, &question)).await) {
        Tried::Answer(answer) if answer.metadata.truncation => {
            tried(timeout(PATIENCE, over_tcp(server, source, &question)).await)
        }
        other => other,
    }
}

fn tried(outcome: Result<io::Result<Option<Message>>, tokio::time::error::Elapsed>) -> Tried {
    match outcome {
        Ok(Ok(Some(message))) => Tried::Answer(message),
        Ok(Ok(None)) => Tried::Unusable,
        Ok(Err(_)) | Err(_) => Tried::Nothing,
    }
}

/// A question and how to know its answer. Every try has its own id, and its own port from the
/// system.
struct Question<'a> {
    id: u16,
    name: &'a Name,
    kind: RecordType,
    bytes: Vec<u8>,
}

impl<'a> Question<'a> {
    fn new(name: &'a Name, kind: RecordType) -> Option<Self> {
        let id = u16::from_be_bytes(random::bytes());
        let bytes = message::question(id, name, kind)?;
        Some(Self {
            id,
            name,
            kind,
            bytes,
        })
    }

    fn read(&self, bytes: &[u8]) -> Received {
        match Message::from_vec(bytes) {
            Ok(message) if message::answers(&message, self.id, self.name, self.kind) => {
                Received::Answer(Box::new(message))
            }
            // Ours by its id, but not to be read.
            Err(_) if bytes.starts_with(&self.id.to_be_bytes()) => Received::Unusable,
            Ok(_) | Err(_) => Received::Stray,
        }
    }
}

enum Received {
    Answer(Box<Message>),
    Unusable,
    Stray,
}

/// `Ok(None)`: an answer that can't be used.
async fn over_udp(
    server: SocketAddr,
    source: Source,
    question: &Question<'_>,
) -> io::Result<Option<Message>> {
    let socket = UdpSocket::bind(source.towards(server)).await?;
    // From now on the system drops what comes from anywhere else.
    socket.connect(server).await?;
    socket.send(&question.bytes).await?;
    let mut datagram = vec![0; DATAGRAM_LEN_MAX];
    for _ in 0..STRAYS_MAX {
        let len = socket.recv(&mut datagram).await?;
        match question.read(datagram.get(..len).unwrap_or_default()) {
            Received::Answer(message) => return Ok(Some(*message)),
            Received::Unusable => return Ok(None),
            // RFC 5452 §9.1: what doesn't match in all of it "MUST be ignored".
            Received::Stray => {}
        }
    }
    Ok(None)
}

/// RFC 7766: a message with its length before it.
async fn over_tcp(
    server: SocketAddr,
    source: Source,
    question: &Question<'_>,
) -> io::Result<Option<Message>> {
    let mut stream = source.connect(server).await?;
    let Ok(len) = u16::try_from(question.bytes.len()) else {
        return Ok(None);
    };
    let mut framed = len.to_be_bytes().to_vec();
    framed.extend_from_slice(&question.bytes);
    stream.write_all(&framed).await?;
    let len = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(len)];
    stream.read_exact(&mut answer).await?;
    Ok(match question.read(&answer) {
        Received::Answer(message) if !message.metadata.truncation => Some(*message),
        _ => None,
    })
}
