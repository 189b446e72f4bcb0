//! The word of an event: whether it is set, and whether somebody may wait.
//!
//! | from | transition | to | who |
//! |---|---|---|---|
//! | anything | clear | not `SET` | anybody |
//! | not `AWAITED` | try set | `SET` | anybody |
//! | not `SET` | await | `AWAITED` | a waiter, under the lock of the list |
//! | `AWAITED` | set | `SET`, not `AWAITED` | anybody, under the lock of the list, with all that wait |
//!
//! # Ordering
//!
//! Who sets releases to whoever finds it set or clears it. Waiters that are woken are ordered by the
//! lock of the list, which both take.

use crate::loom::atomic::{AtomicU8, Ordering};

pub(super) struct State(AtomicU8);

const SET: u8 = 1;
/// Somebody may be in the list.
const AWAITED: u8 = 2;

impl State {
    #[cfg(not(loom))]
    pub(super) const fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    #[cfg(loom)]
    pub(super) fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    /// Sets it, unless somebody may wait.
    #[inline]
    pub(super) fn try_set(&self) -> bool {
        // Relaxed: a first look, which the exchange repeats.
        let mut word = self.0.load(Ordering::Relaxed);
        while word & AWAITED == 0 {
            // Ordering: releases to who finds it set, also if it was set before.
            match self
                .0
                .compare_exchange_weak(word, SET, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return true,
                Err(seen) => word = seen,
            }
        }
        false
    }

    /// Sets it. Under the lock of the list, by who takes all out of it.
    pub(super) fn set(&self) {
        // Ordering: releases to who finds it set. A swap, so that it goes on with the release
        // sequence of those who set it before.
        self.0.swap(SET, Ordering::Release);
    }

    pub(super) fn clear(&self) {
        // Ordering: acquires from who has set it: what is looked for after a clear was done before
        // the set, or will be followed by one.
        self.0.fetch_and(!SET, Ordering::Acquire);
    }

    #[inline]
    pub(super) fn is_set(&self) -> bool {
        // Ordering: acquires from who has set it.
        self.0.load(Ordering::Acquire) & SET != 0
    }

    /// Says that somebody waits. `false` if it is set. Under the lock of the list.
    pub(super) fn try_await(&self) -> bool {
        // Ordering: acquires from who has set it, if somebody has; here and below.
        let mut word = self.0.load(Ordering::Acquire);
        while word & SET == 0 {
            // Relaxed success: the waiter and who sets it meet under the lock of the list.
            match self.0.compare_exchange_weak(
                word,
                word | AWAITED,
                Ordering::Relaxed,
                Ordering::Acquire,
            ) {
                Ok(_) => return true,
                Err(seen) => word = seen,
            }
        }
        false
    }
}
