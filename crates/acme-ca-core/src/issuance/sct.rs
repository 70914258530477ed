//! Signed certificate timestamps (RFC 6962 §3.2 and §3.3): their TLS encoding, and whether a
//! log's signature is over the precertificate that was sent to it.

use std::time::Duration;

use acme_crypto::{KeyKind, Provider, SignatureAlgorithm};
use acme_types::Timestamp;

use super::correspond::without_poison;
use super::log::Log;
use crate::job::LogId;

/// The longest extensions of an SCT that are taken: a tiled log's leaf index takes 8 bytes.
const EXTENSIONS_LEN_MAX: usize = 1_024;
/// The longest signature: RSA of 4096 bits.
const SIGNATURE_LEN_MAX: usize = 512;
/// The most SCTs of a list that are read: no certificate in the wild has more.
const LIST_COUNT_MAX: usize = 32;
/// How far a log's clock may be off from ours.
const CLOCK_SKEW: Duration = Duration::from_secs(300);
/// v1 (RFC 6962 §3.2).
const VERSION_1: u8 = 0;
/// `certificate_timestamp` (RFC 6962 §3.2).
const CERTIFICATE_TIMESTAMP: u8 = 0;
/// `precert_entry` (RFC 6962 §3.1).
const PRECERT_ENTRY: [u8; 2] = [0, 1];
/// `sha256` and `ecdsa`, `sha256` and `rsa` (RFC 5246 §7.4.1.4.1, RFC 6962 §2.1.4).
const SHA256_ECDSA: [u8; 2] = [4, 3];
const SHA256_RSA: [u8; 2] = [4, 1];

/// A log's promise to include a certificate (RFC 6962 §3.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sct {
    log: LogId,
    timestamp: u64,
    extensions: Vec<u8>,
    algorithm: [u8; 2],
    signature: Vec<u8>,
}

/// What is wrong with an SCT.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SctError {
    /// Not the encoding of RFC 6962 §3.2, a list of none, an empty entry, or something after it.
    #[error("not the encoding of an SCT or of a list of them")]
    Malformed,
    /// Not version 1.
    #[error("the SCT is not of version 1")]
    Version,
    /// Of another log than the one that was asked.
    #[error("the SCT is another log's")]
    OtherLog,
    /// An algorithm that isn't the log's key's.
    #[error("the SCT's algorithm does not fit the log's key")]
    Algorithm,
    /// From before the precertificate was there, or from the future.
    #[error("the SCT's time can't be")]
    Time,
    /// The signature isn't the log's over the precertificate.
    #[error("the SCT's signature does not verify")]
    Signature,
    /// Extensions, a signature or a list that is too long.
    #[error("the SCT is too long")]
    TooLong,
}

impl Sct {
    /// From the parts of a log's reply; `signed` is the encoding of `digitally-signed`.
    pub(crate) fn from_parts(
        log: LogId,
        timestamp: u64,
        extensions: Vec<u8>,
        signed: &[u8],
    ) -> Result<Self, SctError> {
        let mut reader = Bytes(signed);
        let algorithm = reader.array()?;
        let signature = reader.vector()?.to_vec();
        reader.end()?;
        Self {
            log,
            timestamp,
            extensions,
            algorithm,
            signature,
        }
        .checked()
    }

    /// The id of the log that made it.
    pub fn log(&self) -> LogId {
        self.log
    }

    /// When.
    pub fn timestamp(&self) -> Timestamp {
        Timestamp::from_millis(self.timestamp)
    }

    /// Its extensions, as they are (a tiled log's hold the leaf's index).
    pub fn extensions(&self) -> &[u8] {
        &self.extensions
    }

    /// Its TLS encoding.
    pub fn encode(&self) -> Result<Vec<u8>, SctError> {
        let mut bytes = vec![VERSION_1];
        bytes.extend_from_slice(&self.log.0);
        bytes.extend_from_slice(&self.timestamp.to_be_bytes());
        put_vector(&mut bytes, &self.extensions)?;
        bytes.extend_from_slice(&self.algorithm);
        put_vector(&mut bytes, &self.signature)?;
        Ok(bytes)
    }

    /// Reads one; nothing may follow.
    ///
    /// # Errors
    /// [`SctError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SctError> {
        let mut reader = Bytes(bytes);
        if reader.array::<1>()? != [VERSION_1] {
            return Err(SctError::Version);
        }
        let log = LogId(reader.array()?);
        let timestamp = u64::from_be_bytes(reader.array()?);
        let extensions = reader.vector()?.to_vec();
        Self::from_parts(log, timestamp, extensions, reader.0)
    }

    /// Whether `log` made it over this precertificate of the issuer whose key has this hash, and
    /// not before `earliest`.
    ///
    /// # Errors
    /// [`SctError`]: then it is as if the log had not answered.
    pub(crate) fn verify(
        &self,
        log: &Log,
        issuer_key_hash: &[u8; 32],
        precertificate_tbs: &[u8],
        window: (Timestamp, Timestamp),
        provider: &dyn Provider,
    ) -> Result<(), SctError> {
        if self.log != log.id() {
            return Err(SctError::OtherLog);
        }
        let (earliest, now) = window;
        let at = self.timestamp();
        if at > now.after(CLOCK_SKEW) || at < earliest.before(CLOCK_SKEW) {
            return Err(SctError::Time);
        }
        let tbs = without_poison(precertificate_tbs).map_err(|_| SctError::Malformed)?;
        self.verify_entry(log, issuer_key_hash, &tbs, provider)
    }

    /// Whether `log` made it over this TBSCertificate, which has neither poison nor SCT list.
    pub(crate) fn verify_entry(
        &self,
        log: &Log,
        issuer_key_hash: &[u8; 32],
        tbs: &[u8],
        provider: &dyn Provider,
    ) -> Result<(), SctError> {
        let message = self.signed_message(issuer_key_hash, tbs)?;
        let algorithm = match (self.algorithm, log.key().kind()) {
            (SHA256_ECDSA, KeyKind::EcP256) => SignatureAlgorithm::Es256,
            (SHA256_RSA, KeyKind::Rsa) => SignatureAlgorithm::Rs256,
            _ => return Err(SctError::Algorithm),
        };
        let signature = acme_crypto::fixed_signature_from_x509(algorithm, &self.signature)
            .map_err(|_| SctError::Signature)?;
        provider
            .verify(algorithm, log.key(), &message, &signature)
            .map_err(|_| SctError::Signature)
    }

    /// What a log signs (RFC 6962 §3.2).
    fn signed_message(&self, issuer_key_hash: &[u8; 32], tbs: &[u8]) -> Result<Vec<u8>, SctError> {
        let mut message = vec![VERSION_1, CERTIFICATE_TIMESTAMP];
        message.extend_from_slice(&self.timestamp.to_be_bytes());
        message.extend_from_slice(&PRECERT_ENTRY);
        message.extend_from_slice(issuer_key_hash);
        let length = u32::try_from(tbs.len())
            .map_err(|_| SctError::TooLong)?
            .to_be_bytes();
        let [0, length @ ..] = length else {
            return Err(SctError::TooLong);
        };
        message.extend_from_slice(&length);
        message.extend_from_slice(tbs);
        put_vector(&mut message, &self.extensions)?;
        Ok(message)
    }

    fn checked(self) -> Result<Self, SctError> {
        if self.extensions.len() > EXTENSIONS_LEN_MAX || self.signature.len() > SIGNATURE_LEN_MAX {
            return Err(SctError::TooLong);
        }
        if self.signature.is_empty() {
            Err(SctError::Malformed)
        } else {
            Ok(self)
        }
    }
}

/// `SignedCertificateTimestampList` (RFC 6962 §3.3).
pub(crate) fn encode_list(scts: &[&Sct]) -> Result<Vec<u8>, SctError> {
    if scts.is_empty() {
        return Err(SctError::Malformed);
    }
    let mut entries = Vec::new();
    for sct in scts {
        put_vector(&mut entries, &sct.encode()?)?;
    }
    let mut list = Vec::with_capacity(entries.len().saturating_add(2));
    put_vector(&mut list, &entries)?;
    Ok(list)
}

/// Reads a `SignedCertificateTimestampList`: at least one, none of them empty.
pub(crate) fn parse_list(bytes: &[u8]) -> Result<Vec<Sct>, SctError> {
    let mut reader = Bytes(bytes);
    let mut entries = Bytes(reader.vector()?);
    reader.end()?;
    let mut scts = Vec::new();
    while !entries.0.is_empty() {
        if scts.len() >= LIST_COUNT_MAX {
            return Err(SctError::TooLong);
        }
        scts.push(Sct::parse(entries.vector()?)?);
    }
    if scts.is_empty() {
        Err(SctError::Malformed)
    } else {
        Ok(scts)
    }
}

/// `opaque <0..2^16-1>` (RFC 5246 §4.3).
fn put_vector(bytes: &mut Vec<u8>, vector: &[u8]) -> Result<(), SctError> {
    let length = u16::try_from(vector.len()).map_err(|_| SctError::TooLong)?;
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(vector);
    Ok(())
}

/// Reads the TLS presentation language (RFC 5246 §4).
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], SctError> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(SctError::Malformed)?;
        self.0 = tail;
        Ok(*head)
    }

    fn vector(&mut self) -> Result<&'a [u8], SctError> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        let (vector, rest) = self.0.split_at_checked(length).ok_or(SctError::Malformed)?;
        self.0 = rest;
        Ok(vector)
    }

    fn end(&self) -> Result<(), SctError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(SctError::Malformed)
        }
    }
}
