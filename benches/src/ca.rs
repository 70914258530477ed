//! A CA on the reference store: exchanges alone, no jobs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use acme_ca_core::crl::CrlTiming;
use acme_ca_core::effect::{Redeemed, Unavailable};
use acme_ca_core::exchange::{Arrival, Exchange, World, drive};
use acme_ca_core::issuance::{
    Authority, CaName, IntermediateDraft, Issuer, LogList, Profile, RootDraft,
};
use acme_ca_core::policy::Policy;
use acme_ca_core::schema::{Commit, Committed, JobId, Loaded, Read, Scan, Serial, Version};
use acme_ca_core::store::Memory;
use acme_ca_core::{Config, Entropy};
use acme_crypto::aws_lc::AwsLc;
use acme_crypto::{KeyAlgorithm, Provider};
use acme_types::{Nonce, Url};

use crate::{Failed, NOW};

/// The CA's base URL.
pub const BASE: &str = "https://ca.example";

/// See the module.
#[derive(Debug)]
pub struct Ca {
    config: Arc<Config>,
    store: Memory,
    nonces: BTreeSet<Nonce>,
    counter: u64,
}

impl Ca {
    /// With a fresh root, an intermediate and an empty store, verifying with AWS-LC.
    ///
    /// # Errors
    /// The ceremony failed.
    pub fn new() -> Result<Self, Failed> {
        let years = |n: u64| NOW.after(Duration::from_secs(n * 365 * 86_400));
        let root_key = AwsLc.generate(KeyAlgorithm::EcP256, &[1; 32])?;
        let ca_key = AwsLc.generate(KeyAlgorithm::EcP256, &[2; 32])?;
        let name = CaName::new("Bench Root", None, None)?;
        let (key, serial) = (root_key.public_key(), Serial::new(&[3; 32]));
        let draft = RootDraft::new(&name, key, serial, (NOW, years(20)), &AwsLc)?;
        let root = draft.attach(&root_key.sign(draft.algorithm(), draft.message())?)?;
        let draft = IntermediateDraft::new(
            &root,
            &CaName::new("Bench E1", None, None)?,
            ca_key.public_key(),
            Serial::new(&[4; 32]),
            (NOW, years(10)),
            None,
            None,
            &AwsLc,
        )?;
        let intermediate = draft.attach(&root_key.sign(draft.algorithm(), draft.message())?)?;
        let issuer = Issuer::new("e1", &intermediate, &[root], 0..=0, &AwsLc)?;
        let authority = Authority::new(
            vec![issuer],
            vec![Profile::private()],
            LogList::default(),
            CrlTiming::default(),
        )?;
        let config = Config {
            base: Url::parse(BASE)?,
            publication_base: Url::parse("http://ca.example")?,
            provider: Arc::new(AwsLc),
            policy: Policy::private(),
            authority,
        };
        Ok(Self {
            config: Arc::new(config),
            store: Memory::new(),
            nonces: BTreeSet::new(),
            counter: 0,
        })
    }

    fn count(&mut self) -> [u8; 32] {
        self.counter += 1;
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&self.counter.to_be_bytes());
        bytes
    }

    /// A nonce that is good for one request.
    ///
    /// # Errors
    /// Never: 16 bytes make a nonce.
    pub fn nonce(&mut self) -> Result<Nonce, Failed> {
        let bytes = self.count();
        let nonce = Nonce::from_bytes(&bytes[16..])?;
        self.nonces.insert(nonce.clone());
        Ok(nonce)
    }

    /// One request, answered.
    ///
    /// # Errors
    /// There is no answer.
    pub fn answer(
        &mut self,
        request: &http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, Failed> {
        let arrival = Arrival {
            at: NOW,
            entropy: Entropy::new(self.count()),
            fresh_nonce: self.nonce()?,
            ticket_seed: self.counter,
        };
        let mut exchange = Exchange::new(Arc::clone(&self.config), arrival, request);
        drive(&mut exchange, self, NOW).ok_or_else(|| "no reply".into())
    }
}

impl World for Ca {
    fn redeem(&mut self, nonce: &Nonce) -> Redeemed {
        if self.nonces.remove(nonce) {
            Redeemed::Accepted
        } else {
            Redeemed::Refused
        }
    }

    fn load(&mut self, reads: &[Read]) -> Result<Loaded, Unavailable> {
        self.store.load(reads).map_err(|_| Unavailable)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Read>, Unavailable> {
        self.store.scan(scan).map_err(|_| Unavailable)
    }

    fn commit(&mut self, commit: &Commit) -> Committed {
        self.store.commit(commit).unwrap_or(Committed::Unknown)
    }

    fn spawn(&mut self, _: JobId, _: Version) {}
}
