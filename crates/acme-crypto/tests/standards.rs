//! Examples printed in the standards, through every back end of this build.

use acme_crypto::{
    CryptoError, HashAlgorithm, KeyAlgorithm, KeyKind, PublicKey, SignatureAlgorithm,
};

mod common;
use common::{from_hex, providers};

/// FIPS 180-4's example message.
#[test]
fn hashes_are_those_of_fips_180() {
    let check = |algorithm, expected: &str| {
        for provider in providers() {
            assert_eq!(
                provider.hash(algorithm, b"abc"),
                from_hex(expected),
                "{provider:?}"
            );
        }
    };
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    check(HashAlgorithm::Sha256, sha256);
    check(
        HashAlgorithm::Sha384,
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed
         8086072ba1e7cc2358baeca134c825a7",
    );
    check(
        HashAlgorithm::Sha512,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    );
    for provider in providers() {
        assert_eq!(provider.sha256(b"abc").to_vec(), from_hex(sha256));
    }
}

/// RFC 4231 §4.3 (test case 2).
#[test]
fn macs_are_those_of_rfc_4231_and_verify_only_in_full() {
    let check = |algorithm, expected: &str| {
        let (key, message) = (b"Jefe", b"what do ya want for nothing?");
        for provider in providers() {
            let tag = provider.mac(algorithm, key, message);
            assert_eq!(tag, from_hex(expected), "{provider:?}");
            let verify = |tag: &[u8]| provider.verify_mac(algorithm, key, message, tag);
            assert_eq!(verify(&tag), Ok(()));
            assert_eq!(verify(&tag[..tag.len() - 1]), Err(CryptoError::BadMac));
            assert_eq!(verify(&[]), Err(CryptoError::BadMac));
            assert_eq!(verify(&[&tag[..], &[0]].concat()), Err(CryptoError::BadMac));
            let mut other = tag.clone();
            other[0] ^= 1;
            assert_eq!(verify(&other), Err(CryptoError::BadMac));
        }
    };
    check(
        HashAlgorithm::Sha256,
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
    check(
        HashAlgorithm::Sha384,
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e
         8e2240ca5e69e2c78b3239ecfab21649",
    );
    check(
        HashAlgorithm::Sha512,
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554
         9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    );
}

/// RFC 8032 §7.1, tests 2 and 3.
#[test]
fn ed25519_signatures_are_those_of_rfc_8032() {
    let check = |seed: &str, public: &str, message: &str, signature: &str| {
        for provider in providers() {
            // The version 1 of PKCS#8 that RFC 8410 §7 prints, around another seed.
            let der = [from_hex("302e020100300506032b657004220420"), from_hex(seed)].concat();
            let pair = provider.key_from_pkcs8_der(&der).unwrap();
            assert_eq!(
                pair.public_key(),
                &PublicKey::from_ed25519(&from_hex(public)).unwrap()
            );
            assert_eq!(pair.to_pkcs8_der().as_slice(), der);
            let made = pair
                .sign(SignatureAlgorithm::EdDsa, &from_hex(message))
                .unwrap();
            assert_eq!(made, from_hex(signature), "{provider:?}");
        }
    };
    check(
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    );
    check(
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
         18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    );
}

/// RFC 6979 §A.2.5 and §A.2.6, message "sample".
#[cfg(feature = "rustcrypto")]
#[test]
fn rustcrypto_signs_ecdsa_as_rfc_6979_says() {
    use acme_crypto::{Provider, rustcrypto::RustCrypto};
    let check = |prefix: &str, private: &str, algorithm, signature: &str| {
        let der = [from_hex(prefix), from_hex(private)].concat();
        let pair = RustCrypto.key_from_pkcs8_der(&der).unwrap();
        assert_eq!(
            pair.sign(algorithm, b"sample").unwrap(),
            from_hex(signature)
        );
    };
    check(
        // PKCS#8 with an ECPrivateKey that has no optional part.
        "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420",
        "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
        SignatureAlgorithm::Es256,
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716
         f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    );
    check(
        "304e020100301006072a8648ce3d020106052b81040022043730350201010430",
        "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8
         96d5724e4c70a825f872c9ea60d2edf5",
        SignatureAlgorithm::Es384,
        "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c
         81a648152e44acf96e36dd1e80fabe46
         99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94f
         a329c145786e679e7b82c71a38628ac8",
    );
}

#[test]
fn every_key_pair_signs_what_its_public_key_verifies_and_survives_storage() {
    for provider in providers() {
        for algorithm in KeyAlgorithm::ALL {
            let pair = provider.generate(algorithm, &[7; 32]).unwrap();
            assert_eq!(pair.public_key().kind(), algorithm.kind());
            let spki = pair.public_key().to_spki_der();
            assert_eq!(
                PublicKey::from_spki_der(&spki).as_ref(),
                Ok(pair.public_key())
            );
            let again = provider.key_from_pkcs8_pem(&pair.to_pkcs8_pem()).unwrap();
            assert_eq!(again.public_key(), pair.public_key());
            for algorithm in SignatureAlgorithm::ALL {
                let signature = again.sign(algorithm, b"message");
                if !pair.public_key().fits(algorithm) {
                    let key = pair.public_key().kind();
                    let expected = CryptoError::AlgorithmMismatch { algorithm, key };
                    assert_eq!(signature, Err(expected));
                    let verified = provider.verify(algorithm, pair.public_key(), b"", &[0; 64]);
                    assert_eq!(verified, Err(expected));
                    continue;
                }
                let signature = signature.unwrap();
                let verify = |message: &[u8], signature: &[u8]| {
                    provider.verify(algorithm, pair.public_key(), message, signature)
                };
                assert_eq!(
                    verify(b"message", &signature),
                    Ok(()),
                    "{provider:?} {algorithm}"
                );
                assert_eq!(
                    verify(b"massage", &signature),
                    Err(CryptoError::BadSignature)
                );
                let short = &signature[1..];
                assert_eq!(verify(b"message", short), Err(CryptoError::BadSignature));
            }
        }
    }
}

/// Written down once: stored entropy must mean the same key in every later version.
#[test]
fn a_key_pair_is_a_function_of_its_entropy() {
    let check = |algorithm, expected: &str| {
        for provider in providers() {
            let pair = provider.generate(algorithm, &[42; 32]).unwrap();
            let id = provider.sha256(&pair.public_key().to_spki_der());
            let id: String = id
                .iter()
                .take(8)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(id, expected, "{provider:?} {algorithm:?}");
            let other = provider.generate(algorithm, &[43; 32]).unwrap();
            assert_ne!(pair.public_key(), other.public_key());
        }
    };
    check(KeyAlgorithm::EcP256, "1586ed67c187baa7");
    check(KeyAlgorithm::EcP384, "c844987af87c30d4");
    check(KeyAlgorithm::Ed25519, "2b72d46202148461");
    check(KeyAlgorithm::Rsa2048, "d4b39e14198e75eb");
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    for provider in providers() {
        let pair = provider.generate(KeyAlgorithm::EcP256, &[7; 32]).unwrap();
        let text = format!("{pair:?}");
        assert!(
            text.ends_with("KeyPair { public_key: PublicKey(P-256, 256 bits), .. }"),
            "{text}"
        );
    }
}

#[test]
fn a_private_key_that_contradicts_itself_or_is_of_another_kind_is_refused() {
    let ed25519 = from_hex(&format!(
        "302e020100300506032b657004220420{}",
        "11".repeat(32)
    ));
    let check = |der: &[u8], expected: CryptoError| {
        for provider in providers() {
            assert_eq!(
                provider.key_from_pkcs8_der(der).err(),
                Some(expected),
                "{provider:?}"
            );
        }
    };
    check(&[], CryptoError::MalformedPrivateKey);
    check(&ed25519[1..], CryptoError::MalformedPrivateKey);
    check(
        &[&ed25519[..], &[0]].concat(),
        CryptoError::MalformedPrivateKey,
    );
    check(&vec![0x30; 5_000], CryptoError::MalformedPrivateKey);
    // X25519 (RFC 8410 §3).
    let mut x25519 = ed25519.clone();
    x25519[11] = 0x6e;
    check(&x25519, CryptoError::UnsupportedPrivateKey);
    for provider in providers() {
        let pair = provider.generate(KeyAlgorithm::EcP256, &[1; 32]).unwrap();
        let other = provider.generate(KeyAlgorithm::EcP256, &[2; 32]).unwrap();
        let mut der = pair.to_pkcs8_der().to_vec();
        let point = other.public_key().spki_key_bytes();
        let at = der.len() - point.len();
        der[at..].copy_from_slice(&point);
        check(&der, CryptoError::MalformedPrivateKey);
        // Scalars outside 1..n.
        for scalar in [[0; 32], [0xff; 32]] {
            let prefix = "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420";
            check(
                &[&from_hex(prefix), &scalar[..]].concat(),
                CryptoError::MalformedPrivateKey,
            );
        }
        let pem = pair.to_pkcs8_pem().replace("PRIVATE KEY", "EC PRIVATE KEY");
        assert_eq!(
            provider.key_from_pkcs8_pem(&pem).err(),
            Some(CryptoError::Pem)
        );
        assert_eq!(
            provider.key_from_pkcs8_pem("").err(),
            Some(CryptoError::Pem)
        );
        assert_eq!(pair.public_key().kind(), KeyKind::EcP256);
    }
}
