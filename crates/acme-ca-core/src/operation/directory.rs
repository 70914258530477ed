//! RFC 8555 §7.1.1: the directory.

use acme_types::{Directory, DirectoryMeta, Timestamp, base64url};

use super::{Context, Decision, Operation, Stop, url};
use crate::exchange::Reply;
use crate::issuance::Profile;
use crate::rejection::Rejection;
use crate::schema::{Read, View};

/// How many random bytes the key has that no client knows.
const RANDOM_KEY_LEN: usize = 8;

/// Reads the directory.
#[derive(Debug)]
pub(super) struct ReadDirectory;

impl Operation for ReadDirectory {
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&self, ctx: &Context<'_>, _: &View, _: Timestamp) -> Result<Decision, Stop> {
        ctx.post_as_get()?;
        let urls = ctx.urls();
        let directory = Directory {
            new_nonce: url(urls.new_nonce())?,
            new_account: url(urls.new_account())?,
            new_order: url(urls.new_order())?,
            new_authorization: None,
            revoke_certificate: Some(url(urls.revoke_certificate())?),
            key_change: Some(url(urls.key_change())?),
            renewal_info: Some(url(urls.renewal_info())?),
            meta: meta(ctx),
        };
        let mut object = serde_json::to_value(directory).map_err(|_| Rejection::Internal)?;
        // A client that chokes on a key that it doesn't know should do so today, not on the day
        // when the next extension comes.
        let random = ctx.random("directory", 0);
        let key = base64url::encode(random.get(..RANDOM_KEY_LEN).unwrap_or_default());
        if let Some(members) = object.as_object_mut() {
            members.insert(key, urls.directory().into());
        }
        let reply = Reply::json(200, &object)?;
        Ok(Decision::reply(
            reply.header("cache-control", "public, max-age=0, no-cache"),
        ))
    }
}

fn describe(profile: &Profile) -> (String, String) {
    (profile.name().to_owned(), profile.description().to_owned())
}

fn meta(ctx: &Context<'_>) -> DirectoryMeta {
    let policy = &ctx.config.policy;
    let profiles = ctx.config.authority.profiles();
    DirectoryMeta {
        terms_of_service: policy
            .orders
            .terms_of_service
            .as_ref()
            .map(ToString::to_string),
        website: policy.orders.website.as_ref().map(ToString::to_string),
        caa_identities: policy
            .validation
            .caa_identities
            .iter()
            .map(ToString::to_string)
            .collect(),
        external_account_required: policy.orders.external_accounts.is_required(),
        profiles: profiles.iter().map(describe).collect(),
    }
}
