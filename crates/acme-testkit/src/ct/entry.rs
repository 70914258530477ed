//! What a log keeps: entries, their leaves and their chains (RFC 6962 §3.1 and §3.4).

use acme_types::Timestamp;

use super::certificate::{self, CertificateError};
use super::tls_encoding::{EncodingError, Reader, put_vector16, put_vector24};
use crate::merkle::{self, Hash};

/// `Version.v1`.
pub(super) const VERSION: u8 = 0;
/// `MerkleLeafType.timestamped_entry`.
const TIMESTAMPED_ENTRY: u8 = 0;
/// `LogEntryType.x509_entry`.
const X509_ENTRY: u16 = 0;
/// `LogEntryType.precert_entry`.
const PRECERT_ENTRY: u16 = 1;

/// `signed_entry`: what a log signs and keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEntry {
    /// A certificate, DER.
    X509(Vec<u8>),
    /// What a precertificate and its final certificate share.
    Precert {
        /// SHA-256 of the issuer's SubjectPublicKeyInfo.
        issuer_key_hash: Hash,
        /// The TBSCertificate without poison and without SCTs, DER.
        tbs_certificate: Vec<u8>,
    },
}

impl LogEntry {
    /// The entry that this precertificate makes: its TBSCertificate without the poison.
    ///
    /// # Errors
    /// When one of them is no certificate, or the first has no poison.
    pub fn of_precertificate(
        precertificate: &[u8],
        issuer: &[u8],
    ) -> Result<LogEntry, CertificateError> {
        let tbs_certificate = certificate::tbs_without(precertificate, super::POISON)?;
        let issuer_key_hash = certificate::key_hash(issuer)?;
        Ok(LogEntry::Precert {
            issuer_key_hash,
            tbs_certificate,
        })
    }

    /// The entry that the precertificate of this final certificate made: its TBSCertificate
    /// without the list of SCTs (RFC 6962 §3.3).
    ///
    /// # Errors
    /// When one of them is no certificate, or the first has no SCTs.
    pub fn of_final_certificate(
        certificate: &[u8],
        issuer: &[u8],
    ) -> Result<LogEntry, CertificateError> {
        let tbs_certificate = certificate::tbs_without(certificate, super::SCT_LIST)?;
        let issuer_key_hash = certificate::key_hash(issuer)?;
        Ok(LogEntry::Precert {
            issuer_key_hash,
            tbs_certificate,
        })
    }

    /// Appends `entry_type` and `signed_entry`.
    pub(super) fn put(&self, output: &mut Vec<u8>) -> Result<(), EncodingError> {
        match self {
            LogEntry::X509(certificate) => {
                output.extend_from_slice(&X509_ENTRY.to_be_bytes());
                put_vector24(output, certificate)
            }
            LogEntry::Precert {
                issuer_key_hash,
                tbs_certificate,
            } => {
                output.extend_from_slice(&PRECERT_ENTRY.to_be_bytes());
                output.extend_from_slice(issuer_key_hash);
                put_vector24(output, tbs_certificate)
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<LogEntry, EncodingError> {
        match reader.u16()? {
            X509_ENTRY => Ok(LogEntry::X509(reader.vector24()?.to_vec())),
            PRECERT_ENTRY => Ok(LogEntry::Precert {
                issuer_key_hash: reader.array()?,
                tbs_certificate: reader.vector24()?.to_vec(),
            }),
            _ => Err(EncodingError::Unknown),
        }
    }
}

/// `MerkleTreeLeaf` (RFC 6962 §3.4), version 1: the input of a leaf's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestampedEntry {
    /// That of the SCT.
    pub timestamp: Timestamp,
    /// What was logged.
    pub entry: LogEntry,
    /// Those of the SCT.
    pub extensions: Vec<u8>,
}

impl TimestampedEntry {
    /// The bytes of the `MerkleTreeLeaf`: `leaf_input` of get-entries.
    ///
    /// # Errors
    /// When a part is longer than its bounds.
    pub fn encode(&self) -> Result<Vec<u8>, EncodingError> {
        let mut output = vec![VERSION, TIMESTAMPED_ENTRY];
        output.extend_from_slice(&self.timestamp.as_millis().to_be_bytes());
        self.entry.put(&mut output)?;
        put_vector16(&mut output, &self.extensions)?;
        Ok(output)
    }

    /// Reads a `MerkleTreeLeaf`.
    ///
    /// # Errors
    /// [`EncodingError::Unknown`] for other versions and types, which are opaque and no mistake
    /// (RFC 6962 §4.6).
    pub fn decode(bytes: &[u8]) -> Result<TimestampedEntry, EncodingError> {
        let mut reader = Reader::new(bytes);
        if (reader.u8()?, reader.u8()?) != (VERSION, TIMESTAMPED_ENTRY) {
            return Err(EncodingError::Unknown);
        }
        let timestamp = Timestamp::from_millis(reader.u64()?);
        let entry = LogEntry::read(&mut reader)?;
        let extensions = reader.vector16()?.to_vec();
        reader.end()?;
        Ok(TimestampedEntry {
            timestamp,
            entry,
            extensions,
        })
    }

    /// Its hash: what get-proof-by-hash asks for.
    ///
    /// # Errors
    /// As [`TimestampedEntry::encode`].
    pub fn leaf_hash(&self) -> Result<Hash, EncodingError> {
        Ok(merkle::leaf_hash(&self.encode()?))
    }
}

/// `extra_data` of get-entries (RFC 6962 §4.6): the chain that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Of a certificate: those above it, up to the root.
    X509(Vec<Vec<u8>>),
    /// Of a precertificate: itself, and those above it.
    Precert {
        /// As it was submitted, DER.
        precertificate: Vec<u8>,
        /// Those above it, up to the root.
        issuers: Vec<Vec<u8>>,
    },
}

impl Chain {
    /// Its bytes.
    ///
    /// # Errors
    /// When a part is longer than its bounds.
    pub fn encode(&self) -> Result<Vec<u8>, EncodingError> {
        let mut output = Vec::new();
        let issuers = match self {
            Chain::X509(issuers) => issuers,
            Chain::Precert {
                precertificate,
                issuers,
            } => {
                put_vector24(&mut output, precertificate)?;
                issuers
            }
        };
        let mut list = Vec::new();
        for issuer in issuers {
            put_vector24(&mut list, issuer)?;
        }
        put_vector24(&mut output, &list)?;
        Ok(output)
    }

    /// Reads the extra data of this entry.
    ///
    /// # Errors
    /// When the bytes are no such structure.
    pub fn decode(bytes: &[u8], entry: &LogEntry) -> Result<Chain, EncodingError> {
        let mut reader = Reader::new(bytes);
        let precertificate = match entry {
            LogEntry::X509(_) => None,
            LogEntry::Precert { .. } => Some(reader.vector24()?.to_vec()),
        };
        let mut list = Reader::new(reader.vector24()?);
        reader.end()?;
        let mut issuers = Vec::new();
        while !list.is_empty() {
            issuers.push(list.vector24()?.to_vec());
        }
        Ok(match precertificate {
            None => Chain::X509(issuers),
            Some(precertificate) => Chain::Precert {
                precertificate,
                issuers,
            },
        })
    }
}
