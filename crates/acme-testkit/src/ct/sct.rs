//! The log's promise (RFC 6962 §3.2 and §3.3).

use acme_crypto::{Provider, PublicKey};
use acme_types::Timestamp;

use super::digitally_signed::{DigitallySigned, SignatureError};
use super::entry::{LogEntry, TimestampedEntry, VERSION};
use super::tls_encoding::{EncodingError, Reader, put_vector16};

/// `SignatureType.certificate_timestamp`.
const CERTIFICATE_TIMESTAMP: u8 = 0;

/// SHA-256 of a log's SubjectPublicKeyInfo (RFC 6962 §3.2).
pub type LogId = [u8; 32];

/// A `SignedCertificateTimestamp`, version 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCertificateTimestamp {
    /// Which log.
    pub log_id: LogId,
    /// When.
    pub timestamp: Timestamp,
    /// Empty, with all logs that follow RFC 6962 to the letter.
    pub extensions: Vec<u8>,
    /// Over all this and the entry.
    pub signature: DigitallySigned,
}

impl SignedCertificateTimestamp {
    /// What the log signs for this entry.
    ///
    /// # Errors
    /// When a part is longer than its bounds.
    pub fn message(
        timestamp: Timestamp,
        entry: &LogEntry,
        extensions: &[u8],
    ) -> Result<Vec<u8>, EncodingError> {
        let mut output = vec![VERSION, CERTIFICATE_TIMESTAMP];
        output.extend_from_slice(&timestamp.as_millis().to_be_bytes());
        entry.put(&mut output)?;
        put_vector16(&mut output, extensions)?;
        Ok(output)
    }

    /// Checks that the log with this key promised this entry. Whether the time is plausible is
    /// the caller's question.
    ///
    /// # Errors
    /// When the log id isn't the key's, or the signature isn't over this entry.
    pub fn verify(
        &self,
        provider: &dyn Provider,
        key: &PublicKey,
        entry: &LogEntry,
    ) -> Result<(), SignatureError> {
        if provider.sha256(&key.to_spki_der()) != self.log_id {
            return Err(SignatureError::LogId);
        }
        let message = Self::message(self.timestamp, entry, &self.extensions);
        self.signature
            .verify(provider, key, &message.map_err(SignatureError::Encoding)?)
    }

    /// The leaf that the log has to show for this promise.
    pub fn leaf(&self, entry: LogEntry) -> TimestampedEntry {
        let extensions = self.extensions.clone();
        TimestampedEntry {
            timestamp: self.timestamp,
            entry,
            extensions,
        }
    }

    /// Its bytes: one `SerializedSCT`.
    ///
    /// # Errors
    /// When a part is longer than its bounds.
    pub fn encode(&self) -> Result<Vec<u8>, EncodingError> {
        let mut output = vec![VERSION];
        output.extend_from_slice(&self.log_id);
        output.extend_from_slice(&self.timestamp.as_millis().to_be_bytes());
        put_vector16(&mut output, &self.extensions)?;
        output.extend_from_slice(&self.signature.encode()?);
        Ok(output)
    }

    /// Reads the whole of `bytes`.
    ///
    /// # Errors
    /// [`EncodingError::Unknown`] for other versions; otherwise the bytes are no such structure.
    pub fn decode(bytes: &[u8]) -> Result<SignedCertificateTimestamp, EncodingError> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != VERSION {
            return Err(EncodingError::Unknown);
        }
        let sct = SignedCertificateTimestamp {
            log_id: reader.array()?,
            timestamp: Timestamp::from_millis(reader.u64()?),
            extensions: reader.vector16()?.to_vec(),
            signature: DigitallySigned::read(&mut reader)?,
        };
        reader.end()?;
        Ok(sct)
    }
}

/// `SignedCertificateTimestampList` (RFC 6962 §3.3): what the OCTET STRING in the certificate's
/// extension has. Each item is one serialized SCT.
///
/// # Errors
/// When the list or an item is empty or longer than 65535 bytes.
pub fn encode_sct_list(serialized: &[Vec<u8>]) -> Result<Vec<u8>, EncodingError> {
    let mut list = Vec::new();
    for sct in serialized {
        if sct.is_empty() {
            return Err(EncodingError::Bounds);
        }
        put_vector16(&mut list, sct)?;
    }
    if list.is_empty() {
        return Err(EncodingError::Bounds);
    }
    let mut output = Vec::new();
    put_vector16(&mut output, &list)?;
    Ok(output)
}

/// The way back: the serialized SCTs, which may be of versions that aren't known here.
///
/// # Errors
/// When the bytes are no such list, or the list or an item is empty.
pub fn decode_sct_list(bytes: &[u8]) -> Result<Vec<Vec<u8>>, EncodingError> {
    let mut reader = Reader::new(bytes);
    let mut list = Reader::new(reader.vector16()?);
    reader.end()?;
    let mut scts = Vec::new();
    while !list.is_empty() {
        let sct = list.vector16()?;
        if sct.is_empty() {
            return Err(EncodingError::Bounds);
        }
        scts.push(sct.to_vec());
    }
    if scts.is_empty() {
        Err(EncodingError::Bounds)
    } else {
        Ok(scts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_what_it_does_not_understand() {
        let scts = vec![vec![9, 9, 9], vec![0]];
        let list = encode_sct_list(&scts).unwrap();
        assert_eq!(list, [0, 8, 0, 3, 9, 9, 9, 0, 1, 0]);
        assert_eq!(decode_sct_list(&list), Ok(scts));
        assert_eq!(
            SignedCertificateTimestamp::decode(&[9, 9, 9]),
            Err(EncodingError::Unknown)
        );
        assert_eq!(
            SignedCertificateTimestamp::decode(&[0]),
            Err(EncodingError::CutOff)
        );
    }

    #[test]
    fn empty_cut_and_overlong_lists_are_refused() {
        for (bytes, error) in [
            (&[][..], EncodingError::CutOff),
            (&[0, 0], EncodingError::Bounds),
            (&[0, 2, 0, 0], EncodingError::Bounds),
            (&[0, 3, 0, 1], EncodingError::CutOff),
            (&[0, 3, 0, 2, 7], EncodingError::CutOff),
            (&[0, 3, 0, 1, 7, 7], EncodingError::Trailing),
        ] {
            assert_eq!(decode_sct_list(bytes), Err(error), "{bytes:?}");
        }
        assert_eq!(encode_sct_list(&[]), Err(EncodingError::Bounds));
        assert_eq!(encode_sct_list(&[vec![]]), Err(EncodingError::Bounds));
        assert_eq!(
            encode_sct_list(&[vec![0; 65_536]]),
            Err(EncodingError::Bounds)
        );
        assert_eq!(
            encode_sct_list(&[vec![0; 40_000], vec![0; 40_000]]),
            Err(EncodingError::Bounds)
        );
    }
}
