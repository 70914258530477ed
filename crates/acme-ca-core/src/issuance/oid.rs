//! The object identifiers of what this CA writes and reads.

use const_oid::ObjectIdentifier;

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

/// RFC 5280 §4.2.1.2.
pub(crate) const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = oid("2.5.29.14");
/// RFC 5280 §4.2.1.3.
pub(crate) const KEY_USAGE: ObjectIdentifier = oid("2.5.29.15");
/// RFC 5280 §4.2.1.6.
pub(crate) const SUBJECT_ALT_NAME: ObjectIdentifier = oid("2.5.29.17");
/// RFC 5280 §4.2.1.9.
pub(crate) const BASIC_CONSTRAINTS: ObjectIdentifier = oid("2.5.29.19");
/// RFC 5280 §5.2.3.
pub(crate) const CRL_NUMBER: ObjectIdentifier = oid("2.5.29.20");
/// RFC 5280 §5.3.1.
pub(crate) const REASON_CODE: ObjectIdentifier = oid("2.5.29.21");
/// RFC 5280 §5.2.5.
pub(crate) const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = oid("2.5.29.28");
/// RFC 5280 §4.2.1.13.
pub(crate) const CRL_DISTRIBUTION_POINTS: ObjectIdentifier = oid("2.5.29.31");
/// RFC 5280 §4.2.1.4.
pub(crate) const CERTIFICATE_POLICIES: ObjectIdentifier = oid("2.5.29.32");
/// RFC 5280 §4.2.1.1.
pub(crate) const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = oid("2.5.29.35");
/// RFC 5280 §4.2.1.12.
pub(crate) const EXTENDED_KEY_USAGE: ObjectIdentifier = oid("2.5.29.37");
/// RFC 5280 §4.2.2.1.
pub(crate) const AUTHORITY_INFORMATION_ACCESS: ObjectIdentifier = oid("1.3.6.1.5.5.7.1.1");
/// RFC 5280 §4.2.2.1.
pub(crate) const CA_ISSUERS: ObjectIdentifier = oid("1.3.6.1.5.5.7.48.2");
/// RFC 5280 §4.2.1.12.
pub(crate) const SERVER_AUTH: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.1");
/// RFC 6962 §3.3.
pub(crate) const SCT_LIST: ObjectIdentifier = oid("1.3.6.1.4.1.11129.2.4.2");
/// RFC 6962 §3.1.
pub(crate) const POISON: ObjectIdentifier = oid("1.3.6.1.4.1.11129.2.4.3");
/// RFC 5280 §4.1.2.6, attribute types of X.520.
pub(crate) const COMMON_NAME: ObjectIdentifier = oid("2.5.4.3");
pub(crate) const COUNTRY: ObjectIdentifier = oid("2.5.4.6");
pub(crate) const ORGANIZATION: ObjectIdentifier = oid("2.5.4.10");
/// BR §7.1.6.1: domain validated.
pub(crate) const DOMAIN_VALIDATED: &str = "2.23.140.1.2.1";
/// RFC 5280 §4.2.1.4: no restriction; for CA certificates.
pub(crate) const ANY_POLICY: ObjectIdentifier = oid("2.5.29.32.0");
