//! The values of one task, or of several that have not changed them.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use crate::unhandled::Payload;

/// A map from task locals to their values. Cloning it copies no value.
#[derive(Clone, Default)]
pub(crate) struct Locals {
    // Few, so a search from the front is the fastest.
    entries: Vec<(Key, Value)>,
}

/// A value, shared by all tasks that have it.
#[derive(Clone)]
pub(super) enum Value {
    /// Stays on the loop's thread.
    Home(Rc<dyn Any>),
    /// May go to other threads.
    Traveling(TravelingValue),
}

pub(super) type TravelingValue = Arc<dyn Any + Send + Sync>;

impl Value {
    /// Returns the value, which is filed under the address of a local of that type.
    pub(super) fn as_ref<T: 'static>(&self) -> &T {
        let value: &dyn Any = match self {
            Self::Home(value) => &**value,
            Self::Traveling(value) => &**value,
        };
        let value = value.downcast_ref();
        value.expect("values are filed under the address of their local")
    }
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
    pub(super) fn get(&self, key: Key) -> Option<Value> {
        let locals = self.0.take()?;
        let value = locals.get(key);
        self.0.set(Some(locals));
        value
    }

    /// Sets a value and returns the old one. Whoever shares the map does not see it.
    #[must_use = "dropping a value runs code"]
    pub(super) fn insert(&self, key: Key, value: Value) -> Option<Value> {
        let mut locals = self.0.take().unwrap_or_default();
        let old = Rc::make_mut(&mut locals).insert(key, value);
        self.0.set(Some(locals));
        old
    }

    /// Returns the values that may go to other threads.
    pub(super) fn traveling(&self) -> Vec<(Key, TravelingValue)> {
        let locals = self.0.take();
        let found = locals.as_deref().map(Locals::traveling);
        self.0.set(locals);
        found.unwrap_or_default()
    }
}

impl Locals {
    fn get(&self, key: Key) -> Option<Value> {
        let found = self.entries.iter().find(|(have, _)| *have == key);
        found.map(|(_, value)| value.clone())
    }

    /// Returns the values that may go to other threads. Without any, nothing is allocated.
    pub(super) fn traveling(&self) -> Vec<(Key, TravelingValue)> {
        let values = self.entries.iter().filter_map(|(key, value)| match value {
            Value::Home(_) => None,
            Value::Traveling(value) => Some((*key, Arc::clone(value))),
        });
        values.collect()
    }

    /// Returns whether there are values that may go to other threads.
    pub(super) fn has_traveling(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|(_, value)| matches!(value, Value::Traveling(_)))
    }

    /// Removes the values that may go to other threads, and returns them.
    #[must_use = "dropping a value runs code"]
    pub(super) fn take_traveling(&mut self) -> Vec<(Key, Value)> {
        let is_traveling = |(_, value): &mut (Key, Value)| matches!(value, Value::Traveling(_));
        self.entries.extract_if(.., is_traveling).collect()
    }

    /// Adds values of locals that have none.
    pub(super) fn extend(&mut self, values: impl Iterator<Item = (Key, Value)>) {
        self.entries.extend(values);
    }

    pub(super) fn insert(&mut self, key: Key, value: Value) -> Option<Value> {
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
