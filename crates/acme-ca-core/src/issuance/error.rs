use super::lint::Finding;

/// Why nothing is issued.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssuanceError {
    /// The order's profile isn't there any more.
    #[error("the profile is no longer offered")]
    NoProfile,
    /// The profile is another one than when the intent was made (invariant I9).
    #[error("the profile has changed since the order was finalized")]
    ProfileChanged,
    /// The profile doesn't certify keys of this kind.
    #[error("the profile does not certify keys of this kind")]
    Key,
    /// The key is an issuer's.
    #[error("the key is one of the CA's own")]
    IssuerKey,
    /// No names, or more than the profile allows.
    #[error("no names, or more than the profile allows")]
    Names,
    /// The CSR's names aren't the order's.
    #[error("the names are not those of the order")]
    OtherNames,
    /// The requested notBefore or notAfter can't be given.
    #[error("the requested validity can't be given")]
    Validity,
    /// No issuer of the profile holds for as long.
    #[error("no issuer is valid for as long")]
    NoIssuer,
    /// The list of logs is too old.
    #[error("the list of logs is too old")]
    StaleLogs,
    /// The logs that take the certificate can't give the SCTs that the profile wants.
    #[error("too few logs take the certificate")]
    TooFewLogs,
    /// The stored CSR doesn't read.
    #[error("the stored request does not read")]
    Csr,
    /// A value has no DER.
    #[error("a value of the certificate can't be written")]
    Encoding,
    /// A lint found something.
    #[error("the certificate breaks a rule: {0}")]
    Lint(#[source] Finding),
}

impl From<super::encode::NotEncodable> for IssuanceError {
    fn from(_: super::encode::NotEncodable) -> Self {
        Self::Encoding
    }
}
