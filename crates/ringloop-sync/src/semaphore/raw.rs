//! The permits: how many there are, who waits for how many.
//!
//! # Invariants
//!
//! - I1: `available <= total <= bound`. What is total and not available is held by a permit, or is
//!   on its way to a waiter that was woken.
//! - I2: whenever a method returns, the first who waits wants more than is available.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::RefUnwindSafe;

use ringloop_core::WaitList;
use ringloop_core::panics::Panics;

/// Permits, on no host. Whoever is in `waiters` no more has been given what it wanted.
pub(crate) struct RawSemaphore {
    available: Cell<usize>,
    /// How many there are, held or not; less than there were if some were forgotten.
    total: Cell<usize>,
    bound: Option<usize>,
    /// Those who wait, each with the number that it wants.
    pub(super) waiters: WaitList<usize>,
}

impl RawSemaphore {
    pub(crate) const fn new(permits: usize, bound: Option<usize>) -> Self {
        Self {
            available: Cell::new(permits),
            total: Cell::new(permits),
            bound,
            waiters: WaitList::new(),
        }
    }

    #[track_caller]
    #[inline]
    pub(super) fn assert_possible(&self, permits: usize) {
        if let Some(bound) = self.bound {
            assert!(
                permits <= bound,
                "{permits} permits of a semaphore bounded to {bound} never come: ask for fewer"
            );
        }
    }

    #[inline]
    pub(crate) fn try_acquire(&self, permits: usize) -> bool {
        let available = self.available.get();
        if permits > available || (!self.waiters.is_empty() && permits > 0) {
            return false;
        }
        self.available.set(available - permits);
        true
    }

    /// Takes permits back from somebody who held them.
    #[inline]
    pub(crate) fn give_back(&self, permits: usize) {
        // I1: they are a part of the total, so this cannot overflow.
        self.available.set(self.available.get() + permits);
        if !self.waiters.is_empty() {
            self.hand_out();
        }
    }

    /// Gives those who wait what they want, as far as it goes, from front to back.
    #[cold]
    pub(super) fn hand_out(&self) {
        let mut panics = Panics::default();
        while let Some(wanted) = self.waiters.front()
            && wanted <= self.available.get()
            && let Some(waker) = self.waiters.take_one()
        {
            self.available.set(self.available.get() - wanted);
            // If this hands out as well, it goes on where this loop stands.
            panics.catch(|| waker.wake());
        }
        panics.resume();
    }

    /// Forgets permits that somebody held.
    #[inline]
    pub(super) fn forget(&self, permits: usize) {
        self.total.set(self.total.get() - permits);
    }

    #[inline]
    pub(super) fn release(&self, permits: usize) -> Result<(), OverRelease> {
        let bound = self.bound.unwrap_or(usize::MAX);
        let total = self.total.get();
        // I1: the total is not above the bound.
        if permits > bound - total {
            return Err(OverRelease {
                released: permits,
                total,
                bound,
            });
        }
        self.total.set(total + permits);
        self.give_back(permits);
        Ok(())
    }

    #[inline]
    pub(super) fn available(&self) -> usize {
        self.available.get()
    }

    pub(super) fn statistics(&self) -> SemaphoreStatistics {
        SemaphoreStatistics {
            available: self.available.get(),
            total: self.total.get(),
            bound: self.bound,
            waiting: self.waiters.len(),
        }
    }

    pub(super) fn describe(&self, mut debug: fmt::DebugStruct<'_, '_>) -> fmt::Result {
        debug
            .field("available", &self.available.get())
            .field("total", &self.total.get());
        if let Some(bound) = self.bound {
            debug.field("bound", &bound);
        }
        debug.field("waiting", &self.waiters.len()).finish()
    }
}

// Wakers run while nothing is half changed, so no panic of theirs is seen here.
impl RefUnwindSafe for RawSemaphore {}

/// More permits were released than a semaphore takes; see
/// [`Semaphore::release`](crate::hosted::Semaphore::release).
///
/// # Examples
///
/// ```
/// let error = ringloop_sync::Semaphore::bounded(3).release(1).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "1 permit was released to a semaphore that has 3 of at most 3: release only what was forgotten"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverRelease {
    released: usize,
    total: usize,
    bound: usize,
}

impl fmt::Display for OverRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            released,
            total,
            bound,
        } = self;
        let verb = if *released == 1 {
            "permit was"
        } else {
            "permits were"
        };
        write!(
            f,
            "{released} {verb} released to a semaphore that has {total} of at most {bound}: \
             release only what was forgotten"
        )
    }
}

impl Error for OverRelease {}

impl From<OverRelease> for io::Error {
    fn from(error: OverRelease) -> Self {
        Self::other(error)
    }
}

/// How things stand with a semaphore; see
/// [`Semaphore::statistics`](crate::hosted::Semaphore::statistics).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SemaphoreStatistics {
    /// How many permits nobody holds.
    pub available: usize,
    /// How many permits there are, held or not.
    pub total: usize,
    /// How many there may be at most.
    pub bound: Option<usize>,
    /// How many wait.
    pub waiting: usize,
}
