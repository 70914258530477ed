//! Certificate requests: reading and verifying them, by key and by number of names.

use std::hint::black_box;

use acme_benches::{ACCOUNT_KEYS, Failed, csr, key, providers};
use acme_csr::Csr;
use criterion::Criterion;

fn main() -> Result<(), Failed> {
    let mut criterion = Criterion::default().configure_from_args();
    for (name, algorithm) in ACCOUNT_KEYS {
        let key = key(algorithm)?;
        for names in [1, 100] {
            let request = csr(&*key, names)?;
            criterion.bench_function(&format!("csr/parse/{name}/{names} names"), |bencher| {
                bencher.iter(|| Csr::parse(black_box(request.as_der())));
            });
        }
        let request = csr(&*key, 1)?;
        for (back_end, provider) in providers() {
            criterion.bench_function(&format!("csr/verify/{name}/{back_end}"), |bencher| {
                bencher.iter(|| assert_eq!(black_box(&request).verify(provider), Ok(())));
            });
        }
    }
    criterion.final_summary();
    Ok(())
}
