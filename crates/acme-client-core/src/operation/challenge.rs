//! Saying that a challenge's response is there (RFC 8555 §7.5.1), and making the response.

use acme_jws::{KeyAuthorization, Thumbprint, dns_account_01_label};
use acme_types::{
    Challenge, ChallengeType, DNS_NAME_LEN_MAX, EmptyObject, Identifier, Url,
    tls_alpn_01_server_name,
};

use super::{Read, Reply, Request, Signer};
use crate::failure::Operation;
use crate::{ChallengeResponse, Config};

/// Says that the response is there: the server may look now.
pub fn request(challenge: &Url) -> Request {
    Request::post(
        Operation::Challenge,
        challenge,
        Signer::Account,
        &EmptyObject {},
    )
}

/// Takes note of the reply. The authorization says how it went, not the challenge.
///
/// # Errors
/// The server's refusal.
pub fn read(reply: &Reply) -> Read<()> {
    reply.success().map(drop)
}

/// The finished response to this challenge; `None` if it can't be given: an unknown type, a
/// missing or bad token, a wildcard where the type can't, a name that gets too long.
pub fn response(
    config: &Config,
    account: &Url,
    key: &Thumbprint,
    identifier: &Identifier,
    challenge: &Challenge,
) -> Option<ChallengeResponse> {
    let provider = config.provider();
    let token = challenge.usable_token()?;
    let authorization = KeyAuthorization::new(token, key);
    let identifier = identifier.clone();
    let kind = &challenge.kind;
    if *kind == ChallengeType::HTTP_01 && !identifier.is_wildcard() {
        Some(ChallengeResponse::Http01 {
            identifier,
            path: format!("/.well-known/acme-challenge/{}", token.as_str()),
            body: authorization.as_str().to_owned(),
        })
    } else if *kind == ChallengeType::DNS_01 {
        let name = owner("_acme-challenge", &identifier)?;
        let value = authorization.dns_01_value(provider);
        Some(ChallengeResponse::Dns01 {
            identifier,
            name,
            value,
        })
    } else if *kind == ChallengeType::DNS_ACCOUNT_01 {
        let name = owner(&dns_account_01_label(provider, account), &identifier)?;
        let value = authorization.dns_01_value(provider);
        Some(ChallengeResponse::DnsAccount01 {
            identifier,
            name,
            value,
        })
    } else if *kind == ChallengeType::TLS_ALPN_01 && !identifier.is_wildcard() {
        Some(ChallengeResponse::TlsAlpn01 {
            server_name: tls_alpn_01_server_name(&identifier),
            digest: authorization.tls_alpn_01_digest(provider),
            identifier,
        })
    } else {
        None
    }
}

/// The validation name, without the final dot; `None` beyond what DNS can carry.
fn owner(label: &str, identifier: &Identifier) -> Option<String> {
    match identifier {
        Identifier::Dns(name) => {
            let name = format!("{label}.{}", name.base().as_str());
            (name.len() <= DNS_NAME_LEN_MAX).then_some(name)
        }
        // RFC 8738 §7: dns-01 "MUST NOT be used" for IP identifiers.
        _ => None,
    }
}
