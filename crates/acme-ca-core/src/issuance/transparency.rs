//! Which SCTs a certificate needs, and which logs to ask for them.

use std::collections::BTreeSet;

use super::log::{Log, LogKind};

/// The most SCTs that a requirement may ask for: five was the most that a browser ever wanted.
pub const SCTS_MAX: u8 = 8;

/// How many SCTs, of whom, a certificate carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transparency {
    /// So many SCTs of different logs.
    pub scts: u8,
    /// From logs of so many different operators.
    pub operators: u8,
    /// Whether one must be of a log with the API of RFC 6962, not of a tiled one.
    pub rfc6962: bool,
}

impl Transparency {
    /// What Chrome and Apple ask for up to 180 days: two SCTs of two operators, one of them of an
    /// RFC 6962 log.
    pub fn webpki() -> Self {
        Self {
            scts: 2,
            operators: 2,
            rfc6962: true,
        }
    }

    /// Whether any set of logs could meet it.
    pub(crate) fn is_possible(self) -> bool {
        (1..=SCTS_MAX).contains(&self.scts) && self.operators <= self.scts
    }

    /// Its parts, for the profile's hash.
    pub(crate) fn numbers(self) -> (u8, u8, bool) {
        (self.scts, self.operators, self.rfc6962)
    }

    /// Whether SCTs of these logs are enough.
    pub(crate) fn is_met(self, logs: &[&Log]) -> bool {
        let operators: BTreeSet<&str> = logs.iter().map(|log| log.operator()).collect();
        logs.len() >= usize::from(self.scts)
            && operators.len() >= usize::from(self.operators)
            && (!self.rfc6962 || logs.iter().any(|log| log.kind() == LogKind::Rfc6962))
    }

    /// Of the logs that are left, the one that brings those at hand (answered, or asked) closest
    /// to the requirement: first one of the kind that is missing, then one of another operator,
    /// then any. `None`: those at hand would do, or nothing is left.
    pub(crate) fn next<'a>(self, at_hand: &[&Log], left: &[&'a Log]) -> Option<&'a Log> {
        if self.is_met(at_hand) {
            return None;
        }
        self.best(at_hand, left)
    }

    /// The same, whether or not those at hand would do.
    pub(crate) fn best<'a>(self, at_hand: &[&Log], left: &[&'a Log]) -> Option<&'a Log> {
        let operators: BTreeSet<&str> = at_hand.iter().map(|log| log.operator()).collect();
        let lacks_kind = self.rfc6962 && !at_hand.iter().any(|log| log.kind() == LogKind::Rfc6962);
        let lacks_operators = operators.len() < usize::from(self.operators);
        let usefulness = |log: &&&'a Log| {
            let kind = lacks_kind && log.kind() == LogKind::Rfc6962;
            let operator = lacks_operators && !operators.contains(log.operator());
            (kind && operator, kind, operator)
        };
        // `max_by_key` takes the last of equals; the first in line is wanted.
        left.iter().rev().max_by_key(usefulness).copied()
    }

    /// Of the logs that answered, as few as meet the requirement, in the order given. Empty if
    /// they don't meet it.
    pub(crate) fn choose<'a>(self, answered: &[&'a Log]) -> Vec<&'a Log> {
        if !self.is_met(answered) {
            return Vec::new();
        }
        let mut chosen: Vec<&'a Log> = Vec::new();
        while let Some(log) = {
            let left: Vec<&'a Log> = answered
                .iter()
                .filter(|log| !chosen.iter().any(|other| other.id() == log.id()))
                .copied()
                .collect();
            self.next(&chosen, &left)
        } {
            chosen.push(log);
        }
        let is_chosen = |log: &&&'a Log| chosen.iter().any(|other| other.id() == log.id());
        answered.iter().filter(is_chosen).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::tests::log;
    use super::*;

    #[test]
    fn logs_are_asked_until_the_requirement_would_be_met() {
        let (a, b) = (log("a", LogKind::Tiled, 1), log("a", LogKind::Rfc6962, 2));
        let (c, d) = (log("b", LogKind::Tiled, 3), log("b", LogKind::Rfc6962, 4));
        let check = |at_hand: &[&Log], left: &[&Log], expected: Option<&Log>| {
            let next = Transparency::webpki().next(at_hand, left);
            assert_eq!(next.map(Log::id), expected.map(Log::id));
        };
        check(&[], &[&a, &b, &c], Some(&b));
        check(&[&b], &[&a, &c], Some(&c));
        check(&[&a], &[&b, &c, &d], Some(&d));
        check(&[&a], &[&b, &c], Some(&b));
        check(&[&a, &b], &[&c], Some(&c));
        check(&[&b, &c], &[&a, &d], None);
        check(&[&a], &[], None);
    }

    #[test]
    fn scts_of_one_operator_or_of_tiled_logs_alone_are_not_enough() {
        let (a, b) = (log("a", LogKind::Tiled, 1), log("a", LogKind::Rfc6962, 2));
        let (c, d) = (log("b", LogKind::Tiled, 3), log("b", LogKind::Rfc6962, 4));
        let check = |logs: &[&Log], chosen: &[&Log]| {
            let ids = |logs: &[&Log]| logs.iter().map(|log| log.id()).collect::<Vec<_>>();
            assert_eq!(ids(&Transparency::webpki().choose(logs)), ids(chosen));
        };
        check(&[], &[]);
        check(&[&b], &[]);
        check(&[&a, &b], &[]); // one operator
        check(&[&a, &c], &[]); // both tiled
        check(&[&a, &d], &[&a, &d]);
        check(&[&a, &c, &d], &[&a, &d]);
        check(&[&c, &b, &d, &a], &[&c, &b]);
    }
}
