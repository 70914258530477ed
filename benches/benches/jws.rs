//! A request's signature: reading and verifying it, beside the verification alone; per back end.

use std::hint::black_box;
use std::time::{Duration, Instant};

use acme_benches::{ACCOUNT_KEYS, Failed, key, providers, signed};
use acme_crypto::{Provider, PublicKey};
use acme_jws::{Jwk, Jws, Signer};
use acme_types::{Nonce, Url};
use criterion::Criterion;

fn main() -> Result<(), Failed> {
    let mut criterion = Criterion::default().configure_from_args();
    let url = Url::parse("https://ca.example/acme/new-order")?;
    let nonce = Nonce::from_bytes(&[7; 16])?;
    let payload = br#"{"identifiers":[{"type":"dns","value":"www.example.org"}]}"#;
    let mut ratios = Vec::new();
    for (name, algorithm) in ACCOUNT_KEYS {
        let key = key(algorithm)?;
        let signer = Signer::Kid("https://ca.example/acme/account/1".into());
        let body = signed(&*key, &signer, nonce.clone(), &url, payload)?;
        // For the bare verification: any message of the length that is signed in the request.
        let message = b"eyJhbGciOiJFUzI1NiJ9.".repeat(12);
        let default = key.public_key().default_algorithm();
        let signature = key.sign(default, &message)?;
        criterion.bench_function(&format!("jws/parse/{name}"), |bencher| {
            bencher.iter(|| Jws::parse(black_box(&body)));
        });
        for (back_end, provider) in providers() {
            let whole = || read_and_verify(provider, &body, key.public_key());
            let bare = || {
                let verified =
                    provider.verify(default, key.public_key(), black_box(&message), &signature);
                assert_eq!(verified, Ok(()));
            };
            let of = |what: &str| format!("jws/{what}/{name}/{back_end}");
            criterion.bench_function(&of("parse and verify"), |bencher| bencher.iter(whole));
            criterion.bench_function(&of("verify alone"), |bencher| bencher.iter(bare));
            ratios.push((of("whole : verify alone"), ratio(whole, bare)));
        }
        let jwk = Jwk::from_public_key(key.public_key().clone());
        criterion.bench_function(&format!("jws/thumbprint/{name}"), |bencher| {
            bencher.iter(|| black_box(&jwk).thumbprint(providers()[0].1));
        });
    }
    for (what, ratio) in ratios {
        println!("{what}: {ratio:.2}");
    }
    criterion.final_summary();
    Ok(())
}

fn read_and_verify(provider: &dyn Provider, body: &[u8], key: &PublicKey) {
    let verified = Jws::parse(black_box(body)).map(|jws| jws.verify(provider, key));
    assert_eq!(verified, Ok(Ok(())));
}

/// How many times as long the one takes as the other, in turns, so that both meet the same machine.
fn ratio(whole: impl Fn(), part: impl Fn()) -> f64 {
    const TURNS: u32 = 200;
    let time = |run: &dyn Fn()| {
        let began = Instant::now();
        run();
        began.elapsed()
    };
    let (mut of_whole, mut of_part) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..TURNS {
        of_whole += time(&whole);
        of_part += time(&part);
    }
    of_whole.as_secs_f64() / of_part.as_secs_f64()
}
