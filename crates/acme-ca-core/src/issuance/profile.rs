mod preset;

use std::collections::BTreeSet;
use std::time::Duration;

use acme_crypto::{KeyKind, Provider};
use const_oid::ObjectIdentifier;

use super::oid;
use super::transparency::Transparency;

/// The longest name of a profile: it stands in the directory and in orders.
pub const PROFILE_NAME_LEN_MAX: usize = 64;
/// The longest description of a profile.
pub const PROFILE_DESCRIPTION_LEN_MAX: usize = 512;
/// The most names of a certificate, whatever the profile: RFC 8555 sets no limit; a certificate
/// of more is too large for many TLS clients.
pub const NAMES_MAX: usize = 100;
/// The furthest that a notBefore may lie in the past (BR §7.1.2.7: within 48 hours; half of it).
pub const BACKDATE_MAX: Duration = Duration::from_secs(24 * HOUR);
/// The shortest validity that clients with clocks somewhat off can use.
const VALIDITY_MIN: Duration = Duration::from_secs(60);
/// The longest validity of a certificate of a private CA: ten years, as good as forever.
const VALIDITY_MAX: Duration = Duration::from_secs(3_660 * DAY);
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// What a certificate of a profile is like. The parts of a [`Profile`], not checked yet: make
/// one from a preset and change what is different.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProfileParts {
    /// Its name in the directory and in orders (draft-ietf-acme-profiles §3).
    pub name: String,
    /// What people read about it in the directory: text or a URL.
    pub description: String,
    /// From notBefore to notAfter, both inclusive, in whole seconds.
    pub validity: Duration,
    /// How far notBefore lies before the signature, for clocks that are behind.
    pub backdate: Duration,
    /// The keys that are certified.
    pub keys: BTreeSet<KeyKind>,
    /// Whether an RSA key may encipher keys too (TLS 1.2 without forward secrecy).
    pub rsa_key_encipherment: bool,
    /// The certificate policies, dotted; at least one where `web_pki`.
    pub policies: Vec<String>,
    /// Whether the first name of at most 64 characters stands in the subject as well.
    pub common_name: bool,
    /// Whether there is a subjectKeyIdentifier.
    pub subject_key_identifier: bool,
    /// The most names.
    pub names_max: usize,
    /// Which SCTs a certificate carries. `None`: no Certificate Transparency.
    pub transparency: Option<Transparency>,
    /// Whether the rules of the Web PKI are linted: the dated table of validities, the policy.
    pub web_pki: bool,
    /// The names of the issuers to choose from, the preferred first. Empty: all.
    pub issuers: Vec<String>,
}

/// What a certificate of a profile is like, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    parts: ProfileParts,
    policies: Vec<ObjectIdentifier>,
}

/// What is wrong with a profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Not 1 to [`PROFILE_NAME_LEN_MAX`] printable ASCII characters without blanks.
    #[error("the profile's name is empty, too long, or has odd characters")]
    Name,
    /// Too long.
    #[error("the profile's description is too long")]
    Description,
    /// Not in whole seconds, too short or too long.
    #[error("the profile's validity is not in whole seconds, too short or too long")]
    Validity,
    /// More than [`BACKDATE_MAX`], or not less than the validity.
    #[error("the profile backdates too far")]
    Backdate,
    /// No keys.
    #[error("the profile certifies no keys")]
    Keys,
    /// Not an object identifier, twice the same, anyPolicy, or for the Web PKI not the one for
    /// domain validation.
    #[error("the profile's certificate policies are not right")]
    Policies,
    /// None, or more than [`NAMES_MAX`].
    #[error("the profile allows no names, or too many")]
    Names,
    /// The requirement on SCTs can't be met.
    #[error("the profile's requirement on SCTs can't be met")]
    Transparency,
}

impl Profile {
    /// Its parts, to make another of.
    pub fn parts(&self) -> &ProfileParts {
        &self.parts
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// What people read about it.
    pub fn description(&self) -> &str {
        &self.parts.description
    }

    /// The most names of a certificate.
    pub fn names_max(&self) -> usize {
        self.parts.names_max
    }

    /// Which SCTs a certificate carries.
    pub fn transparency(&self) -> Option<&Transparency> {
        self.parts.transparency.as_ref()
    }

    pub(crate) fn policies(&self) -> &[ObjectIdentifier] {
        &self.policies
    }

    /// A hash over all that decides what a certificate looks like, so that one that was drafted
    /// under a profile is never finished under another (invariant I9). The description isn't in.
    pub fn sha256(&self, provider: &dyn Provider) -> [u8; 32] {
        let ProfileParts {
            name,
            description: _,
            validity,
            backdate,
            keys,
            rsa_key_encipherment,
            policies,
            common_name,
            subject_key_identifier,
            names_max,
            transparency,
            web_pki,
            issuers,
        } = &self.parts;
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let transparency = transparency.map(Transparency::numbers);
        // JSON of plain values in a fixed order: every field quoted, so no two profiles read alike.
        let text = serde_json::json!([
            "profile/1",
            name,
            validity.as_secs(),
            backdate.as_secs(),
            keys,
            rsa_key_encipherment,
            policies,
            common_name,
            subject_key_identifier,
            names_max,
            transparency,
            web_pki,
            issuers,
        ])
        .to_string();
        provider.sha256(text.as_bytes())
    }
}

impl TryFrom<ProfileParts> for Profile {
    type Error = ProfileError;

    fn try_from(parts: ProfileParts) -> Result<Self, ProfileError> {
        let named = (1..=PROFILE_NAME_LEN_MAX).contains(&parts.name.len());
        if !named || !parts.name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ProfileError::Name);
        }
        if parts.description.len() > PROFILE_DESCRIPTION_LEN_MAX {
            return Err(ProfileError::Description);
        }
        let whole = |duration: Duration| duration.subsec_nanos() == 0;
        if !whole(parts.validity) || !(VALIDITY_MIN..=VALIDITY_MAX).contains(&parts.validity) {
            return Err(ProfileError::Validity);
        }
        let backdated = parts.backdate <= BACKDATE_MAX && parts.backdate < parts.validity;
        if !whole(parts.backdate) || !backdated {
            return Err(ProfileError::Backdate);
        }
        if parts.keys.is_empty() {
            return Err(ProfileError::Keys);
        }
        if !(1..=NAMES_MAX).contains(&parts.names_max) {
            return Err(ProfileError::Names);
        }
        if parts
            .transparency
            .is_some_and(|transparency| !transparency.is_possible())
        {
            return Err(ProfileError::Transparency);
        }
        let policies = policies(&parts)?;
        Ok(Self { parts, policies })
    }
}

fn policies(parts: &ProfileParts) -> Result<Vec<ObjectIdentifier>, ProfileError> {
    let read = |text: &String| ObjectIdentifier::new(text).map_err(|_| ProfileError::Policies);
    let policies = parts
        .policies
        .iter()
        .map(read)
        .collect::<Result<Vec<_>, _>>()?;
    let distinct: BTreeSet<&ObjectIdentifier> = policies.iter().collect();
    // BR §7.1.2.7.9: "The `anyPolicy` Policy Identifier MUST NOT be present", and the reserved one
    // is recommended to stand first.
    let domain_validated = parts
        .policies
        .first()
        .is_some_and(|p| p == oid::DOMAIN_VALIDATED);
    let wrong = distinct.len() != policies.len()
        || policies.contains(&oid::ANY_POLICY)
        || parts.web_pki && !domain_validated;
    if wrong {
        Err(ProfileError::Policies)
    } else {
        Ok(policies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acme_crypto::rustcrypto::RustCrypto;

    #[test]
    fn the_presets_keep_the_rules() {
        let all = [
            Profile::classic(),
            Profile::tlsserver(),
            Profile::shortlived(),
            Profile::private(),
        ];
        for preset in all {
            assert_eq!(Profile::try_from(preset.parts().clone()), Ok(preset));
        }
    }

    #[test]
    fn what_breaks_a_rule_is_no_profile() {
        let check = |change: fn(&mut ProfileParts), error: ProfileError| {
            let mut parts = ProfileParts::classic();
            change(&mut parts);
            assert_eq!(Profile::try_from(parts), Err(error));
        };
        check(|p| p.name = String::new(), ProfileError::Name);
        check(|p| p.name = "a b".into(), ProfileError::Name);
        check(
            |p| p.validity = Duration::from_millis(90_500),
            ProfileError::Validity,
        );
        check(
            |p| p.validity = Duration::from_secs(1),
            ProfileError::Validity,
        );
        check(
            |p| p.backdate = Duration::from_secs(25 * HOUR),
            ProfileError::Backdate,
        );
        check(|p| p.backdate = p.validity, ProfileError::Backdate);
        check(|p| p.keys.clear(), ProfileError::Keys);
        check(|p| p.policies.clear(), ProfileError::Policies);
        check(
            |p| p.policies.push("2.5.29.32.0".into()),
            ProfileError::Policies,
        );
        check(
            |p| p.policies.push("2.23.140.1.2.1".into()),
            ProfileError::Policies,
        );
        check(
            |p| p.policies.insert(0, "1.2.3".into()),
            ProfileError::Policies,
        );
        check(|p| p.names_max = 0, ProfileError::Names);
        check(|p| p.names_max = 101, ProfileError::Names);
    }

    #[test]
    fn the_hash_changes_with_all_that_decides_the_certificate() {
        let hash = |change: fn(&mut ProfileParts)| {
            let mut parts = ProfileParts::classic();
            change(&mut parts);
            Profile::try_from(parts).unwrap().sha256(&RustCrypto)
        };
        let changes: [fn(&mut ProfileParts); 9] = [
            |_| (),
            |p| p.validity = Duration::from_secs(DAY),
            |p| p.backdate = Duration::ZERO,
            |p| p.rsa_key_encipherment = false,
            |p| p.common_name = false,
            |p| p.subject_key_identifier = false,
            |p| p.transparency = None,
            |p| p.policies.push("1.2.3".into()),
            |p| p.issuers.push("x".into()),
        ];
        let distinct: BTreeSet<[u8; 32]> = changes.into_iter().map(hash).collect();
        assert_eq!(distinct.len(), changes.len());
        assert_eq!(hash(|p| p.description.clear()), hash(|_| ()));
    }
}
