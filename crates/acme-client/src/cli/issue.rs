//! `acme issue`, and ordering a certificate as `acme renew` does.

use std::path::Path;
use std::sync::Arc;

use acme_client::clock;
use acme_client::folder::{CertificateFolder, Installed, Pending, StateFolder, Wish};
use acme_client_core::{Client, Event, JobId, JobStatus, fallback_time};
use acme_types::{CertificateId, Identifier, Timestamp};

use super::Complaint;
use super::arguments::{Account, Issue};
use super::explain::explain;
use super::method::Method;
use super::screen::Screen;
use super::server::{Note, Server};
use super::session::{Ending, Ground, Session};

pub(crate) async fn run(dir: &Path, options: Issue) -> Result<(), Complaint> {
    let server = Server::new(options.server.url.clone(), options.server.ca_file.clone())?;
    let method = Method::from_options(&options.method)?;
    let mut identifiers: Vec<Identifier> = Vec::new();
    for name in &options.names {
        if !identifiers.contains(name) {
            identifiers.push(name.clone());
        }
    }
    let mut wish = Wish::new(identifiers).with_key(options.key_type);
    if let Some(profile) = &options.profile {
        wish = wish.with_profile(profile);
    }
    let first = wish
        .identifiers
        .first()
        .ok_or_else(|| Complaint::new("no name given"))?;
    let screen = Screen::default();
    let state = StateFolder::open(dir)?;
    let folder = state.certificate(first);
    let note = Note { server, method };
    if !options.force
        && folder.pending()?.is_none()
        && let Some(installed) = still_good(&folder, &wish, &note)?
    {
        screen.say(&format!(
            "there is a certificate of these names, valid until {}; --force orders another",
            installed.facts.not_after
        ));
        folder.set_settings(&wish, note_value(&note)?)?;
        print(&folder);
        return Ok(());
    }
    let replaces = None;
    let order = Order {
        state: &state,
        folder: &folder,
        wish,
        note,
        replaces,
        patient: false,
        screen,
    };
    order.place(&options.account).await?;
    print(&folder);
    Ok(())
}

/// An order of one certificate.
pub(crate) struct Order<'a> {
    pub(crate) state: &'a StateFolder,
    pub(crate) folder: &'a CertificateFolder,
    pub(crate) wish: Wish,
    pub(crate) note: Note,
    pub(crate) replaces: Option<CertificateId>,
    /// An attempt that failed is not repeated before its time: nobody waits for it.
    pub(crate) patient: bool,
    pub(crate) screen: Screen,
}

impl Order<'_> {
    /// Places it, or goes on with the one that is under way, until the certificate is installed.
    /// None: it rests.
    pub(crate) async fn place(self, account: &Account) -> Result<Option<Installed>, Complaint> {
        let server = &self.note.server;
        let responders = self.note.method.responder().await?;
        let account_folder = self.state.account(&server.url);
        let key = account_folder.key_or_new(account.account_key_type, &server.url)?;
        let old = self.folder.pending()?;
        let left = old
            .as_ref()
            .filter(|old| !self.fits(old))
            .map(|old| old.job);
        let pending = match old {
            Some(pending) if self.fits(&pending) => {
                self.say("going on with the order of these names that is under way");
                pending
            }
            _ => {
                let note = note_value(&self.note)?;
                self.folder.begin(&self.wish, note, self.replaces.clone())?
            }
        };
        let ground = Ground {
            server,
            key,
            store: Arc::new(account_folder.store()?),
            account,
            responders,
            challenges: vec![self.note.method.challenge_type()],
            screen: self.screen.clone(),
        };
        let takes = |id| id == pending.job || Some(id) == left;
        let mut session = Session::open(ground, takes)?;
        if let Some(left) = left {
            session.client().cancel(left, clock::now());
        }
        // Installed already, and ended: the last run was killed before it forgot the intent.
        let ended = session.client().status(pending.job).is_none();
        if ended && self.folder.has_installed(&pending)? {
            return self.installed().map(Some);
        }
        if let Some(until) = self.rests(session.client(), pending.job) {
            self.say(&format!(
                "the last attempt failed; the next one is not before {until}"
            ));
            return Ok(None);
        }
        self.submit(&mut session, &pending)?;
        let names = names(&self.wish.identifiers);
        self.say(&format!(
            "ordering a certificate for {names} from {}",
            server.url
        ));
        let keep = |event: &Event| {
            if let Event::Issued(issued) = event {
                self.folder.install(pending.job, &issued.chain)?;
            }
            Ok(())
        };
        let ending = session.run(pending.job, keep).await?;
        self.conclude(ending, &names).map(Some)
    }

    fn rests(&self, client: &Client, job: JobId) -> Option<Timestamp> {
        let resting = |id| match client.status(id) {
            Some(JobStatus::Resting(until)) if until > clock::now() => Some(until),
            _ => None,
        };
        resting(job)
            .or(resting(JobId::ACCOUNT))
            .filter(|until| self.patient && *until != Timestamp::NEVER)
    }

    /// Is the order under way one for this?
    fn fits(&self, pending: &Pending) -> bool {
        let note: Option<Note> = serde_json::from_value(pending.note.clone()).ok();
        pending.wish == self.wish
            && note.is_some_and(|note| note.server.url == self.note.server.url)
    }

    fn submit(&self, session: &mut Session, pending: &Pending) -> Result<(), Complaint> {
        let now = clock::now();
        session.client().wake(JobId::ACCOUNT, now);
        if session.client().status(pending.job).is_some() {
            session.client().wake(pending.job, now);
            return Ok(());
        }
        let complain = |error: &dyn std::fmt::Display| {
            let names = names(&pending.wish.identifiers);
            Complaint::new(format!(
                "a certificate for {names} can't be ordered: {error}"
            ))
        };
        let job = pending.issue_job().map_err(|error| complain(&error))?;
        session
            .client()
            .issue(pending.job, job, now)
            .map_err(|error| complain(&error))
    }

    fn conclude(&self, ending: Ending, names: &str) -> Result<Installed, Complaint> {
        match ending {
            Ending::Done(Event::Issued(_)) => self.installed(),
            Ending::Trouble(trouble) => {
                // Ended for good: another try begins with a key and an order of its own.
                if trouble.until.is_none() && !trouble.of_account {
                    self.folder.abandon()?;
                }
                let what = format!("no certificate for {names}");
                let (server, method) = (&self.note.server, Some(&self.note.method));
                Err(explain(&what, &trouble, server, method, &self.screen))
            }
            Ending::Done(_) | Ending::Quiet => Err(Complaint::new(format!(
                "the order of {names} came to nothing"
            ))
            .with_advice("run the same command again")),
        }
    }

    fn installed(&self) -> Result<Installed, Complaint> {
        self.folder.abandon()?;
        let names = names(&self.wish.identifiers);
        let gone = || Complaint::new(format!("the certificate for {names} is gone"));
        let installed = self.folder.current()?.ok_or_else(gone)?;
        let until = installed.facts.not_after;
        self.say(&format!(
            "the certificate for {names} is valid until {until}"
        ));
        Ok(installed)
    }

    fn say(&self, text: &str) {
        self.screen.say(text);
    }
}

/// The certificate, if it is what is wished for and not due yet.
fn still_good(
    folder: &CertificateFolder,
    wish: &Wish,
    note: &Note,
) -> Result<Option<Installed>, Complaint> {
    let Some((settled, noted)) = folder.settings()? else {
        return Ok(None);
    };
    let noted: Option<Note> = serde_json::from_value(noted).ok();
    let same = settled == *wish && noted.is_some_and(|known| known.server.url == note.server.url);
    let current = folder.current()?.filter(|current| same && !current.revoked);
    let now = clock::now();
    Ok(current.filter(|it| now < fallback_time(it.facts.not_before, it.facts.not_after, 0)))
}

pub(crate) fn note_value(note: &Note) -> Result<serde_json::Value, Complaint> {
    serde_json::to_value(note).map_err(|error| Complaint::new(format!("settings: {error}")))
}

pub(crate) fn names(identifiers: &[Identifier]) -> String {
    identifiers
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Where it is, for scripts: one path per line.
pub(crate) fn print(folder: &CertificateFolder) {
    let current = folder.path().join("current");
    println!("certificate {}", current.join("fullchain.pem").display());
    println!("private-key {}", current.join("privkey.pem").display());
}
