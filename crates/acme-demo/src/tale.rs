//! The story, step by step.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use acme_ca_core::crl::Crl;
use acme_client::folder::{CertificateFolder, Installed, Wish};
use acme_client::http::{HttpClient, Trust};
use acme_client::keys::{KeyRing, generate_key, key_from_pem};
use acme_client::responder::{FunctionResponder, PresentError};
use acme_client::store::MemoryStore;
use acme_client::{Driver, Handle, Shell, Upkeep, Upkept};
use acme_client_core::{
    AccountIntent, AccountKey, ChallengeResponse, Config, Event, JobId, RevokeJob,
};
use acme_crypto::aws_lc::AwsLc;
use acme_crypto::{KeyAlgorithm, KeyPair};
use acme_testkit::dns::{Dns, Record, RecordType};
use acme_testkit::site::Site;
use acme_types::{ChallengeType, Identifier, RevocationReason, Url};
use tokio::sync::mpsc;

use crate::certificate::Facts;
use crate::inclusion;
use crate::offers::Asker;
use crate::stage::{CAA_IDENTITY, PERSPECTIVES, SITE, Stage, WWW, sources};
use crate::story::{Proved, Story, Unproved, ensure};
use crate::visitor::{fetch, visit};
use crate::witness::Witness;

/// Nothing in the demo takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

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

async fn found(story: &mut Story, data: &Path) -> Proved<Stage> {
    story.step("A CA comes up");
    let stage = Stage::set(data).await?;
    story.note(format!("directory  {}", stage.server.directory_url()));
    story.note(format!("store      {}", data.display()));
    story.note(format!("root       {}", stage.server.root_path().display()));
    for log in &stage.logs {
        story.note(format!(
            "log        {} by {} at {}",
            log.name(),
            log.operator(),
            log.url()
        ));
    }
    let directory = visit(stage.server.listen_address(), "127.0.0.1", &stage.root, &[]);
    directory.await.err().map_or(Ok(()), |error| {
        // The front has no page at `/`: that it says so proves its certificate.
        ensure(
            error.0.contains("404"),
            format!("the front can't be reached: {error}"),
        )
    })?;
    story.proved("HTTPS front proved by root and intermediate made on the spot");
    Ok(stage)
}

struct Client {
    handle: Handle,
    witness: Witness,
    asker: Arc<Asker>,
}

async fn open_account(story: &mut Story, stage: &Stage) -> Proved<Client> {
    story.step("The client makes an account key and an account");
    let key = generate_key(KeyAlgorithm::EcP256)?;
    let ring = KeyRing::new();
    ring.hold(key.clone());
    let trust = || Trust::none().with_der(std::slice::from_ref(&stage.root));
    let witness = Witness::default();
    let asker = Arc::new(Asker::new(
        HttpClient::new(trust()?),
        key.clone(),
        witness.clone(),
    ));
    let config = Config::new(Arc::new(AwsLc), stage.server.directory_url().clone())
        .with_user_agent("acme-demo")
        .with_challenges([ChallengeType::HTTP_01, ChallengeType::DNS_01]);
    let account = AccountIntent::new(AccountKey::new(key.public_key())).agree_to_terms();
    let shell = Shell {
        http: HttpClient::new(trust()?),
        signer: Arc::new(ring),
        store: Arc::new(MemoryStore::new()),
        responder: Arc::new(responder(stage, asker.clone())),
        observer: witness.observer(),
    };
    let (handle, _) = Driver::start(config, account, shell, |_| true)?.spawn();
    let mut events = handle.listen(JobId::ACCOUNT).await?;
    handle.open_account().await;
    let url = loop {
        let told = within(events.next()).await?.ok_or_else(ended)?;
        match told.kept() {
            Event::AccountReady(url) => break url,
            Event::Delayed(delay) => return Err(Unproved(delay.failure.to_string())),
            _ => {}
        }
    };
    asker.set_account(url.clone());
    story.note(format!(
        "ES256 key, thumbprint {}",
        acme_client::keys::thumbprint(key.public_key())
    ));
    story.note(format!("POST newAccount → {url}"));
    let (_, created) = witness.responses(0, "new-account");
    ensure(created == 1, "the account was made by one request")?;
    story.proved("the CA knows the key, under an account URL");
    Ok(Client {
        handle,
        witness,
        asker,
    })
}

/// http-01 for the site, dns-01 for its `www`.
fn responder(stage: &Stage, asker: Arc<Asker>) -> FunctionResponder {
    let (site, dns) = (stage.web.site().clone(), stage.dns.clone());
    let (pages, zone) = (site.clone(), dns.clone());
    let present = move |response: ChallengeResponse| {
        let (site, dns, asker) = (site.clone(), dns.clone(), asker.clone());
        async move {
            asker.ask_once(response.identifier()).await;
            present(&site, &dns, &response)
        }
    };
    let retract = move |response: ChallengeResponse| {
        match &response {
            ChallengeResponse::Http01 { path, .. } => {
                pages.remove(path);
            }
            ChallengeResponse::Dns01 { name, value, .. } => {
                zone.remove(name, &Record::txt(value));
            }
            _ => {}
        }
        async { Ok(()) }
    };
    FunctionResponder::new(
        [ChallengeType::HTTP_01, ChallengeType::DNS_01],
        present,
        retract,
    )
}

fn present(site: &Site, dns: &Dns, response: &ChallengeResponse) -> Result<(), PresentError> {
    match response {
        ChallengeResponse::Http01 { identifier, .. } if identifier.to_string() == WWW => Err(
            PresentError::Refused(format!("{WWW} is proved by DNS here")),
        ),
        ChallengeResponse::Http01 { path, body, .. } => {
            site.set(path, body.as_str());
            Ok(())
        }
        ChallengeResponse::Dns01 { name, value, .. } => {
            dns.add(name, Record::txt(value));
            Ok(())
        }
        _ => Err(PresentError::Refused("not here".to_owned())),
    }
}

async fn issue(
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

fn seen_from_everywhere(story: &Story, stage: &Stage) -> Proved<()> {
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

async fn use_it(story: &mut Story, stage: &Stage, installed: &Installed) -> Proved<()> {
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

fn put_to_use(stage: &Stage, installed: &Installed) -> Proved<()> {
    let key = key_of(installed)?.to_pkcs8_der();
    Ok(stage
        .site
        .set_certificate(installed.chain.certificates(), &key)?)
}

async fn log_proves(story: &mut Story, stage: &Stage, installed: &Installed) -> Proved<()> {
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

async fn renew(
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

async fn revoke(
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

async fn refuse(story: &mut Story, stage: &Stage, installed: &Installed) -> Proved<()> {
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

fn key_of(installed: &Installed) -> Proved<Arc<dyn KeyPair>> {
    let pem = std::fs::read_to_string(installed.folder.join("privkey.pem"))?;
    Ok(key_from_pem(&pem)?)
}

async fn installed(news: &mut mpsc::UnboundedReceiver<Upkept>) -> Proved<Installed> {
    match within(news.recv()).await?.ok_or_else(ended)? {
        Upkept::Installed(installed) => Ok(*installed),
        other => Err(Unproved(format!("issuance went astray: {other:?}"))),
    }
}

async fn within<T>(future: impl Future<Output = T>) -> Proved<T> {
    let late = |_| Unproved(format!("not within {PATIENCE:?}"));
    tokio::time::timeout(PATIENCE, future).await.map_err(late)
}

fn ended() -> Unproved {
    Unproved("the client ended".to_owned())
}

fn list(addresses: &BTreeSet<IpAddr>) -> String {
    addresses
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
