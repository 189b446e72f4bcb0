//! The word of a semaphore: how many permits are there, and whether somebody may wait.
//!
//! While nobody waits, permits are taken and given back by exchanging the word. Once it says that
//! somebody waits, it changes only under the lock of the list, where who waits is seen to.
//!
//! # Ordering
//!
//! Who gives permits back releases to whoever takes them next. Permits that a waiter is given are
//! ordered by the lock of the list, which both take.

use crate::loom::atomic::{AtomicUsize, Ordering};

/// The number of permits in the upper bits, and [`AWAITED`].
pub(super) struct State(AtomicUsize);

/// Somebody may be in the list.
const AWAITED: usize = 1;
const ONE: usize = 2;

/// The largest number of permits that may be there.
pub(super) const MAX: usize = usize::MAX / ONE;

/// What became of an attempt that has to leave the list alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Attempt {
    Done,
    /// There are too few permits to take, or too many to add to.
    Impossible,
    /// Somebody may wait.
    Awaited,
}

impl State {
    #[cfg(not(loom))]
    pub(super) const fn new(permits: usize) -> Self {
        assert!(permits <= MAX, "at most usize::MAX / 2 permits");
        Self(AtomicUsize::new(permits * ONE))
    }

    #[cfg(loom)]
    pub(super) fn new(permits: usize) -> Self {
        assert!(permits <= MAX, "at most usize::MAX / 2 permits");
        Self(AtomicUsize::new(permits * ONE))
    }

    /// Takes permits, if they are there and nobody waits.
    #[inline]
    pub(super) fn try_take(&self, permits: usize) -> Attempt {
        // Ordering: acquires from the `try_add`, or the change under the lock, before.
        self.change(Ordering::Acquire, |there| there.checked_sub(permits))
    }

    /// Adds permits, if nobody waits.
    #[inline]
    pub(super) fn try_add(&self, permits: usize) -> Attempt {
        // Ordering: releases to the next `try_take`, also through other changes in between, all of
        // which exchange the word.
        self.change(Ordering::Release, |there| {
            there.checked_add(permits).filter(|&sum| sum <= MAX)
        })
    }

    #[inline]
    fn change(&self, order: Ordering, change: impl Fn(usize) -> Option<usize>) -> Attempt {
        // Relaxed: a first look, which the exchange repeats.
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if word & AWAITED != 0 {
                return Attempt::Awaited;
            }
            let Some(permits) = change(word / ONE) else {
                return Attempt::Impossible;
            };
            let new = permits * ONE;
            match self
                .0
                .compare_exchange_weak(word, new, order, Ordering::Relaxed)
            {
                Ok(_) => return Attempt::Done,
                Err(seen) => word = seen,
            }
        }
    }

    /// Says that somebody waits, and returns how many permits are there. From here until
    /// [`end`](Self::end) the word belongs to the holder of the lock of the list.
    pub(super) fn begin(&self) -> usize {
        // Ordering: acquires from the `try_add` before.
        self.0.fetch_or(AWAITED, Ordering::Acquire) / ONE
    }

    /// Sets the number of permits, and whether somebody waits on. By who holds the lock of the list,
    /// after [`begin`](Self::begin).
    pub(super) fn end(&self, permits: usize, is_awaited: bool) {
        let awaited = if is_awaited { AWAITED } else { 0 };
        // Ordering: releases to the next `try_take`.
        self.0.store((permits * ONE) | awaited, Ordering::Release);
    }

    pub(super) fn permits(&self) -> usize {
        // Relaxed: it may be out of date at once.
        self.0.load(Ordering::Relaxed) / ONE
    }
}
