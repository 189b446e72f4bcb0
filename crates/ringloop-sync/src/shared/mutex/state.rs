//! The word of a lock.
//!
//! # States
//!
//! | from | transition | to | who |
//! |---|---|---|---|
//! | `FREE` | try lock | `LOCKED` | anybody |
//! | `LOCKED` | try unlock | `FREE` | the owner |
//! | `LOCKED` | await | `LOCKED`, `AWAITED` | a waiter, under the lock of the list |
//! | `LOCKED`, `AWAITED` | keep | `LOCKED` | the owner, under the lock of the list, if nobody waits on |
//! | `LOCKED`, `AWAITED` | free | `FREE` | the owner, under the lock of the list, if nobody waits |
//!
//! So nobody waits while the word is `FREE`, and while it is `AWAITED` it changes only under the
//! lock of the list.
//!
//! # Ordering
//!
//! Who unlocks releases to whoever locks next. A lock that is handed over is ordered by the lock of
//! the list, which both take.

use crate::loom::atomic::{AtomicU8, Ordering};

pub(super) struct State(AtomicU8);

/// Nobody has the lock.
const FREE: u8 = 0;
/// Somebody has it, or it is on its way to somebody.
const LOCKED: u8 = 1;
/// Somebody may be in the list.
const AWAITED: u8 = 2;

impl State {
    #[cfg(not(loom))]
    pub(super) const fn new() -> Self {
        Self(AtomicU8::new(FREE))
    }

    #[cfg(loom)]
    pub(super) fn new() -> Self {
        Self(AtomicU8::new(FREE))
    }

    #[inline]
    pub(super) fn try_lock(&self) -> bool {
        // Ordering: acquires from the `try_unlock` or `free` before.
        self.0
            .compare_exchange(FREE, LOCKED, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Gives the lock up, unless somebody waits for it.
    #[inline]
    pub(super) fn try_unlock(&self) -> bool {
        // Ordering: releases to the next `try_lock`.
        self.0
            .compare_exchange(LOCKED, FREE, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    /// Says that somebody waits. `false` if the lock is free. Under the lock of the list.
    pub(super) fn try_await(&self) -> bool {
        // Relaxed: the waiter and who hands over meet under the lock of the list.
        match self.0.compare_exchange(
            LOCKED,
            LOCKED | AWAITED,
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            Ok(_) => true,
            Err(bits) => bits != FREE,
        }
    }

    /// Says that nobody waits on. By the owner, under the lock of the list.
    pub(super) fn keep(&self) {
        // Relaxed: see `try_await`.
        self.0.store(LOCKED, Ordering::Relaxed);
    }

    /// Gives the lock up though it is awaited. By the owner, under the lock of the list.
    pub(super) fn free(&self) {
        // Ordering: releases to the next `try_lock`.
        self.0.store(FREE, Ordering::Release);
    }

    pub(super) fn is_locked(&self) -> bool {
        // Relaxed: it may be out of date at once.
        self.0.load(Ordering::Relaxed) != FREE
    }
}
