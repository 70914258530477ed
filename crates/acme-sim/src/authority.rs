use std::sync::Arc;
use std::time::Duration;

use acme_ca_core::Config;
use acme_ca_core::crl::CrlTiming;
use acme_ca_core::issuance::{
    Authority, CaName, IntermediateDraft, Issuer, LogList, Profile, RootDraft,
};
use acme_ca_core::policy::Policy;
use acme_ca_core::schema::Serial;
use acme_crypto::rustcrypto::RustCrypto;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_types::{Timestamp, Url};

use crate::Broken;

pub(crate) const ISSUER: &str = "e1";
pub(crate) const BASE: &str = "https://ca.sim";
const DAY: Duration = Duration::from_secs(86_400);

/// A CA made on the spot: its configuration, and the key that signs for its one issuer.
pub(crate) fn found(now: Timestamp) -> Result<(Arc<Config>, Box<dyn KeyPair>), Broken> {
    let key = |byte| RustCrypto.generate(KeyAlgorithm::EcP256, &[byte; 32]);
    let (root_key, issuer_key) = (key(0xf0)?, key(0xf1)?);
    let window = |years: u32| (now.before(DAY), now.after(DAY * 365 * years));
    let name = |text| CaName::new(text, None, None);
    let draft = RootDraft::new(
        &name("Sim Root")?,
        root_key.public_key(),
        Serial::new(&[1; 32]),
        window(20),
        &RustCrypto,
    )?;
    let root = draft.attach(&root_key.sign(draft.algorithm(), draft.message())?)?;
    let draft = IntermediateDraft::new(
        &root,
        &name("Sim E1")?,
        issuer_key.public_key(),
        Serial::new(&[2; 32]),
        window(10),
        None,
        None,
        &RustCrypto,
    )?;
    let certificate = draft.attach(&root_key.sign(draft.algorithm(), draft.message())?)?;
    let issuer = Issuer::new(ISSUER, &certificate, &[root], 0..=1, &RustCrypto)?;
    let authority = Authority::new(
        vec![issuer],
        vec![Profile::private()],
        LogList::default(),
        CrlTiming::default(),
    )?;
    let config = Config {
        base: Url::parse(BASE)?,
        publication_base: Url::parse("http://ca.sim")?,
        provider: Arc::new(RustCrypto),
        policy: Policy::private(),
        authority,
    };
    Ok((Arc::new(config), issuer_key))
}
