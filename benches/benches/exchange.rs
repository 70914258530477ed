//! What a request costs the CA beside its network and its disk: the whole exchange, on the
//! reference store, verifying with AWS-LC. The store grows while it is measured.

use std::time::{Duration, Instant};

use acme_benches::{BASE, Ca, Failed, key, signed};
use acme_crypto::aws_lc::AwsLc;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_jws::{Jwk, Signer};
use acme_types::Url;
use criterion::Criterion;

fn main() -> Result<(), Failed> {
    let mut criterion = Criterion::default().configure_from_args();
    let mut ca = Ca::new()?;
    let directory = http::Request::get("/directory").body(Vec::new())?;
    criterion.bench_function("exchange/directory", |bencher| {
        bencher.iter(|| ca.answer(&directory).is_ok());
    });

    let mut serial = 0_u32;
    let mut next_key = || {
        serial += 1;
        let mut entropy = [9; 32];
        entropy[..4].copy_from_slice(&serial.to_be_bytes());
        AwsLc.generate(KeyAlgorithm::EcP256, &entropy)
    };
    let mut request = |ca: &mut Ca| {
        let key = next_key()?;
        let signer = Signer::Jwk(Jwk::from_public_key(key.public_key().clone()));
        post(ca, &*key, &signer, "/acme/new-account", b"{}")
    };
    criterion.bench_function("exchange/newAccount", |bencher| {
        bencher.iter_custom(|times| timed(times, &mut ca, &mut request));
    });

    let key = key(KeyAlgorithm::EcP256)?;
    let jwk = Signer::Jwk(Jwk::from_public_key(key.public_key().clone()));
    let request = post(&mut ca, &*key, &jwk, "/acme/new-account", b"{}")?;
    let reply = ca.answer(&request)?;
    let location = reply.headers().get("location").ok_or("no account")?;
    let account = Signer::Kid(location.to_str()?.to_owned());
    for names in [1, 100] {
        let payload = order(names);
        criterion.bench_function(&format!("exchange/newOrder/{names} names"), |bencher| {
            let mut request = |ca: &mut Ca| post(ca, &*key, &account, "/acme/new-order", &payload);
            bencher.iter_custom(|times| timed(times, &mut ca, &mut request));
        });
    }
    criterion.final_summary();
    Ok(())
}

/// How long the CA takes to make so many objects; what the client does for them isn't counted.
fn timed(
    times: u64,
    ca: &mut Ca,
    request: &mut impl FnMut(&mut Ca) -> Result<http::Request<Vec<u8>>, Failed>,
) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..times {
        let request = request(ca).unwrap_or_default();
        let began = Instant::now();
        let reply = ca.answer(&request);
        spent += began.elapsed();
        assert!(reply.is_ok_and(|reply| reply.status() == 201));
    }
    spent
}

fn order(names: usize) -> Vec<u8> {
    let names: Vec<_> = (0..names)
        .map(|number| format!(r#"{{"type":"dns","value":"host-{number}.example.com"}}"#))
        .collect();
    format!(r#"{{"identifiers":[{}]}}"#, names.join(",")).into_bytes()
}

fn post(
    ca: &mut Ca,
    key: &dyn KeyPair,
    signer: &Signer,
    path: &str,
    payload: &[u8],
) -> Result<http::Request<Vec<u8>>, Failed> {
    let url = Url::parse(&format!("{BASE}{path}"))?;
    let body = signed(key, signer, ca.nonce()?, &url, payload)?;
    let request = http::Request::post(path).header("content-type", "application/jose+json");
    Ok(request.body(body)?)
}
