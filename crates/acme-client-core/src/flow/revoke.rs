//! Revocation (RFC 8555 §7.6).

use acme_crypto::PublicKey;
use acme_jws::Jwk;
use acme_types::{RevocationReason, base64url};
use serde::{Deserialize, Serialize};

use super::{Ground, Happened, Kept, Need, Progress, Slot, Want, Wanted};
use crate::failure::{Failure, Fault, Operation};
use crate::operation::{Signer, revoke};
use crate::{Event, KeyRef};

/// The intent to have a certificate revoked. To do it twice does no harm.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RevokeJob {
    #[serde(with = "base64url::member")]
    certificate: Vec<u8>,
    reason: Option<RevocationReason>,
    signer: RevokeSigner,
    tries: Option<u32>,
}

/// Who asks for a revocation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevokeSigner {
    /// The account: the one that ordered the certificate, or one with authorizations for all its
    /// identifiers.
    Account,
    /// The certificate's own key. Needs no account.
    CertificateKey(Jwk),
}

impl RevokeJob {
    /// Revokes this certificate (DER) by the account.
    pub fn by_account(certificate: &[u8]) -> Self {
        let certificate = certificate.to_vec();
        Self {
            certificate,
            reason: None,
            signer: RevokeSigner::Account,
            tries: None,
        }
    }

    /// Revokes this certificate (DER) by its own key.
    pub fn by_certificate_key(certificate: &[u8], key: &PublicKey) -> Self {
        let signer = RevokeSigner::CertificateKey(Jwk::from_public_key(key.clone()));
        Self {
            signer,
            ..Self::by_account(certificate)
        }
    }

    /// Says why.
    pub fn because(mut self, reason: RevocationReason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Fails after this many attempts instead of going on. At least one is made.
    pub fn give_up_after(mut self, attempts: u32) -> Self {
        self.tries = Some(attempts.max(1));
        self
    }
}

/// What is stored of a revocation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct RevokeRecord {
    job: RevokeJob,
    end: Option<End>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum End {
    Revoked,
    Failed(Box<Failure>),
    Told,
}

pub(crate) struct RevokeFlow {
    record: Kept<RevokeRecord>,
}

impl RevokeFlow {
    pub(crate) fn new(job: RevokeJob) -> Self {
        Self {
            record: Kept::new(RevokeRecord { job, end: None }),
        }
    }

    pub(crate) fn restore(record: RevokeRecord) -> Self {
        Self {
            record: Kept::stored(record),
        }
    }

    pub(crate) fn record(&self) -> &RevokeRecord {
        &self.record
    }

    pub(crate) fn take_changed(&mut self) -> bool {
        self.record.take_changed()
    }

    pub(crate) fn tries(&self) -> Option<u32> {
        self.record.job.tries
    }

    pub(crate) fn need(&self) -> Need {
        match self.record.job.signer {
            RevokeSigner::Account => Need::Account,
            RevokeSigner::CertificateKey(_) => Need::Directory,
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.record.end == Some(End::Told)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.record.end.is_some()
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        self.record.change().end = Some(End::Failed(Box::new(failure)));
    }

    pub(crate) fn cancel(&mut self) {
        self.record.change().end = Some(End::Told);
    }

    pub(crate) fn wants(&self, ground: Option<Ground<'_>>) -> Vec<Wanted> {
        let event = match &self.record.end {
            None => {
                return ground
                    .and_then(|ground| self.request(ground))
                    .into_iter()
                    .collect();
            }
            Some(End::Told) => return Vec::new(),
            Some(End::Revoked) => Event::Revoked,
            Some(End::Failed(failure)) => Event::Failed(failure.clone()),
        };
        vec![Wanted::durable(Slot::Event, Want::Tell(event))]
    }

    fn request(&self, ground: Ground<'_>) -> Option<Wanted> {
        let job = &self.record.job;
        let url = ground.endpoints.revoke_certificate.as_ref()?;
        let signer = match &job.signer {
            RevokeSigner::Account => Signer::Account,
            RevokeSigner::CertificateKey(jwk) => {
                let thumbprint = jwk.thumbprint(ground.config.provider());
                Signer::Key(KeyRef::Certificate(thumbprint), jwk.public_key().clone())
            }
        };
        let request = revoke::request(url, signer, &job.certificate, job.reason);
        Some(Wanted::durable(Slot::Revoke, Want::Request(request)))
    }

    /// A CA that doesn't say where to revoke can't be asked.
    pub(crate) fn begin(&mut self, ground: Ground<'_>) -> Progress {
        if ground.endpoints.revoke_certificate.is_none() && self.record.end.is_none() {
            self.fail(Failure::new(
                Operation::RevokeCertificate,
                Fault::Unsuitable,
            ));
        }
        Progress::Moved
    }

    pub(crate) fn on(&mut self, slot: Slot, what: Happened) -> Progress {
        match (slot, what) {
            (Slot::Revoke, Happened::Replied(reply)) => match revoke::read(&reply) {
                Ok(()) => {
                    self.record.change().end = Some(End::Revoked);
                    Progress::Moved
                }
                // Whose certificate it is, and whether the reason will do, time doesn't change.
                Err(failure) if failure.fault == Fault::ServerRefused => {
                    self.fail(failure);
                    Progress::Moved
                }
                Err(failure) => Progress::Again(failure),
            },
            (Slot::Event, Happened::Kept) => {
                self.record.change().end = Some(End::Told);
                Progress::Moved
            }
            // RFC 8555 §7.6: alreadyRevoked is the answer to a repetition.
            (_, Happened::Unknown(failure)) => Progress::Again(failure),
            (_, _) => Progress::Moved,
        }
    }
}
