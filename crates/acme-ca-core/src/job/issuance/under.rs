//! What is made under an intent: certificates, each linted before it is signed and after.

use acme_crypto::PublicKey;
use acme_types::Timestamp;

use crate::config::Config;
use crate::issuance::lint::{self, Expected, Stage};
use crate::issuance::sct::{self, Sct};
use crate::issuance::tbs::{Mark, Template};
use crate::issuance::{Issuer, correspond, encode, key_of, template};
use crate::schema::IntentRow;

/// The intent that is worked under, and the key that it certifies.
#[derive(Debug)]
pub(super) struct Under {
    row: IntentRow,
    key: PublicKey,
}

impl Under {
    /// `None` if the intent's CSR doesn't read.
    pub(super) fn new(row: IntentRow) -> Option<Self> {
        let key = key_of(&row).ok()?;
        Some(Self { row, key })
    }

    pub(super) fn row(&self) -> &IntentRow {
        &self.row
    }

    /// All that decides the certificate, from the configuration; `None` if it is no longer as it
    /// was.
    pub(super) fn template<'a>(&'a self, config: &'a Config) -> Option<Template<'a>> {
        template(config, &self.row, &self.key).ok()
    }

    pub(super) fn issuer<'c>(&self, config: &'c Config) -> Option<&'c Issuer> {
        config.authority.issuer(&self.row.issuer)
    }

    /// What is signed first: a precertificate, or the certificate where there is no CT.
    pub(super) fn first_stage(&self, config: &Config) -> Option<Stage> {
        Some(match self.template(config)?.profile.transparency() {
            Some(_) => Stage::Precertificate,
            None => Stage::Plain,
        })
    }

    /// The intent's own TBSCertificate, if it lints clean under the configuration of now: it may
    /// be another process that signs than the one that drafted (H257).
    pub(super) fn first_tbs(&self, config: &Config, now: Timestamp) -> Option<Vec<u8>> {
        self.lint(config, self.first_stage(config)?, &self.row.tbs, now)?;
        Some(self.row.tbs.clone())
    }

    /// The final TBSCertificate: built anew from the intent, linted, and proved to be the
    /// precertificate's with the one extension in the place of the other.
    pub(super) fn final_tbs(
        &self,
        config: &Config,
        scts: &[Sct],
        now: Timestamp,
    ) -> Option<Vec<u8>> {
        let scts: Vec<&Sct> = scts.iter().collect();
        let list = sct::encode_list(&scts).ok()?;
        let tbs = self.template(config)?.tbs(config, Mark::Scts(&list)).ok()?;
        self.lint(config, Stage::Final, &tbs, now)?;
        correspond(&self.row.tbs, &tbs).ok()?;
        Some(tbs)
    }

    /// Puts a signature to what it is over. Invariant I18: it verifies under the issuer's key, and
    /// the whole lints clean.
    pub(super) fn certificate(
        &self,
        config: &Config,
        stage: Stage,
        tbs: &[u8],
        signature: &[u8],
        now: Timestamp,
    ) -> Option<Vec<u8>> {
        let template = self.template(config)?;
        let der = encode::attach(tbs, template.issuer.algorithm(), signature).ok()?;
        let expected = Expected {
            template: &template,
            stage,
            at: now,
        };
        lint::certificate(config, &expected, &der).ok()?;
        Some(der)
    }

    fn lint(&self, config: &Config, stage: Stage, tbs: &[u8], now: Timestamp) -> Option<()> {
        let template = self.template(config)?;
        let expected = Expected {
            template: &template,
            stage,
            at: now,
        };
        lint::tbs(config, &expected, tbs).ok()
    }
}
