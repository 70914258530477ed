//! The part of a state that is stored.

use std::ops::Deref;

/// Remembers whether it was changed since it was last asked, so that no change goes unsaved.
#[derive(Clone, Debug)]
pub(crate) struct Kept<T> {
    value: T,
    changed: bool,
}

impl<T> Kept<T> {
    /// As it was stored.
    pub(crate) fn stored(value: T) -> Self {
        Self {
            value,
            changed: false,
        }
    }

    /// Not stored yet.
    pub(crate) fn new(value: T) -> Self {
        Self {
            value,
            changed: true,
        }
    }

    /// To change it.
    pub(crate) fn change(&mut self) -> &mut T {
        self.changed = true;
        &mut self.value
    }

    /// Was it changed since this was last asked?
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
