//! The messages of a log, and how their answers can be made to fail.

use std::collections::BTreeMap;
use std::time::Duration;

use acme_types::Timestamp;

/// A client's message (RFC 6962 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Message {
    /// §4.1.
    AddChain,
    /// §4.2.
    AddPreChain,
    /// §4.3.
    GetSth,
    /// §4.4.
    GetSthConsistency,
    /// §4.5.
    GetProofByHash,
    /// §4.6.
    GetEntries,
    /// §4.7.
    GetRoots,
    /// §4.8.
    GetEntryAndProof,
}

impl Message {
    /// All of them.
    pub const ALL: [Message; 8] = [
        Message::AddChain,
        Message::AddPreChain,
        Message::GetSth,
        Message::GetSthConsistency,
        Message::GetProofByHash,
        Message::GetEntries,
        Message::GetRoots,
        Message::GetEntryAndProof,
    ];

    /// The path below the log's URL.
    pub const fn path(self) -> &'static str {
        match self {
            Message::AddChain => "/ct/v1/add-chain",
            Message::AddPreChain => "/ct/v1/add-pre-chain",
            Message::GetSth => "/ct/v1/get-sth",
            Message::GetSthConsistency => "/ct/v1/get-sth-consistency",
            Message::GetProofByHash => "/ct/v1/get-proof-by-hash",
            Message::GetEntries => "/ct/v1/get-entries",
            Message::GetRoots => "/ct/v1/get-roots",
            Message::GetEntryAndProof => "/ct/v1/get-entry-and-proof",
        }
    }

    /// `POST` for the two that add, else `GET`.
    pub const fn method(self) -> &'static str {
        match self {
            Message::AddChain | Message::AddPreChain => "POST",
            _ => "GET",
        }
    }
}

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// This HTTP status, and nothing is done.
    Status(u16),
    /// The answer comes late.
    Delay(Duration),
    /// Everything is done, and no answer comes.
    Silence,
    /// SCTs and tree heads are signed over something else.
    WrongSignature,
    /// SCTs name another log.
    WrongLogId,
    /// SCTs have this time, and are signed and kept with it.
    At(Timestamp),
    /// 200 with a body that is no JSON.
    Garbage,
}

/// Which messages fail, and how often still.
#[derive(Debug, Default)]
pub(super) struct Faults(BTreeMap<Message, (Fault, Option<u32>)>);

impl Faults {
    pub(super) fn set(&mut self, message: Message, fault: Fault, times: Option<u32>) {
        self.0.insert(message, (fault, times));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that this message meets; one that is counted is used up by it.
    pub(super) fn take(&mut self, message: Message) -> Option<Fault> {
        let (fault, times) = self.0.get_mut(&message)?;
        if let Some(times) = times {
            *times = times.checked_sub(1)?;
        }
        Some(*fault)
    }
}
