use std::collections::BTreeMap;

use acme_types::Timestamp;

/// What is to happen, by time and then by the order in which it was put there.
#[derive(Debug)]
pub(crate) struct Queue<E> {
    events: BTreeMap<(Timestamp, u64), E>,
    next: u64,
}

impl<E> Queue<E> {
    pub(crate) fn new() -> Self {
        Self {
            events: BTreeMap::new(),
            next: 0,
        }
    }

    pub(crate) fn push(&mut self, at: Timestamp, event: E) {
        self.events.insert((at, self.next), event);
        self.next += 1;
    }

    pub(crate) fn pop(&mut self) -> Option<(Timestamp, E)> {
        self.events.pop_first().map(|((at, _), event)| (at, event))
    }
}
