//! Whatever the world answers, in whatever order or not at all: a probe ends in time, contacts
//! public addresses only, and proves nothing that wasn't there.

use acme_types::{Answer, ChallengeType};

use super::*;
use crate::validation::is_special_purpose;
use crate::validation::stage::redirect;

struct Dice(u64);

impl Dice {
    /// A number below `sides` (xorshift64*).
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % sides
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())].clone()
    }

    fn dns(&mut self) -> DnsOutcome {
        let address = |text: &str| match text.parse().unwrap() {
            std::net::IpAddr::V4(v4) => DnsRecord::A(v4),
            std::net::IpAddr::V6(v6) => DnsRecord::Aaaa(v6),
        };
        let issue = |value: &str| {
            let (flags, tag, value) = (0, b"issue".to_vec(), value.into());
            DnsRecord::Caa { flags, tag, value }
        };
        let records = [
            address("198.8.8.8"),
            address("10.0.0.1"),
            address("127.0.0.1"),
            address("2a00::8"),
            address("::1"),
            address("::ffff:198.8.8.8"),
            DnsRecord::Txt(b"something".to_vec()),
            issue(";"),
        ];
        match self.roll(8) {
            0 => DnsOutcome::NoName,
            1 => DnsOutcome::NoRecords,
            2 => DnsOutcome::Refused(2),
            3 => DnsOutcome::Unusable,
            _ => {
                let count = self.roll(4);
                DnsOutcome::Records((0..=count).map(|_| self.pick(&records)).collect())
            }
        }
    }

    fn fetch(&mut self) -> FetchOutcome {
        match self.roll(6) {
            0 => FetchOutcome::NotConnected(NetworkFailure::Refused),
            1 => FetchOutcome::Failed(NetworkFailure::Closed),
            2 => response(200, "something"),
            _ => {
                let hop = self.roll(5).to_string();
                let locations = [
                    "/",
                    "https://other.com/",
                    "http://[::1]/",
                    "//10.0.0.1/",
                    "http://198.9.9.9/",
                ];
                redirect(302, &format!("{}{hop}", self.pick(&locations)))
            }
        }
    }
}

fn play(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let methods = [
        ChallengeType::HTTP_01,
        ChallengeType::DNS_01,
        ChallengeType::TLS_ALPN_01,
    ];
    let identifier = dice.pick(&["example.com", "198.8.8.8", "10.0.0.1", "2a00::8"]);
    let stage = Stage::new(dice.pick(&methods), identifier);
    let mut probe = stage.probe();
    let mut at = now();
    let mut out: Vec<Answer<Outcome>> = Vec::new();
    let check = |target: crate::validation::Target| {
        assert!(
            !is_special_purpose(target.socket_addr().ip()),
            "seed {seed}: {target}"
        );
    };
    for _ in 0..500 {
        match probe.poll(at) {
            Step::Dns(_, ticket) => out.push(ticket.with(dice.dns())),
            Step::Fetch(request, ticket) => {
                check(request.target);
                out.push(ticket.with(dice.fetch()));
            }
            Step::Handshake(request, ticket) => {
                check(request.target);
                let alpn = dice.pick(&[None, Some(b"acme-tls/1".to_vec())]);
                let certificates = vec![vec![0x30; dice.roll(9)]];
                out.push(ticket.with(HandshakeOutcome::Completed { alpn, certificates }));
            }
            Step::Done(verdict) => {
                assert!(
                    verdict.control.is_err() && verdict.caa.is_none(),
                    "seed {seed}"
                );
                assert!(at <= stage.request.deadline, "seed {seed}");
                return;
            }
            Step::Wait(until) => {
                assert!(until > at && until <= stage.request.deadline, "seed {seed}");
                match dice.roll(4) {
                    0 => at = until,
                    1 if !out.is_empty() => drop(out.swap_remove(dice.roll(out.len()))),
                    _ if !out.is_empty() => {
                        let answer = out.swap_remove(dice.roll(out.len()));
                        // It may come after the probe has given it up.
                        let _ = probe.accept(answer, at);
                    }
                    _ => at = until,
                }
            }
        }
    }
    panic!("seed {seed}: the probe never ends");
}

#[test]
fn whatever_the_world_answers_a_probe_ends_and_proves_nothing_false() {
    (0..3_000).for_each(play);
}
