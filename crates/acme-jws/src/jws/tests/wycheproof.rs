//! The JOSE vectors of Project Wycheproof, as far as ACME has their algorithms. They are read
//! from the folder that `ACME_TEST_VECTORS` names; without it nothing is tested.

use super::*;

#[test]
fn only_valid_signatures_are_accepted() {
    check("json_web_signature_test", 401);
    check("json_web_key_test", 26);
}

fn check(file: &str, count: usize) {
    let Ok(folder) = std::env::var("ACME_TEST_VECTORS") else {
        eprintln!("skipped: {file}, because ACME_TEST_VECTORS is not set");
        return;
    };
    let text = std::fs::read(format!("{folder}/wycheproof/{file}.json")).unwrap();
    let set: Value = serde_json::from_slice(&text).unwrap();
    let (mut seen, mut accepted) = (0, 0);
    for group in set["testGroups"].as_array().unwrap() {
        // Symmetric keys come without a public one.
        let key = if group["public"].is_null() {
            &group["private"]
        } else {
            &group["public"]
        };
        let keys = key["keys"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![key.clone()]);
        for test in group["tests"].as_array().unwrap() {
            let is_accepted = keys
                .iter()
                .any(|key| accepts(test["jws"].as_str().unwrap(), key));
            let comment = format!("{} {}: {}", group["comment"], test["tcId"], test["comment"]);
            let expected = test["result"] == "valid" && is_ours(key);
            assert_eq!(is_accepted, expected, "{comment} {test}");
            seen += 1;
            accepted += usize::from(is_accepted);
        }
    }
    println!("{file}: {seen} tests, {accepted} accepted");
    assert_eq!(seen, count);
}

/// Whether ACME has the algorithm: valid MACs, PS256 and ES512 are refused all the same.
fn is_ours(key: &Value) -> bool {
    let alg = |key: &Value| {
        key["alg"]
            .as_str()
            .and_then(SignatureAlgorithm::from_name)
            .is_some()
    };
    match key["keys"].as_array() {
        Some(keys) => keys.iter().any(alg),
        None => alg(key),
    }
}

/// As [`Jws::parse`] and [`Jws::verify`] do it, without what only ACME puts into the header.
fn accepts(compact: &str, key: &Value) -> bool {
    let parts: Vec<&str> = compact.split('.').collect();
    let [protected, payload, signature] = parts[..] else {
        return false;
    };
    let body = json!({"protected": protected, "payload": payload, "signature": signature});
    let read = || {
        let envelope = Envelope::parse(body.to_string().as_bytes()).ok()?;
        let algorithm = SignatureAlgorithm::from_name(text(&envelope.header, "alg")?)?;
        let jwk = jwk_of(key.as_object()?, algorithm).ok()?;
        let input = envelope.signing_input.as_bytes();
        RustCrypto
            .verify(algorithm, jwk.public_key(), input, &envelope.signature)
            .ok()
    };
    read().is_some()
}
