//! The verification vectors of Project Wycheproof, run through every back end of this build.
//!
//! They are read from the folder that `ACME_TEST_VECTORS` names; without it nothing is tested.

use acme_crypto::{
    CryptoError, KeyError, PublicKey, SignatureAlgorithm, fixed_signature_from_x509,
    x509_signature_bytes,
};
use serde_json::Value;

mod common;
use common::{from_hex, providers, vectors};

/// How a set writes its signatures.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Fixed,
    X509,
}

#[test]
fn ecdsa_at_fixed_width() {
    check(
        "ecdsa_secp256r1_sha256_p1363_test",
        SignatureAlgorithm::Es256,
        Form::Fixed,
    );
    check(
        "ecdsa_secp384r1_sha384_p1363_test",
        SignatureAlgorithm::Es384,
        Form::Fixed,
    );
}

#[test]
fn ecdsa_in_der() {
    check(
        "ecdsa_secp256r1_sha256_test",
        SignatureAlgorithm::Es256,
        Form::X509,
    );
    check(
        "ecdsa_secp384r1_sha384_test",
        SignatureAlgorithm::Es384,
        Form::X509,
    );
}

#[test]
fn ed25519() {
    check("ed25519_test", SignatureAlgorithm::EdDsa, Form::Fixed);
}

#[test]
fn rsa_pkcs1_v1_5() {
    check(
        "rsa_signature_2048_sha256_test",
        SignatureAlgorithm::Rs256,
        Form::Fixed,
    );
    check(
        "rsa_signature_2048_sha384_test",
        SignatureAlgorithm::Rs384,
        Form::Fixed,
    );
    check(
        "rsa_signature_2048_sha512_test",
        SignatureAlgorithm::Rs512,
        Form::Fixed,
    );
    check(
        "rsa_signature_3072_sha256_test",
        SignatureAlgorithm::Rs256,
        Form::Fixed,
    );
    check(
        "rsa_signature_4096_sha256_test",
        SignatureAlgorithm::Rs256,
        Form::Fixed,
    );
}

fn check(file: &str, algorithm: SignatureAlgorithm, form: Form) {
    let Some(set) = vectors(&format!("wycheproof/{file}.json")) else {
        return;
    };
    for provider in providers() {
        let (mut valid, mut invalid, mut keys_refused) = (0, 0, 0);
        for group in set["testGroups"].as_array().unwrap() {
            let key = PublicKey::from_spki_der(&from_hex(group["publicKeyDer"].as_str().unwrap()));
            if let Err(error) = &key {
                // A few groups have the exponent 3; every other key is a good one.
                assert_eq!(error, &KeyError::Exponent, "{file}");
                keys_refused += 1;
            }
            for test in group["tests"].as_array().unwrap() {
                let accepted = key
                    .as_ref()
                    .is_ok_and(|key| verify(&*provider, algorithm, key, test, form).is_ok());
                // "acceptable" is what some library takes and none has to; strict is better.
                let expected = test["result"] == "valid" && key.is_ok();
                assert_eq!(accepted, expected, "{provider:?} {file} {test}");
                if expected { valid += 1 } else { invalid += 1 }
            }
        }
        println!(
            "{provider:?} {file}: {valid} valid, {invalid} refused, {keys_refused} keys refused"
        );
        assert_eq!(set["numberOfTests"], valid + invalid, "{file}");
        assert!(valid > 0);
    }
}

fn verify(
    provider: &dyn acme_crypto::Provider,
    algorithm: SignatureAlgorithm,
    key: &PublicKey,
    test: &Value,
    form: Form,
) -> Result<(), CryptoError> {
    let message = from_hex(test["msg"].as_str().unwrap());
    let signature = from_hex(test["sig"].as_str().unwrap());
    if form == Form::Fixed {
        return provider.verify(algorithm, key, &message, &signature);
    }
    let fixed = fixed_signature_from_x509(algorithm, &signature)?;
    // Strict DER has one encoding, so what was read is what would be written.
    assert_eq!(x509_signature_bytes(algorithm, &fixed), Ok(signature));
    provider.verify(algorithm, key, &message, &fixed)
}
