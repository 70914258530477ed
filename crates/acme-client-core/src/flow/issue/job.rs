use std::collections::BTreeSet;

use acme_csr::{Csr, CsrError};
use acme_types::{CertificateId, ChallengeType, Identifier, base64url};
use serde::{Deserialize, Serialize};

/// The intent to have a certificate. Its identifiers are those of the CSR, so that the two can't
/// differ, and the key exists before the order does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IssueJob {
    #[serde(with = "base64url::member")]
    csr: Vec<u8>,
    profile: Option<String>,
    replaces: Option<CertificateId>,
    preferences: Vec<(Identifier, Vec<ChallengeType>)>,
    tries: Option<u32>,
}

impl IssueJob {
    /// From a PKCS#10 request in DER (RFC 2986), as acme-csr makes it. The key that signed it must
    /// be durable already, and must not be the account's (RFC 8555 §11.1).
    ///
    /// # Errors
    /// Not such a request.
    pub fn new(csr: &[u8]) -> Result<Self, CsrError> {
        Csr::parse(csr)?;
        Ok(Self {
            csr: csr.to_vec(),
            profile: None,
            replaces: None,
            preferences: Vec::new(),
            tries: None,
        })
    }

    /// Asks for this profile (draft-ietf-acme-profiles). A CA that doesn't offer it fails the job.
    pub fn with_profile(mut self, profile: &str) -> Self {
        self.profile = Some(profile.to_owned());
        self
    }

    /// Says which certificate this one replaces (RFC 9773 §5). Left out if the CA has no renewal
    /// information, and once it refuses.
    pub fn replacing(mut self, certificate: CertificateId) -> Self {
        self.replaces = Some(certificate);
        self
    }

    /// The challenge types for this identifier, the preferred first, instead of the
    /// configuration's.
    pub fn prefer(
        mut self,
        identifier: Identifier,
        types: impl IntoIterator<Item = ChallengeType>,
    ) -> Self {
        self.preferences.retain(|(known, _)| *known != identifier);
        self.preferences
            .push((identifier, types.into_iter().collect()));
        self
    }

    /// Fails after this many attempts (an attempt being one run through all challenge types)
    /// instead of going on, ever more slowly. At least one is made.
    pub fn give_up_after(mut self, attempts: u32) -> Self {
        self.tries = Some(attempts.max(1));
        self
    }

    /// The CSR in DER.
    pub fn csr(&self) -> &[u8] {
        &self.csr
    }

    pub(crate) fn tries(&self) -> Option<u32> {
        self.tries
    }

    pub(super) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    pub(super) fn replaces(&self) -> Option<&CertificateId> {
        self.replaces.as_ref()
    }

    pub(super) fn preference<'a>(
        &'a self,
        identifier: &Identifier,
        otherwise: &'a [ChallengeType],
    ) -> &'a [ChallengeType] {
        let own = self
            .preferences
            .iter()
            .find(|(known, _)| known == identifier);
        own.map_or(otherwise, |(_, types)| types)
    }

    /// The identifiers of the CSR.
    ///
    /// # Errors
    /// None for a job made by [`IssueJob::new`].
    pub fn identifiers(&self) -> Result<BTreeSet<Identifier>, CsrError> {
        Csr::parse(&self.csr).map(|csr| csr.identifiers().clone())
    }
}
