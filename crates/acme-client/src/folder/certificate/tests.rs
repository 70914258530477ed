use std::os::unix::fs::PermissionsExt;

use acme_crypto::KeyAlgorithm;
use acme_types::{Identifier, pem};

use super::*;

const NOTE: &str = "a note of the application";

fn wish() -> Wish {
    Wish::new([Identifier::dns("example.com").expect("a name")]).with_key(KeyAlgorithm::EcP384)
}

fn folder() -> (tempfile::TempDir, CertificateFolder) {
    let root = tempfile::tempdir().expect("a folder");
    let folder = CertificateFolder::new(root.path().join("example.com"));
    (root, folder)
}

/// Any certificate will do: which key it has is the machine's check.
fn chain(text: &str) -> Chain {
    Chain::from_pem(text.as_bytes()).expect("a chain")
}

/// A root of ours and another, made by the testkit.
fn chains() -> [Chain; 2] {
    ["one", "other"].map(|name| {
        let root = acme_testkit::authority::Authority::root(name);
        chain(&pem::chain_from_der(
            &root.intermediate(&format!("{name} 2")).chain(),
        ))
    })
}

fn begin(folder: &CertificateFolder) -> Pending {
    folder
        .begin(&wish(), Value::from(NOTE), None)
        .expect("durable")
}

#[test]
fn an_order_under_way_is_found_again_with_its_key() {
    let (_root, folder) = folder();
    assert!(folder.pending().expect("readable").is_none());
    let begun = begin(&folder);
    let found = folder.pending().expect("readable").expect("there");
    assert_eq!(
        (found.job, found.wish, found.csr),
        (begun.job, wish(), begun.csr)
    );
    assert_eq!(found.note, Value::from(NOTE));
    assert_eq!(found.key.public_key(), begun.key.public_key());
    assert_eq!(found.key.public_key().kind(), acme_crypto::KeyKind::EcP384);
    let again = begin(&folder);
    assert_ne!(again.job, begun.job);
    folder.abandon().expect("removed");
    assert!(folder.pending().expect("readable").is_none());
}

#[test]
fn key_and_chain_are_one_version_and_the_old_one_stays() {
    let (_root, folder) = folder();
    let [first, second] = chains();
    for (version, chain) in [(1, &first), (2, &second)] {
        let pending = begin(&folder);
        let other = folder
            .install(JobId(pending.job.0 ^ 1), chain)
            .expect_err("another job");
        assert!(matches!(other.reason, FolderFault::NotPending));
        assert!(!folder.has_installed(&pending).expect("readable"));
        for _ in 0..2 {
            let installed = folder.install(pending.job, chain).expect("installed");
            assert_eq!((installed.version, &installed.chain), (version, chain));
        }
        assert!(folder.has_installed(&pending).expect("readable"));
        folder.abandon().expect("removed");
        let key = read_key(&folder.path().join("current/privkey.pem")).expect("readable");
        assert_eq!(key.expect("a key").public_key(), pending.key.public_key());
    }
    let old = folder.version(1).expect("readable").expect("kept");
    assert_eq!(old.chain, first);
    let mode = |name: &str| {
        let path = folder.path().join("current").join(name);
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    };
    assert_eq!((mode("privkey.pem"), mode("fullchain.pem")), (0o600, 0o644));
    let read = |name: &str| {
        std::fs::read_to_string(folder.path().join("current").join(name)).expect("readable")
    };
    assert_eq!(read("cert.pem") + &read("chain.pem"), read("fullchain.pem"));
    assert_eq!(
        folder.settings().expect("readable"),
        Some((wish(), Value::from(NOTE)))
    );
}

#[test]
fn what_a_crash_left_over_is_in_nobodys_way() {
    let (_root, folder) = folder();
    let [chain, _] = chains();
    for left in [".pending.new", ".pending.old", "versions/.new"] {
        let left = folder.path().join(left);
        std::fs::create_dir_all(&left).expect("made");
        std::fs::write(left.join("privkey.pem"), "half").expect("written");
    }
    std::fs::write(folder.path().join(".current.new"), "").expect("written");
    std::fs::write(folder.path().join(".settings.json.new"), "half").expect("written");
    assert!(folder.pending().expect("readable").is_none());
    let pending = begin(&folder);
    assert_eq!(
        folder
            .install(pending.job, &chain)
            .expect("installed")
            .version,
        1
    );
    folder.abandon().expect("removed");
}

#[test]
fn the_oldest_versions_go() {
    let (_root, folder) = folder();
    let chains = chains();
    for round in 0..VERSIONS_KEPT_MAX + 2 {
        let pending = begin(&folder);
        folder
            .install(pending.job, &chains[round % 2])
            .expect("installed");
    }
    let versions = folder.versions().expect("readable");
    assert_eq!(versions.len(), VERSIONS_KEPT_MAX);
    assert_eq!(versions.first(), Some(&3));
}

#[test]
fn notes_on_a_version_are_kept() {
    let (_root, folder) = folder();
    let [chain, _] = chains();
    let pending = begin(&folder);
    let installed = folder.install(pending.job, &chain).expect("installed");
    let at = Some(Timestamp::from_secs(2_000_000_000));
    let watch = Watch {
        version: 1,
        job: JobId(7),
        at,
        explanation: None,
    };
    folder.set_watch(&watch).expect("written");
    assert_eq!(folder.watch().expect("readable"), Some(watch));
    assert!(!installed.revoked);
    folder
        .set_revoked(1, Timestamp::from_secs(1))
        .expect("written");
    assert!(folder.current().expect("readable").expect("there").revoked);
}

#[test]
fn another_format_and_nonsense_are_errors() {
    let (_root, folder) = folder();
    begin(&folder);
    let path = folder.path().join("pending/intent.json");
    let check = |text: &str| {
        std::fs::write(&path, text).expect("written");
        folder.pending().expect_err("refused").reason
    };
    assert!(matches!(
        check(r#"{"format":2}"#),
        FolderFault::UnknownFormat(2)
    ));
    assert!(matches!(
        check(r#"{"format":1}"#),
        FolderFault::Malformed(_)
    ));
    assert!(matches!(check("{"), FolderFault::Malformed(_)));
    assert!(matches!(check(&" ".repeat(2_000_000)), FolderFault::Io(_)));
}
