//! What the ends of a watch share.

use std::cell::{self, Cell, RefCell, RefMut};
use std::fmt;
use std::ops::Deref;

use ringloop_core::WaitList;

pub(super) struct Shared<T> {
    value: RefCell<T>,
    /// How often the value was sent. Whoever waits in `changed` has seen this one.
    version: Cell<u64>,
    pub(super) senders: Cell<usize>,
    pub(super) receivers: Cell<usize>,
    /// Receivers that wait for another version, or for the last sender to go.
    pub(super) changed: WaitList,
    /// Senders that wait for the last receiver to go.
    pub(super) deserted: WaitList,
}

impl<T> Shared<T> {
    pub(super) fn new(value: T) -> Self {
        Self {
            value: RefCell::new(value),
            version: Cell::new(0),
            senders: Cell::new(1),
            receivers: Cell::new(1),
            changed: WaitList::new(),
            deserted: WaitList::new(),
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.version.get()
    }

    pub(super) fn has_senders(&self) -> bool {
        self.senders.get() > 0
    }

    pub(super) fn has_receivers(&self) -> bool {
        self.receivers.get() > 0
    }

    /// What waits depend on.
    pub(super) fn state(&self) -> (u64, bool, bool) {
        (self.version(), self.has_senders(), self.has_receivers())
    }

    #[track_caller]
    #[inline]
    pub(super) fn borrow(&self, seen: u64) -> Ref<'_, T> {
        let Ok(value) = self.value.try_borrow() else {
            panic!("the value of a watch is being changed further up in this call");
        };
        Ref {
            value,
            has_changed: seen != self.version.get(),
        }
    }

    #[track_caller]
    #[inline]
    pub(super) fn borrow_mut(&self) -> RefMut<'_, T> {
        let Ok(value) = self.value.try_borrow_mut() else {
            panic!("the value of a watch is borrowed: drop the `Ref` before the next `.await`");
        };
        value
    }

    /// Has the receivers look at the value, which has changed.
    #[inline]
    pub(super) fn publish(&self) {
        self.version.set(self.version.get() + 1);
        if !self.changed.is_empty() {
            self.changed.wake_all();
        }
    }

    pub(super) fn statistics(&self) -> WatchStatistics {
        WatchStatistics {
            senders: self.senders.get(),
            receivers: self.receivers.get(),
            waiting: self.changed.len(),
            version: self.version.get(),
        }
    }
}

impl<T: fmt::Debug> Shared<T> {
    pub(super) fn describe(&self, debug: &mut fmt::DebugStruct<'_, '_>) {
        match self.value.try_borrow() {
            Ok(value) => debug.field("value", &&*value),
            Err(_) => debug.field("value", &format_args!("<borrowed>")),
        };
        let statistics = self.statistics();
        debug
            .field("senders", &statistics.senders)
            .field("receivers", &statistics.receivers)
            .field("waiting", &statistics.waiting);
    }
}

/// A look at the value of a watch.
///
/// The value cannot be changed meanwhile: a send panics. So drop it before the next `.await`, and
/// clone the value if it is needed longer.
#[must_use = "it is a look at the value"]
pub struct Ref<'a, T> {
    value: cell::Ref<'a, T>,
    has_changed: bool,
}

impl<T> Ref<'_, T> {
    /// Returns whether the receiver had not seen the value before. `false` for a sender.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ref")
            .field("value", &&*self.value)
            .field("has_changed", &self.has_changed)
            .finish()
    }
}

/// How things stand with a watch; see [`Sender::statistics`](super::Sender::statistics).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchStatistics {
    /// How many senders there are.
    pub senders: usize,
    /// How many receivers there are.
    pub receivers: usize,
    /// How many of them wait.
    pub waiting: usize,
    /// How many values were sent.
    pub version: u64,
}
