//! What is published to prove control of an identifier, as finished values.

use acme_types::{ChallengeType, Identifier};
use serde::{Deserialize, Serialize};

/// A finished challenge response: the shell computes nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChallengeResponse {
    /// RFC 8555 §8.3: a resource on port 80, plain HTTP.
    #[serde(rename = "http-01")]
    Http01 {
        /// The host; an address literal in brackets in its `Host` header if it is IPv6.
        identifier: Identifier,
        /// `/.well-known/acme-challenge/` and the token: base64url characters only.
        path: String,
        /// The key authorization: the whole body.
        body: String,
    },
    /// RFC 8555 §8.4: a TXT record, beside any others of that name.
    #[serde(rename = "dns-01")]
    Dns01 {
        /// What is proved, for the wildcard too: `*.example.com` is published at its base.
        identifier: Identifier,
        /// The owner name, without the final dot.
        name: String,
        /// The record's one string.
        value: String,
    },
    /// RFC 8737, RFC 8738: a self-signed certificate on port 443 for protocol `acme-tls/1`.
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01 {
        /// The certificate's only subject alternative name.
        identifier: Identifier,
        /// The server name that the validator sends.
        server_name: String,
        /// The content of the critical acmeIdentifier extension: SHA-256 of the key authorization.
        digest: [u8; 32],
    },
    /// draft-ietf-acme-dns-account-label: a TXT record at a name of this account's own.
    #[serde(rename = "dns-account-01")]
    DnsAccount01 {
        /// What is proved.
        identifier: Identifier,
        /// The owner name, without the final dot.
        name: String,
        /// The record's one string.
        value: String,
    },
}

impl ChallengeResponse {
    /// What this proves control of.
    pub fn identifier(&self) -> &Identifier {
        match self {
            Self::Http01 { identifier, .. }
            | Self::Dns01 { identifier, .. }
            | Self::TlsAlpn01 { identifier, .. }
            | Self::DnsAccount01 { identifier, .. } => identifier,
        }
    }

    /// The challenge's type.
    pub fn challenge_type(&self) -> ChallengeType {
        match self {
            Self::Http01 { .. } => ChallengeType::HTTP_01,
            Self::Dns01 { .. } => ChallengeType::DNS_01,
            Self::TlsAlpn01 { .. } => ChallengeType::TLS_ALPN_01,
            Self::DnsAccount01 { .. } => ChallengeType::DNS_ACCOUNT_01,
        }
    }
}
