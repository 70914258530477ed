//! The two readers of JSON: the CA's strict one and the client's tolerant one.

use acme_types::{
    Account, AccountUpdate, Authorization, CertificateId, Challenge, Deactivation, Directory,
    EmptyObject, Finalize, KeyChange, NewAccount, NewOrder, Order, Orders, Problem, RawIdentifier,
    RenewalInfo, RevokeCertificate, strict, tolerant,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::text_of;

/// Everything that a client sends, read as the CA reads it.
pub fn json_strict(data: &[u8]) {
    strictly::<NewAccount>(data);
    // An unknown status is taken and has no text to be written as: the one loss there is.
    let _ = strict::from_slice::<AccountUpdate>(data);
    strictly::<Deactivation>(data);
    strictly::<NewOrder>(data);
    strictly::<NewOrder<RawIdentifier>>(data);
    strictly::<EmptyObject>(data);
    strictly::<Finalize>(data);
    strictly::<RevokeCertificate>(data);
    strictly::<KeyChange>(data);
}

/// Everything that a server sends, read as the client reads it.
pub fn json_tolerant(data: &[u8]) {
    tolerantly::<Directory>(data);
    tolerantly::<Account>(data);
    tolerantly::<Orders>(data);
    tolerantly::<Order>(data);
    tolerantly::<Authorization>(data);
    tolerantly::<Challenge>(data);
    tolerantly::<Problem>(data);
    tolerantly::<RenewalInfo>(data);
    if let Some(id) = text_of(data).and_then(|text| CertificateId::parse(text).ok()) {
        assert_eq!(CertificateId::parse(&id.to_string()), Ok(id));
    }
}

/// What the CA takes, it can write; and what it wrote, it reads and writes the same. (Times are
/// written in whole seconds, so the first writing may differ from what came.)
fn strictly<T: Serialize + DeserializeOwned>(data: &[u8]) {
    let Ok(value) = strict::from_slice::<T>(data) else {
        return;
    };
    let written = serde_json::to_vec(&value).ok();
    assert!(written.is_some());
    let again = strict::from_slice::<T>(&written.clone().unwrap_or_default());
    assert_eq!(
        again.map(|value| serde_json::to_vec(&value).ok()),
        Ok(written)
    );
}

/// For the client the unknown is written as null and then left out; after that nothing is lost.
fn tolerantly<T: Serialize + DeserializeOwned>(data: &[u8]) {
    let rewrite = |text: &[u8]| {
        let value = tolerant::from_slice::<T>(text).ok()?;
        serde_json::to_vec(&value).ok()
    };
    let Some(first) = rewrite(data) else { return };
    let second = rewrite(&first);
    assert!(second.is_some(), "what was written can be read");
    let second = second.unwrap_or_default();
    assert_eq!(rewrite(&second), Some(second));
}
