use std::collections::BTreeSet;

use super::{Issuer, Log, LogList, Profile};
use crate::crl::CrlTiming;
use crate::job::LogId;
use crate::schema::Shard;

/// The most issuers: each is a URL, a key and its CRLs.
pub const ISSUERS_MAX: usize = 64;
/// The most profiles: the directory lists them all.
pub const PROFILES_MAX: usize = 32;
/// The most logs: the Web PKI has some dozens.
pub const LOGS_MAX: usize = 256;

/// Who issues, what, logged where: issuers, profiles, logs and the timing of CRLs, checked
/// against each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Authority {
    issuers: Vec<Issuer>,
    default_profile: Profile,
    profiles: Vec<Profile>,
    logs: LogList,
    crl: CrlTiming,
}

/// What doesn't fit together in an authority.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// No issuer, or too many.
    #[error("there must be an issuer, and at most {ISSUERS_MAX}")]
    Issuers,
    /// Two issuers of one name.
    #[error("two issuers have the name {0}")]
    IssuerTwice(String),
    /// A shard of two issuers.
    #[error("the issuers {0} and {1} have a CRL shard in common")]
    ShardTwice(String, String),
    /// No profile, or too many.
    #[error("there must be a profile, and at most {PROFILES_MAX}")]
    Profiles,
    /// Two profiles of one name.
    #[error("two profiles have the name {0}")]
    ProfileTwice(String),
    /// A profile names an issuer that isn't there.
    #[error("the profile {0} names an issuer that is not there")]
    UnknownIssuer(String),
    /// A profile wants SCTs that no choice of the logs gives.
    #[error("the logs can't give the SCTs that the profile {0} wants")]
    TooFewLogs(String),
    /// Too many logs.
    #[error("there may be at most {LOGS_MAX} logs")]
    Logs,
    /// A log twice.
    #[error("a log is there twice")]
    LogTwice,
}

impl Authority {
    /// An authority. The first profile is what an order gets that names none.
    ///
    /// # Errors
    /// [`AuthorityError`] if the parts don't fit together.
    pub fn new(
        issuers: Vec<Issuer>,
        profiles: Vec<Profile>,
        logs: LogList,
        crl: CrlTiming,
    ) -> Result<Self, AuthorityError> {
        check_issuers(&issuers)?;
        check_logs(&logs.logs)?;
        check_profiles(&profiles, &issuers, &logs.logs)?;
        let default_profile = profiles.first().ok_or(AuthorityError::Profiles)?.clone();
        Ok(Self {
            issuers,
            default_profile,
            profiles,
            logs,
            crl,
        })
    }

    /// The profile of this name.
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name() == name)
    }

    /// The profile of orders that name none.
    pub fn default_profile(&self) -> &Profile {
        &self.default_profile
    }

    /// All profiles, for the directory.
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// The issuer of this name.
    pub fn issuer(&self, name: &str) -> Option<&Issuer> {
        self.issuers.iter().find(|issuer| issuer.name() == name)
    }

    /// All issuers.
    pub fn issuers(&self) -> &[Issuer] {
        &self.issuers
    }

    /// The issuer with this key identifier: the first part of a renewal information's id
    /// (RFC 9773 §4.1).
    pub fn issuer_by_key_identifier(&self, identifier: &[u8]) -> Option<&Issuer> {
        self.issuers
            .iter()
            .find(|issuer| issuer.authority_key_identifier() == identifier)
    }

    /// The issuer whose CRL this shard is.
    pub fn issuer_of_shard(&self, shard: Shard) -> Option<&Issuer> {
        self.issuers.iter().find(|issuer| issuer.has_shard(shard))
    }

    /// All shards of all issuers.
    pub fn shards(&self) -> impl Iterator<Item = Shard> + '_ {
        self.issuers.iter().flat_map(Issuer::shards)
    }

    /// The logs.
    pub fn logs(&self) -> &LogList {
        &self.logs
    }

    /// The log with this id.
    pub fn log(&self, id: LogId) -> Option<&Log> {
        self.logs.logs.iter().find(|log| log.id() == id)
    }

    /// How often CRLs are made, and how long they hold.
    pub fn crl(&self) -> &CrlTiming {
        &self.crl
    }
}

fn check_issuers(issuers: &[Issuer]) -> Result<(), AuthorityError> {
    if !(1..=ISSUERS_MAX).contains(&issuers.len()) {
        return Err(AuthorityError::Issuers);
    }
    for (place, issuer) in issuers.iter().enumerate() {
        for other in issuers.iter().take(place) {
            let name = |issuer: &Issuer| issuer.name().to_owned();
            if other.name() == issuer.name() {
                return Err(AuthorityError::IssuerTwice(name(issuer)));
            }
            let (these, those) = (issuer.shard_range(), other.shard_range());
            if these.start() <= those.end() && those.start() <= these.end() {
                return Err(AuthorityError::ShardTwice(name(other), name(issuer)));
            }
        }
    }
    Ok(())
}

fn check_logs(logs: &[Log]) -> Result<(), AuthorityError> {
    if logs.len() > LOGS_MAX {
        return Err(AuthorityError::Logs);
    }
    let distinct: BTreeSet<LogId> = logs.iter().map(Log::id).collect();
    if distinct.len() == logs.len() {
        Ok(())
    } else {
        Err(AuthorityError::LogTwice)
    }
}

fn check_profiles(
    profiles: &[Profile],
    issuers: &[Issuer],
    logs: &[Log],
) -> Result<(), AuthorityError> {
    if !(1..=PROFILES_MAX).contains(&profiles.len()) {
        return Err(AuthorityError::Profiles);
    }
    let all: Vec<&Log> = logs.iter().collect();
    let mut names = BTreeSet::new();
    for profile in profiles {
        let name = || profile.name().to_owned();
        if !names.insert(profile.name()) {
            return Err(AuthorityError::ProfileTwice(name()));
        }
        let known = |wanted: &String| issuers.iter().any(|issuer| issuer.name() == wanted);
        if !profile.parts().issuers.iter().all(known) {
            return Err(AuthorityError::UnknownIssuer(name()));
        }
        if profile
            .transparency()
            .is_some_and(|transparency| !transparency.is_met(&all))
        {
            return Err(AuthorityError::TooFewLogs(name()));
        }
    }
    Ok(())
}
