//! The values of one task, or of several that have not changed them.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use crate::unhandled::Payload;

/// A map from task locals to their values. Cloning it copies no value.
#[derive(Clone, Default)]
pub(crate) struct Locals {
    // Few, so a search from the front is the fastest.
    entries: Vec<(Key, Rc<dyn Any>)>,
}

/// The address of a task local, which is a static.
pub(super) type Key = usize;

/// Where a map is kept: in a task's header, for as long as the task has not ended.
#[derive(Default)]
pub(crate) struct Slot(Cell<Option<Rc<Locals>>>);

impl Slot {
    /// Makes a slot with this map in it.
    pub(crate) fn new(locals: Option<Rc<Locals>>) -> Self {
        Self(Cell::new(locals))
    }

    /// Returns the map, to be shared.
    #[inline(always)]
    pub(crate) fn share(&self) -> Option<Rc<Locals>> {
        let locals = self.0.take()?;
        let shared = Rc::clone(&locals);
        self.0.set(Some(locals));
        Some(shared)
    }

    /// Puts another map into the slot and returns the one that was there.
    #[inline]
    #[must_use = "dropping a value runs code"]
    pub(crate) fn replace(&self, locals: Option<Rc<Locals>>) -> Option<Rc<Locals>> {
        self.0.replace(locals)
    }

    /// Returns a value.
    pub(super) fn get(&self, key: Key) -> Option<Rc<dyn Any>> {
        let locals = self.0.take()?;
        let value = locals.get(key);
        self.0.set(Some(locals));
        value
    }

    /// Sets a value and returns the old one. Whoever shares the map does not see it.
    #[must_use = "dropping a value runs code"]
    pub(super) fn insert(&self, key: Key, value: Rc<dyn Any>) -> Option<Rc<dyn Any>> {
        let mut locals = self.0.take().unwrap_or_default();
        let old = Rc::make_mut(&mut locals).insert(key, value);
        self.0.set(Some(locals));
        old
    }
}

impl Locals {
    fn get(&self, key: Key) -> Option<Rc<dyn Any>> {
        let found = self.entries.iter().find(|(have, _)| *have == key);
        found.map(|(_, value)| Rc::clone(value))
    }

    pub(super) fn insert(&mut self, key: Key, value: Rc<dyn Any>) -> Option<Rc<dyn Any>> {
        match self.entries.iter_mut().find(|(have, _)| *have == key) {
            Some((_, place)) => Some(std::mem::replace(place, value)),
            None => {
                self.entries.push((key, value));
                None
            }
        }
    }

    /// Gives up one share of the map: drops the values if it was the last, and hands over each
    /// panic of a drop.
    #[cold]
    pub(crate) fn release(self: Rc<Self>, mut panicked: impl FnMut(Payload)) {
        for (_, value) in Rc::into_inner(self).unwrap_or_default().entries {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
                panicked(payload);
            }
        }
    }
}

impl fmt::Debug for Locals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locals")
            .field("len", &self.entries.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}
