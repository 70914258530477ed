use super::*;

#[test]
fn an_rsa_modulus_has_2048_to_4096_bits_in_whole_bytes() {
    let modulus = |len: usize, first: u8| {
        let mut n = vec![0x55; len];
        n[0] = first;
        n
    };
    let check = |n: &[u8], expected: Result<usize, KeyError>| {
        assert_eq!(
            PublicKey::from_rsa(n, &RSA_EXPONENT).map(|key| key.bits()),
            expected
        );
    };
    check(&modulus(256, 0x80), Ok(2048));
    check(&modulus(257, 0xff), Ok(2056));
    check(&modulus(512, 0x80), Ok(4096));
    check(
        &modulus(256, 0x7f),
        Err(KeyError::ModulusSize { bits: 2047 }),
    );
    check(
        &modulus(257, 0x01),
        Err(KeyError::ModulusSize { bits: 2049 }),
    );
    check(
        &modulus(513, 0x80),
        Err(KeyError::ModulusSize { bits: 4104 }),
    );
    check(
        &modulus(128, 0x80),
        Err(KeyError::ModulusSize { bits: 1024 }),
    );
    check(&modulus(257, 0x00), Err(KeyError::LeadingZero));
    check(&[], Err(KeyError::ModulusSize { bits: 0 }));
    let mut even = modulus(256, 0x80);
    even[255] = 2;
    check(&even, Err(KeyError::EvenModulus));
}

#[test]
fn an_rsa_exponent_is_65537_without_leading_zeros() {
    let n = [0xd5; 256];
    for e in [
        &[1u8][..],
        &[2],
        &[3],
        &[],
        &[0, 1, 0, 1],
        &[1, 0, 0],
        &[1, 0, 1, 0, 1],
    ] {
        assert_eq!(PublicKey::from_rsa(&n, e), Err(KeyError::Exponent), "{e:?}");
    }
}

/// The encodings of the eight points of low order, and those of them with y = 0 or 1 plus the
/// prime; RFC 7748 §6.1 explains why they're dangerous.
#[test]
fn an_ed25519_key_is_canonical_and_of_full_order() {
    let check = |hex: &str, expected: KeyError| {
        assert_eq!(
            PublicKey::from_ed25519(&from_hex(hex)),
            Err(expected),
            "{hex}"
        );
    };
    let zeros = "00".repeat(30);
    let effs = "ff".repeat(30);
    check(&format!("01{zeros}00"), KeyError::LowOrder);
    check(&format!("01{zeros}80"), KeyError::LowOrder);
    check(&format!("00{zeros}00"), KeyError::LowOrder);
    check(&format!("00{zeros}80"), KeyError::LowOrder);
    check(&format!("ec{effs}7f"), KeyError::LowOrder);
    check(&format!("ec{effs}ff"), KeyError::LowOrder);
    check(&format!("ed{effs}7f"), KeyError::NonCanonical);
    check(&format!("ee{effs}7f"), KeyError::NonCanonical);
    check(&format!("ff{effs}ff"), KeyError::NonCanonical);
    let order_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc";
    check(&format!("{order_8}05"), KeyError::LowOrder);
    check(&format!("{order_8}85"), KeyError::LowOrder);
    let order_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03";
    check(&format!("{order_8}7a"), KeyError::LowOrder);
    check(&format!("{order_8}fa"), KeyError::LowOrder);
    check(&format!("02{zeros}00"), KeyError::NotOnCurve);
    assert_eq!(
        PublicKey::from_ed25519(&[9; 31]),
        Err(KeyError::PointLength)
    );
}

#[test]
fn a_point_is_uncompressed_on_its_curve_and_not_at_infinity() {
    // The base point of P-256 (SEC 2 §2.4.2).
    let x = from_hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
    let y = from_hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
    assert!(PublicKey::from_ec_point(Curve::P256, &x, &y).is_ok());
    let mut off = y.clone();
    off[31] ^= 1;
    let check = |x: &[u8], y: &[u8], expected| {
        assert_eq!(PublicKey::from_ec_point(Curve::P256, x, y), Err(expected));
    };
    check(&x, &off, KeyError::NotOnCurve);
    check(&[0; 32], &[0; 32], KeyError::NotOnCurve);
    check(&[0xff; 32], &y, KeyError::NotOnCurve);
    check(&x[1..], &y, KeyError::PointLength);
    check(&[&[0], &x[..]].concat(), &y, KeyError::PointLength);
    let from_point = |point: &[u8]| PublicKey::from_uncompressed(Curve::P256, point);
    assert_eq!(
        from_point(&[&[3], &x[..]].concat()),
        Err(KeyError::PointLength)
    );
    assert_eq!(from_point(&[0]), Err(KeyError::PointLength));
    assert_eq!(
        from_point(&[&[7], &x[..], &y[..]].concat()),
        Err(KeyError::PointLength)
    );
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}
