//! Renewal, revocation, and what follows from it.

use std::time::Duration;

use acme_ca_core::crl::Crl;
use acme_client::Upkept;
use acme_client::folder::Installed;
use acme_client_core::{JobId, RevokeJob};
use acme_types::{RevocationReason, Url};
use tokio::sync::mpsc;

use crate::certificate::Facts;
use crate::stage::{SITE, Stage};
use crate::story::{Proved, Story, Unproved, ensure};
use crate::visitor::{fetch, visit};

use super::issue::seen_from_everywhere;
use super::{Client, PATIENCE, ended, put_to_use, within};

pub(super) async fn renew(
    story: &mut Story,
    stage: &Stage,
    client: &Client,
    news: &mut mpsc::UnboundedReceiver<Upkept>,
    first: &Installed,
) -> Proved<Installed> {
    story.step("The CA says when to renew, and the client renews by itself");
    stage.dns.forget_queries();
    stage.web.site().forget_visits();
    let from = client.witness.len();
    let second = loop {
        match within(news.recv()).await?.ok_or_else(ended)? {
            Upkept::RenewAt(renewal) => {
                story.note(format!("renewal information → at {}", renewal.at));
            }
            Upkept::Installed(next) if next.version != first.version => break next,
            Upkept::Installed(_) => {}
            other => return Err(Unproved(format!("renewal went astray: {other:?}"))),
        }
    };
    let missing = || Unproved("no new order was placed".to_owned());
    let (_, line) = client
        .witness
        .request(from, "new-order")
        .ok_or_else(missing)?;
    story.note(format!("{line} with \"replaces\""));
    let (old, new) = (Facts::of(first)?, Facts::of(&second)?);
    ensure(old.serial != new.serial, "the serial is the same")?;
    ensure(old.key != new.key, "the key is the same")?;
    seen_from_everywhere(story, stage)?;
    put_to_use(stage, &second)?;
    let seen = visit(stage.site.address(), SITE, &stage.root, &[]).await?;
    ensure(
        seen.chain.first() == Some(&new.leaf),
        "the site still shows the old certificate",
    )?;
    story.note(format!(
        "serial {} serves https://{SITE}/",
        new.serial_text()
    ));
    story.proved("a new order, every name validated afresh, the site picked it up");
    Ok(*second)
}

pub(super) async fn revoke(
    story: &mut Story,
    stage: &Stage,
    client: &Client,
    installed: &Installed,
) -> Proved<()> {
    story.step("The account revokes the certificate");
    let facts = Facts::of(installed)?;
    let good = crl(stage, &facts).await?;
    visit(stage.site.address(), SITE, &stage.root, &[good]).await?;
    story.note("with the CRL of before, an HTTPS client accepts the site");
    let job = RevokeJob::by_account(&facts.leaf)
        .because(RevocationReason::Superseded)
        .give_up_after(1);
    within(client.handle.revoke(JobId(9), job)).await??;
    story.note(format!(
        "POST revokeCert, reason superseded, serial {}",
        facts.serial_text()
    ));
    story.proved("the CA accepts it from the account that was issued to");
    Ok(())
}

pub(super) async fn refuse(story: &mut Story, stage: &Stage, installed: &Installed) -> Proved<()> {
    story.step("The CRL lists it, and an HTTPS client refuses the site");
    let facts = Facts::of(installed)?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let list = loop {
        let list = crl(stage, &facts).await?;
        if lists(&list, &facts.serial)? {
            break list;
        }
        ensure(
            tokio::time::Instant::now() < deadline,
            "the CRL never lists the serial",
        )?;
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    facts.check_crl(&list)?;
    story.note(format!(
        "GET {} → signed by the issuer, lists the serial",
        facts.crl_url
    ));
    let refused = visit(stage.site.address(), SITE, &stage.root, &[list]).await;
    let Err(reason) = refused else {
        return Err(Unproved(
            "a client that has read the CRL accepts the site".into(),
        ));
    };
    ensure(
        reason.0.contains("Revoked"),
        format!("refused for another reason: {reason}"),
    )?;
    story.note(format!("GET https://{SITE}/ → {reason}"));
    story.proved("a CRL that verifies; rustls refuses the revoked certificate");
    Ok(())
}

async fn crl(stage: &Stage, facts: &Facts) -> Proved<Vec<u8>> {
    let url = Url::parse(&facts.crl_url)?;
    fetch(stage.server.publication_address(), &url.path_and_query()).await
}

fn lists(list: &[u8], serial: &[u8]) -> Proved<bool> {
    for entry in Crl::parse(list)?.entries() {
        if entry?.serial == serial {
            return Ok(true);
        }
    }
    Ok(false)
}
