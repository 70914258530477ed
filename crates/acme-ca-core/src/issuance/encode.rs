//! What certificates and CRLs are written with: times, names, extensions, the signature's frame.

use acme_crypto::SignatureAlgorithm;
use acme_types::Timestamp;
use const_oid::ObjectIdentifier;
use der::asn1::{Any, AnyRef, BitStringRef, Ia5String, OctetString, SetOfVec, Utf8StringRef};
use der::{DateTime, Encode, Sequence};
use std::time::Duration;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::time::Time;

/// A value has no DER: text outside its alphabet, or longer than DER can say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a value can't be written as DER")]
pub(crate) struct NotEncodable;

impl From<der::Error> for NotEncodable {
    fn from(_: der::Error) -> Self {
        Self
    }
}

/// `Validity` (RFC 5280 §4.1.2.5).
#[derive(Sequence)]
pub(crate) struct Times {
    pub(crate) not_before: Time,
    pub(crate) not_after: Time,
}

/// `Name` (RFC 5280 §4.1.2.4).
pub(crate) type Rdns = Vec<SetOfVec<AttributeTypeAndValue>>;

/// `SIGNED { TBS }`.
#[derive(Sequence)]
struct Signed<'a> {
    tbs: AnyRef<'a>,
    algorithm: AnyRef<'a>,
    signature: BitStringRef<'a>,
}

/// UTCTime through 2049, GeneralizedTime after (RFC 5280 §4.1.2.5), in whole seconds.
pub(crate) fn time(at: Timestamp) -> Result<Time, NotEncodable> {
    let date = DateTime::from_unix_duration(Duration::from_secs(at.as_secs()))?;
    Ok(Time::from(date))
}

/// An element that is DER already.
pub(crate) fn any(der: &[u8]) -> Result<AnyRef<'_>, NotEncodable> {
    Ok(AnyRef::try_from(der)?)
}

/// An extension.
pub(crate) fn extension<T: Encode>(
    oid: ObjectIdentifier,
    critical: bool,
    value: &T,
) -> Result<Extension, NotEncodable> {
    Ok(Extension {
        extn_id: oid,
        critical,
        extn_value: OctetString::new(value.to_der()?)?,
    })
}

/// One attribute in an RDN of its own (BR §7.1.4.1). UTF8String holds every character that may
/// stand there, the `*` of a wildcard too, which PrintableString doesn't.
pub(crate) fn attribute(
    oid: ObjectIdentifier,
    value: Any,
) -> Result<SetOfVec<AttributeTypeAndValue>, NotEncodable> {
    Ok(SetOfVec::try_from(vec![AttributeTypeAndValue {
        oid,
        value,
    }])?)
}

/// A UTF8String.
pub(crate) fn utf8(text: &str) -> Result<Any, NotEncodable> {
    Ok(Any::encode_from(&Utf8StringRef::new(text)?)?)
}

/// A URI.
pub(crate) fn uri(url: &str) -> Result<GeneralName, NotEncodable> {
    Ok(GeneralName::UniformResourceIdentifier(Ia5String::new(url)?))
}

/// A fullName of one URI.
pub(crate) fn full_name(url: &str) -> Result<DistributionPointName, NotEncodable> {
    Ok(DistributionPointName::FullName(vec![uri(url)?]))
}

/// A distribution point of one URI, and nothing else (BR §7.1.2.11.2).
pub(crate) fn distribution_point(url: &str) -> Result<DistributionPoint, NotEncodable> {
    let distribution_point = Some(full_name(url)?);
    Ok(DistributionPoint {
        distribution_point,
        reasons: None,
        crl_issuer: None,
    })
}

/// Puts a signature to what was signed. `signature` is as a signing effect brings it.
pub(crate) fn attach(
    tbs: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
) -> Result<Vec<u8>, NotEncodable> {
    let octets =
        acme_crypto::x509_signature_bytes(algorithm, signature).map_err(|_| NotEncodable)?;
    let signed = Signed {
        tbs: any(tbs)?,
        algorithm: any(algorithm.algorithm_identifier_der())?,
        signature: BitStringRef::from_bytes(&octets)?,
    };
    Ok(signed.to_der()?)
}
