//! Wakers that are all woken together, in the order in which they were filed.

use std::cell::RefCell;
use std::mem;
use std::task::Waker;

use ringloop_core::panics::Panics;

/// Wakers under keys; slots are reused. It runs none of them: callers take them out of the
/// borrow first.
#[derive(Debug, Default)]
pub(crate) struct WakerSet {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// How many wakers were filed so far.
    filed: u64,
    is_closed: bool,
}

/// The place of a waker in a [`WakerSet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WakerKey(u32);

#[derive(Debug)]
enum Slot {
    Vacant,
    Filed {
        ticket: u64,
        waker: Waker,
    },
    /// Its waker is being woken.
    Lent {
        ticket: u64,
    },
}

impl WakerSet {
    /// Files a waker. A closed set drops it.
    pub(crate) fn insert(&mut self, waker: Waker) -> WakerKey {
        if self.is_closed {
            return WakerKey(u32::MAX);
        }
        let ticket = self.filed;
        self.filed += 1;
        let slot = Slot::Filed { ticket, waker };
        if let Some(index) = self.free.pop() {
            self.slots[index as usize] = slot;
            return WakerKey(index);
        }
        let index = u32::try_from(self.slots.len()).expect("fewer than four billion waiters");
        self.slots.push(slot);
        WakerKey(index)
    }

    /// Returns whether `waker` is what is filed under the key, or nothing is: then there is no need
    /// to [`replace`](Self::replace).
    pub(crate) fn is_current(&self, key: WakerKey, waker: &Waker) -> bool {
        match self.slots.get(key.0 as usize) {
            Some(Slot::Filed { waker: filed, .. }) => filed.will_wake(waker),
            Some(Slot::Lent { .. }) => false,
            Some(Slot::Vacant) | None => true,
        }
    }

    /// Exchanges a waker, which keeps its place in the order, and returns the one that is not
    /// needed.
    #[must_use = "dropping a waker may run code: not under a borrow or lock"]
    pub(crate) fn replace(&mut self, key: WakerKey, waker: Waker) -> Option<Waker> {
        match self.slots.get_mut(key.0 as usize) {
            Some(Slot::Filed { waker: filed, .. }) => Some(mem::replace(filed, waker)),
            Some(slot @ &mut Slot::Lent { ticket }) => {
                *slot = Slot::Filed { ticket, waker };
                None
            }
            Some(Slot::Vacant) | None => Some(waker),
        }
    }

    /// Withdraws a waker.
    #[must_use = "dropping a waker may run code: not under a borrow or lock"]
    pub(crate) fn remove(&mut self, key: WakerKey) -> Option<Waker> {
        let slot = self.slots.get_mut(key.0 as usize)?;
        match mem::replace(slot, Slot::Vacant) {
            Slot::Vacant => None,
            Slot::Lent { .. } => {
                self.free.push(key.0);
                None
            }
            Slot::Filed { waker, .. } => {
                self.free.push(key.0);
                Some(waker)
            }
        }
    }

    /// Returns all wakers, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Waker> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Filed { waker, .. } => Some(waker),
            Slot::Vacant | Slot::Lent { .. } => None,
        })
    }

    /// Takes all wakers and files none from here on.
    pub(crate) fn close(&mut self) -> Vec<Waker> {
        self.is_closed = true;
        self.free = Vec::new();
        let mut slots = mem::take(&mut self.slots);
        slots.sort_by_key(Slot::ticket);
        slots.into_iter().filter_map(Slot::into_waker).collect()
    }

    /// Empties the set and opens it again; keeps its memory.
    pub(crate) fn reset(&mut self) {
        self.slots.clear();
        self.free.clear();
        self.is_closed = false;
    }

    /// Returns the places of all wakers, in the order of their filing.
    fn in_order(&self) -> Vec<(u64, usize)> {
        let places = self.slots.iter().enumerate();
        let mut order: Vec<_> = places
            .filter_map(|(index, slot)| slot.ticket().map(|ticket| (ticket, index)))
            .collect();
        order.sort_unstable();
        order
    }

    /// Takes a waker out for the time in which it is woken.
    fn lend(&mut self, ticket: u64, index: usize) -> Option<Waker> {
        let slot = self.slots.get_mut(index)?;
        match slot {
            Slot::Filed { ticket: filed, .. } if *filed == ticket => {
                mem::replace(slot, Slot::Lent { ticket }).into_waker()
            }
            Slot::Filed { .. } | Slot::Lent { .. } | Slot::Vacant => None,
        }
    }

    /// Puts a waker back. Returns it if its place was given up meanwhile.
    fn give_back(&mut self, ticket: u64, index: usize, waker: Waker) -> Option<Waker> {
        match self.slots.get_mut(index) {
            Some(slot @ &mut Slot::Lent { ticket: lent }) if lent == ticket => {
                *slot = Slot::Filed { ticket, waker };
                None
            }
            _ => Some(waker),
        }
    }
}

/// Wakes all wakers of a set, which stay filed. None is touched while the set is borrowed.
pub(crate) fn wake_filed(set: &RefCell<WakerSet>) {
    let order = set.borrow().in_order();
    let mut panics = Panics::default();
    for (ticket, index) in order {
        let Some(waker) = lend(set, ticket, index) else {
            continue;
        };
        panics.catch(|| waker.wake_by_ref());
        let unneeded = set.borrow_mut().give_back(ticket, index, waker);
        panics.catch(|| drop(unneeded));
    }
    panics.resume();
}

/// A function of its own, so that the borrow ends with it.
fn lend(set: &RefCell<WakerSet>, ticket: u64, index: usize) -> Option<Waker> {
    set.borrow_mut().lend(ticket, index)
}

/// Wakes all of them, whatever each of them does.
pub(crate) fn wake_all(wakers: Vec<Waker>) {
    let mut panics = Panics::default();
    for waker in wakers {
        panics.catch(|| waker.wake());
    }
    panics.resume();
}

impl Slot {
    /// In which order it was filed.
    fn ticket(&self) -> Option<u64> {
        match *self {
            Self::Filed { ticket, .. } => Some(ticket),
            Self::Lent { .. } | Self::Vacant => None,
        }
    }

    fn into_waker(self) -> Option<Waker> {
        match self {
            Self::Filed { waker, .. } => Some(waker),
            Self::Lent { .. } | Self::Vacant => None,
        }
    }
}

#[cfg(test)]
mod tests;
