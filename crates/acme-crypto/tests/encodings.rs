//! Encodings of keys and signatures: what is refused, and why.

use acme_crypto::{
    CryptoError, KeyError, PublicKey, SignatureAlgorithm, ecdsa_der, fixed_signature_from_x509,
    x509_signature_bytes,
};

mod common;
use common::from_hex;

/// The base point of P-256 (SEC 2 §2.4.2).
const X: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
const Y: &str = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
const P256_PREFIX: &str = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";

#[test]
fn a_subject_public_key_has_one_encoding() {
    let check = |hex: String, expected: Result<(), KeyError>| {
        let der = from_hex(&hex);
        let read = PublicKey::from_spki_der(&der);
        if let Ok(key) = &read {
            assert_eq!(key.to_spki_der(), der);
        }
        assert_eq!(read.map(drop), expected, "{hex}");
    };
    check(format!("{P256_PREFIX}{X}{Y}"), Ok(()));
    check(
        format!("{P256_PREFIX}{X}{Y}00"),
        Err(KeyError::MalformedDer),
    );
    check(format!("{P256_PREFIX}{X}{X}"), Err(KeyError::NotOnCurve));
    // A length in the long form where the short one does.
    let long = P256_PREFIX.replacen("3059", "308159", 1);
    check(format!("{long}{X}{Y}"), Err(KeyError::MalformedDer));
    // A compressed point.
    let compressed = "3039301306072a8648ce3d020106082a8648ce3d030107032200".to_owned();
    check(format!("{compressed}03{X}"), Err(KeyError::PointLength));
    // secp521r1, and NULL for a curve: explicit parameters look no better.
    let p521 = "3059301006072a8648ce3d020106052b8104002303450004";
    check(
        format!("{p521}{X}{Y}000000"),
        Err(KeyError::UnsupportedCurve),
    );
    let null = "3051300b06072a8648ce3d0201050003420004";
    check(format!("{null}{X}{Y}"), Err(KeyError::UnsupportedCurve));
    let absent = "304f300906072a8648ce3d020103420004";
    check(format!("{absent}{X}{Y}"), Err(KeyError::Parameters));
    // RFC 8410 §10.1.
    let key = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    check(format!("302a300506032b6570032100{key}"), Ok(()));
    check(
        format!("302c300706032b65700500032100{key}"),
        Err(KeyError::Parameters),
    );
    check(
        format!("302a300506032b656e032100{key}"),
        Err(KeyError::UnsupportedType),
    );
    // Bits left over in the BIT STRING.
    check(
        format!("302a300506032b6570032101{key}"),
        Err(KeyError::MalformedDer),
    );
    check("30".repeat(3_000), Err(KeyError::TooLong));
}

#[test]
fn an_ecdsa_signature_has_one_der_encoding_and_numbers_in_range() {
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let fixed = |r: &str, s: &str| from_hex(&format!("{r:0>64}{s:0>64}"));
    let check = |r: &str, s: &str, der: &str| {
        assert_eq!(ecdsa_der::from_fixed(&fixed(r, s)), Ok(from_hex(der)));
        let read = fixed_signature_from_x509(SignatureAlgorithm::Es256, &from_hex(der));
        assert_eq!(read, Ok(fixed(r, s)));
    };
    check("01", "7f", "300602010102017f");
    check("80", "ff00", "3009020200800203 00ff00");
    for (r, s) in [("00", "01"), ("01", "00"), (order, "01"), ("01", order)] {
        let refused = Err(CryptoError::BadSignature);
        assert_eq!(ecdsa_der::from_fixed(&fixed(r, s)), refused);
        assert_eq!(
            x509_signature_bytes(SignatureAlgorithm::Es256, &fixed(r, s)),
            refused
        );
    }
    let read = |der: &str| ecdsa_der::to_fixed(&from_hex(der), SignatureAlgorithm::Es256);
    for der in [
        "",
        "3006020101020101 00",
        "300702010102020001",
        "3006020101020181",
        "3080020101020101 0000",
        "300602010002 0101",
        "3003020101",
        "3009020101020101 020101",
    ] {
        assert_eq!(read(der), Err(CryptoError::BadSignature), "{der}");
    }
    assert_eq!(
        ecdsa_der::from_fixed(&[1; 63]),
        Err(CryptoError::BadSignature)
    );
    // A signature of the other curve.
    let signature = x509_signature_bytes(SignatureAlgorithm::Es384, &[1; 64]);
    assert_eq!(signature, Err(CryptoError::BadSignature));
}

#[test]
fn x509_and_jose_name_the_same_algorithms() {
    for algorithm in SignatureAlgorithm::ALL {
        let der = algorithm.algorithm_identifier_der();
        assert_eq!(
            SignatureAlgorithm::from_algorithm_identifier_der(der),
            Some(algorithm)
        );
        assert_eq!(
            SignatureAlgorithm::from_name(algorithm.name()),
            Some(algorithm)
        );
    }
    for name in [
        "none", "HS256", "RS1", "PS256", "ES256K", "es256", "ES512", "Ed25519", "",
    ] {
        assert_eq!(SignatureAlgorithm::from_name(name), None, "{name}");
    }
    // sha1WithRSAEncryption, and sha256WithRSAEncryption without its NULL.
    for der in [
        "300d06092a864886f70d0101050500",
        "300b06092a864886f70d01010b",
    ] {
        let read = SignatureAlgorithm::from_algorithm_identifier_der(&from_hex(der));
        assert_eq!(read, None, "{der}");
    }
}
