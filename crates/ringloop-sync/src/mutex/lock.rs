//! The future of a lock.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{Mutex, MutexGuard};
use crate::host::Host;
use crate::wait::Wait;

/// A future of the [`MutexGuard`]; see [`Mutex::lock`].
#[must_use = "futures do nothing unless awaited"]
pub struct Lock<'a, T: ?Sized, H: Host> {
    mutex: &'a Mutex<T, H>,
    wait: Wait<H>,
    at: &'static Location<'static>,
}

impl<'a, T: ?Sized, H: Host> Lock<'a, T, H> {
    #[inline]
    pub(super) fn new(mutex: &'a Mutex<T, H>, at: &'static Location<'static>) -> Self {
        Self {
            mutex,
            wait: Wait::new(at),
            at,
        }
    }

    #[inline]
    fn poll_lock(&mut self, cx: &mut Context<'_>) -> Poll<Result<MutexGuard<'a, T>, H::Cancelled>> {
        let raw = &self.mutex.body.raw;
        if !self.wait.is_listed() {
            ready!(self.wait.poll_begin(cx))?;
            if raw.try_lock(self.at) {
                return Poll::Ready(Ok(self.mutex.guard()));
            }
            self.wait.enlist(&raw.waiters, self.at, cx);
        }
        self.poll_listed(cx)
    }

    /// Out of line, so that a lock that nobody else wants is inlined whole.
    #[cold]
    fn poll_listed(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<MutexGuard<'a, T>, H::Cancelled>> {
        match ready!(self.wait.poll_listed(&self.mutex.body.raw.waiters, cx)) {
            Ok(_given) => Poll::Ready(Ok(self.mutex.guard())),
            Err((_, cancelled)) => Poll::Ready(Err(cancelled)),
        }
    }

    /// Leaves the line, and passes the lock on that it was given.
    #[cold]
    fn abandon(&mut self) {
        if let Some(Ok(_given)) = self.wait.leave(&self.mutex.body.raw.waiters) {
            self.mutex.body.raw.unlock();
        }
    }
}

impl<'a, T: ?Sized, H: Host> Future for Lock<'a, T, H> {
    type Output = H::Outcome<MutexGuard<'a, T>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_lock(cx).map(H::outcome)
    }
}

impl<T: ?Sized, H: Host> Drop for Lock<'_, T, H> {
    #[inline]
    fn drop(&mut self) {
        if self.wait.is_listed() {
            self.abandon();
        }
    }
}

impl<T: ?Sized, H: Host> fmt::Debug for Lock<'_, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
