//! Wakers that are all woken together.

use std::mem;
use std::task::Waker;

/// Wakers under keys; slots are reused. It runs none of them: callers take them out of the
/// borrow first.
#[derive(Debug, Default)]
pub(crate) struct WakerSet {
    slots: Vec<Option<Waker>>,
    free: Vec<u32>,
    is_closed: bool,
}

/// The place of a waker in a [`WakerSet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WakerKey(u32);

impl WakerSet {
    /// Files a waker. A closed set drops it.
    pub(crate) fn insert(&mut self, waker: Waker) -> WakerKey {
        if self.is_closed {
            return WakerKey(u32::MAX);
        }
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Some(waker);
            return WakerKey(slot);
        }
        let slot = u32::try_from(self.slots.len()).expect("fewer than four billion waiters");
        self.slots.push(Some(waker));
        WakerKey(slot)
    }

    /// Exchanges a waker, if it has to be, and returns the old one.
    #[must_use = "dropping a waker may run code: not under a borrow or lock"]
    pub(crate) fn update(&mut self, key: WakerKey, waker: &Waker) -> Option<Waker> {
        let filed = self.slots.get_mut(key.0 as usize)?.as_mut()?;
        (!filed.will_wake(waker)).then(|| mem::replace(filed, waker.clone()))
    }

    /// Withdraws a waker.
    #[must_use = "dropping a waker may run code: not under a borrow or lock"]
    pub(crate) fn remove(&mut self, key: WakerKey) -> Option<Waker> {
        let waker = self.slots.get_mut(key.0 as usize)?.take()?;
        self.free.push(key.0);
        Some(waker)
    }

    /// Returns copies of all wakers, in the order of their slots.
    pub(crate) fn wakers(&self) -> Vec<Waker> {
        self.slots.iter().flatten().cloned().collect()
    }

    /// Takes all wakers and files none from here on.
    pub(crate) fn close(&mut self) -> Vec<Waker> {
        self.is_closed = true;
        self.free = Vec::new();
        mem::take(&mut self.slots).into_iter().flatten().collect()
    }

    /// Empties the set and opens it again; keeps its memory.
    pub(crate) fn reset(&mut self) {
        self.slots.clear();
        self.free.clear();
        self.is_closed = false;
    }
}

#[cfg(test)]
mod tests;
