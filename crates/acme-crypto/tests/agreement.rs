//! Both back ends against each other: the same key pairs from the same entropy, the same verdict
//! on every signature, honest or damaged.
#![cfg(all(feature = "rustcrypto", feature = "aws-lc-rs"))]

use std::sync::OnceLock;

use acme_crypto::aws_lc::AwsLc;
use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{
    CryptoError, HashAlgorithm, KeyAlgorithm, KeyPair, Provider, PublicKey, SignatureAlgorithm,
};
use p256::pkcs8::DecodePrivateKey;
use proptest::prelude::*;

/// What is done to a signature on its way.
#[derive(Clone, Debug)]
enum Damage {
    None,
    Flip(usize, u8),
    Cut(usize),
    Append(u8),
    /// One half becomes zeros, or all ones.
    Half {
        second: bool,
        byte: u8,
    },
    /// Something else altogether.
    Replace(Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        2 => Just(Damage::None),
        4 => (any::<usize>(), 1u8..).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        1 => any::<usize>().prop_map(Damage::Cut),
        1 => any::<u8>().prop_map(Damage::Append),
        2 => (any::<bool>(), prop_oneof![Just(0u8), Just(1), Just(0xff)])
            .prop_map(|(second, byte)| Damage::Half { second, byte }),
        1 => proptest::collection::vec(any::<u8>(), 0..100).prop_map(Damage::Replace),
    ]
}

fn apply(damage: &Damage, mut signature: Vec<u8>) -> Vec<u8> {
    match damage {
        Damage::None => {}
        Damage::Flip(at, bits) => {
            let at = at % signature.len();
            signature[at] ^= bits;
        }
        Damage::Cut(at) => signature.truncate(at % signature.len()),
        Damage::Append(byte) => signature.push(*byte),
        Damage::Half { second, byte } => {
            let middle = signature.len() / 2;
            let (first, last) = signature.split_at_mut(middle);
            (if *second { last } else { first }).fill(*byte);
        }
        Damage::Replace(other) => signature.clone_from(other),
    }
    signature
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_back_ends_give_the_same_verdict(
        which in 0..KEYS.len(),
        algorithm in proptest::sample::select(SignatureAlgorithm::ALL.to_vec()),
        message in proptest::collection::vec(any::<u8>(), 0..200),
        damage in damage(),
        signed_by_first in any::<bool>(),
    ) {
        let (first, second) = &keys()[which];
        let fitting = if first.public_key().fits(algorithm) {
            algorithm
        } else {
            first.public_key().default_algorithm()
        };
        let signer = if signed_by_first { first } else { second };
        let signature = apply(&damage, signer.sign(fitting, &message).unwrap());
        let verdicts = [&RustCrypto as &dyn Provider, &AwsLc].map(|provider| {
            provider.verify(algorithm, first.public_key(), &message, &signature)
        });
        prop_assert_eq!(verdicts[0], verdicts[1]);
        if matches!(damage, Damage::None) && fitting == algorithm {
            prop_assert_eq!(verdicts[0], Ok(()));
        }
    }

    #[test]
    fn the_back_ends_hash_and_mac_the_same(
        key in proptest::collection::vec(any::<u8>(), 0..200),
        message in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        prop_assert_eq!(RustCrypto.sha256(&message), AwsLc.sha256(&message));
        for hash in [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512] {
            prop_assert_eq!(RustCrypto.hash(hash, &message), AwsLc.hash(hash, &message));
            let tag = RustCrypto.mac(hash, &key, &message);
            prop_assert_eq!(AwsLc.verify_mac(hash, &key, &message, &tag), Ok(()));
            prop_assert_eq!(RustCrypto.verify_mac(hash, &key, &message, &tag), Ok(()));
        }
    }

    #[test]
    fn the_back_ends_make_the_same_key_pairs_and_read_each_others(
        algorithm in proptest::sample::select(vec![
            KeyAlgorithm::EcP256, KeyAlgorithm::EcP384, KeyAlgorithm::Ed25519,
        ]),
        entropy in any::<[u8; 32]>(),
    ) {
        let first = RustCrypto.generate(algorithm, &entropy).unwrap();
        let second = AwsLc.generate(algorithm, &entropy).unwrap();
        prop_assert_eq!(first.to_pkcs8_der(), second.to_pkcs8_der());
        let crossed = AwsLc.key_from_pkcs8_pem(&first.to_pkcs8_pem()).unwrap();
        prop_assert_eq!(crossed.public_key(), first.public_key());
    }

    #[test]
    fn what_is_read_as_a_public_key_is_written_back_as_it_came(
        which in 0..KEYS.len(),
        at in any::<usize>(),
        bits in any::<u8>(),
    ) {
        let mut der = keys()[which].0.public_key().to_spki_der();
        let at = at % der.len();
        der[at] ^= bits;
        if let Ok(key) = PublicKey::from_spki_der(&der) {
            prop_assert_eq!(key.to_spki_der(), der);
        }
    }
}

#[test]
fn the_back_ends_make_the_same_rsa_keys() {
    for (first, second) in keys() {
        assert_eq!(first.to_pkcs8_der(), second.to_pkcs8_der());
    }
}

/// OpenSSL signs requests for P-384 keys with SHA-256 unless it's told otherwise.
#[test]
fn ecdsa_with_the_hash_of_another_curve_verifies_in_both_back_ends_and_is_not_made() {
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    let (message, other) = (b"message", b"massage");
    let check = |kind, algorithm, hash, sign: Sign<'_>| {
        let (first, second) = &keys()[KEYS.iter().position(|known| *known == kind).unwrap()];
        let signature = sign(&first.to_pkcs8_der(), &RustCrypto.hash(hash, message));
        for provider in [&RustCrypto as &dyn Provider, &AwsLc] {
            let verify = |message: &[u8], signature: &[u8]| {
                provider.verify(algorithm, first.public_key(), message, signature)
            };
            assert_eq!(
                verify(message, &signature),
                Ok(()),
                "{provider:?} {algorithm}"
            );
            assert_eq!(verify(other, &signature), Err(CryptoError::BadSignature));
            assert_eq!(
                verify(message, &signature[1..]),
                Err(CryptoError::BadSignature)
            );
            assert_eq!(verify(message, &[0; 96]), Err(CryptoError::BadSignature));
        }
        for pair in [first, second] {
            let refused = pair.sign(algorithm, message);
            assert!(matches!(
                refused,
                Err(CryptoError::AlgorithmMismatch { .. })
            ));
        }
        let identifier = algorithm.algorithm_identifier_der();
        assert_eq!(
            SignatureAlgorithm::from_x509(identifier, kind.kind()),
            Some(algorithm)
        );
        assert_eq!(SignatureAlgorithm::from_name(algorithm.name()), None);
    };
    let p256 = |pkcs8: &[u8], hash: &[u8]| {
        let key: p256::ecdsa::SigningKey = p256::SecretKey::from_pkcs8_der(pkcs8).unwrap().into();
        let signature: p256::ecdsa::Signature = key.sign_prehash(hash).unwrap();
        signature.to_bytes().to_vec()
    };
    let p384 = |pkcs8: &[u8], hash: &[u8]| {
        let key: p384::ecdsa::SigningKey = p384::SecretKey::from_pkcs8_der(pkcs8).unwrap().into();
        let signature: p384::ecdsa::Signature = key.sign_prehash(hash).unwrap();
        signature.to_bytes().to_vec()
    };
    use {HashAlgorithm as Hash, KeyAlgorithm as Key, SignatureAlgorithm as Signature};
    check(Key::EcP256, Signature::EcdsaP256Sha384, Hash::Sha384, &p256);
    check(Key::EcP256, Signature::EcdsaP256Sha512, Hash::Sha512, &p256);
    check(Key::EcP384, Signature::EcdsaP384Sha256, Hash::Sha256, &p384);
    check(Key::EcP384, Signature::EcdsaP384Sha512, Hash::Sha512, &p384);
    let rsa = Signature::Rs256.algorithm_identifier_der();
    assert_eq!(Signature::from_x509(rsa, Key::EcP256.kind()), None);
}

/// Signs a hash with a private key in PKCS#8.
type Sign<'a> = &'a dyn Fn(&[u8], &[u8]) -> Vec<u8>;

const KEYS: [KeyAlgorithm; 6] = KeyAlgorithm::ALL;

type Pair = (Box<dyn KeyPair>, Box<dyn KeyPair>);

/// The same keys in both back ends; made once, since RSA takes its time.
fn keys() -> &'static [Pair] {
    static KEY_PAIRS: OnceLock<Vec<Pair>> = OnceLock::new();
    KEY_PAIRS.get_or_init(|| {
        KEYS.into_iter()
            .map(|algorithm| {
                let first = RustCrypto.generate(algorithm, &[5; 32]).unwrap();
                let second = AwsLc.key_from_pkcs8_der(&first.to_pkcs8_der()).unwrap();
                (first, second)
            })
            .collect()
    })
}
