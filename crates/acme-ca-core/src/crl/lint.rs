//! Lints of CRLs (BR §7.2): a CRL that was signed is read back and held against what was meant.

use acme_crypto::Provider;
use acme_types::RevocationReason;

use super::draft::{Scope, is_listable};
use super::list::{Crl, Entry};
use super::timing::CRL_LIFETIME_MAX;
use crate::issuance::tlv::{self, BadDer, Tlv};
use crate::issuance::{Issuer, is_key_identifier, oid, verify_signed};

/// What was meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a Issuer,
    pub(crate) scope: Scope<'a>,
    pub(crate) entries: &'a [Entry],
}

/// What a lint found in a CRL.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrlFinding {
    /// Not a CRL of RFC 5280.
    #[error("not a certificate revocation list")]
    Malformed,
    /// BR §7.1.3.2.
    #[error("the signature algorithm is not the issuer's")]
    SignatureAlgorithm,
    /// The signature isn't the issuer's over these bytes.
    #[error("the signature does not verify under the issuer's key")]
    Signature,
    /// BR §7.2: byte for byte the issuer's subject.
    #[error("the issuer is not byte for byte the issuer's subject")]
    Issuer,
    /// The times aren't the intended ones.
    #[error("thisUpdate or nextUpdate is not the intended one")]
    Times,
    /// BR §7.2: at most ten days, and more than nothing.
    #[error("nextUpdate is not after thisUpdate, or too long after it")]
    Lifetime,
    /// Not the intended number.
    #[error("the CRL number is not the intended one")]
    Number,
    /// Not exactly authorityKeyIdentifier, CRLNumber and issuingDistributionPoint.
    #[error("the extensions are not exactly key identifier, number and distribution point")]
    Extensions,
    /// BR §7.1.2.11.1.
    #[error("the authority key identifier is not the issuer's, or not alone")]
    AuthorityKeyIdentifier,
    /// BR §7.2.2.1: critical, one http URL, the certificates' own, for subscribers only.
    #[error("the issuing distribution point is not one http URL for subscribers' certificates")]
    DistributionPoint,
    /// BR §7.2.2: 1, 3, 4, 5, 9, or none.
    #[error("an entry has a reason that no entry may have")]
    Reason,
    /// Revoked after thisUpdate.
    #[error("an entry's date lies in the future")]
    Date,
    /// Invariant I36: exactly the revocations of the shard, each once, in order.
    #[error("the entries are not exactly the revocations of the shard")]
    Entries,
}

impl From<BadDer> for CrlFinding {
    fn from(_: BadDer) -> Self {
        Self::Malformed
    }
}

/// Lints a CRL that was signed against what was meant.
pub(crate) fn lint(
    expected: &Expected<'_>,
    der: &[u8],
    provider: &dyn Provider,
) -> Result<(), CrlFinding> {
    let crl = Crl::parse(der).map_err(|_| CrlFinding::Malformed)?;
    let (issuer, scope) = (expected.issuer, &expected.scope);
    if crl.signature != issuer.algorithm().algorithm_identifier_der() {
        return Err(CrlFinding::SignatureAlgorithm);
    }
    verify_signed(&crl.signed, issuer.public_key(), provider).map_err(|_| CrlFinding::Signature)?;
    if crl.issuer != issuer.subject() {
        return Err(CrlFinding::Issuer);
    }
    let times = (
        scope.this_update.truncate_to_secs(),
        scope.next_update.truncate_to_secs(),
    );
    if (crl.this_update, crl.next_update) != times {
        return Err(CrlFinding::Times);
    }
    if !is_number(crl.number, scope.number) {
        return Err(CrlFinding::Number);
    }
    profile(&crl, scope.url)?;
    let identifier = crl.extension(oid::AUTHORITY_KEY_IDENTIFIER);
    let identifier = identifier.ok_or(CrlFinding::AuthorityKeyIdentifier)?.value;
    if !is_key_identifier(identifier, issuer.authority_key_identifier())? {
        return Err(CrlFinding::AuthorityKeyIdentifier);
    }
    entries(&crl, expected)
}

/// What every CRL of a shard keeps, whoever made it.
pub(super) fn profile(crl: &Crl<'_>, url: &str) -> Result<(), CrlFinding> {
    let lifetime = crl.next_update.since(crl.this_update);
    if lifetime.is_zero() || lifetime > CRL_LIFETIME_MAX {
        return Err(CrlFinding::Lifetime);
    }
    for entry in crl.entries() {
        let entry = entry.map_err(|_| CrlFinding::Malformed)?;
        let listable = match entry.reason.map(RevocationReason::from_code) {
            None => true,
            Some(Some(RevocationReason::Unspecified) | None) => false,
            Some(Some(reason)) => is_listable(reason),
        };
        if !listable {
            return Err(CrlFinding::Reason);
        }
    }
    let key = crl
        .extension(oid::AUTHORITY_KEY_IDENTIFIER)
        .ok_or(CrlFinding::AuthorityKeyIdentifier)?;
    let mut fields = Tlv::only_of(key.value, tlv::SEQUENCE)?.inside();
    // BR §7.1.2.11.1: neither authorityCertIssuer nor authorityCertSerialNumber.
    let alone = fields.expect(tlv::primitive(0)).is_ok() && fields.is_empty();
    if !alone {
        return Err(CrlFinding::AuthorityKeyIdentifier);
    }
    let wanted = [
        (oid::AUTHORITY_KEY_IDENTIFIER, false),
        (oid::CRL_NUMBER, false),
        (oid::ISSUING_DISTRIBUTION_POINT, true),
    ];
    let found = crl
        .extensions
        .iter()
        .map(|extension| (extension.oid, extension.critical));
    if !found.eq(wanted) {
        return Err(CrlFinding::Extensions);
    }
    let point = crl
        .extension(oid::ISSUING_DISTRIBUTION_POINT)
        .ok_or(CrlFinding::Extensions)?;
    if distribution_point(point.value, url) != Ok(true) {
        return Err(CrlFinding::DistributionPoint);
    }
    Ok(())
}

/// fullName of one http URI, onlyContainsUserCerts, nothing else.
fn distribution_point(value: &[u8], url: &str) -> Result<bool, BadDer> {
    let mut fields = Tlv::only_of(value, tlv::SEQUENCE)?.inside();
    let name = fields.expect(tlv::constructed(0))?;
    let users_only = fields.expect(tlv::primitive(1))?.boolean()?;
    fields.end()?;
    let mut names = Tlv::only_of(name.value, tlv::constructed(0))?.inside();
    let found = names.expect(tlv::primitive(6))?.ascii()?;
    names.end()?;
    Ok(users_only && found == url && found.starts_with("http://"))
}

fn is_number(octets: &[u8], number: u64) -> bool {
    let digits = number.to_be_bytes();
    let significant = |bytes: &[u8]| -> Vec<u8> {
        bytes
            .iter()
            .copied()
            .skip_while(|byte| *byte == 0)
            .collect()
    };
    significant(octets) == significant(&digits)
}

fn entries(crl: &Crl<'_>, expected: &Expected<'_>) -> Result<(), CrlFinding> {
    if crl.len() != expected.entries.len() {
        return Err(CrlFinding::Entries);
    }
    for (found, meant) in crl.entries().zip(expected.entries) {
        let found = found.map_err(|_| CrlFinding::Malformed)?;
        let code = match meant.reason {
            RevocationReason::Unspecified => None,
            reason => Some(reason.code()),
        };
        if found.serial != meant.serial.as_bytes() || found.reason != code {
            return Err(CrlFinding::Entries);
        }
        if found.revoked_at > crl.this_update {
            return Err(CrlFinding::Date);
        }
        if found.revoked_at != meant.revoked_at.truncate_to_secs().min(crl.this_update) {
            return Err(CrlFinding::Entries);
        }
    }
    Ok(())
}
