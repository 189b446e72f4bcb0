//! The lock itself: who has it, who waits.

use std::fmt;
use std::panic::Location;
use std::task::{Context, Poll, Waker, ready};

use ringloop_core::panics::drop_quietly;

use super::state::State;
use crate::host::Host;
use crate::mutex::MutexStatistics;
use crate::shared::wait::Wait;
use crate::shared::wait_list::WaitList;

/// A lock without a value. Whoever was woken from `waiters` has been given the lock.
pub(super) struct RawMutex {
    state: State,
    waiters: WaitList<()>,
}

impl RawMutex {
    #[cfg(not(loom))]
    pub(super) const fn new() -> Self {
        Self {
            state: State::new(),
            waiters: WaitList::new(),
        }
    }

    #[cfg(loom)]
    pub(super) fn new() -> Self {
        Self {
            state: State::new(),
            waiters: WaitList::new(),
        }
    }

    #[inline]
    pub(super) fn try_lock(&self) -> Option<Held<'_>> {
        // Lazily: a `Held` that is dropped unlocks.
        self.state.try_lock().then(|| Held(self))
    }

    /// Locks, or goes to the back of the line.
    #[cold]
    fn lock_or_wait<H: Host>(&self, wait: &mut Wait<H>, waker: Waker) -> Option<Held<'_>> {
        let list = self.waiters.lock();
        loop {
            if self.state.try_await() {
                wait.enlist(&list, (), waker);
                return None;
            }
            if self.state.try_lock() {
                drop(list);
                drop_quietly(waker);
                return Some(Held(self));
            }
        }
    }

    #[inline]
    fn unlock(&self) {
        if !self.state.try_unlock() {
            self.hand_over();
        }
    }

    /// Gives the lock to the first who waits, or to nobody.
    #[cold]
    fn hand_over(&self) {
        let list = self.waiters.lock();
        let waker = if let Ok(((), waker)) = list.grant_one(()) {
            if list.is_empty() {
                self.state.keep();
            }
            Some(waker)
        } else {
            self.state.free();
            None
        };
        drop(list);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn is_locked(&self) -> bool {
        self.state.is_locked()
    }

    pub(super) fn statistics(&self) -> MutexStatistics {
        MutexStatistics {
            is_locked: self.is_locked(),
            waiting: self.waiters.len(),
        }
    }

    pub(super) fn describe(&self, debug: &mut fmt::DebugStruct<'_, '_>) {
        debug.field("is_locked", &self.is_locked());
        debug.field("waiting", &self.waiters.len());
    }
}

/// The proof that a lock is held; dropped, it gives the lock up.
pub(super) struct Held<'a>(&'a RawMutex);

impl<'a> Held<'a> {
    #[inline]
    pub(super) fn mutex(&self) -> &'a RawMutex {
        self.0
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.unlock();
    }
}

/// The wait for a lock without a value.
pub(super) struct RawLock<'a, H: Host> {
    mutex: &'a RawMutex,
    wait: Wait<H>,
}

impl<'a, H: Host> RawLock<'a, H> {
    #[inline]
    pub(super) fn new(mutex: &'a RawMutex, at: &'static Location<'static>) -> Self {
        Self {
            mutex,
            wait: Wait::new(at),
        }
    }

    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Held<'a>, H::Cancelled>> {
        let mutex = self.mutex;
        if !self.wait.is_listed() {
            ready!(self.wait.poll_begin(cx))?;
            if let Some(held) = mutex.try_lock() {
                return Poll::Ready(Ok(held));
            }
            let waker = cx.waker().clone();
            if let Some(held) = mutex.lock_or_wait(&mut self.wait, waker) {
                return Poll::Ready(Ok(held));
            }
        }
        match ready!(self.wait.poll_listed(&mutex.waiters, cx)) {
            Ok(()) => Poll::Ready(Ok(Held(mutex))),
            Err(((), cancelled)) => Poll::Ready(Err(cancelled)),
        }
    }

    /// Ends the wait: the lock, if it was given to this one.
    #[inline]
    pub(super) fn give_up(&mut self) -> Option<Held<'a>> {
        if !self.wait.is_listed() {
            return None;
        }
        let left = self.wait.leave(&self.mutex.waiters)?;
        left.ok().map(|()| Held(self.mutex))
    }
}

impl<H: Host> Drop for RawLock<'_, H> {
    #[inline]
    fn drop(&mut self) {
        // It is passed on.
        drop(self.give_up());
    }
}

impl<H: Host> fmt::Debug for RawLock<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawLock")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
