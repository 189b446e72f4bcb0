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
    fn poll_right(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), H::Cancelled>> {
        if !self.wait.is_listed() {
            ready!(self.wait.poll_begin(cx))?;
            if self.mutex.body.raw.try_lock(self.at) {
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_waiting(cx)
    }

    /// Out of line, so that a lock that nobody else wants is inlined whole.
    #[cold]
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), H::Cancelled>> {
        let waiters = &self.mutex.body.raw.waiters;
        let given = if self.wait.is_listed() {
            self.wait.poll_listed(waiters, cx)
        } else {
            self.wait.enlist(waiters, self.at, cx);
            self.wait.poll_enlisted(waiters, cx)
        };
        given.map(|given| given.map(drop).map_err(|(_, cancelled)| cancelled))
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
        let right = ready!(self.poll_right(cx));
        Poll::Ready(H::outcome(right.map(|()| self.mutex.guard())))
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
