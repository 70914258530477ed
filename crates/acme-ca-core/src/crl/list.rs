use acme_types::{RevocationReason, Timestamp};
use const_oid::ObjectIdentifier;

use crate::issuance::oid;
use crate::issuance::tlv::{self, BadDer, Reader, Tlv};
use crate::issuance::x509::{self, ExtensionView, SignedView};
use crate::schema::Serial;

/// The largest CRL that is read: what DER lengths of our encoder can say.
const CRL_LEN_MAX: usize = 1 << 28;
/// The most octets of a serial or a CRL number (RFC 5280 §4.1.2.2, §5.2.3), with the sign octet
/// of one that starts with a set bit.
const NUMBER_LEN_MAX: usize = 20;

/// One revocation, as it goes into a CRL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The certificate's serial.
    pub serial: Serial,
    /// When it was revoked.
    pub revoked_at: Timestamp,
    /// Why.
    pub reason: RevocationReason,
}

/// One entry of a CRL that was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListedEntry<'a> {
    /// The contents octets of the serial.
    pub serial: &'a [u8],
    /// revocationDate.
    pub revoked_at: Timestamp,
    /// The reason code, if there is one.
    pub reason: Option<u8>,
}

/// Not a CRL of RFC 5280 §5, strictly read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a certificate revocation list")]
pub struct NotACrl;

impl From<BadDer> for NotACrl {
    fn from(_: BadDer) -> Self {
        Self
    }
}

/// A CRL, read strictly: version 2, DER, times as RFC 5280 §5.1.2.4 has them, a number, extensions
/// without repetition, an absent list instead of an empty one.
#[derive(Clone, Debug)]
pub struct Crl<'a> {
    pub(super) signed: SignedView<'a>,
    /// The AlgorithmIdentifier inside, DER.
    pub(super) signature: &'a [u8],
    /// The issuer's Name, DER.
    pub(crate) issuer: &'a [u8],
    pub(super) this_update: Timestamp,
    pub(super) next_update: Timestamp,
    pub(super) number: &'a [u8],
    pub(super) extensions: Vec<ExtensionView<'a>>,
    revoked: Reader<'a>,
    count: usize,
}

impl<'a> Crl<'a> {
    /// Reads a CRL, every entry of it. Nothing is said about its signature.
    ///
    /// # Errors
    /// [`NotACrl`].
    pub fn parse(der: &'a [u8]) -> Result<Self, NotACrl> {
        if der.len() > CRL_LEN_MAX {
            return Err(NotACrl);
        }
        let signed = SignedView::parse(der)?;
        let mut fields = Tlv::only_of(signed.tbs, tlv::SEQUENCE)?.inside();
        if fields.expect(tlv::INTEGER)?.value != [1] {
            return Err(NotACrl);
        }
        let signature = fields.expect(tlv::SEQUENCE)?.raw;
        let issuer = fields.expect(tlv::SEQUENCE)?;
        // RFC 5280 §5.1.2.3: "The issuer field MUST contain a non-empty X.500 distinguished name".
        if issuer.value.is_empty() || signed.algorithm != signature {
            return Err(NotACrl);
        }
        let this_update = x509::time(&fields.next()?)?;
        let next_update = x509::time(&fields.next()?)?;
        let revoked = match fields.optional(tlv::SEQUENCE)? {
            // RFC 5280 §5.1.2.6: without revocations the list is absent.
            Some(list) if list.value.is_empty() => return Err(NotACrl),
            Some(list) => list.inside(),
            None => Reader::new(&[]),
        };
        let explicit = fields.expect(tlv::constructed(0))?;
        fields.end()?;
        let extensions = x509::extensions(Tlv::only_of(explicit.value, tlv::SEQUENCE)?)?;
        let number = number(&extensions)?;
        let mut crl = Self {
            signed,
            signature,
            issuer: issuer.raw,
            this_update,
            next_update,
            number,
            extensions,
            revoked,
            count: 0,
        };
        for entry in crl.entries() {
            entry?;
            crl.count = crl.count.saturating_add(1);
        }
        Ok(crl)
    }

    /// thisUpdate.
    pub fn this_update(&self) -> Timestamp {
        self.this_update
    }

    /// nextUpdate.
    pub fn next_update(&self) -> Timestamp {
        self.next_update
    }

    /// The contents octets of the CRL number, big-endian.
    pub fn number(&self) -> &'a [u8] {
        self.number
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Its entries, in its order. After [`Crl::parse`] none of them is an error.
    pub fn entries(&self) -> impl Iterator<Item = Result<ListedEntry<'a>, NotACrl>> + use<'a> {
        Entries(self.revoked.clone())
    }

    pub(super) fn extension(&self, oid: ObjectIdentifier) -> Option<&ExtensionView<'a>> {
        self.extensions
            .iter()
            .find(|extension| extension.oid == oid)
    }
}

/// RFC 5280 §5.2.3: "CRL verifiers MUST be able to handle CRLNumber values up to 20 octets.
/// Conforming CRL issuers MUST NOT use CRLNumber values longer than 20 octets." Not critical.
fn number<'a>(extensions: &[ExtensionView<'a>]) -> Result<&'a [u8], NotACrl> {
    let mut found = extensions
        .iter()
        .filter(|extension| extension.oid == oid::CRL_NUMBER);
    let extension = found
        .next()
        .filter(|extension| !extension.critical)
        .ok_or(NotACrl)?;
    let number = Tlv::only_of(extension.value, tlv::INTEGER)?.unsigned()?;
    let fits = number.len() <= NUMBER_LEN_MAX;
    if fits && found.next().is_none() {
        Ok(number)
    } else {
        Err(NotACrl)
    }
}

struct Entries<'a>(Reader<'a>);

impl<'a> Entries<'a> {
    fn read(&mut self) -> Result<ListedEntry<'a>, NotACrl> {
        let mut fields = self.0.expect(tlv::SEQUENCE)?.inside();
        let serial = fields.expect(tlv::INTEGER)?.unsigned()?;
        let revoked_at = x509::time(&fields.next()?)?;
        let reason = match fields.optional(tlv::SEQUENCE)? {
            Some(list) => reason(&x509::extensions(list)?)?,
            None => None,
        };
        fields.end()?;
        if serial.len() > NUMBER_LEN_MAX {
            return Err(NotACrl);
        }
        Ok(ListedEntry {
            serial,
            revoked_at,
            reason,
        })
    }
}

/// A reason code alone: a certificateIssuer would make an indirect CRL, an invalidityDate is
/// nothing that this CA knows (BR §7.2.2 recommends against all others).
fn reason(extensions: &[ExtensionView<'_>]) -> Result<Option<u8>, NotACrl> {
    let [extension] = extensions else {
        return Err(NotACrl);
    };
    if extension.oid != oid::REASON_CODE || extension.critical {
        return Err(NotACrl);
    }
    match Tlv::only_of(extension.value, tlv::ENUMERATED)?.value {
        [code] => Ok(Some(*code)),
        _ => Err(NotACrl),
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<ListedEntry<'a>, NotACrl>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let entry = self.read();
        if entry.is_err() {
            self.0 = Reader::new(&[]);
        }
        Some(entry)
    }
}
