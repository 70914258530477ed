//! Which chains a log accepts (RFC 6962 §3.1).

use super::certificate::{Certificate, CertificateError};

/// The most certificates of a chain that is looked at, root included ("Logs MAY limit the length
/// of chain they will accept", RFC 6962 §3.1).
pub(super) const CHAIN_LEN_MAX: usize = 10;

/// Why a log refuses a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// There is no certificate, or more than the log looks at.
    #[error("the chain is empty or too long")]
    Length,
    /// A certificate is not what it has to be.
    #[error("certificate {position} of the chain: {error}")]
    Certificate {
        /// Counted from the end entity, 0.
        position: usize,
        /// What is wrong with it.
        error: CertificateError,
    },
    /// The certificate's issuer is not the subject of the next one.
    #[error("certificate {position} of the chain was not issued by the next")]
    Order {
        /// Of the one that was issued by another.
        position: usize,
    },
    /// The certificate signed another one without being an authority.
    #[error("certificate {position} of the chain is no authority")]
    NotAuthority {
        /// Of the one that signed.
        position: usize,
    },
    /// The chain ends elsewhere than at a root of this log.
    #[error("the chain leads to no root of this log")]
    Root,
    /// A precertificate was submitted as a final certificate.
    #[error("a precertificate: it belongs to add-pre-chain")]
    Precertificate,
    /// A final certificate was submitted as a precertificate.
    #[error("no precertificate: it belongs to add-chain")]
    NotPrecertificate,
    /// A Precertificate Signing Certificate issued it. RFC 6962 §3.1 allows them; the root
    /// programs no longer do, and this log doesn't.
    #[error("precertificate signing certificates are not accepted")]
    PrecertificateSigner,
    /// There is poison, but not critical, not NULL, or twice; or a precertificate has SCTs.
    #[error("the precertificate's poison or SCT list breaks RFC 6962 §3.1")]
    Poison,
}

/// Which message brought it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Final,
    Precertificate,
}

/// Checks the chain up to one of the roots, and returns it with the root at its end.
pub(super) fn check(
    chain: &[Vec<u8>],
    kind: Kind,
    roots: &[Vec<u8>],
) -> Result<Vec<Vec<u8>>, ChainError> {
    if chain.is_empty() || chain.len() > CHAIN_LEN_MAX {
        return Err(ChainError::Length);
    }
    let mut parsed = Vec::new();
    for (position, bytes) in chain.iter().enumerate() {
        let certificate = Certificate::parse(bytes);
        parsed.push(certificate.map_err(|error| ChainError::Certificate { position, error })?);
    }
    if let Some(first) = parsed.first() {
        check_kind(first, kind)?;
    }
    if kind == Kind::Precertificate
        && parsed
            .get(1)
            .is_some_and(Certificate::signs_precertificates)
    {
        return Err(ChainError::PrecertificateSigner);
    }
    for (position, pair) in parsed.windows(2).enumerate() {
        let [child, issuer] = pair else { break };
        check_link(child, issuer, position)?;
    }
    let mut whole = chain.to_vec();
    if chain.last().is_some_and(|last| roots.contains(last)) {
        return Ok(whole);
    }
    // "The root certificate itself MAY be omitted from the chain" (RFC 6962 §3.1).
    let last = parsed.last().ok_or(ChainError::Length)?;
    for bytes in roots {
        let Ok(root) = Certificate::parse(bytes) else {
            continue;
        };
        if root.subject == last.issuer && last.verify(&root).is_ok() {
            whole.push(bytes.clone());
            return Ok(whole);
        }
    }
    Err(ChainError::Root)
}

fn check_kind(first: &Certificate<'_>, kind: Kind) -> Result<(), ChainError> {
    match kind {
        Kind::Final if first.is_poisoned() => Err(ChainError::Precertificate),
        Kind::Final => Ok(()),
        Kind::Precertificate if !first.is_poisoned() => Err(ChainError::NotPrecertificate),
        Kind::Precertificate if !first.has_good_poison() || first.has_sct_list() => {
            Err(ChainError::Poison)
        }
        Kind::Precertificate => Ok(()),
    }
}

fn check_link(
    child: &Certificate<'_>,
    issuer: &Certificate<'_>,
    position: usize,
) -> Result<(), ChainError> {
    if child.issuer != issuer.subject {
        return Err(ChainError::Order { position });
    }
    if !issuer.is_authority() {
        return Err(ChainError::NotAuthority {
            position: position + 1,
        });
    }
    child
        .verify(issuer)
        .map_err(|error| ChainError::Certificate { position, error })
}
