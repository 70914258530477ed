//! Issuances from a CA some of whose replies are edited on the way.

use std::time::Duration;

use acme_client_core::*;
use http::{Request, Response};
use serde_json::Value;

use super::{Policy, World, csr, key};

pub type Edit = fn(&mut Response<Vec<u8>>);

pub fn job(names: &[&str]) -> IssueJob {
    IssueJob::new(&csr(names, &*key(101)))
        .expect("a CSR")
        .give_up_after(1)
}

/// Issues with every reply under this path edited, and gives back the world when all is over.
pub fn with_edit(path: &'static str, edit: Edit) -> World {
    let mut world = World::new(1, Policy::default());
    world.edit = Some(Box::new(move |request: &Request<Vec<u8>>, response| {
        if request.uri().path().starts_with(path) {
            edit(response);
        }
    }));
    world.issue_job(1, job(&["a.example.com", "b.example.com"]));
    world.run_until(world.now.after(Duration::from_secs(7_200)));
    world
}

pub fn fails(path: &'static str, edit: Edit, operation: Operation, fault: Fault) {
    let world = with_edit(path, edit);
    let failure = world.failed(1);
    assert_eq!(
        (failure.operation, failure.fault),
        (operation, fault),
        "{path}"
    );
    world.check_clean();
}

pub fn misbehaves(path: &'static str, edit: Edit, operation: Operation, how: Misbehaviour) {
    fails(path, edit, operation, Fault::ServerMisbehaved(how));
}

pub fn succeeds(path: &'static str, edit: Edit) {
    let world = with_edit(path, edit);
    world.issued(1);
    world.check_clean();
}

pub fn change(response: &mut Response<Vec<u8>>, edit: impl FnOnce(&mut Value)) {
    if let Ok(mut body) = serde_json::from_slice(response.body()) {
        edit(&mut body);
        *response.body_mut() = body.to_string().into_bytes();
    }
}

pub fn set(response: &mut Response<Vec<u8>>, name: &'static str, value: &str) {
    response
        .headers_mut()
        .insert(name, value.parse().expect("a header value"));
}

pub fn account_fails(path: &'static str, edit: Edit, operation: Operation, how: Misbehaviour) {
    let world = with_edit(path, edit);
    let delay = world.delayed(JobId::ACCOUNT);
    assert_eq!(delay.failure.operation, operation);
    assert_eq!(delay.failure.fault, Fault::ServerMisbehaved(how), "{path}");
}
