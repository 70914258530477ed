//! Keys and thumbprints survive storage, and all types can go where they are needed.

use std::fmt::Debug;

use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, Provider};
use acme_jws::{Draft, Jwk, JwkError, Jws, JwsError, KeyAuthorization, Signer, Thumbprint, eab};
use acme_jws::{key_change, key_change::KeyChangeError};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_vec(value).unwrap();
    assert_eq!(&serde_json::from_slice::<T>(&json).unwrap(), value);
    let compact = postcard::to_allocvec(value).unwrap();
    assert_eq!(&postcard::from_bytes::<T>(&compact).unwrap(), value);
}

#[test]
fn keys_and_thumbprints_survive_json_and_a_compact_format() {
    for algorithm in KeyAlgorithm::ALL {
        let pair = RustCrypto.generate(algorithm, &[13; 32]).unwrap();
        let jwk = Jwk::from_public_key(pair.public_key().clone());
        survives(&jwk);
        survives(&jwk.thumbprint(&RustCrypto));
        assert_eq!(serde_json::to_string(&jwk).unwrap(), jwk.to_json());
    }
}

#[test]
fn a_stored_key_is_checked_when_it_is_read() {
    assert!(
        serde_json::from_str::<Jwk>(r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#).is_err()
    );
    assert!(serde_json::from_str::<Jwk>(r#""AA""#).is_err());
    assert!(postcard::from_bytes::<Jwk>(&[2, 0x30, 0x00]).is_err());
    assert!(serde_json::from_str::<Thumbprint>(r#""AA""#).is_err());
}

#[test]
fn types_are_for_any_thread_and_errors_compare() {
    fn check<T: Send + Sync + Debug + Clone + PartialEq + 'static>() {}
    fn error<E: std::error::Error + Send + Sync + Clone + Eq + 'static>() {}
    check::<Jws>();
    check::<Signer>();
    check::<Jwk>();
    check::<Thumbprint>();
    check::<KeyAuthorization>();
    check::<Draft>();
    check::<eab::Draft>();
    check::<eab::Binding>();
    check::<key_change::Request>();
    error::<JwsError>();
    error::<JwkError>();
    error::<eab::BindingError>();
    error::<KeyChangeError>();
}
