//! The order, the proof, the certificate, and its first use.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use acme_client::Upkept;
use acme_client::folder::Installed;
use acme_testkit::dns::RecordType;
use tokio::sync::mpsc;

use crate::certificate::Facts;
use crate::inclusion;
use crate::stage::{CAA_IDENTITY, PERSPECTIVES, SITE, Stage, WWW, sources};
use crate::story::{Proved, Story, Unproved, ensure};
use crate::visitor::visit;

use super::{Client, installed, key_of, list, put_to_use};

pub(super) async fn issue(
    story: &mut Story,
    stage: &Stage,
    client: &Client,
    news: &mut mpsc::UnboundedReceiver<Upkept>,
) -> Proved<Installed> {
    let witness = &client.witness;
    let from = witness.len();
    story.step("It orders a certificate for example.com and www.example.com");
    let installed = installed(news).await?;
    let at = |part: &str| {
        let missing = || Unproved(format!("the client never requested {part}"));
        witness.request(from, part).ok_or_else(missing)
    };
    let (ordered, line) = at("new-order")?;
    let (read, authorization) = at("/authorization/")?;
    let (told, challenge) = at("/challenge/")?;
    let (finalized, finalize) = at("/finalize")?;
    let (downloaded, download) = at("/certificate/")?;
    story.note(line);
    story.proved_in(
        "an order with one authorization for each name",
        witness.between(ordered, read),
    );

    story.step("The CA offers challenges for each name");
    story.note(authorization);
    let offers = client.asker.offers();
    for (name, offered) in &offers {
        story.note(format!("{name}: {}", offered.join(", ")));
        let wanted = ["http-01", "dns-01", "tls-alpn-01"];
        let all = wanted
            .iter()
            .all(|kind| offered.iter().any(|offer| offer == kind));
        ensure(all, format!("{name} is offered {offered:?}"))?;
    }
    ensure(offers.len() == 2, "both authorizations were read")?;
    story.proved_in(
        "http-01, dns-01, tls-alpn-01 for both names",
        Duration::ZERO,
    );

    story.step("The client publishes its responses, then says so");
    let presented = witness.presented(from);
    presented
        .iter()
        .for_each(|line| story.note(format!("published {line}")));
    story.note(challenge);
    let expected = [format!("http-01 for {SITE}"), format!("dns-01 for {WWW}")];
    ensure(
        expected.iter().all(|one| presented.contains(one)),
        format!("{presented:?}"),
    )?;
    story.proved_in(
        "a file for one name, a TXT record for the other",
        witness.between(read, told),
    );

    story.step("The CA validates from six network perspectives, CAA too");
    seen_from_everywhere(story, stage)?;
    story.proved_in(
        format!("{PERSPECTIVES} source addresses asked DNS and web; a quorum agreed, CAA permits"),
        witness.between(told, finalized),
    );

    story.step("CSR, finalize; lint, precertificate, SCTs, certificate");
    story.note(finalize);
    let facts = Facts::of(&installed)?;
    let scts = inclusion::scts(&facts.leaf)?;
    story.note(format!(
        "serial {}, {} SCTs embedded",
        facts.serial_text(),
        scts.len()
    ));
    for log in &stage.logs {
        ensure(
            log.size() == 1,
            format!("{} has {} entries", log.name(), log.size()),
        )?;
        story.note(format!("{} took one precertificate", log.name()));
    }
    ensure(scts.len() == stage.logs.len(), "an SCT of each log")?;
    story.proved_in(
        "both signatures verified; precertificate in two logs, SCTs in the certificate",
        witness.between(finalized, downloaded),
    );

    story.step("The client downloads and checks the certificate");
    story.note(download);
    facts.check_names(&[SITE, WWW])?;
    facts.check_key(&*key_of(&installed)?)?;
    story.note(format!(
        "valid from {} to {}",
        installed.facts.not_before, installed.facts.not_after
    ));
    story.proved_in(
        "its key, its names, its chain",
        witness.between(downloaded, witness.len() - 1),
    );
    Ok(installed)
}

pub(super) fn seen_from_everywhere(story: &Story, stage: &Stage) -> Proved<()> {
    let all: BTreeSet<IpAddr> = sources().into_iter().collect();
    let text = format!("_acme-challenge.{WWW}");
    let asked = stage.dns.sources(&text);
    ensure(
        all.is_subset(&asked),
        format!("{text} was asked for by {asked:?}"),
    )?;
    let web: BTreeSet<IpAddr> = stage
        .web
        .site()
        .visits()
        .iter()
        .map(|visit| visit.source.ip())
        .collect();
    ensure(
        all.is_subset(&web),
        format!("the web server was visited by {web:?}"),
    )?;
    let caa = stage.dns.count(SITE, RecordType::CAA);
    ensure(caa >= all.len(), format!("CAA was asked for {caa} times"))?;
    story.note(format!("TXT {text} from {}", list(&asked)));
    story.note(format!(
        "GET http://{SITE}/.well-known/acme-challenge/… from {}",
        list(&web)
    ));
    story.note(format!(
        "CAA {SITE} issue \"{CAA_IDENTITY}\", asked for {caa} times"
    ));
    Ok(())
}

pub(super) async fn use_it(story: &mut Story, stage: &Stage, installed: &Installed) -> Proved<()> {
    story.step("An HTTPS request to example.com succeeds");
    put_to_use(stage, installed)?;
    let seen = visit(stage.site.address(), SITE, &stage.root, &[]).await?;
    ensure(
        seen.chain.first() == Some(&Facts::of(installed)?.leaf),
        "another certificate",
    )?;
    story.note(format!("GET https://{SITE}/ → {}", seen.page.trim()));
    story.proved("a TLS client that trusts only the root accepts the site");
    Ok(())
}

pub(super) async fn log_proves(
    story: &mut Story,
    stage: &Stage,
    installed: &Installed,
) -> Proved<()> {
    story.step("The logs prove that they have it");
    let facts = Facts::of(installed)?;
    let scts = inclusion::scts(&facts.leaf)?;
    for log in &stage.logs {
        let (index, size) = inclusion::prove(log, &facts.leaf, &facts.issuer, &scts).await?;
        story.note(format!(
            "{}: leaf {index} of {size}, audit path to the signed head",
            log.name()
        ));
    }
    story.proved("SCTs and inclusion verified against both trees");
    Ok(())
}
