//! A certificate taken apart into the exact bytes of its fields (RFC 5280 §4.1), strictly.

use acme_types::Timestamp;
use const_oid::ObjectIdentifier;

use super::tlv::{self, BadDer, Tlv};

/// No certificate that this CA makes or reads is longer: 100 names of 253 bytes, a 4096-bit key
/// and an SCT list leave half of it free.
pub(crate) const CERTIFICATE_LEN_MAX: usize = 65_536;
/// No certificate has more extensions.
const EXTENSIONS_MAX: usize = 32;

/// A signed object: certificate or CRL.
#[derive(Clone, Debug)]
pub(crate) struct SignedView<'a> {
    /// What is signed, DER.
    pub(crate) tbs: &'a [u8],
    /// The AlgorithmIdentifier outside of it, DER.
    pub(crate) algorithm: &'a [u8],
    /// The signature's octets.
    pub(crate) signature: &'a [u8],
}

impl<'a> SignedView<'a> {
    pub(crate) fn parse(der: &'a [u8]) -> Result<Self, BadDer> {
        let mut fields = Tlv::only_of(der, tlv::SEQUENCE)?.inside();
        let tbs = fields.expect(tlv::SEQUENCE)?.raw;
        let algorithm = fields.expect(tlv::SEQUENCE)?.raw;
        let signature = fields.expect(tlv::BIT_STRING)?.whole_bits()?;
        fields.end()?;
        Ok(Self {
            tbs,
            algorithm,
            signature,
        })
    }
}

/// A TBSCertificate, each field as its exact encoding unless said otherwise.
#[derive(Clone, Debug)]
pub(crate) struct TbsView<'a> {
    /// The number: 2 for v3.
    pub(crate) version: u8,
    /// The contents octets.
    pub(crate) serial: &'a [u8],
    pub(crate) signature: &'a [u8],
    pub(crate) issuer: &'a [u8],
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) subject: &'a [u8],
    pub(crate) spki: &'a [u8],
    /// Whether there is an issuerUniqueID or a subjectUniqueID.
    pub(crate) unique_ids: bool,
    pub(crate) extensions: Vec<ExtensionView<'a>>,
    /// The seven fields before the extensions, version to subjectPublicKeyInfo.
    pub(crate) head: &'a [u8],
}

/// An extension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ExtensionView<'a> {
    pub(crate) oid: ObjectIdentifier,
    pub(crate) critical: bool,
    /// What is in the OCTET STRING.
    pub(crate) value: &'a [u8],
    /// All of it.
    pub(crate) raw: &'a [u8],
}

impl<'a> TbsView<'a> {
    pub(crate) fn parse(der: &'a [u8]) -> Result<Self, BadDer> {
        if der.len() > CERTIFICATE_LEN_MAX {
            return Err(BadDer);
        }
        let all = Tlv::only_of(der, tlv::SEQUENCE)?;
        let mut fields = all.inside();
        let version = match fields.optional(tlv::constructed(0))? {
            Some(explicit) => match Tlv::only_of(explicit.value, tlv::INTEGER)?.value {
                // v1 (0) is the default, which DER leaves out.
                [number] if *number > 0 => *number,
                _ => return Err(BadDer),
            },
            None => 0,
        };
        let serial = fields.expect(tlv::INTEGER)?.unsigned()?;
        let signature = fields.expect(tlv::SEQUENCE)?.raw;
        let issuer = fields.expect(tlv::SEQUENCE)?.raw;
        let mut validity = fields.expect(tlv::SEQUENCE)?.inside();
        let not_before = time(&validity.next()?)?;
        let not_after = time(&validity.next()?)?;
        validity.end()?;
        let subject = fields.expect(tlv::SEQUENCE)?.raw;
        let spki = fields.expect(tlv::SEQUENCE)?.raw;
        let rest = fields.clone();
        let issuer_id = fields.optional(tlv::primitive(1))?;
        let subject_id = fields.optional(tlv::primitive(2))?;
        let extensions = match fields.optional(tlv::constructed(3))? {
            Some(explicit) => extensions(Tlv::only_of(explicit.value, tlv::SEQUENCE)?)?,
            None => Vec::new(),
        };
        fields.end()?;
        let head_len = all
            .value
            .len()
            .checked_sub(rest.rest().len())
            .ok_or(BadDer)?;
        let head = all.value.get(..head_len).ok_or(BadDer)?;
        Ok(Self {
            version,
            serial,
            signature,
            issuer,
            not_before,
            not_after,
            subject,
            spki,
            unique_ids: issuer_id.is_some() || subject_id.is_some(),
            extensions,
            head,
        })
    }

    /// The extension of this kind, the first of them.
    pub(crate) fn extension(&self, oid: ObjectIdentifier) -> Option<&ExtensionView<'a>> {
        self.extensions
            .iter()
            .find(|extension| extension.oid == oid)
    }
}

/// `Extensions`: at least one, no empty list (RFC 5280 §4.1.2.9).
pub(crate) fn extensions(list: Tlv<'_>) -> Result<Vec<ExtensionView<'_>>, BadDer> {
    let mut elements = list.inside();
    if elements.is_empty() {
        return Err(BadDer);
    }
    let mut found = Vec::new();
    while !elements.is_empty() {
        if found.len() >= EXTENSIONS_MAX {
            return Err(BadDer);
        }
        let element = elements.expect(tlv::SEQUENCE)?;
        let mut fields = element.inside();
        let oid = fields.expect(tlv::OID)?.oid()?;
        let critical = match fields.optional(tlv::BOOLEAN)? {
            Some(flag) if flag.boolean()? => true,
            Some(_) => return Err(BadDer), // FALSE is the default, which DER leaves out.
            None => false,
        };
        let value = fields.expect(tlv::OCTET_STRING)?.value;
        fields.end()?;
        found.push(ExtensionView {
            oid,
            critical,
            value,
            raw: element.raw,
        });
    }
    Ok(found)
}

/// A time as RFC 5280 §4.1.2.5 wants it: UTCTime through 2049, GeneralizedTime after, both in
/// whole seconds of Zulu time.
pub(crate) fn time(element: &Tlv<'_>) -> Result<Timestamp, BadDer> {
    let text = element.ascii()?;
    let digits = match (element.tag, text.len()) {
        (tlv::UTC_TIME, 13) => {
            let years = text.get(..2).ok_or(BadDer)?;
            if !years.bytes().all(|digit| digit.is_ascii_digit()) {
                return Err(BadDer);
            }
            // 1950 to 1999 are years of no use here: Timestamp has none before 1970.
            let century = if years < "50" { "20" } else { "19" };
            format!("{century}{text}")
        }
        (tlv::GENERALIZED_TIME, 15) if text >= "2050" => text.to_owned(),
        _ => return Err(BadDer),
    };
    let part = |from: usize, to: usize| digits.get(from..to).ok_or(BadDer);
    let zone = part(14, 15)?;
    let rfc3339 = format!(
        "{}-{}-{}T{}:{}:{}{zone}",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?,
    );
    if zone != "Z" || part(12, 14)? == "60" {
        return Err(BadDer);
    }
    Timestamp::from_rfc3339(&rfc3339).ok_or(BadDer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_rfc_5280_writes_them() {
        let check = |tag: u8, text: &str, expected: Option<&str>| {
            let mut der = vec![tag, u8::try_from(text.len()).unwrap()];
            der.extend_from_slice(text.as_bytes());
            let read = time(&Tlv::only(&der).unwrap())
                .ok()
                .map(Timestamp::to_rfc3339);
            assert_eq!(read.as_deref(), expected, "{text}");
        };
        check(tlv::UTC_TIME, "261124003300Z", Some("2026-11-24T00:33:00Z"));
        check(tlv::UTC_TIME, "491231235959Z", Some("2049-12-31T23:59:59Z"));
        check(tlv::UTC_TIME, "700101000000Z", Some("1970-01-01T00:00:00Z"));
        check(tlv::UTC_TIME, "2611240033Z", None);
        check(tlv::UTC_TIME, "261124003300+0100", None);
        check(tlv::UTC_TIME, "261124003360Z", None);
        check(
            tlv::GENERALIZED_TIME,
            "20500101000000Z",
            Some("2050-01-01T00:00:00Z"),
        );
        check(tlv::GENERALIZED_TIME, "20491231235959Z", None);
        check(tlv::GENERALIZED_TIME, "20500101000000.5Z", None);
    }
}
