//! The command as a user meets it: what it prints, how it ends, and that a SIGKILL loses nothing.

mod acme;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use acme_testkit::dns::{Dns, Record};
use acme_testkit::site::Page;
use acme_testkit::web::Web;
use acme_types::Url;
use serde_json::json;

use acme::Client;

const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn acme_ca() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_acme-ca"));
    command.env_remove("ACME_CA_DATA").env_remove("ACME_CA_LOG");
    command
}

/// A CA that runs; killed when it is dropped.
struct Running {
    child: Child,
    root: PathBuf,
    directory: Url,
}

impl Running {
    fn start(data: &Path, more: &[&str]) -> Self {
        let mut child = acme_ca()
            .args([
                "serve",
                "--resolver",
                "127.0.0.1:9",
                "--log",
                "warn",
                "--data",
            ])
            .arg(data)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = |prefix: &str| {
            let line = lines.next().expect("it ended").unwrap();
            line.strip_prefix(prefix).expect("another line").to_owned()
        };
        let root = PathBuf::from(line("root "));
        let directory = Url::parse(&line("directory ")).unwrap();
        Self {
            child,
            root,
            directory,
        }
    }

    fn root_pem(&self) -> String {
        fs::read_to_string(&self.root).unwrap()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const ANY_PORTS: [&str; 4] = ["--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"];

/// Ends within a few seconds, or never.
fn ends(mut child: Child) -> Output {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            let mut output = Output {
                status,
                stdout: Vec::new(),
                stderr: Vec::new(),
            };
            child
                .stdout
                .take()
                .map(|mut out| out.read_to_end(&mut output.stdout));
            child
                .stderr
                .take()
                .map(|mut err| err.read_to_end(&mut output.stderr));
            return output;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it doesn't end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Fails with this code and one line that has all these words.
fn refused(args: &[&str], code: i32, words: &[&str]) {
    let child = acme_ca()
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let output = ends(child.unwrap());
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
    assert_eq!(output.stdout, b"", "{args:?}");
    assert!(
        words.iter().all(|word| message.contains(word)),
        "{args:?}: {message}"
    );
    if code == 1 {
        assert_eq!(message.lines().count(), 1, "{args:?}: {message}");
    }
}

#[test]
fn a_wrong_flag_is_named() {
    refused(&["serve"], 2, &["--data <DIR>"]);
    refused(&["serve", "--data", "x", "--frob"], 2, &["--frob"]);
    refused(
        &["serve", "--data", "x", "--listen", "here"],
        2,
        &["'here'", "--listen"],
    );
    refused(
        &["serve", "--data", "x", "--http-port", "0"],
        2,
        &["--http-port", "1..=65535"],
    );
    refused(
        &["serve", "--data", "x", "--profile", "short"],
        2,
        &["--profile", "90d"],
    );
    let help = acme_ca().args(["serve", "--help"]).output().unwrap();
    assert!(help.status.success());
    assert!(
        String::from_utf8(help.stdout)
            .unwrap()
            .contains("Examples:")
    );
}

#[test]
fn what_does_not_work_is_said_in_one_line_with_what_to_do() {
    let outer = tempfile::tempdir().unwrap();
    let folder = |name: &str| outer.path().join(name).to_str().unwrap().to_owned();
    let serve = |data: &str, more: &[&str], words: &[&str]| {
        let args = [
            &["serve", "--resolver", "127.0.0.1:9", "--data", data],
            more,
        ]
        .concat();
        refused(&args, 1, words);
    };
    let busy = TcpListener::bind(LOOPBACK).unwrap();
    let busy = busy.local_addr().unwrap().to_string();
    let free = "127.0.0.1:0";
    let new = folder("new");
    let said = ["can't listen on", &busy, "--listen"];
    serve(&new, &["--listen", &busy, "--http-listen", free], &said);
    let said = ["can't listen on", &busy, "--http-listen"];
    serve(&new, &["--http-listen", &busy, "--listen", free], &said);
    serve(
        &new,
        &["--url", "http://ca.example"],
        &["http://ca.example", "must be https"],
    );
    let key = ["--ct-log", "http://127.0.0.1:1,/none"];
    serve(&new, &key, &["can't read the key file /none"]);
    serve(&new, &["--log", "=x="], &["--log =x=", "info"]);
    let sources = ["--perspectives", "3", "--perspective-source", "127.0.0.2"];
    serve(
        &new,
        &sources,
        &["--perspectives 3", "--perspective-source"],
    );
    assert!(
        !outer.path().join("new").exists(),
        "nothing is half written"
    );

    let other = folder("other");
    fs::create_dir(&other).unwrap();
    fs::write(Path::new(&other).join("letter"), "Dear").unwrap();
    serve(&other, &ANY_PORTS, &[&other, "not empty"]);
    let later = folder("later");
    fs::create_dir(&later).unwrap();
    fs::write(
        Path::new(&later).join("format"),
        "acme-ca data, format 99\n",
    )
    .unwrap();
    serve(&later, &ANY_PORTS, &[&later, "format 99", "another folder"]);
}

#[test]
fn a_folder_in_use_is_refused_and_free_after_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut running = Running::start(folder.path(), &ANY_PORTS);
    let serve = ["serve", "--resolver", "127.0.0.1:9", "--data", data];
    refused(&[&serve[..], &ANY_PORTS[..]].concat(), 1, &[data, "in use"]);
    running.signal("-TERM");
    assert!(
        running.child.wait().unwrap().success(),
        "SIGTERM ends it in good order"
    );
    let mut again = Running::start(folder.path(), &ANY_PORTS);
    again.signal("-INT");
    assert!(again.child.wait().unwrap().success(), "so does ctrl-c");
}

#[test]
fn keys_are_for_the_owner_alone_and_never_in_the_log() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let data = folder.path().join("data");
    let args = [
        "serve",
        "--resolver",
        "127.0.0.1:9",
        "--log",
        "trace",
        "--data",
    ];
    let stderr = fs::File::create(&log).unwrap();
    let mut child = acme_ca()
        .args(args)
        .arg(&data)
        .args(ANY_PORTS)
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let log = fs::read_to_string(&log).unwrap();
    for name in ["root.key", "intermediate.key"] {
        let path = data.join("authority").join(name);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let key = fs::read_to_string(&path).unwrap();
        let secret = key.lines().nth(1).unwrap();
        assert!(!log.contains(secret), "{name} is in the log");
    }
}

/// The server is killed between two requests of an order, again and again; the order is finished.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_survives_a_sigkill_after_every_step() {
    let dns = Dns::start().await.unwrap();
    dns.add_zone("example.com");
    dns.add("example.com", Record::A(Ipv4Addr::LOCALHOST));
    let web = Web::start(LOOPBACK).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let port = web.address().port().to_string();
    let resolver = dns.address().to_string();
    let flags = ["--resolver", &resolver, "--http-port", &port];
    let first = Running::start(folder.path(), &[&flags[..], &ANY_PORTS[..]].concat());
    // Every later start is at the same place, as the client knows it.
    let listen = format!("127.0.0.1:{}", first.directory.port());
    let again = [
        &flags[..],
        &["--listen", &listen, "--http-listen", "127.0.0.1:0"],
    ]
    .concat();
    let restart = |running: Running| {
        running.signal("-KILL");
        drop(running);
        Running::start(folder.path(), &again)
    };
    let mut client = Client::with_account(&first.root_pem(), &first.directory).await;
    let running = restart(first);
    let (url, order) = client.order(&["example.com"]).await;
    let running = restart(running);
    let authorization = order["authorizations"][0].as_str().unwrap();
    let challenge = client.challenge(authorization, "http-01").await;
    let path = format!("/.well-known/acme-challenge/{}", challenge.token);
    let page = Page::text(challenge.key_authorization.as_str());
    // Slow, so that the server dies while it looks.
    web.set(&path, page.clone().delay(Duration::from_secs(2)));
    assert_eq!(client.post(&challenge.url, &json!({})).await.status(), 200);
    let running = restart(running);
    web.set(&path, page);
    assert_eq!(client.settled(authorization).await["status"], "valid");
    let running = restart(running);
    let ((order, _), running) = client.finalize_and(&url, &order, || restart(running)).await;
    assert_eq!(client.chain(&order).await.len(), 2);
    drop(running);
}
