//! A certificate chain as it was downloaded, and the checks before anything is called issued.

mod check;
mod parsed;

use acme_types::{CertificateId, Timestamp, pem};
use serde::{Deserialize, Serialize};

pub(crate) use check::{check_alternate, check_issued};
use parsed::Parsed;

use crate::failure::CertificateFault;

/// Longest chain that is taken. Real ones have two or three; cross-signing adds one or two.
pub const CHAIN_LEN_MAX: usize = 10;
/// Longest chain in bytes of PEM. Ten certificates of a hundred names stay below it.
pub const CHAIN_BYTES_MAX: usize = 100 * 1024;

/// A certificate with the certificates that lead to its root, each issued by the next
/// (RFC 8555 §9.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    certificates: Vec<Vec<u8>>,
}

/// What a certificate says of itself that renewal needs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// Its first second.
    pub not_before: Timestamp,
    /// Its last second.
    pub not_after: Timestamp,
    /// RFC 9773 §4.1. None if the certificate names no authority key: private CAs leave it out.
    pub id: Option<CertificateId>,
}

impl Chain {
    /// Reads `application/pem-certificate-chain`.
    ///
    /// # Errors
    /// [`CertificateFault::Pem`] for anything but 1 to [`CHAIN_LEN_MAX`] CERTIFICATE blocks:
    /// RFC 8555 §11.4 wants other blocks refused.
    pub fn from_pem(text: &[u8]) -> Result<Self, CertificateFault> {
        if text.len() > CHAIN_BYTES_MAX {
            return Err(CertificateFault::Pem);
        }
        let certificates = pem::chain_to_der(text).map_err(|_| CertificateFault::Pem)?;
        if certificates.is_empty() || certificates.len() > CHAIN_LEN_MAX {
            return Err(CertificateFault::Pem);
        }
        Ok(Self { certificates })
    }

    /// The certificates in DER, the end entity's first.
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// The end entity's certificate in DER.
    pub fn leaf(&self) -> &[u8] {
        self.certificates.first().map_or(&[], Vec::as_slice)
    }

    /// The chain as PEM, written anew: what a server put between the blocks is gone.
    pub fn to_pem(&self) -> String {
        pem::chain_from_der(&self.certificates)
    }
}

impl CertificateFacts {
    /// Reads them from a certificate in DER.
    ///
    /// # Errors
    /// [`CertificateFault::Der`].
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateFault> {
        Ok(Parsed::from_der(der)?.facts())
    }
}
