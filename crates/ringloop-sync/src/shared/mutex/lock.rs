//! The future of a lock.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::raw::RawLock;
use super::{Mutex, MutexGuard};
use crate::host::Host;

/// A future of the [`MutexGuard`]; see [`Mutex::lock`].
#[must_use = "futures do nothing unless awaited"]
pub struct Lock<'a, T: ?Sized, H: Host> {
    mutex: &'a Mutex<T, H>,
    raw: RawLock<'a, H>,
}

impl<'a, T: ?Sized, H: Host> Lock<'a, T, H> {
    #[inline]
    pub(super) fn new(mutex: &'a Mutex<T, H>, at: &'static Location<'static>) -> Self {
        Self {
            mutex,
            raw: RawLock::new(&mutex.locked.raw, at),
        }
    }
}

impl<'a, T: ?Sized, H: Host> Future for Lock<'a, T, H> {
    type Output = H::Outcome<MutexGuard<'a, T>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let held = ready!(self.raw.poll(cx));
        Poll::Ready(H::outcome(held.map(|held| self.mutex.locked.guard(held))))
    }
}

impl<T: ?Sized, H: Host> fmt::Debug for Lock<'_, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("raw", &self.raw)
            .finish_non_exhaustive()
    }
}
