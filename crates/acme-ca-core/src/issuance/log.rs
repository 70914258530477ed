use std::fmt;

use acme_crypto::{KeyKind, Provider, PublicKey};
use acme_types::{Timestamp, Url};

use crate::job::LogId;

/// The longest name of a log's operator.
pub const OPERATOR_LEN_MAX: usize = 200;

/// A Certificate Transparency log that certificates are submitted to (RFC 6962). Only logs whose
/// SCTs count where the certificates are to be trusted belong in a configuration: usable, not
/// retired, not read-only.
#[derive(Clone, PartialEq, Eq)]
pub struct Log {
    id: LogId,
    key: PublicKey,
    url: Url,
    submission: Url,
    operator: String,
    kind: LogKind,
    interval: Option<(Timestamp, Timestamp)>,
}

/// Which API a log has for readers; for submitters both are the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum LogKind {
    /// RFC 6962.
    Rfc6962,
    /// c2sp.org/static-ct-api.
    Tiled,
}

/// What is wrong with a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// RFC 6962 §2.1.4: ECDSA on P-256, or RSA of at least 2048 bits.
    #[error("the log's key is neither on P-256 nor RSA")]
    Key,
    /// No URL can be made of it.
    #[error("the log's URL is not one to submit to")]
    Url,
    /// Empty or too long.
    #[error("the log's operator is empty or too long")]
    Operator,
    /// It ends before it starts.
    #[error("the log's interval is empty")]
    Interval,
}

impl Log {
    /// A log from its key (SubjectPublicKeyInfo, DER), its submission prefix, its operator's
    /// name, and the interval of notAfter that it takes: from the first up to, not with, the
    /// second.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn new(
        spki: &[u8],
        url: Url,
        operator: &str,
        kind: LogKind,
        interval: Option<(Timestamp, Timestamp)>,
        provider: &dyn Provider,
    ) -> Result<Self, LogError> {
        let key = PublicKey::from_spki_der(spki).map_err(|_| LogError::Key)?;
        if !matches!(key.kind(), KeyKind::EcP256 | KeyKind::Rsa) {
            return Err(LogError::Key);
        }
        if operator.is_empty() || operator.len() > OPERATOR_LEN_MAX {
            return Err(LogError::Operator);
        }
        if interval.is_some_and(|(start, end)| end <= start) {
            return Err(LogError::Interval);
        }
        // RFC 6962 §4.2.
        let prefix = url.as_str().trim_end_matches('/');
        let submission =
            Url::parse(&format!("{prefix}/ct/v1/add-pre-chain")).map_err(|_| LogError::Url)?;
        let id = LogId(provider.sha256(spki));
        Ok(Self {
            id,
            key,
            url,
            submission,
            operator: operator.to_owned(),
            kind,
            interval,
        })
    }

    /// The SHA-256 of its key (RFC 6962 §3.2).
    pub fn id(&self) -> LogId {
        self.id
    }

    /// Its key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Its submission prefix.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Where precertificates are sent.
    pub fn submission_url(&self) -> &Url {
        &self.submission
    }

    /// Who runs it.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// Its API.
    pub fn kind(&self) -> LogKind {
        self.kind
    }

    /// Whether it takes certificates that end then.
    pub fn takes(&self, not_after: Timestamp) -> bool {
        self.interval
            .is_none_or(|(start, end)| (start..end).contains(&not_after))
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({}, {})", self.url, self.operator)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use acme_crypto::rustcrypto::RustCrypto;
    use acme_crypto::{KeyAlgorithm, KeyPair};

    pub(crate) fn log_key(seed: u8) -> Box<dyn KeyPair> {
        RustCrypto
            .generate(KeyAlgorithm::EcP256, &[seed; 32])
            .unwrap()
    }

    pub(crate) fn log(operator: &str, kind: LogKind, seed: u8) -> Log {
        let url = Url::parse(&format!("https://log{seed}.example/2026h2/")).unwrap();
        let spki = log_key(seed).public_key().to_spki_der();
        Log::new(&spki, url, operator, kind, None, &RustCrypto).unwrap()
    }

    #[test]
    fn a_log_takes_what_ends_in_its_interval() {
        let spki = log_key(1).public_key().to_spki_der();
        let url = Url::parse("https://log.example/shard").unwrap();
        let (start, end) = (Timestamp::from_secs(10), Timestamp::from_secs(20));
        let make = |interval| {
            Log::new(
                &spki,
                url.clone(),
                "o",
                LogKind::Tiled,
                Some(interval),
                &RustCrypto,
            )
        };
        let log = make((start, end)).unwrap();
        assert_eq!(
            log.submission_url().as_str(),
            "https://log.example/shard/ct/v1/add-pre-chain"
        );
        assert!(log.takes(start) && log.takes(Timestamp::from_secs(19)));
        assert!(!log.takes(end) && !log.takes(Timestamp::from_secs(9)));
        assert_eq!(make((end, start)), Err(LogError::Interval));
    }
}
