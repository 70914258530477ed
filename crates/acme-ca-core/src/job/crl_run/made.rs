//! A CRL between its contents and its row.

use std::fmt;

use acme_types::{Ticket, Timestamp};

use super::contents::Contents;
use crate::config::Config;
use crate::crl::{CrlDraft, Expected, Scope, lint};
use crate::effect::{Sign, Signed};
use crate::issuance::tbs;
use crate::job::Step;
use crate::schema::{CrlShardRow, Read, Row, Serial, Shard, Write};

/// A CRL that was drafted.
#[derive(Debug)]
pub(super) struct Made {
    contents: Contents,
    draft: CrlDraft,
    issuer: String,
    shard: Shard,
    url: String,
    number: u64,
    this_update: Timestamp,
    next_update: Timestamp,
}

impl Made {
    /// Drafts the CRL with these contents, after the one before.
    pub(super) fn draft(
        config: &Config,
        shard: Shard,
        previous: Option<&CrlShardRow>,
        contents: Contents,
        now: Timestamp,
    ) -> Result<Self, &'static str> {
        contents.check()?;
        let authority = &config.authority;
        let issuer = authority
            .issuer_of_shard(shard)
            .ok_or("no issuer has the shard")?;
        // Invariant I35: numbers rise and thisUpdate doesn't fall. The clock is in the number, so
        // that a store restored from a backup doesn't bring an old one back (H172).
        let number = previous
            .map_or(0, |row| row.number.saturating_add(1))
            .max(now.as_millis());
        let this_update = previous
            .map_or(now, |row| row.this_update.max(now))
            .truncate_to_secs();
        let next_update = this_update.after(authority.crl().lifetime());
        let url = tbs::crl_url(config, shard);
        let scope = Scope {
            url: &url,
            number,
            this_update,
            next_update,
        };
        let draft = CrlDraft::new(issuer, &scope, contents.entries())
            .map_err(|_| "the CRL can't be drafted")?;
        let issuer = issuer.name().to_owned();
        Ok(Self {
            contents,
            draft,
            issuer,
            shard,
            url,
            number,
            this_update,
            next_update,
        })
    }

    /// Asks for the signature.
    pub(super) fn sign(&self, ticket: Ticket<Sign>) -> Step {
        let message = self.draft.message().to_vec();
        Step::Sign(self.issuer.clone(), self.draft.algorithm(), message, ticket)
    }

    /// Puts the signature to it, and reads it back as it will be read.
    pub(super) fn signed(self, config: &Config, signed: Signed) -> Result<Crl, &'static str> {
        let Signed::Signature(signature) = signed else {
            return Err("the CRL was not signed");
        };
        let der = self
            .draft
            .attach(&signature)
            .map_err(|_| "the CRL's signature is not one")?;
        let issuer = config
            .authority
            .issuer(&self.issuer)
            .ok_or("the issuer is gone")?;
        let scope = Scope {
            url: &self.url,
            number: self.number,
            this_update: self.this_update,
            next_update: self.next_update,
        };
        let expected = Expected {
            issuer,
            scope,
            entries: self.contents.entries(),
        };
        lint(&expected, &der, config.provider.as_ref())
            .map_err(|_| "the CRL breaks a rule, or its signature does not verify")?;
        let row = CrlShardRow {
            shard: self.shard,
            number: self.number,
            this_update: self.this_update,
            next_update: self.next_update,
            der,
        };
        let listed = self.contents.entries().len();
        Ok(Crl {
            row,
            listed,
            dropped: self.contents.into_dropped(),
        })
    }
}

/// A CRL that was signed.
#[derive(Clone, Debug)]
pub(super) struct Crl {
    row: CrlShardRow,
    listed: usize,
    dropped: Vec<Serial>,
}

impl Crl {
    /// What its publication writes.
    pub(super) fn writes(&self) -> Vec<Write> {
        let gone = self
            .dropped
            .iter()
            .map(|serial| Read::Revocation(self.row.shard, *serial));
        let row = Write::Put(Row::CrlShard(self.row.clone()));
        gone.map(Write::Delete).chain([row]).collect()
    }
}

impl fmt::Display for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, listed, dropped) = (self.row.number, self.listed, self.dropped.len());
        write!(
            f,
            "made: number {number}, {listed} entries, {dropped} dropped"
        )
    }
}
