use std::time::Duration;

use acme_crypto::rustcrypto::RustCrypto;
use acme_types::RevocationReason;
use der::{Decode, Encode};
use x509_cert::crl::CertificateList;

use super::lint::profile;
use super::{CRL_LIFETIME_MAX, Crl, CrlDraft, CrlError, CrlFinding, Entry, Expected, Scope, lint};
use crate::issuance::Issuer;
use crate::issuance::tests::world::{DAY, intermediate, issuer, issuer_key, now, root};
use crate::issuance::tests::{Judge, vectors};
use crate::schema::Serial;

const URL: &str = "http://pub.ca.example.com/crl/2";

fn scope() -> Scope<'static> {
    let this_update = now().truncate_to_secs();
    Scope {
        url: URL,
        number: 0x1_0000,
        this_update,
        next_update: this_update.after(DAY * 9),
    }
}

fn entry(serial: u8, reason: RevocationReason) -> Entry {
    Entry {
        serial: Serial::new(&[serial; 32]),
        revoked_at: now().before(DAY),
        reason,
    }
}

fn entries() -> Vec<Entry> {
    vec![
        entry(1, RevocationReason::Unspecified),
        entry(2, RevocationReason::KeyCompromise),
        entry(3, RevocationReason::Superseded),
        entry(4, RevocationReason::CessationOfOperation),
        entry(5, RevocationReason::AffiliationChanged),
        entry(6, RevocationReason::PrivilegeWithdrawn),
    ]
}

fn signed(issuer: &Issuer, scope: &Scope<'_>, entries: &[Entry]) -> Vec<u8> {
    let draft = CrlDraft::new(issuer, scope, entries).unwrap();
    let key = issuer_key(issuer.name());
    draft
        .attach(&key.sign(draft.algorithm(), draft.message()).unwrap())
        .unwrap()
}

#[test]
fn a_crl_is_read_by_others_as_it_was_meant() {
    for (name, entries) in [("e1", entries()), ("e2", Vec::new())] {
        let issuer = issuer(name);
        let der = signed(&issuer, &scope(), &entries);
        let list: CertificateList = CertificateList::from_der(&der).unwrap();
        assert_eq!(
            list.to_der().unwrap(),
            der,
            "another writer writes the same bytes"
        );
        assert_eq!(
            list.tbs_cert_list.revoked_certificates.is_some(),
            !entries.is_empty()
        );
        let expected = Expected {
            issuer: &issuer,
            scope: scope(),
            entries: &entries,
        };
        assert_eq!(lint(&expected, &der, &RustCrypto), Ok(()));
        let crl = Crl::parse(&der).unwrap();
        assert_eq!((crl.len(), crl.number()), (entries.len(), &[1, 0, 0][..]));
        assert_eq!(crl.this_update(), now().truncate_to_secs());
        let reasons: Vec<Option<u8>> = crl.entries().map(|e| e.unwrap().reason).collect();
        assert_eq!(reasons.first(), entries.first().map(|_| &None));
        assert!(reasons.iter().skip(1).all(Option::is_some));
    }
}

#[test]
fn openssl_verifies_crls_and_finds_the_revoked() {
    let Some(openssl) = Judge::openssl("crl") else {
        return;
    };
    let issuer = issuer("e1");
    let pem = |label: &str, der: &[u8]| {
        use base64ct::{Base64, Encoding};
        let lines = Base64::encode_string(der);
        let lines: Vec<&str> = lines
            .as_bytes()
            .chunks(64)
            .map(|c| std::str::from_utf8(c).unwrap())
            .collect();
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            lines.join("\n")
        )
    };
    let chain = [intermediate("e1"), root()]
        .map(|der| pem("CERTIFICATE", &der))
        .concat();
    let chain = openssl.file("chain.pem", chain.as_bytes());
    let der = signed(&issuer, &scope(), &entries());
    let crl = openssl.file("crl.pem", pem("X509 CRL", &der).as_bytes());
    let (_, text) = openssl.run(&["crl", "-in", &crl, "-noout", "-text", "-CAfile", &chain]);
    assert!(text.contains("verify OK"), "{text}");
    for part in [
        "X509v3 Issuing Distribution Point: critical",
        "Only User Certificates",
        "URI:http://pub.ca.example.com/crl/2",
        "X509v3 CRL Number",
        "Key Compromise",
        "Privilege Withdrawn",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn what_no_crl_may_say_has_no_draft() {
    let issuer = issuer("e1");
    let check = |scope: Scope<'_>, entries: &[Entry], error: CrlError| {
        assert_eq!(CrlDraft::new(&issuer, &scope, entries).err(), Some(error));
    };
    let at = scope().this_update;
    let until = |next_update| Scope {
        next_update,
        ..scope()
    };
    assert!(CrlDraft::new(&issuer, &until(at.after(CRL_LIFETIME_MAX)), &[]).is_ok());
    check(until(at.after(DAY * 10)), &[], CrlError::Lifetime);
    check(until(at), &[], CrlError::Lifetime);
    check(until(at.before(DAY)), &[], CrlError::Lifetime);
    let (a, b) = (
        entry(1, RevocationReason::Unspecified),
        entry(2, RevocationReason::Unspecified),
    );
    check(scope(), &[b, a], CrlError::Order);
    check(scope(), &[a, a], CrlError::Order);
    for reason in [
        RevocationReason::CaCompromise,
        RevocationReason::CertificateHold,
        RevocationReason::RemoveFromCrl,
        RevocationReason::AaCompromise,
    ] {
        check(scope(), &[entry(1, reason)], CrlError::Reason);
    }
}

#[test]
fn a_crl_that_is_not_what_was_meant_is_found() {
    let (issuer, entries) = (issuer("e1"), entries());
    let der = signed(&issuer, &scope(), &entries);
    let check = |expected: Expected<'_>, der: &[u8], finding: CrlFinding| {
        assert_eq!(lint(&expected, der, &RustCrypto), Err(finding));
    };
    let meant = Expected {
        issuer: &issuer,
        scope: scope(),
        entries: &entries,
    };
    let of = |scope: Scope<'static>| Expected { scope, ..meant };
    check(
        of(Scope {
            number: 0x1_0001,
            ..scope()
        }),
        &der,
        CrlFinding::Number,
    );
    check(
        of(Scope {
            url: "http://x.example/",
            ..scope()
        }),
        &der,
        CrlFinding::DistributionPoint,
    );
    let later = scope().this_update.after(Duration::from_secs(1));
    check(
        of(Scope {
            this_update: later,
            ..scope()
        }),
        &der,
        CrlFinding::Times,
    );
    check(
        Expected {
            entries: &entries[1..],
            ..meant
        },
        &der,
        CrlFinding::Entries,
    );
    let mut other = entries.clone();
    other[3].reason = RevocationReason::Superseded;
    check(
        Expected {
            entries: &other,
            ..meant
        },
        &der,
        CrlFinding::Entries,
    );
    let e2 = super::super::issuance::tests::world::issuer("e2");
    check(
        Expected {
            issuer: &e2,
            ..meant
        },
        &der,
        CrlFinding::SignatureAlgorithm,
    );
    let mut bent = der.clone();
    *bent.last_mut().unwrap() ^= 1;
    check(meant, &bent, CrlFinding::Signature);
    for place in 0..der.len() {
        let mut bent = der.clone();
        bent[place] ^= 1;
        assert!(lint(&meant, &bent, &RustCrypto).is_err(), "byte {place}");
        assert!(Crl::parse(&der[..place]).is_err());
    }
}

#[test]
fn a_date_in_the_future_is_cut() {
    let issuer = issuer("e1");
    let mut late = entry(1, RevocationReason::Unspecified);
    late.revoked_at = now().after(DAY);
    let der = signed(&issuer, &scope(), &[late]);
    let crl = Crl::parse(&der).unwrap();
    assert_eq!(
        crl.entries().next().unwrap().unwrap().revoked_at,
        scope().this_update
    );
    let expected = Expected {
        issuer: &issuer,
        scope: scope(),
        entries: &[late],
    };
    assert_eq!(lint(&expected, &der, &RustCrypto), Ok(()));
}

#[test]
fn a_hundred_thousand_entries_are_one_linear_crl() {
    let issuer = issuer("e1");
    let serial = |n: u32| {
        let mut bytes = [0; 32];
        bytes[1..5].copy_from_slice(&n.to_be_bytes());
        Serial::new(&bytes)
    };
    let revoked_at = now().before(DAY);
    let reason = RevocationReason::Superseded;
    let entries: Vec<Entry> = (0..100_000)
        .map(|n| Entry {
            serial: serial(n),
            revoked_at,
            reason,
        })
        .collect();
    let der = signed(&issuer, &scope(), &entries);
    assert!(der.len() < 60 * entries.len());
    let expected = Expected {
        issuer: &issuer,
        scope: scope(),
        entries: &entries,
    };
    assert_eq!(lint(&expected, &der, &RustCrypto), Ok(()));
}

fn read(pem: &[u8]) -> Vec<u8> {
    use base64ct::{Base64, Encoding};
    let text = std::str::from_utf8(pem).unwrap();
    let body = text.split("-----BEGIN X509 CRL-----").nth(1).unwrap();
    let body = body.split("-----END").next().unwrap();
    let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    Base64::decode_vec(&body).unwrap()
}

/// The CRLs are named for the lint that they break. Ours reads them strictly and holds the rest
/// against the one shape that this CA makes.
#[test]
fn boulders_crls_break_the_lints_that_they_are_named_for() {
    let Some(vectors) = vectors("boulders_crls") else {
        return;
    };
    let mut checked = 0;
    for set in ["rfc", "cabf_br", "cpcps"] {
        let folder = vectors
            .join("boulder/linter/lints")
            .join(set)
            .join("testdata");
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let der = read(&std::fs::read(&path).unwrap());
            let found = verdict(&der);
            assert_eq!(found, expected(&name), "{set}/{name}");
            checked += 1;
        }
    }
    assert_eq!(checked, 51);
}

/// What the reader and the lint of a shard's shape say, at whatever URL it names.
fn verdict(der: &[u8]) -> Result<(), CrlFinding> {
    let crl = Crl::parse(der).map_err(|_| CrlFinding::Malformed)?;
    profile(&crl, "http://c.boulder.test/66283756913588288/0.crl")
}

/// What is the matter with each. The CRLs about reasons have no distribution point, which is only
/// looked for after the reasons.
fn expected(name: &str) -> Result<(), CrlFinding> {
    Err(match name {
        "crl_good" => return Ok(()),
        "crl_critical_reason" | "crl_cert_issuer" => CrlFinding::Malformed,
        "crl_critical_number" | "crl_long_number" | "crl_no_number" => CrlFinding::Malformed,
        "crl_empty_revoked" | "crl_no_issuer_name" => CrlFinding::Malformed,
        "crl_gentime_2049" | "crl_gentime_revoked_2049" => CrlFinding::Malformed,
        // Legal, but of no use to a CA that began after 1970.
        "crl_utctime_no_seconds" | "crl_good_utctime_1950" => CrlFinding::Malformed,
        "crl_reason_0" | "crl_reason_2" | "crl_reason_6" | "crl_reason_8" | "crl_reason_10" => {
            CrlFinding::Reason
        }
        "crl_no_aki" | "crl_aki_name_and_serial" => CrlFinding::AuthorityKeyIdentifier,
        // Legal, but of no shard of ours.
        "crl_reason_1" | "crl_reason_3" | "crl_reason_4" | "crl_reason_5" | "crl_reason_9" => {
            CrlFinding::Extensions
        }
        "crl_none_revoked" => CrlFinding::Extensions,
        "crl_no_idp" | "crl_aia" | "crl_delta" | "crl_freshest" => CrlFinding::Extensions,
        "crl_good_gentime_2050" => CrlFinding::Lifetime,
        name if name.contains("validity_distributionPoint") => CrlFinding::DistributionPoint,
        name if name.contains("_validity") => CrlFinding::Lifetime,
        name if name.starts_with("crl_idp_") => CrlFinding::DistributionPoint,
        "crl_good_subordinate_ca" => CrlFinding::DistributionPoint,
        other => panic!("{other} is new"),
    })
}

#[test]
fn pkilint_finds_nothing_in_a_crl() {
    let Some(pkilint) = Judge::pkilint("lint_crl", "pkilint_finds_nothing_in_a_crl") else {
        return;
    };
    let issuer = issuer("e1");
    for entries in [entries(), Vec::new()] {
        let file = pkilint.file("it.der", &signed(&issuer, &scope(), &entries));
        let options = [
            "lint", "-t", "CRL", "-p", "BR", "-s", "WARNING", "-f", "CSV",
        ];
        let (_, text) = pkilint.run(&[&options[..], &[&file]].concat());
        let found: Vec<&str> = text
            .lines()
            .skip(1)
            .filter(|line| !line.is_empty())
            .collect();
        assert!(found.is_empty(), "{found:#?}");
    }
}
