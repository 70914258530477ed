//! Every input in `fuzz/corpus` is replayed, and the lists of targets agree.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use acme_fuzz_bodies::TARGETS;

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn names_in(folder: &str) -> BTreeSet<String> {
    std::fs::read_dir(fuzz_folder().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_target_has_a_body_a_program_and_a_corpus() {
    let bodies: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(bodies.len(), TARGETS.len(), "a name stands twice");
    assert_eq!(names_in("fuzz_targets"), bodies);
    assert_eq!(names_in("corpus"), bodies);
    let manifest = std::fs::read_to_string(fuzz_folder().join("Cargo.toml")).unwrap();
    for name in bodies {
        let line = format!("path = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&line), "{name} is not in the manifest");
    }
}

#[test]
fn every_kept_input_passes() {
    for (name, body) in TARGETS {
        let mut count = 0;
        for entry in std::fs::read_dir(fuzz_folder().join("corpus").join(name)).unwrap() {
            let path = entry.unwrap().path();
            eprintln!("{}", path.display());
            body(&std::fs::read(&path).unwrap());
            count += 1;
        }
        assert!(count > 0, "{name} has no input");
    }
}

#[test]
fn nothing_and_noise_pass() {
    let mut noise = Vec::new();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for (_, body) in TARGETS {
        body(b"");
        for len in [1, 2, 3, 17, 64, 300, 2000] {
            noise.clear();
            for _ in 0..len {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                noise.push(state.to_be_bytes()[3]);
            }
            body(&noise);
        }
    }
}

/// Parsers must end soon whatever they are given: each input cut short, and each byte changed once.
#[test]
fn neighbours_of_kept_inputs_pass() {
    for (name, body) in TARGETS {
        if ["client", "exchange", "snapshot"].contains(name) {
            continue; // Each run of theirs signs and verifies; cargo fuzz is for these.
        }
        for entry in std::fs::read_dir(fuzz_folder().join("corpus").join(name)).unwrap() {
            let input = std::fs::read(entry.unwrap().path()).unwrap();
            let step = 1 + input.len() / 200;
            for at in (0..input.len()).step_by(step) {
                body(&input[..at]);
                for flip in [0x01, 0x20, 0x80] {
                    let mut changed = input.clone();
                    changed[at] ^= flip;
                    body(&changed);
                }
            }
        }
    }
}
