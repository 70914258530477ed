//! The profiles to start from: Let's Encrypt's three, and one for a CA of one's own.

use std::time::Duration;

use acme_crypto::KeyKind;
use const_oid::ObjectIdentifier;

use super::{DAY, HOUR, Profile, ProfileParts};
use crate::issuance::oid;
use crate::issuance::transparency::Transparency;

impl ProfileParts {
    /// Let's Encrypt's `classic`: 90 days, the name in the subject, a subjectKeyIdentifier.
    pub fn classic() -> Self {
        Self {
            name: "classic".into(),
            description: "90 days, for software that wants what it has always had".into(),
            validity: Duration::from_secs(90 * DAY),
            backdate: Duration::from_secs(HOUR),
            keys: [KeyKind::Rsa, KeyKind::EcP256, KeyKind::EcP384].into(),
            rsa_key_encipherment: true,
            policies: vec![oid::DOMAIN_VALIDATED.into()],
            common_name: true,
            subject_key_identifier: true,
            names_max: 100,
            transparency: Some(Transparency::webpki()),
            web_pki: true,
            issuers: Vec::new(),
        }
    }

    /// Let's Encrypt's `tlsserver`: 45 days, nothing that a TLS server doesn't need.
    pub fn tlsserver() -> Self {
        Self {
            name: "tlsserver".into(),
            description: "45 days, nothing that a TLS server does not need".into(),
            validity: Duration::from_secs(45 * DAY),
            rsa_key_encipherment: false,
            common_name: false,
            subject_key_identifier: false,
            names_max: 25,
            ..Self::classic()
        }
    }

    /// Let's Encrypt's `shortlived`: 160 hours.
    pub fn shortlived() -> Self {
        Self {
            name: "shortlived".into(),
            description: "160 hours, for servers that renew every few days".into(),
            validity: Duration::from_secs(160 * HOUR),
            ..Self::tlsserver()
        }
    }

    /// A CA of one's own: 90 days, no Certificate Transparency, Ed25519 as well.
    pub fn private() -> Self {
        Self {
            name: "private".into(),
            description: "90 days, of a private CA".into(),
            keys: [
                KeyKind::Rsa,
                KeyKind::EcP256,
                KeyKind::EcP384,
                KeyKind::Ed25519,
            ]
            .into(),
            rsa_key_encipherment: false,
            policies: Vec::new(),
            transparency: None,
            web_pki: false,
            ..Self::classic()
        }
    }
}

impl Profile {
    /// Let's Encrypt's `classic`.
    pub fn classic() -> Self {
        Self::preset(ProfileParts::classic())
    }

    /// Let's Encrypt's `tlsserver`.
    pub fn tlsserver() -> Self {
        Self::preset(ProfileParts::tlsserver())
    }

    /// Let's Encrypt's `shortlived`.
    pub fn shortlived() -> Self {
        Self::preset(ProfileParts::shortlived())
    }

    /// A CA of one's own.
    pub fn private() -> Self {
        Self::preset(ProfileParts::private())
    }

    /// The presets keep the rules: a test runs them through [`Profile::try_from`].
    fn preset(parts: ProfileParts) -> Self {
        let policies = parts
            .policies
            .iter()
            .filter_map(|text| ObjectIdentifier::new(text).ok());
        Self {
            policies: policies.collect(),
            parts,
        }
    }
}
