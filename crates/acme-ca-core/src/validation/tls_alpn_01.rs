//! tls-alpn-01 (RFC 8737, RFC 8738): a self-signed certificate, shown in a handshake that is for
//! nothing else.

mod certificate;

use acme_types::{Identifier, tls_alpn_01_server_name};

pub(super) use self::certificate::CertificateFault;
use super::failure::Failure;
use super::lookup::{Candidates, Lookup};
use super::turn::{Answered, Context, Turn};
use super::{HandshakeOutcome, Target};

/// RFC 8737 §6.2.
const PROTOCOL: &[u8] = b"acme-tls/1";
/// One certificate is needed; chains of the web have up to four (hostile inputs H155).
const CERTIFICATES_MAX: usize = 10;
/// A certificate with one name and one key of 4096 bits has less than 2 KiB.
const CERTIFICATE_LEN_MAX: usize = 16 * 1_024;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum TlsAlpn01 {
    Looking(Lookup),
    Shaking {
        target: Target,
        second: Option<Target>,
    },
}

impl TlsAlpn01 {
    /// RFC 8737 §3: "resolves the domain name being validated and chooses one of the IP addresses
    /// returned".
    pub(super) fn begin(ctx: &Context<'_>) -> Turn<Self> {
        let port = ctx.policy.ports.tls;
        match &ctx.request.identifier {
            Identifier::Dns(name) => {
                let (lookup, wanted) = Lookup::begin(ctx, name.base().as_str(), port);
                Turn::More(Self::Looking(lookup), wanted)
            }
            Identifier::Ip(address) => match ctx.policy.addresses.target(*address, port) {
                Some(target) => Self::shake(ctx, target, None),
                None => {
                    let host = address.to_string();
                    Turn::Done(Err(Failure::NoAddress { host, refused: 1 }))
                }
            },
            _ => Turn::Done(Err(Failure::MethodOff)),
        }
    }

    fn shake(ctx: &Context<'_>, target: Target, second: Option<Target>) -> Turn<Self> {
        let server_name = tls_alpn_01_server_name(&ctx.request.identifier);
        Turn::More(
            Self::Shaking { target, second },
            vec![ctx.handshake(target, server_name)],
        )
    }

    pub(super) fn answered(self, ctx: &Context<'_>, answered: Answered) -> Turn<Self> {
        match (self, answered) {
            (Self::Looking(mut lookup), Answered::Dns(question, outcome)) => {
                match lookup.answered(ctx, &question, outcome) {
                    None => Turn::More(Self::Looking(lookup), Vec::new()),
                    Some(Ok(Candidates { first, second })) => Self::shake(ctx, first, second),
                    Some(Err(failure)) => Turn::Done(Err(failure)),
                }
            }
            // Nobody was reached, so nobody has given a wrong answer.
            (
                Self::Shaking {
                    second: Some(second),
                    ..
                },
                Answered::Handshake(_, HandshakeOutcome::NotConnected(_)),
            ) => Self::shake(ctx, second, None),
            (Self::Shaking { target, .. }, Answered::Handshake(_, outcome)) => {
                Turn::Done(shaken(ctx, target, outcome))
            }
            // No such effect is out in this state.
            (state, _) => Turn::More(state, Vec::new()),
        }
    }
}

/// RFC 8737 §3, step 4: "verifies that during the TLS handshake the application-layer protocol
/// "acme-tls/1" was successfully negotiated … and that the certificate returned contains".
fn shaken(ctx: &Context<'_>, target: Target, outcome: HandshakeOutcome) -> Result<(), Failure> {
    let (alpn, certificates) = match outcome {
        HandshakeOutcome::Completed { alpn, certificates } => (alpn, certificates),
        HandshakeOutcome::NotConnected(failure) | HandshakeOutcome::Failed(failure) => {
            let asked = format!(
                "TLS for {}",
                tls_alpn_01_server_name(&ctx.request.identifier)
            );
            return Err(Failure::Network {
                asked,
                target,
                failure,
            });
        }
    };
    if alpn.as_deref() != Some(PROTOCOL) {
        return Err(Failure::Alpn {
            target,
            chosen: alpn,
        });
    }
    let is_large = |certificate: &Vec<u8>| certificate.len() > CERTIFICATE_LEN_MAX;
    if certificates.len() > CERTIFICATES_MAX || certificates.iter().any(is_large) {
        return Err(Failure::TooMuch { target });
    }
    let digest = ctx
        .provider
        .sha256(ctx.request.key_authorization.as_bytes());
    let checked = match certificates.first() {
        Some(der) => certificate::check(der, &ctx.request.identifier, &digest, ctx.provider),
        None => Err(CertificateFault::Absent),
    };
    checked.map_err(|fault| Failure::Certificate { target, fault })
}

#[cfg(test)]
mod tests;
