//! A CA comes up; a client gets an account.

use std::path::Path;
use std::sync::Arc;

use acme_client::http::{HttpClient, Trust};
use acme_client::keys::{KeyRing, generate_key};
use acme_client::responder::{FunctionResponder, PresentError};
use acme_client::store::MemoryStore;
use acme_client::{Driver, Shell};
use acme_client_core::{AccountIntent, AccountKey, ChallengeResponse, Config, Event, JobId};
use acme_crypto::KeyAlgorithm;
use acme_crypto::aws_lc::AwsLc;
use acme_testkit::dns::{Dns, Record};
use acme_testkit::site::Site;
use acme_types::ChallengeType;

use crate::offers::Asker;
use crate::stage::{Stage, WWW};
use crate::story::{Proved, Story, Unproved, ensure};
use crate::visitor::visit;
use crate::witness::Witness;

use super::{Client, ended, within};

pub(super) async fn found(story: &mut Story, data: &Path) -> Proved<Stage> {
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

pub(super) async fn open_account(story: &mut Story, stage: &Stage) -> Proved<Client> {
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
