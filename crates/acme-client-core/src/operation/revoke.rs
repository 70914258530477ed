//! Revoking a certificate (RFC 8555 §7.6).

use acme_types::{ProblemType, RevocationReason, RevokeCertificate, Url};

use super::{Read, Reply, Request, Signer};
use crate::failure::Operation;

/// Asks for the revocation of this certificate (DER).
pub fn request(
    url: &Url,
    signer: Signer,
    certificate: &[u8],
    reason: Option<RevocationReason>,
) -> Request {
    let payload = RevokeCertificate {
        certificate: certificate.to_vec(),
        reason: reason.map(Into::into),
    };
    Request::post(Operation::RevokeCertificate, url, signer, &payload)
}

/// Done, or done before: a reply to an earlier request may have been lost.
///
/// # Errors
/// The server's refusal.
pub fn read(reply: &Reply) -> Read<()> {
    match reply.success() {
        Ok(_) => Ok(()),
        Err(failure) if failure.is(&ProblemType::ALREADY_REVOKED) => Ok(()),
        Err(failure) => Err(failure),
    }
}
