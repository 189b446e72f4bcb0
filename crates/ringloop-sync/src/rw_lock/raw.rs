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
use std::task::{Context, Poll, Waker, ready};

use ringloop_core::WaitList;
use ringloop_core::panics::Panics;

use crate::deadlock::{Edge, Hold, LockSite};
use crate::host::Host;
use crate::wait::Wait;

/// A lock for many readers or one writer, without a value.
pub(super) struct RawRwLock {
    /// How many readers there are, or [`WRITER`].
    holders: Cell<usize>,
    /// Where the writer locked it, or the last reader that came.
    held_since: Cell<Option<&'static Location<'static>>>,
    /// Whether there is more to do when it is given up: somebody may wait, or it is tracked.
    is_involved: Cell<bool>,
    waiters: WaitList<Waiter>,
}

/// Somebody who waits.
#[derive(Clone, Copy)]
struct Waiter {
    claim: Claim,
    edge: Edge,
}

/// What somebody wants, and where in the source.
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
            is_involved: Cell::new(false),
            waiters: WaitList::new(),
        }
    }

    /// Takes the lock if it is to be had and nobody waits for it; in a poll, with its waker.
    #[inline]
    pub(super) fn try_lock<H: Host>(&self, claim: Claim, waker: Option<&Waker>) -> Option<Hold> {
        let is_free =
            self.is_free_for(claim.access) && (!self.is_involved.get() || self.waiters.is_empty());
        is_free.then(|| {
            self.let_in(claim);
            self.track::<H>(claim, waker)
        })
    }

    /// Gives the lock up, and to those who are first in line.
    #[inline]
    pub(super) fn unlock(&self, access: Access, hold: Hold) {
        let holders = match access {
            Access::Read => self.holders.get() - 1,
            Access::Write => 0,
        };
        self.holders.set(holders);
        if holders == 0 {
            self.held_since.set(None);
        }
        if self.is_involved.get() {
            self.unlock_involved(hold);
        }
    }

    #[cold]
    fn unlock_involved(&self, hold: Hold) {
        hold.release(self);
        if self.holders.get() == 0 && self.waiters.is_empty() {
            self.is_involved.set(false);
        }
        self.admit();
    }

    /// Makes the writer a reader.
    pub(super) fn downgrade(&self) {
        self.holders.set(1);
        self.admit();
    }

    /// Lets those in who are first in line, as many as the lock has room for.
    ///
    /// One after the other: each is in before it is woken, so its waker finds the lock as it is.
    fn admit(&self) {
        let mut panics = Panics::default();
        while let Some(Waiter { claim, .. }) = self.waiters.front()
            && self.is_free_for(claim.access)
        {
            self.let_in(claim);
            if let Some(waker) = self.waiters.take_one() {
                panics.catch(|| waker.wake());
            }
        }
        panics.resume();
    }

    /// Goes to the back of the line, or looks whether the lock was given to somebody there.
    pub(super) fn poll_waiting<H: Host>(
        &self,
        wait: &mut Wait<H>,
        claim: Claim,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Hold, H::Cancelled>> {
        let polled = if wait.is_listed() {
            wait.poll_listed(&self.waiters, cx)
        } else {
            self.enlist(wait, claim, cx);
            wait.poll_enlisted(&self.waiters, cx)
        };
        Poll::Ready(match ready!(polled) {
            Ok(Waiter { claim, edge }) => {
                edge.end();
                Ok(self.track::<H>(claim, Some(cx.waker())))
            }
            Err((waiter, cancelled)) => {
                waiter.edge.end();
                self.admit();
                Err(cancelled)
            }
        })
    }

    fn enlist<H: Host>(&self, wait: &mut Wait<H>, claim: Claim, cx: &mut Context<'_>) {
        let edge = Edge::new::<H>(cx.waker(), || self.site(claim));
        wait.enlist(&self.waiters, Waiter { claim, edge }, cx);
        self.is_involved.set(true);
        // The waker's clone may have given the lock up.
        self.admit();
        edge.look::<H>();
    }

    /// Leaves the line, and passes the lock on that was given.
    pub(super) fn abandon<H: Host>(&self, wait: &mut Wait<H>) {
        let Some(left) = wait.leave(&self.waiters) else {
            return;
        };
        let (Ok(waiter) | Err(waiter)) = left;
        waiter.edge.end();
        if left.is_ok() {
            self.unlock(waiter.claim.access, Hold::NONE);
        } else {
            // Who kept readers out may have been the only one who did.
            self.admit();
        }
    }

    /// Notes in debug mode who has the lock.
    #[inline]
    fn track<H: Host>(&self, claim: Claim, waker: Option<&Waker>) -> Hold {
        let hold = Hold::new::<H>(waker, || self.site(claim));
        if hold.is_tracked() {
            self.is_involved.set(true);
        }
        hold
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

    fn site(&self, claim: Claim) -> LockSite {
        match claim.access {
            Access::Read => LockSite::shared(self, "RwLock", claim.at),
            Access::Write => LockSite::exclusive(self, "RwLock", claim.at),
        }
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
