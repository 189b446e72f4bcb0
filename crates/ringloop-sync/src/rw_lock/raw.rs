//! The lock itself: who has it, who waits.
//!
//! # Invariants
//!
//! - **W1** Whoever is in `waiters` no more has been given the lock: it is counted in `holders`.
//! - **W2** The first who waits cannot be let in as things stand; so one who comes later waits if
//!   anybody does. Whatever may let the first one in is followed by [`admit`](RawRwLock::admit).

use std::cell::Cell;
use std::fmt;
use std::panic::Location;

use ringloop_core::WaitList;
use ringloop_core::panics::Panics;

/// A lock for many readers or one writer, without a value.
pub(super) struct RawRwLock {
    /// How many readers there are, or [`WRITER`].
    holders: Cell<usize>,
    /// Where the writer locked it, or the last reader that came.
    held_since: Cell<Option<&'static Location<'static>>>,
    pub(super) waiters: WaitList<Claim>,
}

/// What somebody who waits wants, and where in the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) access: Access,
    pub(super) at: &'static Location<'static>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

impl RawRwLock {
    pub(super) const fn new() -> Self {
        Self {
            holders: Cell::new(0),
            held_since: Cell::new(None),
            waiters: WaitList::new(),
        }
    }

    /// Takes the lock if it is to be had and nobody waits for it.
    #[inline]
    pub(super) fn try_lock(&self, claim: Claim) -> bool {
        self.is_free_for(claim.access) && self.waiters.is_empty() && {
            self.let_in(claim);
            true
        }
    }

    /// Gives the lock up, and to those who are first in line.
    #[inline]
    pub(super) fn unlock(&self, access: Access) {
        let holders = match access {
            Access::Read => self.holders.get() - 1,
            Access::Write => 0,
        };
        self.holders.set(holders);
        self.after_change(holders);
    }

    /// Makes the writer a reader.
    pub(super) fn downgrade(&self) {
        self.holders.set(1);
        self.after_change(1);
    }

    #[inline]
    fn after_change(&self, holders: usize) {
        if holders == 0 {
            self.held_since.set(None);
        }
        if !self.waiters.is_empty() {
            self.admit();
        }
    }

    /// Lets those in who are first in line, as many as the lock has room for.
    ///
    /// One after the other: each is in before it is woken, so its waker finds the lock as it is.
    #[cold]
    pub(super) fn admit(&self) {
        let mut panics = Panics::default();
        while let Some(claim) = self.waiters.front()
            && self.is_free_for(claim.access)
        {
            self.let_in(claim);
            if let Some(waker) = self.waiters.take_one() {
                panics.catch(|| waker.wake());
            }
        }
        panics.resume();
    }

    #[inline]
    fn is_free_for(&self, access: Access) -> bool {
        match access {
            Access::Read => self.holders.get() != WRITER,
            Access::Write => self.holders.get() == 0,
        }
    }

    #[inline]
    fn let_in(&self, claim: Claim) {
        self.holders.set(match claim.access {
            Access::Read => self.holders.get() + 1,
            Access::Write => WRITER,
        });
        self.held_since.set(Some(claim.at));
    }

    pub(super) fn statistics(&self) -> RwLockStatistics {
        let is_write_locked = self.holders.get() == WRITER;
        RwLockStatistics {
            readers: if is_write_locked {
                0
            } else {
                self.holders.get()
            },
            is_write_locked,
            waiting: self.waiters.len(),
        }
    }

    pub(super) fn describe(&self, debug: &mut fmt::DebugStruct<'_, '_>) {
        match self.holders.get() {
            WRITER => debug.field("is_write_locked", &true),
            readers => debug.field("readers", &readers),
        };
        if let Some(at) = self.held_since.get() {
            debug.field("locked_at", &format_args!("{at}"));
        }
        debug.field("waiting", &self.waiters.len());
    }
}

/// How things stand with a lock; see [`RwLock::statistics`](crate::hosted::RwLock::statistics).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RwLockStatistics {
    /// How many readers have the lock, or are about to.
    pub readers: usize,
    /// Whether a writer has the lock, or is about to.
    pub is_write_locked: bool,
    /// How many wait for it, readers and writers.
    pub waiting: usize,
}

/// In the place of the number of readers.
const WRITER: usize = usize::MAX;
