//! What must not stand in the sources: I/O in the core crates, files of more than one idea.

use std::fs;
use std::path::{Path, PathBuf};

const CORE: [&str; 6] = [
    "acme-types",
    "acme-crypto",
    "acme-jws",
    "acme-csr",
    "acme-client-core",
    "acme-ca-core",
];

/// Words of I/O, clocks, randomness, threads, async, globals and unordered maps.
const FORBIDDEN: [&str; 18] = [
    "std::fs",
    "std::env",
    "std::thread",
    "std::process",
    "TcpStream",
    "UdpSocket",
    "TcpListener",
    "Instant::now",
    "SystemTime",
    "async fn",
    ".await;",
    "thread_local!",
    "OnceLock",
    "LazyLock",
    "HashMap",
    "HashSet",
    "getrandom",
    "OsRng",
];

/// DESIGN: about 400 lines with its tests; beyond this it surely holds two ideas. Test
/// scenarios may be longer: they are lists.
const LINES_MAX: usize = 530;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("crates/")
        .to_owned()
}

fn is_test(path: &Path) -> bool {
    path.iter()
        .any(|part| part == "tests" || part == "tests.rs")
}

#[test]
fn core_crates_know_no_clock_no_socket_no_random_source() {
    let mut read = 0;
    let mut wrong = Vec::new();
    for name in CORE {
        let mut files = Vec::new();
        sources(&crates().join(name).join("src"), &mut files);
        for path in files.into_iter().filter(|path| !is_test(path)) {
            let text = fs::read_to_string(&path).expect("a source file");
            // What follows is the file's own unit tests.
            let code = text
                .split("#[cfg(test)]\nmod tests {")
                .next()
                .unwrap_or_default();
            read += 1;
            for (number, line) in code.lines().enumerate() {
                let comment = line.trim_start().starts_with("//");
                if !comment && FORBIDDEN.iter().any(|word| line.contains(word)) {
                    wrong.push(format!(
                        "{}:{}: {}",
                        path.display(),
                        number + 1,
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(read > 100, "only {read} files were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_holds_one_idea() {
    let mut files = Vec::new();
    sources(&crates(), &mut files);
    let long = |path: &PathBuf| {
        let lines = fs::read_to_string(path).map_or(0, |text| text.lines().count());
        (lines > LINES_MAX).then(|| format!("{}: {lines} lines", path.display()))
    };
    let long: Vec<String> = files
        .iter()
        .filter(|path| !is_test(path))
        .filter_map(long)
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}
