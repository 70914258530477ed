//! The issuers' private keys, in memory, and what they sign.
//!
//! A machine names an issuer and hands out bytes; the key stays here. A signer in an HSM or behind
//! a KMS would stand in this place.

use std::collections::BTreeMap;
use std::sync::Arc;

use acme_ca_core::effect::Signed;
use acme_crypto::{KeyPair, SignatureAlgorithm};

/// Key pairs by issuer name.
#[derive(Clone, Debug, Default)]
pub struct Signer {
    keys: BTreeMap<String, Arc<dyn KeyPair>>,
}

impl Signer {
    /// Without a key.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the key of an issuer.
    #[must_use]
    pub fn with_key(mut self, issuer: impl Into<String>, key: Box<dyn KeyPair>) -> Self {
        self.keys.insert(issuer.into(), Arc::from(key));
        self
    }

    /// The issuer's signature over these bytes. A key in memory is sure of what it did: a failure
    /// made none.
    pub fn sign(&self, issuer: &str, algorithm: SignatureAlgorithm, message: &[u8]) -> Signed {
        let Some(key) = self.keys.get(issuer) else {
            tracing::error!(issuer, "no key for this issuer");
            return Signed::NotSigned;
        };
        match key.sign(algorithm, message) {
            Ok(signature) => Signed::Signature(signature),
            Err(error) => {
                tracing::error!(issuer, %error, "the issuer's key could not sign");
                Signed::NotSigned
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use acme_crypto::aws_lc::AwsLc;
    use acme_crypto::{KeyAlgorithm, Provider};

    use super::*;

    #[test]
    fn only_a_known_issuer_signs_and_only_with_its_algorithm() {
        let key = AwsLc.generate(KeyAlgorithm::EcP256, &[7; 32]).unwrap();
        let public = key.public_key().clone();
        let signer = Signer::new().with_key("intermediate", key);
        let Signed::Signature(signature) =
            signer.sign("intermediate", SignatureAlgorithm::Es256, b"tbs")
        else {
            panic!("no signature")
        };
        AwsLc
            .verify(SignatureAlgorithm::Es256, &public, b"tbs", &signature)
            .unwrap();
        for (issuer, algorithm) in [
            ("root", SignatureAlgorithm::Es256),
            ("intermediate", SignatureAlgorithm::Rs256),
        ] {
            assert_eq!(signer.sign(issuer, algorithm, b"tbs"), Signed::NotSigned);
        }
    }
}
