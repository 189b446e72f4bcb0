//! Those who wait for something that threads share, first come, first served.
//!
//! It is the list of the core behind a lock. Wakers are foreign code: they are cloned before the
//! lock is taken, and woken and dropped after it was released. A plain thread that blocks is in the
//! list as well, with a waker that unparks it (see `block`).

use std::fmt;
use std::task::Waker;

use ringloop_core::WaitKey;
use ringloop_core::panics::Panics;

use crate::loom::{Mutex, MutexGuard, lock};

/// Where waiters are kept. What is waited for may be behind the same lock.
pub(super) trait Waiters {
    /// What waiters bring, and what they are left.
    type Value;

    /// Calls `access` with the list, under the lock.
    fn with<R>(&self, access: impl FnOnce(&ringloop_core::WaitList<Self::Value>) -> R) -> R;
}

/// A list behind a lock of its own.
pub(super) struct WaitList<T>(Mutex<ringloop_core::WaitList<T>>);

impl<T> WaitList<T> {
    #[cfg(not(loom))]
    pub(super) const fn new() -> Self {
        Self(Mutex::new(ringloop_core::WaitList::new()))
    }

    #[cfg(loom)]
    pub(super) fn new() -> Self {
        Self(Mutex::new(ringloop_core::WaitList::new()))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ringloop_core::WaitList<T>> {
        lock(&self.0)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}

impl<T> Waiters for WaitList<T> {
    type Value = T;

    fn with<R>(&self, access: impl FnOnce(&ringloop_core::WaitList<T>) -> R) -> R {
        access(&self.lock())
    }
}

impl<T> fmt::Debug for WaitList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitList")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// The wakers of those who were granted something, to be woken once the lock is released.
///
/// The first one is kept in place, so that waking one allocates nothing.
#[derive(Default)]
#[must_use = "who was granted something sleeps on"]
pub(super) struct Wakers {
    first: Option<Waker>,
    more: Vec<Waker>,
}

impl Wakers {
    pub(super) fn push(&mut self, waker: Waker) {
        match self.first {
            None => self.first = Some(waker),
            Some(_) => self.more.push(waker),
        }
    }

    /// Wakes them in order. A waker that panics keeps no other from being woken.
    #[inline]
    pub(super) fn wake(self) {
        let Some(first) = self.first else { return };
        if self.more.is_empty() {
            first.wake();
            return;
        }
        let mut panics = Panics::default();
        panics.catch(|| first.wake());
        for waker in self.more {
            panics.catch(|| waker.wake());
        }
        panics.resume();
    }
}

/// What a look at a waiter finds.
pub(super) enum Look<T> {
    /// It waits, with the waker in question.
    Waits(WaitKey),
    /// It waits, with another waker.
    Differs(WaitKey),
    /// It was woken, and is out of the list with what it was left.
    Granted(T),
}

/// Looks whether a waiter was woken, and takes it out if so. Under the lock.
pub(super) fn look<T>(list: &ringloop_core::WaitList<T>, key: WaitKey, waker: &Waker) -> Look<T> {
    if list.is_waiting_with(&key, waker) {
        return Look::Waits(key);
    }
    if list.is_waiting(&key) {
        return Look::Differs(key);
    }
    match list.withdraw(key) {
        Ok(left) | Err((left, _)) => Look::Granted(left),
    }
}
