use std::collections::BTreeMap;

use acme_jws::Thumbprint;
use acme_types::Identifier;

use super::{
    AccountId, AccountKeyRow, AccountRow, AuthorizationForRow, AuthorizationId, AuthorizationRow,
    BlockedKeyRow, CertificateRow, CrlShardRow, ExchangeId, IntentRow, JobId, JobRow, OrderId,
    OrderRow, Read, ReplacementRow, ReplyRow, RevocationRow, Row, Serial, Shard, Version, Write,
};

/// What a load found, at one durable point in time: for each question its row, or that there is
/// none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Loaded(pub Vec<(Read, Option<(Version, Row)>)>);

/// What a decision may look at: the rows that were loaded. Absent and not loaded are different.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View(BTreeMap<Read, Option<(Version, Row)>>);

/// Not loaded: what has to be loaded before the decision can be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing(pub Vec<Read>);

impl View {
    /// A view of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what a load found, in the place of what was known.
    pub fn extend(&mut self, loaded: Loaded) {
        self.0.extend(loaded.0);
    }

    /// All questions asked so far: what to load again after a conflict.
    pub fn reads(&self) -> Vec<Read> {
        self.0.keys().cloned().collect()
    }

    /// Guards for all that was seen: the version of each row found, and absence where `writes`
    /// puts a row.
    pub fn guards(&self, writes: &[Write]) -> Vec<(Read, Option<Version>)> {
        let written: Vec<Read> = writes.iter().map(Write::read).collect();
        let guard = |(read, found): (&Read, &Option<(Version, Row)>)| match found {
            Some((version, _)) => Some((read.clone(), Some(*version))),
            None => written.contains(read).then(|| (read.clone(), None)),
        };
        self.0.iter().filter_map(guard).collect()
    }

    /// The version of a row that was found.
    pub fn version(&self, read: &Read) -> Option<Version> {
        self.0.get(read)?.as_ref().map(|(version, _)| *version)
    }

    /// Any row.
    ///
    /// # Errors
    /// [`Missing`] if it wasn't loaded.
    pub fn row(&self, read: &Read) -> Result<Option<&Row>, Missing> {
        match self.0.get(read) {
            Some(found) => Ok(found.as_ref().map(|(_, row)| row)),
            None => Err(Missing(vec![read.clone()])),
        }
    }
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $row:ident = $variant:ident, $read:expr;)*) => {
        impl View {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// [`Missing`] if it wasn't loaded.
                pub fn $name(&self, $($arg: $type),*) -> Result<Option<&$row>, Missing> {
                    match self.row(&$read)? {
                        Some(Row::$variant(row)) => Ok(Some(row)),
                        // A row of another kind under this key can't be decoded from it; it is as
                        // good as not loaded, and the bounded rounds end the exchange.
                        Some(_) => Err(Missing(vec![$read])),
                        None => Ok(None),
                    }
                }
            )*
        }
    };
}

getters! {
    /// An account.
    account(id: &AccountId) -> AccountRow = Account, Read::Account(*id);
    /// Which account has a key.
    account_key(thumbprint: &Thumbprint) -> AccountKeyRow = AccountKey,
        Read::AccountKey(*thumbprint);
    /// An order.
    order(id: &OrderId) -> OrderRow = Order, Read::Order(*id);
    /// An authorization.
    authorization(id: &AuthorizationId) -> AuthorizationRow = Authorization,
        Read::Authorization(*id);
    /// The account's newest valid authorization for an identifier.
    authorization_for(account: &AccountId, identifier: &Identifier) -> AuthorizationForRow =
        AuthorizationFor, Read::AuthorizationFor(*account, identifier.clone());
    /// An intent.
    intent(serial: &Serial) -> IntentRow = Intent, Read::Intent(*serial);
    /// A certificate.
    certificate(serial: &Serial) -> CertificateRow = Certificate, Read::Certificate(*serial);
    /// Which order replaced a certificate.
    replacement(serial: &Serial) -> ReplacementRow = Replacement, Read::Replacement(*serial);
    /// A revocation.
    revocation(shard: Shard, serial: &Serial) -> RevocationRow = Revocation,
        Read::Revocation(shard, *serial);
    /// A shard's newest CRL.
    crl_shard(shard: Shard) -> CrlShardRow = CrlShard, Read::CrlShard(shard);
    /// A blocked key.
    blocked_key(spki_sha256: &[u8; 32]) -> BlockedKeyRow = BlockedKey,
        Read::BlockedKey(*spki_sha256);
    /// A job.
    job(id: &JobId) -> JobRow = Job, Read::Job(*id);
    /// The reply of an exchange that was committed.
    reply(id: &ExchangeId) -> ReplyRow = Reply, Read::Reply(*id);
}
