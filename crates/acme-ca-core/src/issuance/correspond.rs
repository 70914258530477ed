//! A final certificate corresponds to its precertificate: the one is the other with the poison
//! taken out and the SCT list put in, byte for byte (RFC 6962 §3.1, BR §7.1.2.9, invariant I14).

use super::oid;
use super::tlv::{self, BadDer};
use super::x509::{ExtensionView, TbsView};

/// The extension value of the poison: NULL.
const POISON_VALUE: &[u8] = &[5, 0];

/// Where a final certificate differs from its precertificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Difference {
    /// One of them isn't a TBSCertificate.
    #[error("not a TBSCertificate")]
    Malformed,
    /// Version, serialNumber, signature, issuer, validity, subject or subjectPublicKeyInfo.
    #[error("a field before the extensions differs")]
    Field,
    /// There is a unique identifier, which no certificate has.
    #[error("there is a unique identifier")]
    UniqueIdentifier,
    /// The precertificate hasn't exactly one poison, critical and NULL.
    #[error("the precertificate has not exactly one poison, critical and NULL")]
    Poison,
    /// The certificate hasn't exactly one SCT list, not critical.
    #[error("the certificate has not exactly one list of SCTs, not critical")]
    SctList,
    /// The number of extensions differs.
    #[error("the number of extensions differs")]
    Count,
    /// This extension differs, counted from 0.
    #[error("extension {0} differs")]
    Extension(usize),
}

impl From<BadDer> for Difference {
    fn from(_: BadDer) -> Self {
        Self::Malformed
    }
}

/// Whether a final TBSCertificate corresponds to a precertificate's.
///
/// # Errors
/// The first [`Difference`].
pub fn correspond(precertificate: &[u8], certificate: &[u8]) -> Result<(), Difference> {
    let (before, after) = (
        TbsView::parse(precertificate)?,
        TbsView::parse(certificate)?,
    );
    if before.head != after.head {
        return Err(Difference::Field);
    }
    if before.unique_ids || after.unique_ids {
        return Err(Difference::UniqueIdentifier);
    }
    let is_poison =
        |e: &ExtensionView<'_>| e.oid == oid::POISON && e.critical && e.value == POISON_VALUE;
    let is_list = |e: &ExtensionView<'_>| e.oid == oid::SCT_LIST && !e.critical;
    let count = |view: &TbsView<'_>, oid| view.extensions.iter().filter(|e| e.oid == oid).count();
    if count(&before, oid::POISON) != 1 || !before.extensions.iter().any(is_poison) {
        return Err(Difference::Poison);
    }
    if count(&after, oid::SCT_LIST) != 1 || !after.extensions.iter().any(is_list) {
        return Err(Difference::SctList);
    }
    if count(&after, oid::POISON) != 0 {
        return Err(Difference::Poison);
    }
    if count(&before, oid::SCT_LIST) != 0 {
        return Err(Difference::SctList);
    }
    if before.extensions.len() != after.extensions.len() {
        return Err(Difference::Count);
    }
    for (place, (old, new)) in before.extensions.iter().zip(&after.extensions).enumerate() {
        let replaced = is_poison(old) && is_list(new);
        if !replaced && old.raw != new.raw {
            return Err(Difference::Extension(place));
        }
    }
    Ok(())
}

/// The precertificate's TBSCertificate without the poison: what an SCT is over (RFC 6962 §3.2).
pub(crate) fn without_poison(precertificate: &[u8]) -> Result<Vec<u8>, Difference> {
    without(precertificate, oid::POISON).map_err(|_| Difference::Poison)
}

/// A TBSCertificate without one of its extensions, all else byte for byte.
pub(crate) fn without(
    tbs: &[u8],
    extension: const_oid::ObjectIdentifier,
) -> Result<Vec<u8>, BadDer> {
    let view = TbsView::parse(tbs)?;
    if view.unique_ids
        || view
            .extensions
            .iter()
            .filter(|e| e.oid == extension)
            .count()
            != 1
    {
        return Err(BadDer);
    }
    let kept = view.extensions.iter().filter(|e| e.oid != extension);
    let list: Vec<u8> = kept.flat_map(|e| e.raw).copied().collect();
    let mut contents = view.head.to_vec();
    if !list.is_empty() {
        contents.extend(tlv::explicit(3, &tlv::sequence(&list)?)?);
    }
    tlv::sequence(&contents)
}
