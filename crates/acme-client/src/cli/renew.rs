//! `acme renew`: asks the CA when each certificate is to be renewed (RFC 9773), and renews it then.

use std::path::Path;
use std::sync::Arc;

use acme_client::clock;
use acme_client::folder::{CertificateFolder, Installed, StateFolder, Watch};
use acme_client::responder::Responders;
use acme_client_core::{Event, JobId, RenewalJob, fallback_time};
use acme_types::Timestamp;

use super::Complaint;
use super::arguments::{Account, Renew};
use super::issue::{Order, names, print};
use super::screen::Screen;
use super::server::Note;
use super::session::{Ending, Ground, Session, existing_key};

pub(crate) async fn run(dir: &Path, options: Renew) -> Result<(), Complaint> {
    let state = StateFolder::open(dir)?;
    let mut all = state.certificates()?;
    if let Some(name) = &options.name {
        all.retain(|(known, _)| known == name);
        if all.is_empty() {
            return Err(
                Complaint::new(format!("there is no certificate named {name}"))
                    .with_advice("see the names with: acme list"),
            );
        }
    }
    let mut failed: Vec<Complaint> = Vec::new();
    for (name, folder) in &all {
        let screen = Screen::default();
        if let Err(complaint) = one(&state, name, folder, options.force, &screen).await {
            if all.len() == 1 {
                return Err(complaint);
            }
            screen.say(&format!("{name}: failed; the others go on"));
            failed.push(complaint);
        }
    }
    let count = failed.len();
    match failed.pop() {
        None => Ok(()),
        Some(only) if count == 1 => Err(only),
        Some(last) => {
            failed.push(last);
            let message = format!("{count} of {} certificates are not renewed", all.len());
            let complaint = failed
                .iter()
                .fold(Complaint::new(message), Complaint::with_other);
            Err(complaint.with_advice("see each of them; the others are as they should be"))
        }
    }
}

async fn one(
    state: &StateFolder,
    name: &str,
    folder: &CertificateFolder,
    force: bool,
    screen: &Screen,
) -> Result<(), Complaint> {
    // An order under way goes before: it may be for other settings than the last certificate's.
    let pending = folder.pending()?;
    let under_way = pending
        .as_ref()
        .map(|pending| (pending.wish.clone(), pending.note.clone()));
    let Some((wish, note)) = under_way.or(folder.settings()?) else {
        screen.say(&format!("{name}: nothing was ordered yet"));
        return Ok(());
    };
    let note: Note = serde_json::from_value(note).map_err(|_| {
        Complaint::new(format!(
            "{}: settings of another program",
            folder.path().display()
        ))
        .with_advice("obtain it with: acme issue")
    })?;
    let current = folder.current()?;
    let mut replaces = None;
    if pending.is_none()
        && let Some(current) = current
    {
        if current.revoked {
            screen.say(&format!(
                "{name}: revoked, and not renewed; acme issue orders another"
            ));
            return Ok(());
        }
        let at = due(state, folder, &note, &current, screen).await?;
        if at > clock::now() && !force {
            screen.say(&format!("{name}: to be renewed at {at}, not yet"));
            return Ok(());
        }
        screen.say(&format!("{name}: renewing {}", names(&wish.identifiers)));
        replaces = current.facts.id.clone();
    }
    let (patient, screen) = (!force, screen.clone());
    let order = Order {
        state,
        folder,
        wish,
        note,
        replaces,
        patient,
        screen,
    };
    if order.place(&Account::default()).await?.is_some() {
        print(folder);
    }
    Ok(())
}

/// When the certificate is to be renewed: asked from the CA if it is time to ask, and kept.
async fn due(
    state: &StateFolder,
    folder: &CertificateFolder,
    note: &Note,
    current: &Installed,
    screen: &Screen,
) -> Result<Timestamp, Complaint> {
    let known = folder
        .watch()?
        .filter(|watch| watch.version == current.version);
    let fallback = fallback_time(current.facts.not_before, current.facts.not_after, 0);
    let mut watch = match known {
        // It was due before, and that job has ended.
        Some(Watch { at: Some(at), .. }) if at <= clock::now() => return Ok(at),
        Some(watch) => watch,
        None => {
            let number = clock::fresh_number()
                .map_err(|error| Complaint::new(format!("the system's random source: {error}")))?;
            let (version, job) = (current.version, JobId(number >> 1));
            let watch = Watch {
                version,
                job,
                at: None,
                explanation: None,
            };
            folder.set_watch(&watch)?;
            watch
        }
    };
    let account_folder = state.account(&note.server.url);
    let ground = Ground {
        server: &note.server,
        key: existing_key(&account_folder, &note.server)?,
        store: Arc::new(account_folder.store()?),
        account: &Account::default(),
        responders: Responders::new(),
        challenges: Vec::new(),
        screen: screen.clone(),
    };
    let job = watch.job;
    let mut session = Session::open(ground, |id| id == job)?;
    let now = clock::now();
    session.client().wake(JobId::ACCOUNT, now);
    if session.client().status(job).is_none() {
        let renewal = RenewalJob::of(current.facts.clone());
        session
            .client()
            .watch(job, renewal, now)
            .map_err(|error| Complaint::new(format!("the renewal can't be watched: {error}")))?;
    }
    let keep = |event: &Event| {
        if let Event::RenewAt(renewal) = event {
            watch.at = Some(renewal.at);
            watch.explanation = renewal.explanation.as_ref().map(ToString::to_string);
            if let Some(explanation) = &watch.explanation {
                screen.say(&format!("  the CA explains: {explanation}"));
            }
            folder.set_watch(&watch)?;
        }
        Ok(())
    };
    if let Ending::Trouble(trouble) = session.run(job, keep).await? {
        screen.say(&format!(
            "  the CA can't be asked when to renew: {}",
            trouble.failure
        ));
    }
    Ok(watch.at.unwrap_or(fallback))
}
