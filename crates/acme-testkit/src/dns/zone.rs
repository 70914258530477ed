//! What is said about each name: records, wildcards, aliases, faults. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::record::{Record, RecordType, normal};

/// The most aliases that one answer follows: more than any resolver does, and an end to loops.
const ALIASES_MAX: usize = 20;

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The server could not find out (RCODE 2).
    ServFail,
    /// The server does not want to (RCODE 5).
    Refused,
    /// The name does not exist, whatever is set (RCODE 3).
    NxDomain,
    /// No answer at all; TCP connections stay open.
    Silence,
    /// Over UDP an empty answer with the TC bit, so that TCP must be used; the TCP answer is good.
    Truncate,
    /// The good answer, late.
    Delay(Duration),
    /// The good answer with another message id, as a blind spoofer would send it.
    WrongId,
    /// The good answer to another question: the first label of the name is changed.
    WrongName,
    /// Bytes that are no DNS message.
    Garbage,
}

/// All that is set.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) zones: BTreeSet<String>,
    everyone: Records,
    sources: BTreeMap<IpAddr, Records>,
}

/// What everyone, or one source, is told.
#[derive(Debug, Default)]
pub(super) struct Records {
    names: BTreeMap<String, Vec<Record>>,
    faults: BTreeMap<String, Vec<Rule>>,
}

#[derive(Debug)]
struct Rule {
    record_type: Option<RecordType>,
    fault: Fault,
    times: Option<u32>,
}

/// The outcome of a lookup.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Owner and record, in the order of the aliases.
    pub(super) answers: Vec<(String, Record)>,
    pub(super) end: End,
}

/// How the last name of the chain of aliases ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With records of the type.
    Records,
    /// The name exists, without this type (RFC 2308 §2.2).
    NoRecords,
    /// The name does not exist (RFC 2308 §2.1).
    NoName,
}

impl World {
    pub(super) fn records_for(&mut self, source: Option<IpAddr>) -> &mut Records {
        match source {
            None => &mut self.everyone,
            Some(source) => self.sources.entry(source).or_default(),
        }
    }

    /// The zone that the name is in: the longest apex above it, else the root.
    pub(super) fn apex(&self, name: &str) -> String {
        let mut suffixes = suffixes(name);
        suffixes
            .find(|suffix| self.zones.contains(*suffix))
            .unwrap_or("")
            .to_owned()
    }

    /// The fault that this question meets; one that is counted is used up by it.
    pub(super) fn take_fault(
        &mut self,
        source: IpAddr,
        name: &str,
        record_type: RecordType,
    ) -> Option<Fault> {
        let of_source = self.sources.get_mut(&source);
        let of_source = of_source.and_then(|records| records.take_fault(name, record_type));
        of_source.or_else(|| self.everyone.take_fault(name, record_type))
    }

    /// RFC 1034 §4.3.2, steps 3 and 4, with aliases followed as a resolver would.
    pub(super) fn find(&self, source: IpAddr, name: &str, record_type: RecordType) -> Found {
        let mut answers = Vec::new();
        let mut name = name.to_owned();
        loop {
            let Some(records) = self.at(source, &name) else {
                return Found {
                    answers,
                    end: End::NoName,
                };
            };
            let before = answers.len();
            let wanted = |record: &&Record| {
                record_type == RecordType::ANY || record.record_type() == record_type
            };
            let found = records.iter().filter(wanted).cloned();
            answers.extend(found.map(|record| (name.clone(), record)));
            if answers.len() > before {
                return Found {
                    answers,
                    end: End::Records,
                };
            }
            let alias = records
                .iter()
                .find(|record| matches!(record, Record::Cname(_)));
            let Some(Record::Cname(target)) = alias else {
                return Found {
                    answers,
                    end: End::NoRecords,
                };
            };
            answers.push((name, Record::Cname(target.clone())));
            name = normal(target);
            if answers.len() > ALIASES_MAX {
                return Found {
                    answers,
                    end: End::Records,
                };
            }
        }
    }

    /// The records of an existing name (possibly none, possibly a wildcard's), else `None`.
    fn at(&self, source: IpAddr, name: &str) -> Option<Vec<Record>> {
        if let Some(records) = self.exactly(source, name) {
            return Some(records);
        }
        // RFC 4592 §3.3.1: the wildcard below the closest encloser, and no other.
        for suffix in suffixes(name).skip(1) {
            if let Some(records) = self.exactly(source, &format!("*.{suffix}")) {
                return Some(records);
            }
            if self.exactly(source, suffix).is_some() {
                return None;
            }
        }
        None
    }

    /// The records of the name itself. A name that only has descendants exists, with none
    /// (RFC 8020 §2).
    fn exactly(&self, source: IpAddr, name: &str) -> Option<Vec<Record>> {
        let of_source = self.sources.get(&source);
        if let Some(records) = of_source.and_then(|records| records.names.get(name)) {
            return Some(records.clone());
        }
        if let Some(records) = self.everyone.names.get(name) {
            return Some(records.clone());
        }
        let below = format!(".{name}");
        let mut views = of_source.into_iter().chain([&self.everyone]);
        let exists = name.is_empty()
            || self
                .zones
                .iter()
                .any(|apex| apex == name || apex.ends_with(&below))
            || views.any(|records| records.names.keys().any(|other| other.ends_with(&below)));
        exists.then(Vec::new)
    }
}

impl Records {
    pub(super) fn add(&mut self, name: &str, record: Record) {
        self.names.entry(normal(name)).or_default().push(record);
    }

    pub(super) fn remove(&mut self, name: &str, record: &Record) -> bool {
        let Some(records) = self.names.get_mut(&normal(name)) else {
            return false;
        };
        let Some(index) = records.iter().position(|other| other == record) else {
            return false;
        };
        records.remove(index);
        self.forget_if_empty(name);
        true
    }

    pub(super) fn remove_all(&mut self, name: &str, record_type: RecordType) {
        if let Some(records) = self.names.get_mut(&normal(name)) {
            records.retain(|record| record.record_type() != record_type);
        }
        self.forget_if_empty(name);
    }

    /// A name whose last record goes stops to exist.
    fn forget_if_empty(&mut self, name: &str) {
        let name = normal(name);
        if self.names.get(&name).is_some_and(Vec::is_empty) {
            self.names.remove(&name);
        }
    }

    pub(super) fn fault(
        &mut self,
        name: &str,
        record_type: Option<RecordType>,
        fault: Fault,
        times: Option<u32>,
    ) {
        let rules = self.faults.entry(normal(name)).or_default();
        rules.retain(|rule| rule.record_type != record_type);
        rules.push(Rule {
            record_type,
            fault,
            times,
        });
    }

    pub(super) fn heal(&mut self, name: &str) {
        self.faults.remove(&normal(name));
    }

    fn take_fault(&mut self, name: &str, record_type: RecordType) -> Option<Fault> {
        let matches = |rule: &Rule| {
            rule.times != Some(0) && rule.record_type.is_none_or(|only| only == record_type)
        };
        let rule = self
            .faults
            .get_mut(name)?
            .iter_mut()
            .find(|rule| matches(rule))?;
        if let Some(times) = &mut rule.times {
            *times = times.saturating_sub(1);
        }
        Some(rule.fault)
    }
}

/// The name and all names above it, without the root.
fn suffixes(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| {
        name.split_once('.').map(|(_, above)| above)
    })
    .filter(|suffix| !suffix.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn a(last: u8) -> Record {
        Record::A([127, 0, 0, last].into())
    }

    fn world(records: &[(&str, Record)]) -> World {
        let mut world = World::default();
        for (name, record) in records {
            world.records_for(None).add(name, record.clone());
        }
        world
    }

    fn check(world: &World, name: &str, answers: &[(&str, Record)], end: End) {
        let answers = answers
            .iter()
            .map(|(name, record)| ((*name).to_owned(), record.clone()));
        let expected = Found {
            answers: answers.collect(),
            end,
        };
        assert_eq!(world.find(SOURCE, name, RecordType::A), expected, "{name}");
    }

    #[test]
    fn a_name_with_only_descendants_exists_without_records() {
        let world = world(&[("a.b.example", a(1))]);
        check(
            &world,
            "a.b.example",
            &[("a.b.example", a(1))],
            End::Records,
        );
        check(&world, "b.example", &[], End::NoRecords);
        check(&world, "c.example", &[], End::NoName);
        check(&world, "x.a.b.example", &[], End::NoName);
    }

    #[test]
    fn a_wildcard_covers_what_does_not_exist_below_its_parent_only() {
        let world = world(&[("*.example", a(1)), ("b.example", Record::txt("x"))]);
        check(&world, "a.example", &[("a.example", a(1))], End::Records);
        check(
            &world,
            "x.y.example",
            &[("x.y.example", a(1))],
            End::Records,
        );
        check(&world, "b.example", &[], End::NoRecords);
        check(&world, "x.b.example", &[], End::NoName);
    }

    #[test]
    fn aliases_are_followed_and_loops_end() {
        let alias = |name: &str| Record::Cname(name.to_owned());
        let world = world(&[
            ("a.example", alias("B.example.")),
            ("b.example", a(2)),
            ("gone.example", alias("nowhere.test")),
            ("loop.example", alias("loop.example")),
        ]);
        let first = ("a.example", alias("B.example."));
        check(
            &world,
            "a.example",
            &[first, ("b.example", a(2))],
            End::Records,
        );
        check(
            &world,
            "gone.example",
            &[("gone.example", alias("nowhere.test"))],
            End::NoName,
        );
        let found = world.find(SOURCE, "loop.example", RecordType::A);
        assert_eq!(found.answers.len(), ALIASES_MAX + 1);
    }

    #[test]
    fn one_source_sees_its_own_names_and_the_rest_as_everyone() {
        let mut world = world(&[("a.example", a(1)), ("b.example", a(2))]);
        let liar: IpAddr = [127, 0, 0, 3].into();
        world.records_for(Some(liar)).add("a.example", a(66));
        check(&world, "a.example", &[("a.example", a(1))], End::Records);
        let found = |name| world.find(liar, name, RecordType::A).answers;
        assert_eq!(found("a.example"), [("a.example".to_owned(), a(66))]);
        assert_eq!(found("b.example"), [("b.example".to_owned(), a(2))]);
    }

    #[test]
    fn a_counted_fault_is_used_up_and_a_typed_one_meets_only_its_type() {
        let mut world = World::default();
        let records = world.records_for(None);
        records.fault("a.example", Some(RecordType::CAA), Fault::ServFail, Some(1));
        assert_eq!(world.take_fault(SOURCE, "a.example", RecordType::A), None);
        let caa = RecordType::CAA;
        assert_eq!(
            world.take_fault(SOURCE, "a.example", caa),
            Some(Fault::ServFail)
        );
        assert_eq!(world.take_fault(SOURCE, "a.example", caa), None);
    }

    #[test]
    fn the_last_record_takes_its_name_with_it() {
        let mut world = world(&[("a.example", a(1)), ("a.example", a(2))]);
        assert!(world.records_for(None).remove("A.example.", &a(1)));
        assert!(!world.records_for(None).remove("a.example", &a(1)));
        check(&world, "a.example", &[("a.example", a(2))], End::Records);
        world
            .records_for(None)
            .remove_all("a.example", RecordType::A);
        check(&world, "a.example", &[], End::NoName);
    }
}
