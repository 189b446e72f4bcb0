//! The futures of a read lock and of a write lock.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::raw::{Access, Claim, RawRwLock};
use super::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use crate::deadlock::Hold;
use crate::host::Host;
use crate::wait::Wait;

/// A future of the [`RwLockReadGuard`]; see [`RwLock::read`].
#[must_use = "futures do nothing unless awaited"]
pub struct ReadLock<'a, T: ?Sized, H: Host> {
    lock: &'a RwLock<T, H>,
    entry: Entry<'a, H>,
}

/// A future of the [`RwLockWriteGuard`]; see [`RwLock::write`].
#[must_use = "futures do nothing unless awaited"]
pub struct WriteLock<'a, T: ?Sized, H: Host> {
    lock: &'a RwLock<T, H>,
    entry: Entry<'a, H>,
}

impl<'a, T: ?Sized, H: Host> ReadLock<'a, T, H> {
    #[inline]
    pub(super) fn new(lock: &'a RwLock<T, H>, at: &'static Location<'static>) -> Self {
        Self {
            lock,
            entry: Entry::new(&lock.body.raw, Access::Read, at),
        }
    }
}

impl<'a, T: ?Sized, H: Host> WriteLock<'a, T, H> {
    #[inline]
    pub(super) fn new(lock: &'a RwLock<T, H>, at: &'static Location<'static>) -> Self {
        Self {
            lock,
            entry: Entry::new(&lock.body.raw, Access::Write, at),
        }
    }
}

impl<'a, T: ?Sized, H: Host> Future for ReadLock<'a, T, H> {
    type Output = H::Outcome<RwLockReadGuard<'a, T>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let entered = ready!(self.entry.poll(cx));
        Poll::Ready(H::outcome(
            entered.map(|hold| RwLockReadGuard::new(&self.lock.body, hold)),
        ))
    }
}

impl<'a, T: ?Sized, H: Host> Future for WriteLock<'a, T, H> {
    type Output = H::Outcome<RwLockWriteGuard<'a, T>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let entered = ready!(self.entry.poll(cx));
        Poll::Ready(H::outcome(
            entered.map(|hold| RwLockWriteGuard::new(&self.lock.body, hold)),
        ))
    }
}

impl<T: ?Sized, H: Host> fmt::Debug for ReadLock<'_, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.describe(f.debug_struct("ReadLock"))
    }
}

impl<T: ?Sized, H: Host> fmt::Debug for WriteLock<'_, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.describe(f.debug_struct("WriteLock"))
    }
}

/// The way into the lock, which both futures share.
struct Entry<'a, H: Host> {
    raw: &'a RawRwLock,
    wait: Wait<H>,
    claim: Claim,
}

impl<'a, H: Host> Entry<'a, H> {
    #[inline]
    fn new(raw: &'a RawRwLock, access: Access, at: &'static Location<'static>) -> Self {
        Self {
            raw,
            wait: Wait::new(at),
            claim: Claim { access, at },
        }
    }

    #[inline]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Hold, H::Cancelled>> {
        if !self.wait.is_listed() {
            ready!(self.wait.poll_begin(cx))?;
            if let Some(hold) = self.raw.try_lock::<H>(self.claim, Some(cx.waker())) {
                return Poll::Ready(Ok(hold));
            }
        }
        self.poll_waiting(cx)
    }

    /// Out of line, so that a lock that nobody else wants is inlined whole.
    #[cold]
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<Result<Hold, H::Cancelled>> {
        self.raw.poll_waiting(&mut self.wait, self.claim, cx)
    }

    #[cold]
    fn abandon(&mut self) {
        self.raw.abandon(&mut self.wait);
    }

    fn describe(&self, mut debug: fmt::DebugStruct<'_, '_>) -> fmt::Result {
        debug.field("wait", &self.wait).finish_non_exhaustive()
    }
}

impl<H: Host> Drop for Entry<'_, H> {
    #[inline]
    fn drop(&mut self) {
        if self.wait.is_listed() {
            self.abandon();
        }
    }
}
