//! `acme revoke`: by the account, or by the certificate's own key (RFC 8555 §7.6).

use std::io;
use std::path::Path;
use std::sync::Arc;

use acme_client::folder::{CertificateFolder, StateFolder};
use acme_client::responder::Responders;
use acme_client::store::{MemoryStore, Store};
use acme_client::{clock, keys};
use acme_client_core::certificate::{CHAIN_BYTES_MAX, Chain};
use acme_client_core::{Event, JobId, Record, RevokeJob, Snapshot};
use acme_crypto::{KeyAlgorithm, KeyPair};

use super::Complaint;
use super::arguments::{Account, Revoke};
use super::explain::explain;
use super::screen::Screen;
use super::server::{Note, Server};
use super::session::{Ending, Ground, Session, existing_key};

/// The one job of this command.
const JOB: JobId = JobId(0);

/// The certificate that is meant.
struct Subject {
    shown: String,
    leaf: Vec<u8>,
    server: Server,
    kept: Option<(CertificateFolder, u32)>,
}

pub(crate) async fn run(dir: &Path, options: Revoke) -> Result<(), Complaint> {
    let screen = Screen::default();
    let state = StateFolder::open(dir)?;
    let subject = subject(&state, &options)?;
    let account_folder = state.account(&subject.server.url);
    let own_key = options.key.as_deref().map(read_key).transpose()?;
    // By the certificate's key no account is needed: one in memory stands for it.
    let (key, store): (_, Arc<dyn Store>) = match (&own_key, account_folder.key()?) {
        (None, _) => {
            let key = existing_key(&account_folder, &subject.server)?;
            (key, Arc::new(AccountOnly(account_folder.store()?)))
        }
        (Some(_), _) => {
            let key = keys::generate_key(KeyAlgorithm::EcP256)
                .map_err(|error| Complaint::new(format!("no key can be made: {error}")))?;
            (key, Arc::new(MemoryStore::new()))
        }
    };
    let ground = Ground {
        server: &subject.server,
        key,
        store,
        account: &Account::default(),
        responders: Responders::new(),
        challenges: Vec::new(),
        screen: screen.clone(),
    };
    let mut session = Session::open(ground, |_| false)?;
    let now = clock::now();
    session.client().wake(JobId::ACCOUNT, now);
    let mut job = match &own_key {
        Some(key) => {
            session.keys().hold(Arc::clone(key));
            RevokeJob::by_certificate_key(&subject.leaf, key.public_key())
        }
        None => RevokeJob::by_account(&subject.leaf),
    };
    if let Some(reason) = options.reason {
        job = job.because(reason);
    }
    let shown = &subject.shown;
    let untaken = |error| Complaint::new(format!("{shown} can't be revoked: {error}"));
    session.client().revoke(JOB, job, now).map_err(untaken)?;
    let by = if own_key.is_some() {
        "its own key"
    } else {
        "the account"
    };
    screen.say(&format!(
        "revoking {shown} by {by} at {}",
        subject.server.url
    ));
    match session.run(JOB, |_| Ok(())).await? {
        Ending::Done(Event::Revoked) => {
            if let Some((folder, version)) = &subject.kept {
                folder.set_revoked(*version, clock::now())?;
            }
            println!("revoked {shown}");
            Ok(())
        }
        Ending::Trouble(trouble) => {
            let what = format!("{shown} is not revoked");
            Err(explain(&what, &trouble, &subject.server, None, &screen))
        }
        Ending::Done(_) | Ending::Quiet => Err(Complaint::new(format!(
            "the revocation of {shown} came to nothing"
        ))
        .with_advice("run the same command again")),
    }
}

fn subject(state: &StateFolder, options: &Revoke) -> Result<Subject, Complaint> {
    let server = |url: &acme_types::Url| Server::new(url.clone(), options.ca_file.clone());
    if let (Some(path), Some(url)) = (&options.certificate, &options.server) {
        let chain = read_chain(path)?;
        let (shown, leaf) = (path.display().to_string(), chain.leaf().to_vec());
        return Ok(Subject {
            shown,
            leaf,
            server: server(url)?,
            kept: None,
        });
    }
    let name = options.name.as_deref().unwrap_or_default();
    let unknown = || {
        Complaint::new(format!("there is no certificate named {name}"))
            .with_advice("see the names with: acme list")
    };
    let all = state.certificates()?;
    let (_, folder) = all
        .into_iter()
        .find(|(known, _)| known == name)
        .ok_or_else(unknown)?;
    let current = folder.current()?.ok_or_else(unknown)?;
    let noted = folder
        .settings()?
        .and_then(|(_, note)| serde_json::from_value::<Note>(note).ok());
    let server = match (&options.server, noted) {
        (Some(url), _) => server(url)?,
        (None, Some(note)) => note.server,
        (None, None) => {
            return Err(
                Complaint::new(format!("{name}: it isn't known which CA issued it"))
                    .with_advice("give its directory with --server"),
            );
        }
    };
    let (leaf, version) = (current.chain.leaf().to_vec(), current.version);
    Ok(Subject {
        shown: name.to_owned(),
        leaf,
        server,
        kept: Some((folder, version)),
    })
}

fn read_chain(path: &Path) -> Result<Chain, Complaint> {
    let complain = |error: &dyn std::fmt::Display| {
        Complaint::new(format!("certificate {}: {error}", path.display()))
            .with_advice("give a PEM file with the certificate first, and nothing but certificates")
    };
    let text = read_small(path, CHAIN_BYTES_MAX).map_err(|error| complain(&error))?;
    Chain::from_pem(&text).map_err(|error| complain(&error))
}

fn read_key(path: &Path) -> Result<Arc<dyn KeyPair>, Complaint> {
    let complain = |error: &dyn std::fmt::Display| {
        Complaint::new(format!("key {}: {error}", path.display()))
            .with_advice("give the certificate's key as PEM, PKCS#8 (\"BEGIN PRIVATE KEY\")")
    };
    let bytes = read_small(path, KEY_LEN_MAX).map_err(|error| complain(&error))?;
    let bytes = zeroize::Zeroizing::new(bytes);
    let text = std::str::from_utf8(&bytes).map_err(|error| complain(&error))?;
    keys::key_from_pem(text).map_err(|error| complain(&error))
}

/// Longest key file: see the state folder's.
const KEY_LEN_MAX: usize = 16 * 1024;

fn read_small(path: &Path, len_max: usize) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let limit = u64::try_from(len_max).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path)?
        .take(limit)
        .read_to_end(&mut bytes)?;
    if bytes.len() > len_max {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the file is too long",
        ));
    }
    Ok(bytes)
}

/// Keeps what is learnt of the account. A revocation that was interrupted is asked for again by
/// whoever wants it; to do it twice does no harm.
#[derive(Debug)]
struct AccountOnly<S>(S);

impl<S: Store> Store for AccountOnly<S> {
    fn save(&self, snapshot: &Snapshot) -> io::Result<()> {
        match snapshot.record() {
            Record::Account => self.0.save(snapshot),
            Record::Job(_) => Ok(()),
        }
    }

    fn load(&self) -> io::Result<Vec<Snapshot>> {
        self.0.load()
    }

    fn forget(&self, record: Record) -> io::Result<()> {
        self.0.forget(record)
    }
}
