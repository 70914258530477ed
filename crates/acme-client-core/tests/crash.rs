//! Dying between any two steps, and everything else that goes wrong.

mod world;

use acme_client_core::{Event, ExternalAccount, JobId};
use acme_types::{ChallengeType, Timestamp};
use std::time::Duration;
use world::{Faults, Policy, World};

fn orders_of(world: &World, name: &str) -> usize {
    let named = |order: &&world::ca::OrderRow| order.identifiers.contains(&world::dns(name));
    world.ca.orders.iter().filter(named).count()
}

#[test]
fn a_crash_before_any_step_costs_at_most_one_order() {
    for reads in [0, 1, 2] {
        let mut step = 1;
        loop {
            let policy = Policy {
                reads,
                ..Policy::default()
            };
            let mut world = World::new(step as u64, policy);
            world.crash_at = Some(step);
            world.issue(1, &["a.example.com", "b.example.com"]);
            world.run();
            world.issued(1);
            assert!(orders_of(&world, "a.example.com") <= 2, "step {step}");
            assert_eq!(world.ca.accounts.len(), 1, "step {step}");
            world.check_clean();
            if world.crashes == 0 {
                break;
            }
            step += 1;
        }
        assert!(step > 40, "{step} steps were tried");
    }
}

#[test]
fn a_crash_in_a_failing_order_costs_nothing_more() {
    let mut step = 1;
    loop {
        let failing = [ChallengeType::HTTP_01].into_iter().collect();
        let mut world = World::new(
            step as u64,
            Policy {
                failing,
                ..Policy::default()
            },
        );
        world.crash_at = Some(step);
        world.issue(1, &["example.com"]);
        world.run();
        world.issued(1);
        assert!(
            world.ca.orders.len() <= 4,
            "step {step}: {}",
            world.ca.orders.len()
        );
        world.check_clean();
        if world.crashes == 0 {
            break;
        }
        step += 1;
    }
}

#[test]
fn everything_ends_once_faults_stop() {
    for seed in 0..100 {
        let mut world = World::new(
            seed,
            Policy {
                reads: seed as u32 % 3,
                ..Policy::default()
            },
        );
        let percent = [0, 0, 3, 10, 30];
        let mut pick = || percent[world.draw(percent.len() as u64) as usize];
        let faults = Faults {
            request_lost: pick(),
            reply_lost: pick(),
            not_sent: pick(),
            server_error: pick(),
            save_failed: pick(),
            sign_failed: pick(),
            present_failed: pick(),
            retract_failed: pick(),
            forgotten: pick(),
            crash: pick() / 10,
        };
        world.faults = faults;
        world.healed_at = world.now.after(Duration::from_secs(7_200));
        world.ca.policy.refuse_every = (seed % 4 == 0).then_some(5);
        for id in 0..3 {
            let (a, b) = (format!("a{id}.example.com"), format!("b{id}.example.com"));
            world.issue(id, &[&a, &b]);
        }
        world.run();
        for id in 0..3 {
            let failed = world
                .events
                .iter()
                .any(|(of, event)| *of == JobId(id) && matches!(event, Event::Failed(_)));
            assert!(!failed, "seed {seed}: {:#?}", world.tail());
            world.issued(id);
        }
        world.check_clean();
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let trace = |seed| {
        let mut world = World::new(seed, Policy::default());
        world.faults = Faults {
            reply_lost: 10,
            crash: 1,
            forgotten: 5,
            ..Faults::default()
        };
        world.healed_at = world.now.after(Duration::from_secs(600));
        world.issue(1, &["a.example.com", "b.example.com"]);
        world.issue(2, &["c.example.com"]);
        world.run();
        world.trace
    };
    assert_eq!(trace(3), trace(3));
    assert_ne!(trace(3), trace(4));
}

#[test]
fn a_restored_client_reads_the_order_before_anything_else() {
    let mut world = World::new(
        1,
        Policy {
            reads: 5,
            ..Policy::default()
        },
    );
    world.issue(1, &["example.com"]);
    world.run_until(world.now.after(Duration::from_secs(8)));
    assert_eq!(world.ca.orders.len(), 1);
    world.crash();
    let before = world.trace.len();
    world.run();
    let signed: Vec<_> = world.trace[before..]
        .iter()
        .filter(|line| line.starts_with("POST"))
        .collect();
    assert!(signed[0].ends_with("/order/0"), "{signed:?}");
    world.issued(1);
    assert_eq!(world.ca.accounts.len(), 1);
    assert_eq!(world.ca.count("/new-account"), 1);
    world.check_clean();
}

#[test]
fn a_resting_job_rests_on_after_a_restart() {
    let failing = Policy::default().offered.into_iter().collect();
    let mut world = World::new(
        1,
        Policy {
            failing,
            ..Policy::default()
        },
    );
    world.issue(1, &["example.com"]);
    world.run_until(world.now.after(Duration::from_secs(600)));
    let orders = world.ca.orders.len();
    let until = world.delayed(JobId(1)).until;
    assert!(until > Timestamp::EPOCH);
    world.crash();
    world.run_until(world.now.after(Duration::from_secs(1)));
    assert_eq!(world.ca.orders.len(), orders);
    world.ca.policy.failing.clear();
    world.run();
    world.issued(1);
}

#[test]
fn jobs_that_share_an_authorization_do_not_retract_it_from_each_other() {
    for seed in 0..80 {
        let policy = Policy {
            reads: 1 + seed as u32 % 3,
            reuses_pending: true,
            ..Policy::default()
        };
        let mut world = World::new(seed, policy);
        world.faults = Faults {
            present_failed: 10,
            retract_failed: 10,
            ..Faults::default()
        };
        world.healed_at = world.now.after(Duration::from_secs(600));
        world.issue(1, &["a.example.com", "b.example.com"]);
        world.issue(2, &["b.example.com", "c.example.com"]);
        world.issue(3, &["c.example.com", "a.example.com", "d.example.com"]);
        if seed % 2 == 0 {
            world.run_until(world.now.after(Duration::from_secs(seed % 10)));
            world.cancel(2);
            world.run();
        } else {
            world.run();
            world.issued(2);
        }
        world.issued(1);
        world.issued(3);
        world.check_clean();
    }
}

#[test]
fn a_cancellation_at_any_step_leaves_nothing_published() {
    for order in 0..3 {
        for step in 1.. {
            let mut world = World::new(order, Policy::default());
            world.issue(1, &["a.example.com", "b.example.com"]);
            world.run_steps(step);
            let over = world.client.status(JobId(1)).is_none();
            world.cancel(1);
            world.run();
            world.check_clean();
            if over {
                break;
            }
        }
    }
}

#[test]
fn a_job_that_takes_over_an_authorization_is_not_retracted_by_the_one_before() {
    for order in 0..4 {
        for step in 1..60 {
            let mut world = World::new(
                order,
                Policy {
                    reuses_pending: true,
                    ..Policy::default()
                },
            );
            world.slow_retractions = order % 2 == 0;
            world.issue(1, &["a.example.com"]);
            world.run_steps(step);
            world.cancel(1);
            world.issue(2, &["a.example.com"]);
            world.run();
            world.issued(2);
            world.check_clean();
        }
    }
}

#[test]
fn lost_replies_leave_at_most_one_stray_order_per_attempt() {
    let mut world = World::new(1, Policy::default());
    world.edit = None;
    world.lost_replies = Some("/new-order");
    world.issue(1, &["example.com"]);
    world.run_until(world.now.after(Duration::from_secs(50)));
    assert_eq!(world.ca.orders.len(), 2);
    assert_eq!(world.delayed(JobId(1)).failures, 1);
    world.lost_replies = None;
    world.run();
    world.issued(1);
    world.check_clean();
}

#[test]
fn an_account_that_may_exist_is_looked_for_before_it_is_made() {
    for step in 1..60 {
        let policy = Policy {
            needs_binding: true,
            binds_once: true,
            ..Policy::default()
        };
        let mut world = World::with(step as u64, policy, world::config(), |intent| {
            intent.bind(ExternalAccount {
                kid: "kid-1".to_owned(),
            })
        });
        world.crash_at = Some(step);
        world.client.open_account(world.now);
        world.issue(1, &["example.com"]);
        world.run_until(world.now.after(Duration::from_secs(50)));
        world.issued(1);
    }
}

#[test]
fn a_ready_order_is_not_finalized_before_it_is_saved() {
    for seed in 0..40 {
        let policy = Policy {
            valid_at_once: true,
            reads: 0,
            ..Policy::default()
        };
        let mut world = World::new(seed, policy);
        world.faults = Faults {
            save_failed: 60,
            ..Faults::default()
        };
        world.healed_at = world.now.after(Duration::from_secs(100));
        world.issue(1, &["example.com"]);
        world.run();
        world.issued(1);
        world.check_clean();
    }
}
