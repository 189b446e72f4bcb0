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
            let raw = &self.mutex.body.raw;
            if raw.try_lock::<H>(self.at, Some(cx.waker())) {
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_waiting(cx)
    }

    /// Out of line, so that a lock that nobody else wants is inlined whole.
    #[cold]
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), H::Cancelled>> {
        let raw = &self.mutex.body.raw;
        raw.poll_waiting(&mut self.wait, self.at, cx)
    }

    /// Leaves the line, and passes the lock on that it was given.
    #[cold]
    fn abandon(&mut self) {
        self.mutex.body.raw.abandon(&mut self.wait);
    }
}

impl<'a, T: ?Sized, H: Host> Future for Lock<'a, T, H> {
    type Output = H::Outcome<MutexGuard<'a, T>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let right = ready!(self.poll_right(cx));
        Poll::Ready(H::outcome(
            right.map(|()| MutexGuard::new(&self.mutex.body)),
        ))
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
