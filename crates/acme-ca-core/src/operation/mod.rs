//! One file per ACME operation: which rows it needs, and what it decides. Pure functions of what
//! was asked, what was loaded, and the time.
//!
//! An operation runs after authentication and before anything is written. It may be run again
//! with newer rows: for the same arrival it makes the same ids, tokens and serials.

mod account;
mod authorization;
mod certificate;
mod challenge;
mod contact;
mod directory;
mod external_account;
mod finalize;
mod key_change;
mod new_account;
mod new_nonce;
mod new_order;
mod order;
mod orders;
mod publication;
mod renewal_info;
mod replaces;
mod revoke;
mod status;

use acme_jws::{Jwk, Jws, JwsError};
use acme_types::{JsonError, Timestamp, Url, strict};
use serde::de::DeserializeOwned;

pub(crate) use self::status::covers;
pub use self::status::{authorization_status, order_status};

use crate::exchange::Reply;
use crate::rejection::Rejection;
use crate::route::{Route, Urls};
use crate::schema::{AccountRow, AuditEvent, JobId, Missing, Read, Scan, Spend, View, Write};
use crate::{Config, Entropy};

/// One ACME operation.
pub(crate) trait Operation: Send + Sync {
    /// What the path names: a hint, so that one load is enough most of the time.
    fn reads(&self) -> Vec<Read>;

    /// The decision.
    fn decide(&self, ctx: &Context<'_>, view: &View, now: Timestamp) -> Result<Decision, Stop>;
}

/// Why there is no decision yet, or never.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    /// These rows are needed as well.
    Missing(Vec<Read>),
    /// What this scan finds is needed as well.
    Unscanned(Scan),
    /// No.
    Rejected(Rejection),
}

impl From<Missing> for Stop {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing.0)
    }
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// Who signed the request, as far as authentication found out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signer<'a> {
    /// Nobody: a GET.
    Nobody,
    /// Whoever has this key.
    Key(&'a Jwk),
    /// This account, which is valid.
    Account(&'a AccountRow),
}

/// What an operation is told beside the rows.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    /// When the request came: ids, windows and audit.
    pub(crate) at: Timestamp,
    pub(crate) entropy: &'a Entropy,
    pub(crate) signer: Signer<'a>,
    /// The request's URL.
    pub(crate) url: &'a str,
    pub(crate) payload: &'a [u8],
    /// The whole JWS, for what is signed twice.
    pub(crate) jws: Option<&'a Jws>,
    /// What the scan found that the operation asked for.
    pub(crate) scanned: Option<&'a [Read]>,
}

impl<'a> Context<'a> {
    pub(crate) fn urls(&self) -> Urls<'a> {
        Urls::new(self.config)
    }

    /// 32 bytes for one purpose, the same at every retry.
    pub(crate) fn random(&self, label: &str, index: usize) -> [u8; 32] {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        self.entropy
            .expand(self.config.provider.as_ref(), label, index)
    }

    /// The account that signed.
    pub(crate) fn account(&self) -> Result<&'a AccountRow, Rejection> {
        match self.signer {
            Signer::Account(account) => Ok(account),
            Signer::Key(_) | Signer::Nobody => Err(JwsError::KidWanted.into()),
        }
    }

    /// The key that signed.
    pub(crate) fn key(&self) -> Result<&'a Jwk, Rejection> {
        match self.signer {
            Signer::Key(key) => Ok(key),
            Signer::Account(_) | Signer::Nobody => Err(JwsError::JwkWanted.into()),
        }
    }

    /// RFC 8555 §6.3: "a POST-as-GET request ... the "payload" field ... a zero-length octet
    /// string".
    pub(crate) fn post_as_get(&self) -> Result<(), Rejection> {
        if self.payload.is_empty() {
            Ok(())
        } else {
            Err(Rejection::PayloadNotEmpty)
        }
    }

    /// The payload as this object, read strictly.
    pub(crate) fn object<T: DeserializeOwned>(&self) -> Result<T, Rejection> {
        strict::from_slice(self.payload).map_err(|error: JsonError| Rejection::Payload(error))
    }

    /// An audit event: what was decided, on what.
    pub(crate) fn audit(&self, event: String) -> AuditEvent {
        AuditEvent { at: self.at, event }
    }
}

/// These rows are loaded, all of them at once, before any of them is looked at: each load is a
/// round trip to the store, and a decision made again is made from the start.
pub(crate) fn need(view: &View, reads: impl IntoIterator<Item = Read>) -> Result<(), Stop> {
    let missing: Vec<Read> = reads
        .into_iter()
        .filter(|read| view.row(read).is_err())
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Stop::Missing(missing))
    }
}

/// A URL of this CA's own making.
pub(crate) fn url(text: String) -> Result<Url, Rejection> {
    Url::parse(&text).map_err(|_| Rejection::Internal)
}

/// What was decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Decision {
    /// The reply, once `change` is durable.
    pub(crate) reply: Reply,
    /// What changes. `None`: nothing does.
    pub(crate) change: Option<Change>,
    /// The job that `change` gives birth to.
    pub(crate) spawn: Option<JobId>,
}

/// What a decision changes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Change {
    pub(crate) writes: Vec<Write>,
    pub(crate) spends: Vec<Spend>,
    pub(crate) audit: Vec<AuditEvent>,
}

impl Decision {
    /// A reply, and nothing changes.
    pub(crate) fn reply(reply: Reply) -> Self {
        Self {
            reply,
            change: None,
            spawn: None,
        }
    }

    /// Writes, with the event that says why, and the reply when they are durable.
    pub(crate) fn write(writes: Vec<Write>, event: AuditEvent, reply: Reply) -> Self {
        let change = Change {
            writes,
            spends: Vec::new(),
            audit: vec![event],
        };
        Self {
            reply,
            change: Some(change),
            spawn: None,
        }
    }

    pub(crate) fn with_spends(mut self, spends: Vec<Spend>) -> Self {
        if let Some(change) = &mut self.change {
            change.spends = spends;
        }
        self
    }

    pub(crate) fn with_spawn(self, job: impl Into<Option<JobId>>) -> Self {
        Self {
            spawn: job.into(),
            ..self
        }
    }
}

/// The operation behind a GET, which nobody signs.
pub(crate) fn get(route: Route, is_head: bool) -> Box<dyn Operation> {
    match route {
        Route::Directory => Box::new(directory::ReadDirectory),
        Route::NewNonce => Box::new(new_nonce::GiveNonce { is_head }),
        Route::RenewalInfo(id) => Box::new(renewal_info::ReadRenewalInfo(id)),
        Route::Crl(shard) => Box::new(publication::ReadCrl(shard)),
        Route::Issuer(name) => Box::new(publication::ReadIssuer(name)),
        // Turned away before: these answer POST alone.
        Route::NewAccount
        | Route::NewOrder
        | Route::RevokeCertificate
        | Route::KeyChange
        | Route::Account(_)
        | Route::AccountOrders(..)
        | Route::Order(_)
        | Route::Finalize(_)
        | Route::Authorization(_)
        | Route::Challenge(..)
        | Route::Certificate(_) => Box::new(Nothing),
    }
}

/// The operation behind a POST, whose JWS verified.
pub(crate) fn post(route: Route) -> Box<dyn Operation> {
    match route {
        Route::Directory => Box::new(directory::ReadDirectory),
        Route::NewNonce => Box::new(new_nonce::GiveNonce { is_head: false }),
        Route::NewAccount => Box::new(new_account::MakeAccount),
        Route::NewOrder => Box::new(new_order::PlaceOrder),
        Route::RevokeCertificate => Box::new(revoke::Revoke),
        Route::KeyChange => Box::new(key_change::ChangeKey),
        Route::Account(id) => Box::new(account::UpdateAccount(id)),
        Route::AccountOrders(id, after) => Box::new(orders::ListOrders(id, after)),
        Route::Order(id) => Box::new(order::ReadOrder(id)),
        Route::Finalize(id) => Box::new(finalize::FinalizeOrder(id)),
        Route::Authorization(id) => Box::new(authorization::ReadAuthorization(id)),
        Route::Challenge(id, kind) => Box::new(challenge::Respond(id, kind)),
        Route::Certificate(serial) => Box::new(certificate::ReadCertificate(serial)),
        // Turned away before: these answer GET alone.
        Route::RenewalInfo(_) | Route::Crl(_) | Route::Issuer(_) => Box::new(Nothing),
    }
}

/// What answers that there is nothing.
#[derive(Debug)]
struct Nothing;

impl Operation for Nothing {
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&self, _: &Context<'_>, _: &View, _: Timestamp) -> Result<Decision, Stop> {
        Err(Rejection::NotFound.into())
    }
}
