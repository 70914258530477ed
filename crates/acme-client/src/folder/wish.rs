use acme_crypto::KeyAlgorithm;
use acme_types::Identifier;
use serde::{Deserialize, Serialize};

/// What a certificate is to be: all that it takes to order the like of it again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Wish {
    /// Its identifiers, the first of which gives the folder its name.
    pub identifiers: Vec<Identifier>,
    /// What kind of key.
    #[serde(with = "algorithm")]
    pub key_algorithm: KeyAlgorithm,
    /// Which of the CA's profiles (draft-ietf-acme-profiles).
    pub profile: Option<String>,
}

impl Wish {
    /// These identifiers, a key on P-256, the CA's default profile.
    pub fn new(identifiers: impl IntoIterator<Item = Identifier>) -> Self {
        Self {
            identifiers: identifiers.into_iter().collect(),
            key_algorithm: KeyAlgorithm::EcP256,
            profile: None,
        }
    }

    /// Another kind of key.
    pub fn with_key(mut self, algorithm: KeyAlgorithm) -> Self {
        self.key_algorithm = algorithm;
        self
    }

    /// One of the CA's profiles.
    pub fn with_profile(mut self, profile: &str) -> Self {
        self.profile = Some(profile.to_owned());
        self
    }
}

const NAMES: [(KeyAlgorithm, &str); 6] = [
    (KeyAlgorithm::EcP256, "ec256"),
    (KeyAlgorithm::EcP384, "ec384"),
    (KeyAlgorithm::Ed25519, "ed25519"),
    (KeyAlgorithm::Rsa2048, "rsa2048"),
    (KeyAlgorithm::Rsa3072, "rsa3072"),
    (KeyAlgorithm::Rsa4096, "rsa4096"),
];

/// The name of a kind of key in files and on the command line.
pub fn key_algorithm_name(algorithm: KeyAlgorithm) -> &'static str {
    NAMES
        .iter()
        .find(|(known, _)| *known == algorithm)
        .map_or("unknown", |(_, name)| name)
}

/// The kind of key of this name.
pub fn key_algorithm_from_name(name: &str) -> Option<KeyAlgorithm> {
    NAMES
        .iter()
        .find(|(_, known)| *known == name)
        .map(|(algorithm, _)| *algorithm)
}

mod algorithm {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{KeyAlgorithm, key_algorithm_from_name, key_algorithm_name};

    pub(super) fn serialize<S: Serializer>(
        algorithm: &KeyAlgorithm,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(key_algorithm_name(*algorithm))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<KeyAlgorithm, D::Error> {
        let name = String::deserialize(deserializer)?;
        key_algorithm_from_name(&name).ok_or_else(|| D::Error::custom("an unknown kind of key"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_key_has_a_name() {
        for algorithm in KeyAlgorithm::ALL {
            let name = key_algorithm_name(algorithm);
            assert_eq!(key_algorithm_from_name(name), Some(algorithm));
        }
        assert_eq!(key_algorithm_from_name("rsa1024"), None);
    }
}
