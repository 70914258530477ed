//! Keys, signatures, signed requests and certificate requests.

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{PublicKey, SignatureAlgorithm, ecdsa_der as encoding};
use acme_csr::{CSR_LEN_MAX, Csr};
use acme_jws::{Jwk, Jws, Signer, eab, key_change as change};

use crate::two_parts;

/// A request's body.
pub fn jws(data: &[u8]) {
    let Ok(jws) = Jws::parse(data) else { return };
    assert_eq!(jws.is_post_as_get(), jws.payload().is_empty());
    assert!(jws.jwk().is_ok() != jws.kid().is_ok());
    if let Signer::Jwk(jwk) = jws.signer() {
        // Good or bad, but no panic; a key of another kind than the algorithm's never got here.
        let _ = jws.verify(&RustCrypto, jwk.public_key());
    }
}

/// A JWK.
pub fn jwk(data: &[u8]) {
    let Ok(jwk) = Jwk::from_json(data) else {
        return;
    };
    let written = jwk.to_json();
    assert_eq!(Jwk::from_json(written.as_bytes()).as_ref(), Ok(&jwk));
    let spki = jwk.public_key().to_spki_der();
    assert_eq!(
        PublicKey::from_spki_der(&spki).as_ref(),
        Ok(jwk.public_key())
    );
}

/// A key change: the outer body.
pub fn key_change(data: &[u8]) {
    let Ok(outer) = Jws::parse(data) else { return };
    if let Ok(request) = change::Request::parse(&RustCrypto, &outer) {
        let account_key = request.old_key().clone();
        let account = request.account().as_str().to_owned();
        assert_eq!(request.check(&account, &account_key), Ok(()));
    }
}

/// An external account binding, for a key that is in it or isn't.
pub fn external_account(data: &[u8]) {
    let (jwk, object) = two_parts(data);
    let Ok(jwk) = Jwk::from_json(jwk) else { return };
    let url = "https://example.com/acme/new-account";
    if let Ok(binding) = eab::Binding::parse(object, url, &jwk) {
        assert_eq!(binding.jwk(), &jwk);
        assert!(!binding.kid().is_empty());
        let _ = binding.verify(&RustCrypto, &[7; 32]);
        assert!(binding.verify(&RustCrypto, b"").is_err());
    }
}

/// A certificate request in DER.
pub fn csr(data: &[u8]) {
    let Ok(csr) = Csr::parse(data) else { return };
    assert!(data.len() <= CSR_LEN_MAX && csr.as_der() == data);
    assert!(!csr.identifiers().is_empty());
    assert_eq!(
        PublicKey::from_spki_der(&csr.spki_der()).as_ref(),
        Ok(csr.public_key())
    );
    let _ = csr.verify(&RustCrypto);
}

/// A SubjectPublicKeyInfo in DER: an accepted key has one encoding.
pub fn spki(data: &[u8]) {
    if let Ok(key) = PublicKey::from_spki_der(data) {
        assert_eq!(key.to_spki_der(), data);
    }
}

/// An ECDSA signature in DER: what is accepted has one encoding.
pub fn ecdsa_der(data: &[u8]) {
    for algorithm in [SignatureAlgorithm::Es256, SignatureAlgorithm::Es384] {
        if let Ok(fixed) = encoding::to_fixed(data, algorithm) {
            assert_eq!(encoding::from_fixed(&fixed).as_deref(), Ok(data));
        }
    }
    if let Ok(der) = encoding::from_fixed(data) {
        let algorithm = match data.len() {
            64 => SignatureAlgorithm::Es256,
            _ => SignatureAlgorithm::Es384,
        };
        assert_eq!(encoding::to_fixed(&der, algorithm).as_deref(), Ok(data));
    }
}
