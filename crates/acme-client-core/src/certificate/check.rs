//! Is this the certificate that was ordered?

use std::time::Duration;

use acme_crypto::{Provider, PublicKey, fixed_signature_from_x509};
use acme_csr::Csr;
use acme_types::Timestamp;

use super::parsed::Parsed;
use super::{CertificateFacts, Chain};
use crate::failure::CertificateFault;

/// How far the two clocks may differ. CAs date certificates back by an hour for the same reason.
const SKEW_MAX: Duration = Duration::from_secs(3_600);
/// No end entity's certificate lives longer: what says so is a mistake or an attack. Private CAs
/// give up to a few years.
const LIFETIME_MAX: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Checks the chain against the request that it answers: key, names, purpose, validity, links,
/// signatures. Trust in its root is not checked: a client may order from a CA it doesn't trust.
pub(crate) fn check_issued(
    provider: &dyn Provider,
    chain: &Chain,
    csr: &Csr,
    now: Timestamp,
) -> Result<CertificateFacts, CertificateFault> {
    let parsed = parse(chain)?;
    let leaf = parsed.first().ok_or(CertificateFault::Pem)?;
    if leaf.spki != csr.spki_der() {
        return Err(CertificateFault::Key);
    }
    if leaf.identifiers().as_ref() != Some(csr.identifiers()) {
        return Err(CertificateFault::Names);
    }
    if !leaf.is_for_end_entity() {
        return Err(CertificateFault::Purpose);
    }
    let lifetime = leaf.not_after.since(leaf.not_before);
    let current = leaf.not_before <= now.after(SKEW_MAX) && now < leaf.not_after;
    if lifetime.is_zero() || lifetime > LIFETIME_MAX || !current {
        return Err(CertificateFault::Validity);
    }
    check_links(provider, &parsed)?;
    Ok(leaf.facts())
}

/// Checks an alternate chain: the same end entity's certificate, another way to a root.
pub(crate) fn check_alternate(
    provider: &dyn Provider,
    chain: &Chain,
    default: &Chain,
) -> Result<(), CertificateFault> {
    if chain.leaf() != default.leaf() {
        return Err(CertificateFault::Key);
    }
    check_links(provider, &parse(chain)?)
}

fn parse(chain: &Chain) -> Result<Vec<Parsed>, CertificateFault> {
    chain
        .certificates()
        .iter()
        .map(|der| Parsed::from_der(der))
        .collect()
}

/// RFC 8555 §9.1: "Each following certificate SHOULD directly certify the one preceding it."
fn check_links(provider: &dyn Provider, chain: &[Parsed]) -> Result<(), CertificateFault> {
    for (subject, issuer) in chain.iter().zip(chain.iter().skip(1)) {
        if subject.issuer != issuer.subject {
            return Err(CertificateFault::Chain);
        }
        let key =
            PublicKey::from_spki_der(&issuer.spki).map_err(|_| CertificateFault::Signature)?;
        let (algorithm, signature) = subject.signature().ok_or(CertificateFault::Signature)?;
        let signature = fixed_signature_from_x509(algorithm, signature)
            .map_err(|_| CertificateFault::Signature)?;
        provider
            .verify(algorithm, &key, subject.signed(), &signature)
            .map_err(|_| CertificateFault::Signature)?;
    }
    Ok(())
}
