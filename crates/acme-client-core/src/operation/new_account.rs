//! Making an account, and finding one by its key (RFC 8555 §7.3, §7.3.1).

use acme_types::{Account, NewAccount, Url, tolerant};

use super::{Endpoints, Read, Reply, Request, Signer};
use crate::Config;
use crate::failure::Operation;

/// An account that exists.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The account's URL: its `kid` from now on.
    pub url: Url,
    /// The account, if the server showed it. Some answer with an empty body.
    pub account: Option<Account>,
}

/// Asks for an account.
pub fn request(endpoints: &Endpoints, account: &NewAccount) -> Request {
    Request::post(
        Operation::NewAccount,
        &endpoints.new_account,
        Signer::AccountKey,
        account,
    )
}

/// Asks whether the key has an account, without making one.
pub fn lookup(endpoints: &Endpoints) -> Request {
    let only = NewAccount {
        only_return_existing: true,
        ..NewAccount::default()
    };
    request(endpoints, &only)
}

/// Reads 201 (made) and 200 (was there already) alike.
///
/// # Errors
/// The server's refusal, or a missing `Location`.
pub fn read(config: &Config, reply: &Reply) -> Read<Opened> {
    let url = reply.success()?.location(config)?;
    Ok(Opened {
        url,
        account: tolerant::from_slice(reply.body()).ok(),
    })
}
