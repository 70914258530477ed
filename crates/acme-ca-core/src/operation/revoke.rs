//! RFC 8555 §7.6: a certificate is revoked.

use acme_types::{AuthorizationStatus, Known, RevocationReason, RevokeCertificate, Timestamp};
use der::Decode;
use x509_cert::Certificate;

use super::{Context, Decision, Operation, Signer, Stop, authorization_status, need};
use crate::crl::is_listable;
use crate::exchange::Reply;
use crate::job::{crl_run, lease_of};
use crate::rejection::Rejection;
use crate::schema::{
    AccountRow, BlockedKeyRow, CertificateRow, JobState, Read, RevocationRow, Row, Serial, View,
    Write,
};

/// Revokes the certificate in the payload.
#[derive(Debug)]
pub(super) struct Revoke;

/// Why the signer may revoke, which decides what may be given as the reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    /// The account that it was issued to.
    Owner,
    /// Holds authorizations for all its names.
    Authorized,
    /// Holds its key.
    KeyHolder,
}

impl Operation for Revoke {
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&self, ctx: &Context<'_>, view: &View, now: Timestamp) -> Result<Decision, Stop> {
        let request: RevokeCertificate = ctx.object()?;
        let (serial, spki) = parts(&request.certificate)?;
        let found = match serial {
            // Byte for byte: a certificate with our serial and another body isn't ours.
            Some(serial) => view
                .certificate(&serial)?
                .filter(|row| row.der.as_deref() == Some(request.certificate.as_slice())),
            None => None,
        };
        let certificate = found.ok_or(Rejection::CertificateUnknown)?;
        let (shard, serial) = (certificate.shard, certificate.serial);
        let job = Read::Job(crl_run::job_id(shard));
        let blocked = Read::BlockedKey(certificate.spki_sha256);
        need(view, [Read::Revocation(shard, serial), job, blocked])?;
        let standing = standing(ctx, view, certificate, &spki, now)?;
        let reason = reason(ctx, request.reason, standing)?;
        if certificate.not_after < ctx.at {
            return Err(Rejection::CertificateExpired.into());
        }
        let before = view.revocation(shard, &serial)?;
        let is_blocked = view.blocked_key(&certificate.spki_sha256)?.is_some();
        let revoked_at = match before {
            None => ctx.at.truncate_to_secs(),
            // One upgrade is allowed: whoever holds the key proves that it is compromised, which
            // blocks it, even if its owner has said so before. The date stays (BR §7.2.2 asks for
            // the date of the first).
            Some(before)
                if standing == Standing::KeyHolder
                    && (before.reason != RevocationReason::KeyCompromise || !is_blocked) =>
            {
                before.revoked_at
            }
            Some(_) => return Err(Rejection::AlreadyRevoked.into()),
        };
        let row = RevocationRow {
            shard,
            serial,
            revoked_at,
            reason,
            not_after: certificate.not_after,
        };
        let mut writes = vec![Write::Put(Row::Revocation(row))];
        writes.extend(block(ctx, view, certificate, standing)?);
        // The shard's next CRL is made at once, by this node unless a run is under way.
        let present = view.job(&crl_run::job_id(shard))?;
        let lease = lease_of(ctx.config, &JobState::CrlRun { shard });
        let (hastened, spawn) = crl_run::hasten(present, shard, ctx.at, lease);
        writes.extend(hastened);
        let event = format!(
            "certificate {serial} revoked by {}: {reason:?}",
            by(ctx, standing)
        );
        let reply = Reply::empty(200);
        Ok(Decision::write(writes, ctx.audit(event), reply).with_spawn(spawn))
    }
}

/// The serial, if it can be one of ours, and the SPKI.
fn parts(der: &[u8]) -> Result<(Option<Serial>, Vec<u8>), Rejection> {
    use der::Encode;
    // Strict DER, and nothing after it.
    let certificate = Certificate::from_der(der).map_err(|_| Rejection::CertificateMalformed)?;
    let tbs = certificate.tbs_certificate();
    let spki = tbs.subject_public_key_info().to_der();
    let spki = spki.map_err(|_| Rejection::CertificateMalformed)?;
    Ok((
        Serial::from_der_integer(tbs.serial_number().as_bytes()),
        spki,
    ))
}

/// RFC 8555 §7.6: "Before revoking a certificate, the server MUST verify that the key used to sign
/// the request is authorized to revoke the certificate."
fn standing(
    ctx: &Context<'_>,
    view: &View,
    certificate: &CertificateRow,
    spki: &[u8],
    now: Timestamp,
) -> Result<Standing, Stop> {
    match ctx.signer {
        Signer::Key(key) if key.public_key().to_spki_der() == spki => Ok(Standing::KeyHolder),
        Signer::Account(account) if account.id == certificate.account => Ok(Standing::Owner),
        Signer::Account(account) if is_authorized(view, account, certificate, now)? => {
            Ok(Standing::Authorized)
        }
        Signer::Key(_) | Signer::Account(_) | Signer::Nobody => {
            Err(Rejection::RevocationUnauthorized.into())
        }
    }
}

/// RFC 8555 §7.6: "an account that holds authorizations for all of the identifiers in the
/// certificate."
fn is_authorized(
    view: &View,
    account: &AccountRow,
    certificate: &CertificateRow,
    now: Timestamp,
) -> Result<bool, Stop> {
    let names = certificate.identifiers.iter();
    need(
        view,
        names
            .clone()
            .map(|name| Read::AuthorizationFor(account.id, name.clone())),
    )?;
    let mut found = Vec::new();
    for name in names {
        match view.authorization_for(&account.id, name)? {
            Some(row) => found.push(row.authorization),
            None => return Ok(false),
        }
    }
    need(view, found.iter().copied().map(Read::Authorization))?;
    let mut all = !found.is_empty();
    for id in &found {
        let row = view
            .authorization(id)?
            .filter(|row| row.account == account.id);
        let valid = |row| authorization_status(row, now) == AuthorizationStatus::Valid;
        all = all && row.is_some_and(valid);
    }
    Ok(all)
}

/// The reason that is recorded.
fn reason(
    ctx: &Context<'_>,
    given: Option<Known<RevocationReason>>,
    standing: Standing,
) -> Result<RevocationReason, Rejection> {
    // What no CRL may have would keep all revocations of its shard out of the CRLs to come.
    let policy = ctx.config.policy.orders.revocation_reasons.iter().copied();
    let listable = |code: &u8| RevocationReason::from_code(*code).is_some_and(is_listable);
    let allowed: Vec<u8> = policy.filter(listable).collect();
    // RFC 8555 §7.6: "If this field is not set, the server … SHOULD omit the reasonCode".
    let given = match given {
        None => RevocationReason::Unspecified,
        Some(Known::Known(reason)) if allowed.contains(&reason.code()) => reason,
        Some(Known::Known(_) | Known::Unknown) => {
            return Err(Rejection::RevocationReason { allowed });
        }
    };
    Ok(match standing {
        Standing::Owner => given,
        // Whoever holds the names now can say no more of the old certificate than that.
        Standing::Authorized => RevocationReason::CessationOfOperation,
        // To sign with the key is to prove that it is in other hands, or might as well be.
        Standing::KeyHolder => RevocationReason::KeyCompromise,
    })
}

/// A key whose holder says that it is compromised is never certified again.
fn block(
    ctx: &Context<'_>,
    view: &View,
    certificate: &CertificateRow,
    standing: Standing,
) -> Result<Option<Write>, Stop> {
    if standing != Standing::KeyHolder || view.blocked_key(&certificate.spki_sha256)?.is_some() {
        return Ok(None);
    }
    let row = BlockedKeyRow {
        spki_sha256: certificate.spki_sha256,
        blocked_at: ctx.at,
    };
    Ok(Some(Write::Put(Row::BlockedKey(row))))
}

fn by(ctx: &Context<'_>, standing: Standing) -> String {
    match (ctx.signer, standing) {
        (Signer::Account(account), Standing::Owner) => format!("its account {}", account.id),
        (Signer::Account(account), _) => format!("account {}, which holds its names", account.id),
        (Signer::Key(_) | Signer::Nobody, _) => "the holder of its key".to_owned(),
    }
}
