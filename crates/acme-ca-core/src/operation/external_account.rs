//! RFC 8555 §7.3.4: whether a new account is bound to an external one.

use acme_jws::Jwk;
use acme_jws::eab::Binding;
use acme_types::JsonObject;

use super::Context;
use crate::policy::ExternalAccounts;
use crate::rejection::Rejection;

/// The key id of the external account, if the new account is bound to one.
pub(super) fn check(
    ctx: &Context<'_>,
    key: &Jwk,
    binding: Option<&JsonObject>,
) -> Result<Option<String>, Rejection> {
    let accounts = &ctx.config.policy.orders.external_accounts;
    let binding = match (accounts, binding) {
        // "If the CA does not verify the binding, then it MUST NOT reflect the
        // "externalAccountBinding" field in the resulting account object".
        (ExternalAccounts::Ignored, _) | (ExternalAccounts::Optional(_), None) => return Ok(None),
        // "If the CA receives a newAccount request without an "externalAccountBinding" field, then
        // it SHOULD reply with an error of type "externalAccountRequired"."
        (ExternalAccounts::Required(_), None) => return Err(Rejection::ExternalAccountRequired),
        (ExternalAccounts::Optional(_) | ExternalAccounts::Required(_), Some(binding)) => binding,
    };
    let binding = Binding::parse(binding.as_bytes(), ctx.url, key)
        .map_err(|_| Rejection::ExternalAccountMalformed)?;
    let provider = ctx.config.provider.as_ref();
    // A key id that nobody has takes as long as one with a wrong MAC (H070).
    let nobody = ctx.random("external account", 0);
    let known = accounts.key(binding.kid());
    let verified = binding.verify(provider, known.map_or(&nobody, |key| key.as_bytes()));
    match (known, verified) {
        (Some(_), Ok(())) => Ok(Some(binding.kid().to_owned())),
        (Some(_), Err(_)) | (None, _) => Err(Rejection::ExternalAccountRefused),
    }
}
