//! The lock itself: who has it, who waits.

use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::task::{Context, Poll, Waker, ready};

use ringloop_core::WaitList;

use crate::deadlock::{Edge, Hold, LockSite};
use crate::host::Host;
use crate::wait::Wait;

/// A lock without a value. Whoever is in `waiters` no more has been given the lock.
pub(crate) struct RawMutex {
    /// Where it was locked, by whoever has it.
    held_since: Cell<Option<&'static Location<'static>>>,
    /// Whether there is more to do when it is given up: somebody may wait, or it is tracked.
    is_involved: Cell<bool>,
    hold: Cell<Hold>,
    waiters: WaitList<Waiter>,
}

/// Somebody who waits, and where in the source.
#[derive(Clone, Copy)]
struct Waiter {
    at: &'static Location<'static>,
    edge: Edge,
}

impl RawMutex {
    pub(crate) const fn new() -> Self {
        Self {
            held_since: Cell::new(None),
            is_involved: Cell::new(false),
            hold: Cell::new(Hold::NONE),
            waiters: WaitList::new(),
        }
    }

    /// Takes the lock if nobody has it; in a poll, with its waker.
    #[inline]
    pub(crate) fn try_lock<H: Host>(
        &self,
        at: &'static Location<'static>,
        waker: Option<&Waker>,
    ) -> bool {
        if self.held_since.get().is_some() {
            return false;
        }
        self.held_since.set(Some(at));
        self.track::<H>(at, waker);
        true
    }

    /// Gives the lock to the first who waits, or to nobody.
    #[inline]
    pub(crate) fn unlock(&self) {
        if self.is_involved.get() {
            self.unlock_involved();
        } else {
            self.held_since.set(None);
        }
    }

    #[cold]
    fn unlock_involved(&self) {
        self.hold.take().release(self);
        let first = self.waiters.front();
        self.held_since.set(first.map(|waiter| waiter.at));
        self.is_involved.set(first.is_some());
        self.waiters.wake_one();
    }

    /// Goes to the back of the line, or looks whether the lock was given to somebody there.
    pub(crate) fn poll_waiting<H: Host>(
        &self,
        wait: &mut Wait<H>,
        at: &'static Location<'static>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), H::Cancelled>> {
        let polled = if wait.is_listed() {
            wait.poll_listed(&self.waiters, cx)
        } else {
            self.enlist(wait, at, cx);
            wait.poll_enlisted(&self.waiters, cx)
        };
        Poll::Ready(match ready!(polled) {
            Ok(waiter) => {
                self.given::<H>(waiter, cx);
                Ok(())
            }
            Err((waiter, cancelled)) => {
                waiter.edge.end();
                Err(cancelled)
            }
        })
    }

    /// Goes to the back of the line.
    pub(crate) fn enlist<H: Host>(
        &self,
        wait: &mut Wait<H>,
        at: &'static Location<'static>,
        cx: &mut Context<'_>,
    ) {
        let edge = Edge::new::<H>(cx.waker(), || self.site(at));
        wait.enlist(&self.waiters, Waiter { at, edge }, cx);
        self.is_involved.set(true);
        if self.held_since.get().is_none() {
            // The waker's clone has given the lock up.
            self.unlock_involved();
        }
        edge.look::<H>();
    }

    /// The same for somebody who waits on even if the wait is cancelled.
    pub(crate) fn poll_in_any_case<H: Host>(
        &self,
        wait: &mut Wait<H>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let waiter = ready!(wait.poll_in_any_case(&self.waiters, cx));
        self.given::<H>(waiter, cx);
        Poll::Ready(())
    }

    /// Leaves the line, and passes the lock on that was given.
    pub(crate) fn abandon<H: Host>(&self, wait: &mut Wait<H>) {
        let Some(left) = wait.leave(&self.waiters) else {
            return;
        };
        let (Ok(waiter) | Err(waiter)) = left;
        waiter.edge.end();
        if left.is_ok() {
            self.unlock();
        }
    }

    fn given<H: Host>(&self, waiter: Waiter, cx: &mut Context<'_>) {
        waiter.edge.end();
        self.track::<H>(waiter.at, Some(cx.waker()));
    }

    /// Notes in debug mode who has the lock.
    #[inline]
    fn track<H: Host>(&self, at: &'static Location<'static>, waker: Option<&Waker>) {
        let hold = Hold::new::<H>(waker, || self.site(at));
        if hold.is_tracked() {
            self.hold.set(hold);
            self.is_involved.set(true);
        }
    }

    fn site(&self, at: &'static Location<'static>) -> LockSite {
        LockSite::exclusive(self, "Mutex", at)
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
