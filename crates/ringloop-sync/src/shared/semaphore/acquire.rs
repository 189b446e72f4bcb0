//! The futures of permits.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::raw::{RawAcquire, RawSemaphore};
use super::{OwnedPermit, Permit, Semaphore};
use crate::host::Host;

/// A future of a [`Permit`]; see [`Semaphore::acquire`].
#[must_use = "futures do nothing unless awaited"]
pub struct Acquire<'a, H: Host> {
    semaphore: &'a RawSemaphore,
    raw: RawAcquire<H>,
}

impl<'a, H: Host> Acquire<'a, H> {
    #[inline]
    pub(super) fn new(
        semaphore: &'a RawSemaphore,
        permits: usize,
        at: &'static Location<'static>,
    ) -> Self {
        Self {
            semaphore,
            raw: RawAcquire::new(permits, at),
        }
    }

    #[inline]
    pub(super) fn poll_acquire(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Permit<'a>, H::Cancelled>> {
        let acquired = ready!(self.raw.poll(self.semaphore, cx));
        Poll::Ready(acquired.map(|()| self.permit()))
    }

    /// Ends the wait: the permits, if they were given to this one.
    pub(super) fn give_up(&mut self) -> Option<Permit<'a>> {
        self.raw.give_up(self.semaphore).then(|| self.permit())
    }

    /// The permits that were given to this one.
    #[inline]
    fn permit(&self) -> Permit<'a> {
        Permit::new(self.semaphore, self.raw.permits())
    }
}

impl<'a, H: Host> Future for Acquire<'a, H> {
    type Output = H::Outcome<Permit<'a>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_acquire(cx).map(H::outcome)
    }
}

impl<H: Host> Drop for Acquire<'_, H> {
    #[inline]
    fn drop(&mut self) {
        self.raw.pass_on(self.semaphore);
    }
}

impl<H: Host> fmt::Debug for Acquire<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire")
            .field("raw", &self.raw)
            .finish_non_exhaustive()
    }
}

/// A future of an [`OwnedPermit`]; see [`Semaphore::acquire_owned`].
#[must_use = "futures do nothing unless awaited"]
pub struct AcquireOwned<H: Host> {
    semaphore: Arc<Semaphore<H>>,
    raw: RawAcquire<H>,
}

impl<H: Host> AcquireOwned<H> {
    #[inline]
    pub(super) fn new(
        semaphore: Arc<Semaphore<H>>,
        permits: usize,
        at: &'static Location<'static>,
    ) -> Self {
        Self {
            semaphore,
            raw: RawAcquire::new(permits, at),
        }
    }
}

impl<H: Host> Future for AcquireOwned<H> {
    type Output = H::Outcome<OwnedPermit<H>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { semaphore, raw } = &mut *self;
        let acquired = ready!(raw.poll(&semaphore.raw, cx));
        let permit = acquired.map(|()| OwnedPermit::new(Arc::clone(semaphore), raw.permits()));
        Poll::Ready(H::outcome(permit))
    }
}

impl<H: Host> Drop for AcquireOwned<H> {
    #[inline]
    fn drop(&mut self) {
        self.raw.pass_on(&self.semaphore.raw);
    }
}

impl<H: Host> fmt::Debug for AcquireOwned<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireOwned")
            .field("raw", &self.raw)
            .finish_non_exhaustive()
    }
}
