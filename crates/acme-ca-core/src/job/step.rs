use acme_crypto::SignatureAlgorithm;
use acme_types::{Ticket, Timestamp, Url};

use crate::effect::{Load, Perspective, Save, Scan as ScanEffect, Sign, Submit};
use crate::schema::{Commit, JobId, Read, Scan, Version};
use crate::validation::{PerspectiveId, ProbeRequest};

/// What a job asks of the shell. Exhaustive: a shell that compiles handles everything.
#[derive(Debug)]
pub enum Step {
    /// Load these rows.
    Load(Vec<Read>, Ticket<Load>),
    /// Scan for keys.
    Scan(Scan, Ticket<ScanEffect>),
    /// Commit this.
    Commit(Commit, Ticket<Save>),
    /// Have this perspective run a probe.
    Probe(PerspectiveId, ProbeRequest, Ticket<Perspective>),
    /// Have the issuer of this name sign these bytes.
    Sign(String, SignatureAlgorithm, Vec<u8>, Ticket<Sign>),
    /// POST this JSON body to this URL of a log; at most the log's limit of the response is read.
    Submit(LogId, Url, Vec<u8>, Ticket<Submit>),
    /// This node may start the job of this version at once.
    Spawn(JobId, Version),
    /// Nothing is to be done before this; [`Timestamp::NEVER`]: the job has ended here.
    Wait(Timestamp),
}

/// A log's id: the SHA-256 of its key (RFC 6962 §3.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LogId(pub [u8; 32]);
