//! Whose turn it is to initialize, and who waits.
//!
//! # Invariants
//!
//! - **O1** Whoever is in `waiters` no more was given the turn, or there is a value.
//! - **O2** While somebody has the turn there is no value; it ends with a value, or is given to the
//!   first who waits.

use std::cell::Cell;
use std::panic::Location;

use ringloop_core::WaitList;
use ringloop_core::panics::Panics;

/// The turns at a cell.
pub(super) struct Turns {
    /// Where the initializer was given that runs.
    taken_since: Cell<Option<&'static Location<'static>>>,
    /// Those who would initialize themselves.
    pub(super) waiters: WaitList<&'static Location<'static>>,
    /// Those who wait for a value of others.
    pub(super) onlookers: WaitList,
}

impl Turns {
    pub(super) const fn new() -> Self {
        Self {
            taken_since: Cell::new(None),
            waiters: WaitList::new(),
            onlookers: WaitList::new(),
        }
    }

    /// Where the initializer was given that runs.
    pub(super) fn taken_since(&self) -> Option<&'static Location<'static>> {
        self.taken_since.get()
    }

    /// Takes the turn if nobody has it.
    pub(super) fn try_take(&self, at: &'static Location<'static>) -> bool {
        let is_free = self.taken_since.get().is_none();
        if is_free {
            self.taken_since.set(Some(at));
        }
        is_free
    }

    /// Gives the turn to the first who waits, or to nobody.
    pub(super) fn pass_on(&self) {
        self.taken_since.set(self.waiters.front());
        self.waiters.wake_one();
    }

    /// There is a value: nobody takes a turn any more.
    pub(super) fn end(&self) {
        self.taken_since.set(None);
        let mut panics = Panics::default();
        panics.catch(|| self.waiters.wake_all());
        panics.catch(|| self.onlookers.wake_all());
        panics.resume();
    }
}
