//! Reading, changing and deactivating an account (RFC 8555 §7.3.2, §7.3.6).

use acme_types::{Account, AccountUpdate, Deactivation, Url};

use super::{Read, Reply, Request, Signer};
use crate::failure::Operation;

/// Reads the account.
pub fn request(account: &Url) -> Request {
    Request::post_as_get(Operation::Account, account)
}

/// Changes the contacts.
pub fn update(account: &Url, contacts: Vec<String>) -> Request {
    let update = AccountUpdate {
        contact: Some(contacts),
        ..AccountUpdate::default()
    };
    Request::post(Operation::Account, account, Signer::Account, &update)
}

/// Gives the account up, for ever.
pub fn deactivate(account: &Url) -> Request {
    Request::post(Operation::Account, account, Signer::Account, &Deactivation)
}

/// Reads the account.
///
/// # Errors
/// The server's refusal, or a body that is no account.
pub fn read(reply: &Reply) -> Read<Account> {
    reply.json()
}
