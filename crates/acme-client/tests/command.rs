//! The `acme` command from outside, against a pretended CA on loopback.

mod fake;

use std::path::Path;
use std::process::{Command, Output};

use fake::FakeCa;

fn acme(root: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_acme"));
    command
        .arg("--dir")
        .arg(root.join("state"))
        .args(line.split_whitespace());
    for inherited in ["ACME_DIR", "ACME_LOG", "ACME_SERVER", "ACME_EAB_HMAC_KEY"] {
        command.env_remove(inherited);
    }
    command.output().expect("it runs")
}

fn prepared() -> (tempfile::TempDir, FakeCa) {
    let root = tempfile::tempdir().expect("a folder");
    let www = root.path().join("www");
    std::fs::create_dir(&www).expect("a folder");
    let ca = FakeCa::start(www, None);
    (root, ca)
}

fn issue(root: &Path, ca: &FakeCa, names: &str) -> Output {
    let www = root.join("www");
    acme(
        root,
        &format!(
            "issue {names} --server {} --webroot {}",
            ca.directory(),
            www.display()
        ),
    )
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// It failed with one message that has these words, and wrote nothing to standard output.
fn complains(output: &Output, words: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("acme: ").count(), 1, "{said}");
    let (_, message) = said.split_once("acme: ").expect("a message");
    for word in words {
        assert!(message.contains(word), "{word}: {said}");
    }
    assert!(message.contains("To do: "), "{said}");
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn a_certificate_is_issued_listed_renewed_and_revoked() {
    let (root, ca) = prepared();
    let root = root.path();
    let output = issue(root, &ca, "one.example two.example");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let folder = root.join("state/certificates/one.example/current");
    let paths = format!(
        "certificate {0}/fullchain.pem\nprivate-key {0}/privkey.pem\n",
        folder.display()
    );
    assert_eq!(text(&output.stdout), paths);
    assert!(folder.join("privkey.pem").is_file());

    // Again: nothing is ordered.
    let output = issue(root, &ca, "one.example two.example");
    assert_eq!((text(&output.stdout), ca.orders()), (paths.clone(), 1));

    // The CA has a day's time, then not.
    let output = acme(root, "renew");
    assert!(output.status.success() && text(&output.stderr).contains("not yet"));
    let watch = std::fs::read(root.join("state/certificates/one.example/watch.json"));
    assert_eq!(acme(root, "renew").status.code(), Some(0));
    let unchanged = std::fs::read(root.join("state/certificates/one.example/watch.json"));
    assert_eq!(
        watch.expect("kept"),
        unchanged.expect("kept"),
        "the moment is chosen once"
    );
    assert_eq!(ca.orders(), 1);
    assert_eq!(text(&acme(root, "renew one.example --force").stdout), paths);
    ca.state.lock().expect("no panic").due.insert(2);
    assert_eq!(text(&acme(root, "renew --all").stdout), paths);
    assert_eq!(ca.orders(), 3);
    let replaced = |at: usize| {
        ca.state.lock().expect("no panic").orders[at]
            .replaces
            .clone()
    };
    assert!(replaced(1).is_some_and(|id| id.ends_with(".AQ")));
    assert!(replaced(2).is_some_and(|id| id.ends_with(".Ag")));

    let listed = text(&acme(root, "list").stdout);
    assert!(listed.contains("one.example, two.example") && listed.contains(&ca.directory()));
    let output = acme(root, "revoke one.example --reason superseded");
    assert_eq!(text(&output.stdout), "revoked one.example\n");
    assert_eq!(ca.state.lock().expect("no panic").revoked.len(), 1);
    assert!(text(&acme(root, "list").stdout).contains("(revoked)"));
    let output = acme(root, "renew");
    assert!(output.status.success() && text(&output.stderr).contains("not renewed"));
    assert_eq!(ca.orders(), 3);
    // One account for all of it.
    assert_eq!(ca.state.lock().expect("no panic").accounts, 1);
}

#[test]
fn a_refused_name_is_explained_and_leaves_nothing_behind() {
    let (root, ca) = prepared();
    ca.state.lock().expect("no panic").refuse_orders = true;
    let output = issue(root.path(), &ca, "bad.example");
    complains(
        &output,
        &[
            "bad.example",
            "rejectedIdentifier",
            "not here",
            &ca.directory(),
        ],
    );
    assert!(
        !root
            .path()
            .join("state/certificates/bad.example/pending")
            .exists()
    );
    assert!(
        !root
            .path()
            .join("state/certificates/bad.example/current")
            .exists()
    );
    ca.state.lock().expect("no panic").refuse_orders = false;
    assert!(issue(root.path(), &ca, "bad.example").status.success());
}

#[test]
fn an_attempt_that_failed_is_repeated_when_its_time_comes_or_somebody_wants_it() {
    let (root, ca) = prepared();
    let root = root.path();
    let output = issue(root, &ca, "a.example");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let unavailable = |is| ca.state.lock().expect("no panic").unavailable = is;
    unavailable(true);
    let output = acme(root, "renew --force");
    complains(
        &output,
        &[
            "not available",
            "HTTP status 503",
            "run the same command again",
        ],
    );
    unavailable(false);
    let requests = || ca.state.lock().expect("no panic").requests.len();
    let before = requests();
    let output = acme(root, "renew");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("the next one is not before"));
    assert_eq!((requests(), ca.orders()), (before, 1));
    assert!(acme(root, "renew --force").status.success());
    assert_eq!(ca.orders(), 2);
}

#[test]
fn what_is_wrong_here_is_said_before_the_ca_is_asked() {
    let (root, ca) = prepared();
    let root = root.path();
    let server = ca.directory();
    let line = |rest: &str| acme(root, &format!("issue a.example --server {server} {rest}"));
    complains(
        &line("--webroot /no/such/folder"),
        &["/no/such/folder", "no such folder"],
    );
    complains(
        &line("--dns-hook ./no-such-hook"),
        &["no-such-hook", "no such file"],
    );
    let taken = std::net::TcpListener::bind("[::]:0")
        .or_else(|_| std::net::TcpListener::bind("0.0.0.0:0"))
        .expect("a port");
    let port = taken.local_addr().expect("bound").port();
    let words = [&format!("port {port}"), "can't listen"];
    complains(&line(&format!("--standalone --http-port {port}")), &words);
    complains(&line(&format!("--tls-port {port}")), &words);
    complains(
        &acme(root, "renew no.example"),
        &["no.example", "acme list"],
    );
    complains(
        &acme(root, "revoke no.example"),
        &["no.example", "acme list"],
    );
    let far = "issue a.example --server http://ca.example/dir --standalone";
    complains(&acme(root, far), &["https only"]);
    let unwritable = Path::new("/proc/self");
    complains(
        &acme(unwritable, "renew"),
        &["state folder", "/proc/self/state", "--dir"],
    );
    assert!(ca.state.lock().expect("no panic").requests.is_empty());
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let (root, _ca) = prepared();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let line = format!("issue a.example --server https://{address}/dir --standalone --http-port 0");
    let output = acme(root.path(), &line);
    complains(&output, &[&address.to_string(), "refused", "--server"]);
}

#[test]
fn a_second_process_is_turned_away() {
    let (root, ca) = prepared();
    let state = acme_client::folder::StateFolder::open(&root.path().join("state"));
    let output = issue(root.path(), &ca, "a.example");
    complains(&output, &["another process", "wait"]);
    drop(state.expect("locked"));
    assert!(issue(root.path(), &ca, "a.example").status.success());
}

#[test]
fn neither_logs_nor_messages_hold_keys_or_key_authorizations() {
    let (root, ca) = prepared();
    let www = root.path().join("www");
    let line = format!(
        "--log trace issue a.example --server {} --webroot {}",
        ca.directory(),
        www.display()
    );
    let output = acme(root.path(), &line);
    assert!(output.status.success());
    let said = text(&output.stderr);
    assert!(said.contains("DEBUG"), "something is logged");
    assert!(!said.contains("PRIVATE KEY") && !said.contains("\"signature\""));
    assert!(
        !said.contains("a-token-of-this-test-0000-0000."),
        "no key authorization"
    );
}
