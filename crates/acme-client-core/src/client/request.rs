//! From a request of the protocol to one of HTTP.

use acme_jws::{Draft, Signer as JwsSigner};
use acme_types::{Nonce, Timestamp};
use http::{HeaderValue, Method, header};

use super::Standing;
use crate::failure::{Failure, Fault, Misbehaviour, Operation};
use crate::operation::{Content, Request, Signer};
use crate::{Config, Fetch, KeyRef, SigningAlgorithm};

/// The JWS of this request (RFC 8555 §6.2), and who is to sign it.
///
/// # Errors
/// The account has no URL yet.
pub(super) fn draft(
    request: &Request,
    standing: &Standing,
    nonce: Nonce,
) -> Result<(Draft, KeyRef, SigningAlgorithm), Failure> {
    let key = &standing.key;
    let (account, algorithm) = (KeyRef::Account(standing.thumbprint), key.algorithm());
    let empty: &[u8] = &[];
    let (signer, key_ref, algorithm, payload) = match &request.content {
        Content::Post(Signer::Account, payload) => (
            kid(request, standing)?,
            account,
            algorithm,
            payload.as_slice(),
        ),
        Content::Post(Signer::AccountKey, payload) => (
            JwsSigner::Jwk(key.jwk().clone()),
            account,
            algorithm,
            payload.as_slice(),
        ),
        Content::Post(Signer::Key(key_ref, public), payload) => {
            let jwk = acme_jws::Jwk::from_public_key(public.clone());
            let algorithm = public.default_algorithm();
            (
                JwsSigner::Jwk(jwk),
                key_ref.clone(),
                algorithm,
                payload.as_slice(),
            )
        }
        Content::PostAsGet | Content::Get | Content::Head => {
            (kid(request, standing)?, account, algorithm, empty)
        }
    };
    let draft = Draft::new(algorithm, &signer, Some(nonce), &request.url, payload);
    Ok((draft, key_ref, SigningAlgorithm::Signature(algorithm)))
}

fn kid(request: &Request, standing: &Standing) -> Result<JwsSigner, Failure> {
    let url = standing.url.as_ref();
    let url = url.ok_or_else(|| Failure::new(request.operation, Fault::Unsuitable))?;
    Ok(JwsSigner::Kid(url.as_str().to_owned()))
}

/// The HTTP request, sent by `deadline`.
///
/// # Errors
/// The URL is none that HTTP can carry.
pub(super) fn fetch(
    config: &Config,
    request: &Request,
    body: Vec<u8>,
    deadline: Timestamp,
) -> Result<Fetch, Failure> {
    let method = match request.content {
        Content::Head => Method::HEAD,
        Content::Get => Method::GET,
        Content::PostAsGet | Content::Post(..) => Method::POST,
    };
    let mut builder = http::Request::builder()
        .method(&method)
        .uri(request.url.as_str())
        // RFC 8555 §6.1: "ACME clients MUST send a User-Agent header field".
        .header(header::USER_AGENT, config.user_agent())
        .header(header::ACCEPT, accept(request.operation))
        .header(header::ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
    if method == Method::POST {
        builder = builder.header(header::CONTENT_TYPE, "application/jose+json");
    }
    let misbehaved = |how| Failure::misbehaved(request.operation, how);
    let bad_url = |_| misbehaved(Misbehaviour::BadUrl);
    // The last gate: whatever put it here, no other URL is ever asked.
    if config.admit(request.url.clone()).map_err(misbehaved)? != request.url {
        return Err(misbehaved(Misbehaviour::PlainHttp));
    }
    let response_max = request.response_max();
    Ok(Fetch {
        request: builder.body(body).map_err(bad_url)?,
        response_max,
        deadline,
    })
}

fn accept(operation: Operation) -> HeaderValue {
    HeaderValue::from_static(match operation {
        Operation::Certificate => "application/pem-certificate-chain",
        _ => "application/json, application/problem+json",
    })
}
