//! The client's machine against the CA's in one process: from nothing to challenges that are
//! answered, for orders of different sizes. Signing and verifying are in it, by AWS-LC.

use std::sync::Arc;

use acme_benches::{Ca, Failed, NOW, csr, key};
use acme_client_core::{
    AccountIntent, AccountKey, Client, Config, HttpOutcome, IssueJob, JobId, Outcome,
    PresentOutcome, RetractOutcome, SaveOutcome, SignOutcome, SigningAlgorithm, Step,
};
use acme_crypto::aws_lc::AwsLc;
use acme_crypto::{KeyAlgorithm, KeyPair, Provider};
use acme_types::{Answer, Timestamp, Url};
use criterion::Criterion;

fn main() -> Result<(), Failed> {
    let mut criterion = Criterion::default().configure_from_args();
    let account = AwsLc.generate(KeyAlgorithm::EcP256, &[8; 32])?;
    for names in [1, 10] {
        let request = csr(&*key(KeyAlgorithm::EcP256)?, names)?;
        assert!(answered(&*account, request.as_der())? >= names);
        let name = format!("client and CA/account, order, challenges/{names} names");
        criterion.bench_function(&name, |bencher| {
            bencher.iter(|| answered(&*account, request.as_der()).is_ok());
        });
    }
    criterion.final_summary();
    Ok(())
}

/// Runs until there is nothing to do but wait for validations, which nobody makes here. The number
/// of challenge responses that were published.
fn answered(account: &dyn KeyPair, csr: &[u8]) -> Result<usize, Failed> {
    let mut ca = Ca::new()?;
    let config = Config::new(Arc::new(AwsLc), Url::parse("https://ca.example/directory")?);
    let intent = AccountIntent::new(AccountKey::new(account.public_key())).agree_to_terms();
    let mut client = Client::new(config, intent, 7, NOW);
    client.issue(JobId(1), IssueJob::new(csr)?, NOW)?;
    let mut published = 0;
    loop {
        let answer: Answer<Outcome> = match client.poll(NOW) {
            Step::Http(fetch, ticket) => {
                ticket.with(HttpOutcome::Response(ca.answer(&fetch.request)?))
            }
            Step::Sign(_, input, ticket) => {
                let SigningAlgorithm::Signature(algorithm) = input.algorithm else {
                    return Err("no MAC is asked for".into());
                };
                ticket.with(SignOutcome::Signed(
                    account.sign(algorithm, &input.message)?,
                ))
            }
            Step::Save(_, _, ticket) => ticket.with(SaveOutcome::Saved),
            Step::Present(_, _, ticket) => {
                published += 1;
                ticket.with(PresentOutcome::Presented)
            }
            Step::Retract(_, _, ticket) => ticket.with(RetractOutcome::Retracted),
            Step::Event(_, _, ticket) => ticket.with(()),
            Step::Wait(at) if at <= NOW && at != Timestamp::NEVER => continue,
            Step::Wait(_) => return Ok(published),
        };
        client.accept(answer, NOW)?;
    }
}
