//! Whose account a client is of.

use acme_crypto::{PublicKey, SignatureAlgorithm};
use acme_jws::Jwk;
use acme_types::Url;
use serde::{Deserialize, Serialize};

/// Whose account, and how to make it if there is none.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AccountIntent {
    pub(super) key: AccountKey,
    pub(super) contacts: Vec<String>,
    pub(super) terms_agreed: bool,
    pub(super) external: Option<ExternalAccount>,
    pub(super) only_existing: bool,
    pub(super) url: Option<Url>,
}

/// The public half of an account's key, and how it signs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AccountKey {
    pub(super) jwk: Jwk,
    #[serde(with = "algorithm_name")]
    pub(super) algorithm: SignatureAlgorithm,
}

/// An account outside of ACME that the new one is to be bound to (RFC 8555 §7.3.4). The MAC key
/// stays with the shell, which is asked for the tag by [`crate::KeyRef::ExternalAccount`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExternalAccount {
    /// The key identifier that the CA gave.
    pub kid: String,
}

impl AccountKey {
    /// This key, signing by its usual algorithm.
    pub fn new(public: &PublicKey) -> Self {
        Self {
            jwk: Jwk::from_public_key(public.clone()),
            algorithm: public.default_algorithm(),
        }
    }

    /// Signs by this algorithm; left as it was if it doesn't fit the key.
    pub fn with_algorithm(mut self, algorithm: SignatureAlgorithm) -> Self {
        if self.jwk.public_key().fits(algorithm) {
            self.algorithm = algorithm;
        }
        self
    }

    pub(crate) fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    pub(crate) fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }
}

impl AccountIntent {
    /// The account of this key: found, or made.
    pub fn new(key: AccountKey) -> Self {
        Self {
            key,
            contacts: Vec::new(),
            terms_agreed: false,
            external: None,
            only_existing: false,
            url: None,
        }
    }

    /// Whom the CA can write to: `mailto:` URLs.
    pub fn with_contacts(mut self, contacts: impl IntoIterator<Item = String>) -> Self {
        self.contacts = contacts.into_iter().collect();
        self
    }

    /// The user agrees to the CA's terms of service (RFC 8555 §7.3.3).
    pub fn agree_to_terms(mut self) -> Self {
        self.terms_agreed = true;
        self
    }

    /// Binds the account to one that the CA knows otherwise (RFC 8555 §7.3.4).
    pub fn bind(mut self, external: ExternalAccount) -> Self {
        self.external = Some(external);
        self
    }

    /// Never makes an account (RFC 8555 §7.3.1).
    pub fn only_existing(mut self) -> Self {
        self.only_existing = true;
        self
    }

    /// The account's URL is known: it is neither made nor looked for.
    pub fn at(mut self, url: Url) -> Self {
        self.url = Some(url);
        self
    }
}

mod algorithm_name {
    use acme_crypto::SignatureAlgorithm;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        algorithm: &SignatureAlgorithm,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(algorithm.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SignatureAlgorithm, D::Error> {
        let name = String::deserialize(deserializer)?;
        SignatureAlgorithm::from_name(&name).ok_or_else(|| D::Error::custom("unknown algorithm"))
    }
}
