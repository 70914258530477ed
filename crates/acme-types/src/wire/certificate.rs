use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::Known;
use crate::base64url;

/// The request to issue (RFC 8555 §7.4). Read strictly.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finalize {
    /// The PKCS#10 request in DER; base64url on the wire.
    #[serde(with = "base64url::member")]
    pub csr: Vec<u8>,
}

/// The request to revoke (RFC 8555 §7.6). Read strictly, but for the reason: which values are
/// allowed is the CA's matter, and a bad one has an error type of its own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RevokeCertificate {
    /// The certificate in DER; base64url on the wire.
    #[serde(with = "base64url::member")]
    pub certificate: Vec<u8>,
    /// Why; `Unknown` is a value that RFC 5280 doesn't have.
    #[serde(
        default,
        deserialize_with = "reason",
        skip_serializing_if = "Option::is_none"
    )]
    pub reason: Option<Known<RevocationReason>>,
}

fn reason<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Known<RevocationReason>>, D::Error> {
    Known::deserialize(deserializer).map(Some)
}

/// A CRL's reason code (RFC 5280 §5.3.1); a number on the wire. The list is closed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RevocationReason {
    /// 0
    Unspecified,
    /// 1
    KeyCompromise,
    /// 2
    CaCompromise,
    /// 3
    AffiliationChanged,
    /// 4
    Superseded,
    /// 5
    CessationOfOperation,
    /// 6
    CertificateHold,
    /// 8
    RemoveFromCrl,
    /// 9
    PrivilegeWithdrawn,
    /// 10
    AaCompromise,
}

impl RevocationReason {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::RemoveFromCrl,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::RemoveFromCrl => 8,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
        }
    }

    /// The reason with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.code() == code)
    }
}

impl Serialize for RevocationReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

impl<'de> Deserialize<'de> for RevocationReason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = u8::deserialize(deserializer)?;
        Self::from_code(code).ok_or_else(|| D::Error::custom("not a reason code"))
    }
}
