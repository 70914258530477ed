use acme_crypto::Provider;
use acme_crypto::rustcrypto::RustCrypto;
use acme_types::Timestamp;

/// A hash chain over all that happened: the same seed gives the same hash, to the byte.
#[derive(Clone, Debug)]
pub struct Trace {
    hash: [u8; 32],
    events: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// An empty trace; with `keep`, its lines are kept for reading.
    pub fn new(keep: bool) -> Self {
        Self {
            hash: [0; 32],
            events: 0,
            lines: keep.then(Vec::new),
        }
    }

    /// Adds an event.
    pub fn push(&mut self, at: Timestamp, node: &str, event: &str) {
        let mut message = self.hash.to_vec();
        message.extend_from_slice(&at.as_millis().to_be_bytes());
        message.extend_from_slice(node.as_bytes());
        message.push(0);
        message.extend_from_slice(event.as_bytes());
        self.hash = RustCrypto.sha256(&message);
        self.events += 1;
        if let Some(lines) = &mut self.lines {
            lines.push(format!(
                "{:>9} {node:<9} {event}",
                at.as_millis() % 1_000_000_000
            ));
        }
    }

    /// The hash so far, in hexadecimal.
    pub fn hash(&self) -> String {
        self.hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// How many events.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The lines, if they were kept.
    pub fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }
}
