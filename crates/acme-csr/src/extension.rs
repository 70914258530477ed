use std::fmt;

use der::Sequence;
use der::asn1::{ObjectIdentifier, OctetStringRef};

/// More extensions than this in one request are no honest request; browsers' profiles have ten.
pub const EXTENSIONS_MAX: usize = 32;

/// An extension that is asked for (RFC 5280 §4.1.2.9). Whether it's granted is the CA's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    oid: ObjectIdentifier,
    critical: bool,
    value: Vec<u8>,
}

impl Extension {
    /// The object identifier in dotted decimal, as in `2.5.29.17`.
    pub fn oid(&self) -> impl fmt::Display + '_ {
        self.oid
    }

    /// Whether this is the extension of that object identifier, in dotted decimal.
    pub fn is(&self, oid: &str) -> bool {
        ObjectIdentifier::new(oid).is_ok_and(|oid| oid == self.oid)
    }

    /// Whether it's marked critical.
    pub const fn is_critical(&self) -> bool {
        self.critical
    }

    /// The content of extnValue: mostly DER.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    pub(crate) fn has_oid(&self, oid: ObjectIdentifier) -> bool {
        self.oid == oid
    }
}

/// `Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }`
#[derive(Sequence)]
pub(crate) struct RawExtension<'a> {
    pub(crate) oid: ObjectIdentifier,
    #[asn1(default = "Default::default")]
    pub(crate) critical: bool,
    pub(crate) value: &'a OctetStringRef,
}

impl From<&RawExtension<'_>> for Extension {
    fn from(raw: &RawExtension<'_>) -> Self {
        Self {
            oid: raw.oid,
            critical: raw.critical,
            value: raw.value.as_bytes().to_vec(),
        }
    }
}
