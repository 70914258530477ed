//! One account at one CA, driven until one job has come to something.

use std::sync::Arc;

use acme_client::folder::AccountFolder;
use acme_client::keys::KeyRing;
use acme_client::responder::Responders;
use acme_client::store::Store;
use acme_client::{Driver, Next, Shell, clock};
use acme_client_core::{
    AccountIntent, AccountKey, Action, Client, Event, ExternalAccount, Failure, JobId, JobStatus,
};
use acme_crypto::KeyPair;
use acme_types::{ChallengeType, Timestamp, Url};

use super::Complaint;
use super::arguments::Account;
use super::screen::Screen;
use super::server::Server;

pub(crate) struct Session {
    driver: Driver,
    screen: Screen,
    keys: KeyRing,
    agreed: bool,
}

/// What a session works with.
pub(crate) struct Ground<'a> {
    pub(crate) server: &'a Server,
    pub(crate) key: Arc<dyn KeyPair>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) account: &'a Account,
    pub(crate) responders: Responders,
    pub(crate) challenges: Vec<ChallengeType>,
    pub(crate) screen: Screen,
}

/// How a job came out.
#[derive(Debug)]
pub(crate) enum Ending {
    /// It told this, and it is kept.
    Done(Event),
    /// It did not succeed.
    Trouble(Box<Trouble>),
    /// It has nothing to do before a time of its own.
    Quiet,
}

#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) failure: Failure,
    /// When it would go on; none: it has ended.
    pub(crate) until: Option<Timestamp>,
    pub(crate) action: Option<(Action, Option<Url>)>,
    /// It concerns the account, or the CA as a whole.
    pub(crate) of_account: bool,
    /// The user agreed to the terms of service.
    pub(crate) agreed: bool,
}

impl Session {
    pub(crate) fn open(
        ground: Ground<'_>,
        takes: impl Fn(JobId) -> bool,
    ) -> Result<Self, Complaint> {
        let Ground {
            server,
            key,
            store,
            account,
            responders,
            challenges,
            screen,
        } = ground;
        let keys = KeyRing::new();
        let intent = intent(&*key, account, &keys)?;
        keys.hold(key);
        let shell = Shell {
            http: server.http()?,
            signer: Arc::new(keys.clone()),
            store,
            responder: Arc::new(responders),
            observer: screen.observer(),
        };
        let started = Driver::start(server.config(challenges), intent, shell, takes);
        let driver = started.map_err(|error| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            Complaint::new(format!("the saved state of {}: {error}", server.url))
                .with_detail(source.unwrap_or_default())
                .with_advice("restore it from a backup, or move the folder away to start anew")
        })?;
        Ok(Self {
            driver,
            screen,
            keys,
            agreed: account.agree_tos,
        })
    }

    pub(crate) fn keys(&self) -> &KeyRing {
        &self.keys
    }

    pub(crate) fn client(&mut self) -> &mut Client {
        self.driver.client_mut()
    }

    /// Drives until this job has come to something and nothing is left to do at once. `keep` is
    /// called before what it told counts as kept.
    pub(crate) async fn run(
        &mut self,
        job: JobId,
        mut keep: impl FnMut(&Event) -> Result<(), Complaint>,
    ) -> Result<Ending, Complaint> {
        let mut ending = None;
        loop {
            match self.driver.next().await {
                Next::Event(id, event, ticket) => {
                    match trouble(id, &event, self.agreed) {
                        Some(trouble) if id == job || id == JobId::ACCOUNT => {
                            ending.get_or_insert(Ending::Trouble(Box::new(trouble)));
                        }
                        None if id == job => {
                            keep(&event)?;
                            ending = Some(Ending::Done(event));
                        }
                        _ => self.mention(&event),
                    }
                    self.driver.kept(ticket);
                }
                Next::Idle(at) => {
                    if let Some(ending) = ending {
                        return Ok(ending);
                    }
                    match self.driver.client().status(job) {
                        None | Some(JobStatus::Resting(_)) => return Ok(Ending::Quiet),
                        Some(_) => self.driver.rest(at.min(clock::now().after(REST_MAX))).await,
                    }
                }
            }
        }
    }

    fn mention(&self, event: &Event) {
        if let Event::AccountReady(url) = event {
            self.screen.say(&format!("account {url}"));
        }
    }
}

/// The longest sleep before the machine is asked again.
const REST_MAX: std::time::Duration = std::time::Duration::from_secs(3_600);

fn trouble(id: JobId, event: &Event, agreed: bool) -> Option<Trouble> {
    let of_account = id == JobId::ACCOUNT;
    match event {
        Event::Failed(failure) => {
            let failure = Failure::clone(failure);
            Some(Trouble {
                failure,
                until: None,
                action: None,
                of_account,
                agreed,
            })
        }
        Event::Delayed(delay) => {
            let (failure, until) = (delay.failure.clone(), Some(delay.until));
            Some(Trouble {
                failure,
                until,
                action: None,
                of_account,
                agreed,
            })
        }
        Event::ActionNeeded(notice) => {
            let (failure, until) = (notice.failure.clone(), Some(notice.until));
            let action = Some((notice.action, notice.url.clone()));
            Some(Trouble {
                failure,
                until,
                action,
                of_account,
                agreed,
            })
        }
        _ => None,
    }
}

fn intent(
    key: &dyn KeyPair,
    account: &Account,
    keys: &KeyRing,
) -> Result<AccountIntent, Complaint> {
    let mut intent = AccountIntent::new(AccountKey::new(key.public_key()))
        .with_contacts(account.email.iter().cloned());
    if account.agree_tos {
        intent = intent.agree_to_terms();
    }
    if let (Some(kid), Some(mac)) = (&account.eab_kid, &account.eab_hmac_key) {
        let mac = mac_key(mac).ok_or_else(|| {
            Complaint::new("--eab-hmac-key: not base64url")
                .with_advice("give the MAC key as the CA shows it")
        })?;
        keys.hold_mac(kid, &mac);
        intent = intent.bind(ExternalAccount { kid: kid.clone() });
    }
    Ok(intent)
}

/// CAs hand it out in both alphabets, with and without padding.
fn mac_key(text: &str) -> Option<Vec<u8>> {
    let plain: String = text
        .trim()
        .trim_end_matches('=')
        .chars()
        .map(url_safe)
        .collect();
    acme_types::base64url::decode(&plain)
        .ok()
        .filter(|key| !key.is_empty())
}

fn url_safe(c: char) -> char {
    match c {
        '+' => '-',
        '/' => '_',
        other => other,
    }
}

/// The account's key, if there is an account already; else none is made.
pub(crate) fn existing_key(
    folder: &AccountFolder,
    server: &Server,
) -> Result<Arc<dyn KeyPair>, Complaint> {
    folder.key()?.ok_or_else(|| {
        Complaint::new(format!("there is no account at {}", server.url))
            .with_advice("check --server and --dir, or make one with: acme issue")
    })
}

#[cfg(test)]
mod tests {
    use super::mac_key;

    #[test]
    fn a_mac_key_is_read_as_cas_write_it() {
        for text in ["-_-_", "+/+/", "-_-_==", " -_-_\n"] {
            assert_eq!(mac_key(text), Some(vec![0xfb, 0xff, 0xbf]), "{text:?}");
        }
        assert_eq!(mac_key("a b"), None);
        assert_eq!(mac_key(""), None);
    }
}
