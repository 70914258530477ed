//! Digicert's pkilint looks at what is issued, where it is installed (PyPI: `pkilint`).

use acme_crypto::KeyAlgorithm;

use super::Judge;
use super::certificates::{drafted, final_tbs, signed};
use super::world::{config, intermediate, key, root};

const NAMES: &[&str] = &["a.example.com", "*.b.example.com", "8.8.8.8"];

/// What pkilint warns of and `classic` is for: what Let's Encrypt's profile of that name has.
const ACCEPTED: &[&str] = &[
    "cabf.serverauth.dv.common_name_attribute_present",
    "cabf.serverauth.subscriber.subject_key_identifier_extension_present",
    "cabf.serverauth.subscriber_rsa_digitalsignature_and_keyencipherment_present",
];

fn judge(judge: &Judge, kind: &str, der: &[u8]) {
    let file = judge.file("it.der", der);
    let (_, text) = judge.run(&["lint", "-t", kind, "-s", "WARNING", "-f", "CSV", &file]);
    let found: Vec<&str> = text
        .lines()
        .skip(1)
        .filter(|line| !line.is_empty())
        .filter(|line| !ACCEPTED.iter().any(|accepted| line.contains(accepted)))
        .collect();
    assert!(found.is_empty(), "{kind}: {found:#?}");
}

#[test]
fn pkilint_finds_nothing_in_what_is_issued() {
    let test = "pkilint_finds_nothing";
    let Some(pkilint) = Judge::pkilint("lint_cabf_serverauth_cert", test) else {
        return;
    };
    let config = config();
    for profile in ["classic", "tlsserver", "shortlived"] {
        for algorithm in [
            KeyAlgorithm::EcP256,
            KeyAlgorithm::EcP384,
            KeyAlgorithm::Rsa2048,
        ] {
            let row = drafted(&config, profile, NAMES, &*key(algorithm, 9));
            judge(
                &pkilint,
                "DV-PRE-CERTIFICATE",
                &signed(&config, &row, &row.tbs),
            );
            let tbs = final_tbs(&config, &row);
            judge(
                &pkilint,
                "DV-FINAL-CERTIFICATE",
                &signed(&config, &row, &tbs),
            );
        }
    }
    judge(&pkilint, "ROOT-CA", &root());
    judge(
        &pkilint,
        "INTERNAL-UNCONSTRAINED-TLS-CA",
        &intermediate("e1"),
    );
}
