//! The lock itself: who has it, who waits.

use std::cell::Cell;
use std::fmt;
use std::panic::Location;

use ringloop_core::WaitList;

/// A lock without a value. Whoever is in `waiters` no more has been given the lock.
pub(crate) struct RawMutex {
    /// Where it was locked, by whoever has it.
    held_since: Cell<Option<&'static Location<'static>>>,
    /// Those who wait, with the place in the source where they do.
    pub(crate) waiters: WaitList<&'static Location<'static>>,
}

impl RawMutex {
    pub(crate) const fn new() -> Self {
        Self {
            held_since: Cell::new(None),
            waiters: WaitList::new(),
        }
    }

    #[inline]
    pub(crate) fn try_lock(&self, at: &'static Location<'static>) -> bool {
        if self.held_since.get().is_some() {
            return false;
        }
        self.held_since.set(Some(at));
        true
    }

    /// Gives the lock to the first who waits, or to nobody.
    #[inline]
    pub(crate) fn unlock(&self) {
        if self.waiters.is_empty() {
            self.held_since.set(None);
        } else {
            self.hand_over();
        }
    }

    #[cold]
    fn hand_over(&self) {
        self.held_since.set(self.waiters.front());
        self.waiters.wake_one();
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.held_since.get().is_some()
    }

    pub(crate) fn statistics(&self) -> MutexStatistics {
        MutexStatistics {
            is_locked: self.is_locked(),
            waiting: self.waiters.len(),
        }
    }

    pub(crate) fn describe(&self, debug: &mut fmt::DebugStruct<'_, '_>) {
        if let Some(at) = self.held_since.get() {
            debug.field("locked_at", &format_args!("{at}"));
        }
        debug.field("waiting", &self.waiters.len());
    }
}

/// How things stand with a mutex; see [`Mutex::statistics`](crate::hosted::Mutex::statistics).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MutexStatistics {
    /// Whether somebody has the lock, or it is on its way to somebody.
    pub is_locked: bool,
    /// How many wait for it.
    pub waiting: usize,
}
