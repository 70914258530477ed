use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair};
use acme_types::Nonce;
use serde_json::json;

use super::*;

const URL: &str = "https://example.com/acme/key-change";
const ACCOUNT: &str = "https://example.com/acme/acct/evOfKhNU60wg";
const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::Es256;

fn pair(seed: u8) -> Box<dyn KeyPair> {
    RustCrypto
        .generate(KeyAlgorithm::EcP256, &[seed; 32])
        .unwrap()
}

fn jwk(seed: u8) -> Jwk {
    Jwk::from_public_key(pair(seed).public_key().clone())
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn nonce() -> Option<Nonce> {
    Nonce::parse("S9XaOcxP5McpnTcWPIhYuB").ok()
}

/// Key 1 is the account's, key 2 is to replace it. The outer request around this inner JWS.
fn outer(inner: &[u8]) -> Jws {
    let draft = Draft::new(
        ALGORITHM,
        &Signer::Kid(ACCOUNT.into()),
        nonce(),
        &url(URL),
        inner,
    );
    let signature = pair(1).sign(ALGORITHM, draft.signing_input()).unwrap();
    Jws::parse(&draft.attach(&signature)).unwrap()
}

fn signed(draft: &Draft, seed: u8) -> Vec<u8> {
    draft.attach(&pair(seed).sign(ALGORITHM, draft.signing_input()).unwrap())
}

fn parse(inner: &[u8]) -> Result<Request, KeyChangeError> {
    Request::parse(&RustCrypto, &outer(inner))
}

#[test]
fn a_key_change_is_read_back() {
    let draft = draft(ALGORITHM, &jwk(2), &url(URL), &url(ACCOUNT), &jwk(1));
    let request = parse(&signed(&draft, 2)).unwrap();
    assert_eq!((request.new_key(), request.old_key()), (&jwk(2), &jwk(1)));
    assert_eq!(request.account().as_str(), ACCOUNT);
    assert_eq!(request.check(ACCOUNT, &jwk(1)), Ok(()));
    // H075
    let other = format!("{ACCOUNT}/");
    assert_eq!(
        request.check(&other, &jwk(1)),
        Err(KeyChangeError::WrongAccount)
    );
    assert_eq!(
        request.check(ACCOUNT, &jwk(3)),
        Err(KeyChangeError::WrongOldKey)
    );
}

/// H074.
#[test]
fn the_inner_jws_is_signed_by_the_new_key_for_the_same_url_and_has_no_nonce() {
    let check = |inner: &[u8], expected: KeyChangeError| {
        assert_eq!(parse(inner), Err(expected));
    };
    let good = draft(ALGORITHM, &jwk(2), &url(URL), &url(ACCOUNT), &jwk(1));
    // Signed by the old key.
    check(
        &signed(&good, 1),
        KeyChangeError::Inner(JwsError::BadSignature),
    );
    let elsewhere = draft(ALGORITHM, &jwk(2), &url(ACCOUNT), &url(ACCOUNT), &jwk(1));
    check(&signed(&elsewhere, 2), KeyChangeError::Url);
    let payload = json!({"account": ACCOUNT, "oldKey": jwk(1)}).to_string();
    let inner = |signer: Signer, nonce, payload: &str| {
        signed(
            &Draft::new(ALGORITHM, &signer, nonce, &url(URL), payload.as_bytes()),
            2,
        )
    };
    let by_new_key = || Signer::Jwk(jwk(2));
    check(
        &inner(by_new_key(), nonce(), &payload),
        KeyChangeError::Inner(JwsError::UnexpectedNonce),
    );
    check(
        &inner(Signer::Kid(ACCOUNT.into()), None, &payload),
        KeyChangeError::Inner(JwsError::JwkWanted),
    );
    for bad in ["", "{}", "[]", r#"{"account":"x","oldKey":{}}"#] {
        let result = parse(&inner(by_new_key(), None, bad));
        assert!(
            matches!(result, Err(KeyChangeError::Payload(_))),
            "{bad}: {result:?}"
        );
    }
    let private = json!({"account": ACCOUNT, "oldKey": {"kty": "EC", "d": "AA"}}).to_string();
    let result = parse(&inner(by_new_key(), None, &private));
    assert!(
        matches!(result, Err(KeyChangeError::OldKey(_))),
        "{result:?}"
    );
    for bad in [&b""[..], b"{}", b"e30.e30.e30"] {
        assert!(matches!(parse(bad), Err(KeyChangeError::Inner(_))));
    }
}
