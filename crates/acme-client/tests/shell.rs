//! The library as a program uses it, against a pretended CA on loopback.

mod fake;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use acme_client::folder::{StateFolder, Wish};
use acme_client::http::{HttpClient, Trust};
use acme_client::keys::KeyRing;
use acme_client::progress::Observer;
use acme_client::responder::{Responder, Webroot};
use acme_client::{Driver, Handle, Shell, Upkeep, Upkept};
use acme_client_core::{AccountIntent, AccountKey, Config, RevokeJob};
use acme_crypto::KeyAlgorithm;
use acme_crypto::aws_lc::AwsLc;
use acme_types::{Identifier, Url};
use fake::{Crash, FakeCa};

/// Longer than anything here takes on a machine with other work.
const PATIENCE: Duration = Duration::from_secs(60);

fn wish() -> Wish {
    let names = ["one.example", "two.example"].map(|name| Identifier::dns(name).expect("a name"));
    Wish::new(names)
}

/// What a program does at its start.
fn start(root: &Path, ca: &FakeCa) -> (StateFolder, Handle) {
    let url = Url::parse(&ca.directory()).expect("a URL");
    let state = StateFolder::open(&root.join("state")).expect("a folder");
    let account = state.account(&url);
    let key = account
        .key_or_new(KeyAlgorithm::EcP256, &url)
        .expect("a key");
    let intent = AccountIntent::new(AccountKey::new(key.public_key()));
    let keys = KeyRing::new();
    keys.hold(key);
    let responder = Webroot::new(root.join("www"));
    let config = Config::new(Arc::new(AwsLc), url)
        .allow_plain_http()
        .with_challenges(responder.challenge_types());
    let shell = Shell {
        http: HttpClient::new(Trust::none()),
        signer: Arc::new(keys),
        store: Arc::new(account.store().expect("a store")),
        responder: Arc::new(responder),
        observer: Observer::none(),
    };
    let driver = Driver::start(config, intent, shell, |_| true).expect("started");
    (state, driver.spawn().0)
}

fn prepared() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let www = folder.path().join("www");
    std::fs::create_dir(&www).expect("a folder");
    (folder, www)
}

async fn order(root: &Path, ca: &FakeCa) -> bool {
    let (state, handle) = start(root, ca);
    let folder = state.certificate(&wish().identifiers[0]);
    let upkeep = Upkeep::new(handle, folder, wish());
    let ordering = upkeep.order(None, |upkept| panic!("{upkept:?}"));
    tokio::select! {
        ordered = tokio::time::timeout(PATIENCE, ordering) => {
            ordered.expect("in time").expect("no other end")
        }
        () = ca.crashed.notified() => false,
    }
}

/// One certificate is there, with its key, and nothing is left over.
fn check(root: &Path, ca: &FakeCa, orders_max: usize) {
    let state = StateFolder::look(&root.join("state"));
    let folder = state.certificate(&wish().identifiers[0]);
    let current = folder.current().expect("readable").expect("installed");
    let pem = std::fs::read_to_string(current.folder.join("privkey.pem")).expect("a key");
    let key = acme_client::keys::key_from_pem(&pem).expect("a key");
    let ca_state = ca.state.lock().expect("no panic");
    let fits = |order: &fake::Order| {
        order
            .csr
            .as_ref()
            .is_some_and(|csr| csr.public_key() == key.public_key())
    };
    assert!(
        ca_state.orders.iter().any(fits),
        "the key is the certificate's"
    );
    assert!(
        ca_state.orders.len() <= orders_max,
        "{} orders",
        ca_state.orders.len()
    );
    assert!(folder.pending().expect("readable").is_none());
    let published = root.join("www/.well-known/acme-challenge");
    let left = std::fs::read_dir(published).map_or(0, Iterator::count);
    assert_eq!(left, 0, "all responses are withdrawn");
}

#[tokio::test]
async fn a_certificate_is_ordered_and_revoked() {
    let (root, www) = prepared();
    let ca = FakeCa::start(www, None);
    assert!(order(root.path(), &ca).await);
    check(root.path(), &ca, 1);
    let (state, handle) = start(root.path(), &ca);
    let folder = state.certificate(&wish().identifiers[0]);
    let leaf = folder
        .current()
        .expect("readable")
        .expect("installed")
        .chain
        .leaf()
        .to_vec();
    let job = RevokeJob::by_account(&leaf);
    handle
        .revoke(acme_client_core::JobId(1), job)
        .await
        .expect("revoked");
    let ca_state = ca.state.lock().expect("no panic");
    assert_eq!(ca_state.revoked, [leaf]);
    assert_eq!(ca_state.accounts, 1, "the account is known after a restart");
}

#[tokio::test]
async fn a_client_that_dies_at_any_request_finishes_after_its_restart() {
    let (root, www) = prepared();
    let ca = FakeCa::start(www, None);
    assert!(order(root.path(), &ca).await);
    let requests = ca.state.lock().expect("no panic").requests.len();
    let mut runs = tokio::task::JoinSet::new();
    for at_request in 1..=requests {
        for acted_on in [false, true] {
            runs.spawn(async move {
                let (root, www) = prepared();
                let ca = FakeCa::start(
                    www,
                    Some(Crash {
                        at_request,
                        acted_on,
                    }),
                );
                let mut starts = 0;
                while !order(root.path(), &ca).await {
                    starts += 1;
                    assert!(starts < 3, "{at_request} {acted_on}");
                }
                // An order is repeated only if its URL was never heard of.
                check(root.path(), &ca, 2);
            });
        }
    }
    while let Some(run) = tokio::time::timeout(PATIENCE, runs.join_next())
        .await
        .expect("in time")
    {
        run.expect("no panic");
    }
}

#[tokio::test]
async fn a_certificate_renews_itself_when_the_ca_says_so() {
    let (root, www) = prepared();
    let ca = FakeCa::start(www, None);
    ca.state.lock().expect("no panic").due = BTreeSet::from([1]);
    let (state, handle) = start(root.path(), &ca);
    let folder = state.certificate(&wish().identifiers[0]);
    let upkeep = Upkeep::new(handle, folder, wish());
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let running = upkeep.run(|upkept| {
        let _ = tell.send(upkept);
    });
    let watching = async {
        let (mut versions, mut announced) = (Vec::new(), 0);
        while let Some(upkept) = told.recv().await {
            match upkept {
                Upkept::Installed(installed) => versions.push(installed.version),
                Upkept::RenewAt(_) => announced += 1,
                other => panic!("{other:?}"),
            }
            // The second one is not due: its renewal is announced, and that is all.
            if versions.len() == 2 && announced >= 2 {
                return versions;
            }
        }
        versions
    };
    let versions = tokio::select! {
        ended = running => panic!("{ended:?}"),
        versions = tokio::time::timeout(PATIENCE, watching) => versions.expect("in time"),
    };
    assert_eq!(versions, [1, 2]);
    let ca_state = ca.state.lock().expect("no panic");
    let replaces: Vec<_> = ca_state
        .orders
        .iter()
        .map(|order| order.replaces.clone())
        .collect();
    // RFC 9773 §5: authority key identifier and serial number of the first one.
    assert_eq!(
        replaces,
        [None, Some("q6urq6urq6urq6urq6urq6urq6s.AQ".to_owned())]
    );
}
