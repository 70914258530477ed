//! The story, step by step.

mod account;
mod afterwards;
mod issue;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use acme_client::folder::{CertificateFolder, Installed, Wish};
use acme_client::keys::key_from_pem;
use acme_client::{Handle, Upkeep, Upkept};
use acme_crypto::KeyPair;
use acme_types::Identifier;
use tokio::sync::mpsc;

use crate::offers::Asker;
use crate::stage::{SITE, Stage, WWW};
use crate::story::{Proved, Story, Unproved};
use crate::witness::Witness;

/// Nothing in the demo takes this long.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

use account::{found, open_account};
use afterwards::{refuse, renew, revoke};
use issue::{issue, log_proves, use_it};

pub(crate) async fn tell(story: &mut Story, data: &Path) -> Proved<()> {
    let stage = found(story, &data.join("ca")).await?;
    let client = open_account(story, &stage).await?;
    let folder = CertificateFolder::new(data.join("certificates").join(SITE));
    let names = [SITE, WWW].map(Identifier::dns);
    let names = names.into_iter().collect::<Result<Vec<_>, _>>()?;
    let upkeep = Upkeep::new(client.handle.clone(), folder, Wish::new(names));
    let (told, mut news) = mpsc::unbounded_channel();
    let keeping = tokio::spawn(async move {
        let ended = upkeep.run(move |what| drop(told.send(what))).await;
        ended.map(|_| ()).map_err(|error| error.to_string())
    });
    let first = issue(story, &stage, &client, &mut news).await?;
    use_it(story, &stage, &first).await?;
    log_proves(story, &stage, &first).await?;
    let second = renew(story, &stage, &client, &mut news, &first).await?;
    keeping.abort();
    revoke(story, &stage, &client, &second).await?;
    refuse(story, &stage, &second).await?;
    stage.server.shutdown().await;
    Ok(())
}

pub(super) struct Client {
    pub(super) handle: Handle,
    pub(super) witness: Witness,
    pub(super) asker: Arc<Asker>,
}

pub(super) fn put_to_use(stage: &Stage, installed: &Installed) -> Proved<()> {
    let key = key_of(installed)?.to_pkcs8_der();
    Ok(stage
        .site
        .set_certificate(installed.chain.certificates(), &key)?)
}

pub(super) fn key_of(installed: &Installed) -> Proved<Arc<dyn KeyPair>> {
    let pem = std::fs::read_to_string(installed.folder.join("privkey.pem"))?;
    Ok(key_from_pem(&pem)?)
}

pub(super) async fn installed(news: &mut mpsc::UnboundedReceiver<Upkept>) -> Proved<Installed> {
    match within(news.recv()).await?.ok_or_else(ended)? {
        Upkept::Installed(installed) => Ok(*installed),
        other => Err(Unproved(format!("issuance went astray: {other:?}"))),
    }
}

pub(super) async fn within<T>(future: impl Future<Output = T>) -> Proved<T> {
    let late = |_| Unproved(format!("not within {PATIENCE:?}"));
    tokio::time::timeout(PATIENCE, future).await.map_err(late)
}

pub(super) fn ended() -> Unproved {
    Unproved("the client ended".to_owned())
}

pub(super) fn list(addresses: &BTreeSet<IpAddr>) -> String {
    addresses
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
