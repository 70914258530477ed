//! Issuance against a CA in memory.

mod world;

use acme_client_core::*;
use acme_types::{AuthorizationStatus, CertificateId, ChallengeType, ProblemType};
use world::{Policy, World, config, csr, dns, key};

fn job(names: &[&str]) -> IssueJob {
    IssueJob::new(&csr(names, &*key(101))).expect("a CSR")
}

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

#[test]
fn a_certificate_costs_one_nonce_and_no_needless_request() {
    let policy = Policy {
        reads: 0,
        retry_after: None,
        ..Policy::default()
    };
    let mut world = World::new(1, policy);
    world.issue(1, &["example.com"]);
    world.run();
    world.issued(1);
    let asked: Vec<_> = world
        .ca
        .asked
        .iter()
        .map(|(path, n)| format!("{path} {n}"))
        .collect();
    assert_eq!(
        asked,
        [
            "/authorization/ 2",
            "/certificate/ 1",
            "/challenge/http-/ 1",
            "/directory 1",
            "/finalize/ 1",
            "/new-account 1",
            "/new-nonce 1",
            "/new-order 1",
            "/order/ 1",
        ]
    );
}

#[test]
fn another_attempt_is_asked_for_when_one_failed() {
    // RFC 8555 §8.2: the server waits for the client to respond again.
    let policy = Policy {
        attempts_failing: 2,
        ..Policy::default()
    };
    let mut world = World::new(1, policy);
    world.issue(1, &["example.com", "www.example.com"]);
    world.run();
    world.issued(1);
    assert_eq!(world.ca.orders.len(), 1);
    assert_eq!(world.ca.count("/challenge/http-/"), 6);
    world.check_clean();
}

#[test]
fn each_identifier_is_proved_as_its_job_prefers() {
    let mut world = World::new(1, Policy::default());
    let job = job(&["a.example.com", "b.example.com", "c.example.com"])
        .prefer(dns("b.example.com"), [ChallengeType::DNS_01])
        .prefer(dns("c.example.com"), [ChallengeType::TLS_ALPN_01]);
    world.issue_job(1, job);
    world.run();
    world.issued(1);
    let mut presented: Vec<_> = world
        .trace
        .iter()
        .filter(|line| line.starts_with("present"))
        .cloned()
        .collect();
    presented.sort();
    assert_eq!(presented.len(), 3);
    for (line, kind) in presented.iter().zip(["dns-01", "http-01", "tls-alpn-01"]) {
        assert!(line.contains(kind), "{line}");
    }
    world.check_clean();
}

#[test]
fn a_wildcard_is_proved_by_dns_beside_its_base() {
    let mut world = World::new(1, Policy::default());
    let job =
        job(&["example.com", "*.example.com"]).prefer(dns("example.com"), [ChallengeType::DNS_01]);
    world.issue_job(1, job);
    world.run();
    world.issued(1);
    world.check_clean();
}

#[test]
fn another_challenge_type_is_tried_by_a_new_order() {
    let policy = Policy {
        failing: [ChallengeType::HTTP_01].into_iter().collect(),
        ..Policy::default()
    };
    let mut world = World::new(1, policy);
    world.issue(1, &["example.com"]);
    world.run();
    world.issued(1);
    assert_eq!(world.ca.orders.len(), 2);
    world.check_clean();
}

#[test]
fn what_the_shell_refuses_to_present_is_replaced_within_the_order() {
    let mut world = World::new(1, Policy::default());
    world.refused_types.insert(ChallengeType::HTTP_01);
    world.issue(1, &["example.com"]);
    world.run();
    world.issued(1);
    assert_eq!(world.ca.orders.len(), 1);
    world.check_clean();
}

#[test]
fn when_all_types_fail_the_reasons_are_told_by_name() {
    let failing = [
        ChallengeType::HTTP_01,
        ChallengeType::DNS_01,
        ChallengeType::TLS_ALPN_01,
    ];
    let policy = Policy {
        failing: failing.into_iter().collect(),
        ..Policy::default()
    };
    let mut world = World::new(1, policy);
    world.issue_job(1, job(&["a.example.com", "b.example.com"]).give_up_after(1));
    world.run();
    let failure = world.failed(1);
    assert_eq!(failure.fault, Fault::ServerRefused);
    assert_eq!(failure.operation, Operation::Authorization);
    let names: Vec<_> = failure
        .identifiers
        .iter()
        .map(|it| it.identifier.clone())
        .collect();
    assert_eq!(names, [dns("a.example.com"), dns("b.example.com")]);
    for failure in &failure.identifiers {
        assert_eq!(
            failure.problem.as_ref().expect("why").kind,
            ProblemType::CONNECTION
        );
    }
    assert_eq!(world.ca.orders.len(), 3);
    world.check_clean();
}

#[test]
fn a_failed_job_goes_on_by_itself_ever_more_slowly() {
    let policy = Policy {
        failing: Policy::default().offered.into_iter().collect(),
        ..Policy::default()
    };
    let mut world = World::new(1, policy);
    world.issue(1, &["example.com"]);
    let start = world.now;
    world.run_until(start.after(std::time::Duration::from_secs(5_000)));
    let delays: Vec<_> = world
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Delayed(delay) => Some(delay.failures),
            _ => None,
        })
        .collect();
    assert_eq!(delays, [1, 2, 3]);
    world.ca.policy.failing.clear();
    world.run();
    world.issued(1);
    world.check_clean();
}

#[test]
fn an_order_that_cannot_be_proved_fails_and_leaves_nothing_pending() {
    let policy = Policy {
        offered: vec![ChallengeType::HTTP_01],
        ..Policy::default()
    };
    let mut world = World::new(1, policy);
    world.issue_job(1, job(&["example.com", "*.example.com"]));
    world.run();
    assert_eq!(world.failed(1).fault, Fault::NoChallenge);
    assert_eq!(world.failed(1).identifiers.len(), 1);
    let left: Vec<_> = world
        .ca
        .authorizations
        .iter()
        .map(|row| row.status)
        .collect();
    assert!(left.contains(&AuthorizationStatus::Deactivated), "{left:?}");
    world.check_clean();
}

#[test]
fn many_jobs_finish_at_once_over_one_account() {
    let limits = Limits {
        jobs_active_max: 7,
        ..Limits::default()
    };
    let config = config().with_limits(limits);
    let mut world = World::with(5, Policy::default(), config, |intent| {
        intent.agree_to_terms()
    });
    for id in 0..40 {
        let name = format!("n{id}.example.com");
        world.issue(id, &[&name]);
    }
    world.run();
    for id in 0..40 {
        world.issued(id);
    }
    assert_eq!(world.ca.accounts.len(), 1);
    assert_eq!(world.ca.orders.len(), 40);
    world.check_clean();
}

#[test]
fn refused_nonces_cost_the_caller_nothing() {
    for every in 2..7 {
        let policy = Policy {
            refuse_every: Some(every),
            ..Policy::default()
        };
        let mut world = World::new(1, policy);
        world.issue_job(1, job(&["a.example.com", "b.example.com"]).give_up_after(1));
        world.run();
        world.issued(1);
        assert_eq!(world.ca.orders.len(), 1);
        world.check_clean();
    }
}

#[test]
fn a_refused_replaces_is_left_out_the_second_time() {
    let window = Some((
        world::START,
        world::START.after(std::time::Duration::from_secs(60)),
    ));
    let replaced = CertificateId::new(vec![1; 20], vec![2; 8]).expect("an identifier");
    for refuses_replaces in [false, true] {
        let policy = Policy {
            refuses_replaces,
            window,
            ..Policy::default()
        };
        let mut world = World::new(1, policy);
        world.issue_job(1, job(&["example.com"]).replacing(replaced.clone()));
        world.run();
        world.issued(1);
        let expected = (!refuses_replaces).then(|| replaced.clone());
        assert_eq!(world.ca.orders[0].replaces, expected);
        assert_eq!(
            world.ca.count("/new-order"),
            if refuses_replaces { 2 } else { 1 }
        );
    }
}

#[test]
fn replaces_is_not_sent_where_there_is_no_renewal_information() {
    let replaced = CertificateId::new(vec![1; 20], vec![2; 8]).expect("an identifier");
    let mut world = World::new(1, Policy::default());
    world.issue_job(1, job(&["example.com"]).replacing(replaced));
    world.run();
    world.issued(1);
    assert_eq!(world.ca.orders[0].replaces, None);
}

#[test]
fn a_profile_that_is_not_offered_is_not_asked_for() {
    let policy = Policy {
        profiles: vec!["shortlived".to_owned()],
        ..Policy::default()
    };
    let mut world = World::new(1, policy);
    world.issue_job(1, job(&["a.example.com"]).with_profile("shortlived"));
    world.issue_job(2, job(&["b.example.com"]).with_profile("classic"));
    world.run();
    world.issued(1);
    assert_eq!(world.failed(2).fault, Fault::Unsuitable);
    assert_eq!(world.ca.count("/new-order"), 1);
    world.check_clean();
}

#[test]
fn a_cancelled_job_retracts_what_it_published_and_is_gone() {
    let policy = Policy {
        reads: 1_000,
        ..Policy::default()
    };
    let mut world = World::new(1, policy);
    world.issue(1, &["a.example.com", "b.example.com"]);
    world.run_until(world.now.after(std::time::Duration::from_secs(10)));
    assert_eq!(world.published.len(), 2);
    world.cancel(1);
    world.run();
    assert!(
        world.events.iter().all(|(id, _)| *id == JobId::ACCOUNT),
        "{:?}",
        world.events
    );
    world.check_clean();
}

#[test]
fn a_job_cancelled_before_its_turn_leaves_no_trace() {
    let mut world = World::new(1, Policy::default());
    world.issue(1, &["example.com"]);
    world.cancel(1);
    world.run();
    assert_eq!(world.client.jobs(), 0);
    assert!(world.ca.asked.is_empty());
    assert!(world.store.keys().all(|record| *record == Record::Account));
}

#[test]
fn an_order_that_stays_pending_parks_the_job_and_is_taken_up_again() {
    let policy = Policy {
        reads: 400,
        ..Policy::default()
    };
    let mut world = World::new(1, policy);
    world.issue(1, &["example.com"]);
    world.run_until(world.now.after(std::time::Duration::from_secs(1_000)));
    assert_eq!(world.delayed(JobId(1)).failure.fault, Fault::Unfinished);
    world.ca.policy.reads = 0;
    world.run();
    world.issued(1);
    assert_eq!(world.ca.orders.len(), 1, "the same order goes on");
    world.check_clean();
}

#[test]
fn the_account_key_is_no_certificate_key() {
    let mut world = World::new(1, Policy::default());
    let job = IssueJob::new(&csr(&["example.com"], &*key(1))).expect("a CSR");
    assert_eq!(
        world.client.issue(JobId(1), job, world.now),
        Err(Untaken::KeyReused)
    );
    let good = IssueJob::new(&csr(&["example.com"], &*key(2))).expect("a CSR");
    assert_eq!(
        world.client.issue(JobId(1), good.clone(), world.now),
        Ok(())
    );
    assert_eq!(
        world.client.issue(JobId(1), good.clone(), world.now),
        Err(Untaken::NameTaken)
    );
    assert_eq!(
        world.client.issue(JobId::ACCOUNT, good, world.now),
        Err(Untaken::NameReserved)
    );
}
