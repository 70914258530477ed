use acme_crypto::SignatureAlgorithm;
use acme_types::{RevocationReason, Timestamp};
use der::asn1::{AnyRef, UintRef};
use der::{Encode, Sequence, Tag};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::crl::dp::IssuingDistributionPoint;
use x509_cert::ext::pkix::{CrlNumber, CrlReason};
use x509_cert::time::Time;

use super::Entry;
use super::timing::CRL_LIFETIME_MAX;
use crate::issuance::encode::{self, NotEncodable};
use crate::issuance::{Issuer, oid, tbs};

/// v2 is written as 1 (RFC 5280 §5.1.2.1).
const VERSION_2: u8 = 1;

/// Of what a CRL is: its place, its number, its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scope<'a> {
    /// The URL in the CRLDP of the shard's certificates, to the byte (BR §7.2.2.1).
    pub url: &'a str,
    /// Above that of the CRL before it.
    pub number: u64,
    /// When it was made.
    pub this_update: Timestamp,
    /// When the next will be there at the latest.
    pub next_update: Timestamp,
}

/// A CRL whose signature is missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CrlDraft {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

/// Why there is no CRL.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrlError {
    /// nextUpdate isn't after thisUpdate, or is more than ten days after it (BR §7.2).
    #[error("nextUpdate is not after thisUpdate, or too long after it")]
    Lifetime,
    /// A reason that no entry may have: 0 is written by leaving it out, 8 is for delta CRLs, the
    /// others aren't a subscriber's (BR §7.2.2, RFC 5280 §5.3.1).
    #[error("a reason that no entry of a CRL may have")]
    Reason,
    /// Entries out of the order of their serials, or one twice.
    #[error("the entries are out of order, or one is there twice")]
    Order,
    /// A value has no DER, or the list is longer than DER can say.
    #[error("a value can't be written")]
    Encoding,
}

impl From<NotEncodable> for CrlError {
    fn from(_: NotEncodable) -> Self {
        Self::Encoding
    }
}

/// `TBSCertList` (RFC 5280 §5.1).
#[derive(Sequence)]
struct TbsCertList<'a> {
    version: u8,
    signature: AnyRef<'a>,
    issuer: AnyRef<'a>,
    this_update: Time,
    next_update: Time,
    #[asn1(optional = "true")]
    revoked: Option<AnyRef<'a>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

#[derive(Sequence)]
struct Revoked<'a> {
    serial: UintRef<'a>,
    date: Time,
    #[asn1(optional = "true")]
    extensions: Option<Vec<Extension>>,
}

impl CrlDraft {
    /// Drafts the CRL of an issuer with these entries, in the order of their serials. Memory is
    /// linear in their number; each takes some 50 bytes.
    ///
    /// # Errors
    /// [`CrlError`].
    pub fn new(issuer: &Issuer, scope: &Scope<'_>, entries: &[Entry]) -> Result<Self, CrlError> {
        let lifetime = scope.next_update.since(scope.this_update);
        if lifetime.is_zero() || lifetime > CRL_LIFETIME_MAX {
            return Err(CrlError::Lifetime);
        }
        let in_order = |pair: &[Entry]| matches!(pair, [a, b] if a.serial < b.serial);
        if !entries.windows(2).all(in_order) {
            return Err(CrlError::Order);
        }
        let list = revoked(entries, scope.this_update)?;
        let algorithm = issuer.algorithm();
        let tbs = TbsCertList {
            version: VERSION_2,
            signature: encode::any(algorithm.algorithm_identifier_der())?,
            issuer: encode::any(issuer.subject())?,
            this_update: encode::time(scope.this_update)?,
            next_update: encode::time(scope.next_update)?,
            // RFC 5280 §5.1.2.6: "When there are no revoked certificates, the revoked certificates
            // list MUST be absent."
            revoked: match list.as_slice() {
                [] => None,
                list => Some(AnyRef::new(Tag::Sequence, list).map_err(NotEncodable::from)?),
            },
            extensions: extensions(issuer, scope)?,
        };
        let tbs = tbs.to_der().map_err(NotEncodable::from)?;
        Ok(Self { tbs, algorithm })
    }

    /// What the issuer's key signs.
    pub fn message(&self) -> &[u8] {
        &self.tbs
    }

    /// What it signs with.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The CRL, DER.
    ///
    /// # Errors
    /// [`CrlError::Encoding`] if the signature isn't of its algorithm's form.
    pub fn attach(&self, signature: &[u8]) -> Result<Vec<u8>, CrlError> {
        Ok(encode::attach(&self.tbs, self.algorithm, signature)?)
    }
}

fn extensions(issuer: &Issuer, scope: &Scope<'_>) -> Result<Vec<Extension>, NotEncodable> {
    let point = IssuingDistributionPoint {
        distribution_point: Some(encode::full_name(scope.url)?),
        only_contains_user_certs: true,
        only_contains_ca_certs: false,
        only_some_reasons: None,
        indirect_crl: false,
        only_contains_attribute_certs: false,
    };
    Ok(vec![
        tbs::authority_key_identifier(issuer.authority_key_identifier())?,
        encode::extension(oid::CRL_NUMBER, false, &CrlNumber::try_from(scope.number)?)?,
        // RFC 5280 §5.2.5: critical.
        encode::extension(oid::ISSUING_DISTRIBUTION_POINT, true, &point)?,
    ])
}

/// The entries, one after the other. A date in the future is cut to thisUpdate: nobody reads a
/// revocation as one that is yet to come.
fn revoked(entries: &[Entry], this_update: Timestamp) -> Result<Vec<u8>, CrlError> {
    let mut list = Vec::new();
    for entry in entries {
        let extensions = match reason(entry.reason)? {
            Some(reason) => Some(vec![encode::extension(oid::REASON_CODE, false, &reason)?]),
            None => None,
        };
        let revoked = Revoked {
            serial: UintRef::new(entry.serial.as_bytes()).map_err(NotEncodable::from)?,
            date: encode::time(entry.revoked_at.min(this_update))?,
            extensions,
        };
        revoked
            .encode_to_vec(&mut list)
            .map_err(NotEncodable::from)?;
    }
    Ok(list)
}

/// BR §7.2.2: unspecified is said by saying nothing.
fn reason(reason: RevocationReason) -> Result<Option<CrlReason>, CrlError> {
    match reason {
        RevocationReason::Unspecified => Ok(None),
        RevocationReason::KeyCompromise => Ok(Some(CrlReason::KeyCompromise)),
        RevocationReason::AffiliationChanged => Ok(Some(CrlReason::AffiliationChanged)),
        RevocationReason::Superseded => Ok(Some(CrlReason::Superseded)),
        RevocationReason::CessationOfOperation => Ok(Some(CrlReason::CessationOfOperation)),
        RevocationReason::PrivilegeWithdrawn => Ok(Some(CrlReason::PrivilegeWithdrawn)),
        RevocationReason::CaCompromise
        | RevocationReason::CertificateHold
        | RevocationReason::RemoveFromCrl
        | RevocationReason::AaCompromise => Err(CrlError::Reason),
    }
}

/// Whether an entry may have this reason.
pub(crate) fn is_listable(code: RevocationReason) -> bool {
    reason(code).is_ok()
}
