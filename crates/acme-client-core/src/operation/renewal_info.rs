//! Renewal information (RFC 9773 §4).

use acme_types::{CertificateId, RenewalInfo, Url};

use super::{Read, Reply, Request};
use crate::failure::{Failure, Misbehaviour, Operation};

/// Asks when to renew this certificate: unsigned, at the base URL with the identifier appended.
///
/// # Errors
/// [`Misbehaviour::BadUrl`]: the two don't make a URL.
pub fn request(base: &Url, certificate: &CertificateId) -> Read<Request> {
    let separator = if base.as_str().ends_with('/') {
        ""
    } else {
        "/"
    };
    let url = Url::parse(&format!("{base}{separator}{certificate}"))
        .map_err(|_| Failure::misbehaved(Operation::RenewalInfo, Misbehaviour::BadUrl))?;
    Ok(Request::get(Operation::RenewalInfo, &url))
}

/// Reads the suggestion.
///
/// # Errors
/// The server's refusal; a body that is none; a window that ends before it starts.
pub fn read(reply: &Reply) -> Read<RenewalInfo> {
    let info: RenewalInfo = reply.json()?;
    // RFC 9773 §4.2: "A RenewalInfo object in which the end timestamp equals or precedes the
    // start timestamp is invalid."
    if info.suggested_window.end <= info.suggested_window.start {
        return Err(reply.misbehaved(Misbehaviour::MalformedBody));
    }
    Ok(info)
}
