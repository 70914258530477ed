//! The intent: what will be signed, drafted and linted before anything is, as a pure function.

use std::collections::BTreeSet;

use acme_crypto::PublicKey;
use acme_csr::Csr;
use acme_types::{Identifier, Timestamp};

use super::lint::{self, Expected};
use super::tbs::{Mark, Template};
use super::validity::Validity;
use super::{IssuanceError, Issuer, Log, Profile};
use crate::Config;
use crate::schema::{IntentRow, IntentState, OrderRow, Serial};

/// The intent to issue for an order: profile and issuer chosen, serial and validity fixed, the
/// TBSCertificate that is signed first drafted and linted. The CSR's signature and whatever else
/// belongs to finalize is the caller's to check; that its names are the order's is checked again.
///
/// # Errors
/// [`IssuanceError`]. `Key`, `IssuerKey` and `OtherNames` are the CSR's fault; `Names` and
/// `Validity` the order's; the others are the CA's.
pub fn intent(
    config: &Config,
    order: &OrderRow,
    csr: &Csr,
    serial: Serial,
    at: Timestamp,
) -> Result<IntentRow, IssuanceError> {
    let ordered: BTreeSet<&Identifier> = order.identifiers.iter().collect();
    if !csr.identifiers().iter().eq(ordered.iter().copied()) {
        return Err(IssuanceError::OtherNames);
    }
    let profile = config
        .authority
        .profile(&order.profile)
        .ok_or(IssuanceError::NoProfile)?;
    let validity = Validity::of(profile, (order.not_before, order.not_after), at)?;
    let names = ordered.into_iter().cloned().collect();
    let plan = Plan {
        profile,
        validity,
        fixed: order.not_before.is_some(),
        names,
        key: csr.public_key(),
        serial,
    };
    let (issuer, validity, tbs) = plan.draft(config, at)?;
    Ok(IntentRow {
        serial,
        order: order.id,
        account: order.account,
        issuer: issuer.name().to_owned(),
        profile: order.profile.clone(),
        profile_sha256: profile.sha256(config.provider.as_ref()),
        csr: csr.as_der().to_vec(),
        identifiers: plan.names,
        tbs,
        not_before: validity.not_before,
        not_after: validity.not_after,
        shard: issuer.shard_of(serial),
        created_at: at,
        state: IntentState::Open,
    })
}

/// The intent that takes the place of one whose serial may be used up: a new serial, the issuer
/// chosen again; the same names, key, profile and validity.
///
/// # Errors
/// [`IssuanceError::ProfileChanged`] if the profile is no longer as it was at finalize, else as
/// [`intent`].
pub fn restart(
    config: &Config,
    old: &IntentRow,
    serial: Serial,
    at: Timestamp,
) -> Result<IntentRow, IssuanceError> {
    let profile = profile_of(config, old)?;
    let csr = Csr::parse(&old.csr).map_err(|_| IssuanceError::Csr)?;
    // The same to the second, so that what the order asked for stays true. What has waited too
    // long for that is refused by the lint (BR §7.1.2.7: notBefore "within 48 hours").
    let validity = Validity {
        not_before: old.not_before,
        not_after: old.not_after,
    };
    let names = old.identifiers.clone();
    let plan = Plan {
        profile,
        validity,
        fixed: true,
        names,
        key: csr.public_key(),
        serial,
    };
    let (issuer, _, tbs) = plan.draft(config, at)?;
    Ok(IntentRow {
        serial,
        issuer: issuer.name().to_owned(),
        tbs,
        shard: issuer.shard_of(serial),
        created_at: at,
        state: IntentState::Open,
        ..old.clone()
    })
}

/// The profile of an intent, if it is as it was.
pub(crate) fn profile_of<'a>(
    config: &'a Config,
    intent: &IntentRow,
) -> Result<&'a Profile, IssuanceError> {
    let profile = config
        .authority
        .profile(&intent.profile)
        .ok_or(IssuanceError::NoProfile)?;
    if profile.sha256(config.provider.as_ref()) == intent.profile_sha256 {
        Ok(profile)
    } else {
        Err(IssuanceError::ProfileChanged)
    }
}

/// The key that an intent certifies.
pub(crate) fn key_of(intent: &IntentRow) -> Result<PublicKey, IssuanceError> {
    let csr = Csr::parse(&intent.csr).map_err(|_| IssuanceError::Csr)?;
    Ok(csr.public_key().clone())
}

/// All that decides an intent's certificate, from the configuration as it is now.
pub(crate) fn template<'a>(
    config: &'a Config,
    intent: &'a IntentRow,
    key: &'a PublicKey,
) -> Result<Template<'a>, IssuanceError> {
    let profile = profile_of(config, intent)?;
    let issuer = config
        .authority
        .issuer(&intent.issuer)
        .ok_or(IssuanceError::NoIssuer)?;
    Ok(Template {
        issuer,
        profile,
        serial: intent.serial,
        identifiers: &intent.identifiers,
        key,
        validity: Validity {
            not_before: intent.not_before,
            not_after: intent.not_after,
        },
        shard: intent.shard,
    })
}

/// What a certificate will be, before its issuer is chosen.
struct Plan<'a> {
    profile: &'a Profile,
    validity: Validity,
    /// Whether the validity is to be that to the second.
    fixed: bool,
    names: Vec<Identifier>,
    key: &'a PublicKey,
    serial: Serial,
}

impl Plan<'_> {
    /// Chooses the issuer, drafts the TBSCertificate that is signed first, and lints it.
    fn draft<'c>(
        &self,
        config: &'c Config,
        at: Timestamp,
    ) -> Result<(&'c Issuer, Validity, Vec<u8>), IssuanceError> {
        let parts = self.profile.parts();
        if !(1..=parts.names_max).contains(&self.names.len()) {
            return Err(IssuanceError::Names);
        }
        if !parts.keys.contains(&self.key.kind()) {
            return Err(IssuanceError::Key);
        }
        // Invariant I19: the subject's key is never an issuer's.
        if config
            .authority
            .issuers()
            .iter()
            .any(|issuer| issuer.public_key() == self.key)
        {
            return Err(IssuanceError::IssuerKey);
        }
        self.check_logs(config, at)?;
        let (issuer, validity) = self.issuer(config, at).ok_or(IssuanceError::NoIssuer)?;
        let template = Template {
            issuer,
            profile: self.profile,
            serial: self.serial,
            identifiers: &self.names,
            key: self.key,
            validity,
            shard: issuer.shard_of(self.serial),
        };
        let mark = match self.profile.transparency() {
            Some(_) => Mark::Poison,
            None => Mark::None,
        };
        let tbs = template.tbs(config, mark)?;
        let expected = Expected {
            template: &template,
            stage: mark.into(),
            at,
        };
        lint::tbs(config, &expected, &tbs).map_err(IssuanceError::Lint)?;
        Ok((issuer, validity, tbs))
    }

    /// Of the issuers of the profile that are valid for as long, the first whose key is of the
    /// subject's kind, so that a client that can't do one kind of signature is served, or else
    /// the first.
    fn issuer<'c>(&self, config: &'c Config, at: Timestamp) -> Option<(&'c Issuer, Validity)> {
        let wanted = &self.profile.parts().issuers;
        let authority = &config.authority;
        let named: Vec<&Issuer> = if wanted.is_empty() {
            authority.issuers().iter().collect()
        } else {
            wanted
                .iter()
                .filter_map(|name| authority.issuer(name))
                .collect()
        };
        let mut fitting = named.into_iter().filter_map(|issuer| {
            let validity = match self.fixed {
                true => self.validity.is_within(issuer).then_some(self.validity),
                false => self.validity.with_issuer(issuer, at),
            };
            Some((issuer, validity?))
        });
        let first = fitting.clone().next();
        fitting
            .find(|(issuer, _)| issuer.public_key().kind() == self.key.kind())
            .or(first)
    }

    /// Without enough logs nothing is signed: a precertificate that nobody takes helps nobody.
    fn check_logs(&self, config: &Config, at: Timestamp) -> Result<(), IssuanceError> {
        let Some(transparency) = self.profile.transparency() else {
            return Ok(());
        };
        let list = config.authority.logs();
        if list.fresh_until.is_some_and(|until| at > until) {
            return Err(IssuanceError::StaleLogs);
        }
        let taking: Vec<&Log> = list
            .logs
            .iter()
            .filter(|log| log.takes(self.validity.not_after))
            .collect();
        if transparency.is_met(&taking) {
            Ok(())
        } else {
            Err(IssuanceError::TooFewLogs)
        }
    }
}
