//! The tokens: how many are borrowed, by whom, who waits.
//!
//! # Invariants
//!
//! - I1: `borrowed` counts the tokens that exist, and those on their way to a waiter that was woken.
//! - I2: whenever a method returns and somebody waits, all tokens are borrowed.
//! - I3: a borrower is in `known` from the moment it waits or has a token until neither is so, with
//!   whether it was given one.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::panic::RefUnwindSafe;

use ringloop_core::WaitList;
use ringloop_core::panics::Panics;

use super::{Borrower, TryAcquireTokenError};

/// Tokens, on no host. Whoever is in `waiters` no more has been lent one.
pub(super) struct RawLimiter {
    total: Cell<usize>,
    borrowed: Cell<usize>,
    /// Each with whether it was given a token. A tree rather than a sorted vector: thousands of
    /// borrowers who come and go in order would move all the others, each time.
    known: RefCell<BTreeMap<Borrower, bool>>,
    /// Those who wait, each with the borrower for whom it does.
    pub(super) waiters: WaitList<Option<Borrower>>,
}

impl RawLimiter {
    pub(super) const fn new(total: usize) -> Self {
        Self {
            total: Cell::new(total),
            borrowed: Cell::new(0),
            known: RefCell::new(BTreeMap::new()),
            waiters: WaitList::new(),
        }
    }

    #[inline]
    pub(super) fn try_acquire(&self) -> bool {
        // Somebody may wait while a token is there: a waker may run this from within `hand_out`.
        let borrowed = self.borrowed.get();
        if borrowed >= self.total.get() || !self.waiters.is_empty() {
            return false;
        }
        self.borrowed.set(borrowed + 1);
        true
    }

    /// Takes a token back from `borrower`.
    #[inline]
    pub(super) fn give_back(&self, borrower: Option<Borrower>) {
        self.borrowed.set(self.borrowed.get() - 1);
        if let Some(borrower) = borrower {
            self.depart(borrower);
        }
        if !self.waiters.is_empty() {
            self.hand_out();
        }
    }

    pub(super) fn set_total(&self, total: usize) {
        self.total.set(total);
        self.hand_out();
    }

    /// Lends tokens to those who wait, as far as they go, from front to back.
    #[cold]
    pub(super) fn hand_out(&self) {
        let mut panics = Panics::default();
        while self.borrowed.get() < self.total.get()
            && let Some(borrower) = self.waiters.front()
            && let Some(waker) = self.waiters.take_one()
        {
            self.borrowed.set(self.borrowed.get() + 1);
            if let Some(borrower) = borrower {
                self.note(borrower, true);
            }
            // If this hands out as well, it goes on where this loop stands.
            panics.catch(|| waker.wake());
        }
        panics.resume();
    }

    /// Lends a token to a borrower that is not known.
    #[inline]
    pub(super) fn try_acquire_for(&self, borrower: Borrower) -> Result<(), TryAcquireTokenError> {
        let mut known = self.known.borrow_mut();
        let Entry::Vacant(place) = known.entry(borrower) else {
            return Err(TryAcquireTokenError::AlreadyBorrowed(borrower));
        };
        if !self.try_acquire() {
            return Err(TryAcquireTokenError::NoTokens);
        }
        place.insert(true);
        Ok(())
    }

    /// Notes that a borrower waits, or was given a token.
    pub(super) fn note(&self, borrower: Borrower, is_given: bool) {
        self.known.borrow_mut().insert(borrower, is_given);
    }

    /// Notes that a borrower neither has a token nor waits for one.
    pub(super) fn depart(&self, borrower: Borrower) {
        self.known.borrow_mut().remove(&borrower);
    }

    pub(super) fn total(&self) -> usize {
        self.total.get()
    }

    pub(super) fn borrowed(&self) -> usize {
        self.borrowed.get()
    }

    pub(super) fn available(&self) -> usize {
        match self.total.get() {
            usize::MAX => usize::MAX,
            total => total.saturating_sub(self.borrowed.get()),
        }
    }

    pub(super) fn borrowers(&self) -> Vec<Borrower> {
        let known = self.known.borrow();
        let given = known.iter().filter(|&(_, is_given)| *is_given);
        given.map(|(&borrower, _)| borrower).collect()
    }

    pub(super) fn statistics(&self) -> CapacityLimiterStatistics {
        CapacityLimiterStatistics {
            total: self.total.get(),
            borrowed: self.borrowed.get(),
            waiting: self.waiters.len(),
        }
    }

    pub(super) fn describe(&self, mut debug: fmt::DebugStruct<'_, '_>) -> fmt::Result {
        match self.total.get() {
            usize::MAX => debug.field("total", &format_args!("<no limit>")),
            total => debug.field("total", &total),
        };
        debug
            .field("borrowed", &self.borrowed.get())
            .field("waiting", &self.waiters.len())
            .finish_non_exhaustive()
    }
}

// Wakers run while nothing is half changed, so no panic of theirs is seen here.
impl RefUnwindSafe for RawLimiter {}

/// How things stand with a limiter; see
/// [`CapacityLimiter::statistics`](crate::hosted::CapacityLimiter::statistics).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CapacityLimiterStatistics {
    /// How many tokens there are; `usize::MAX` if there is no limit.
    pub total: usize,
    /// How many are borrowed.
    pub borrowed: usize,
    /// How many wait for one.
    pub waiting: usize,
}
