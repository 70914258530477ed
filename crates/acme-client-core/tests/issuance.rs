//! Issuance against a CA in memory.

mod world;

use acme_types::ChallengeType;
use world::{Policy, World, dns};

#[test]
fn a_certificate_is_issued_and_everything_is_retracted() {
    let mut world = World::new(1, Policy::default());
    world.issue(1, &["example.com", "www.example.com"]);
    world.run();
    let issued = world.issued(1);
    assert_eq!(issued.chain.certificates().len(), 2);
    assert!(issued.facts.id.is_some());
    assert_eq!(world.ca.orders.len(), 1);
    world.check_clean();
}
