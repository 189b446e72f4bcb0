//! The futures of permits.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::raw::RawSemaphore;
use super::{OwnedPermit, Permit, Semaphore};
use crate::host::Host;
use crate::wait::Wait;

/// A future of a [`Permit`]; see [`Semaphore::acquire`].
#[must_use = "futures do nothing unless awaited"]
pub struct Acquire<'a, H: Host> {
    raw: &'a RawSemaphore,
    request: Request<H>,
}

/// A future of an [`OwnedPermit`]; see [`Semaphore::acquire_owned`].
#[must_use = "futures do nothing unless awaited"]
pub struct AcquireOwned<H: Host> {
    semaphore: Rc<Semaphore<H>>,
    request: Request<H>,
}

/// A wait for permits.
struct Request<H: Host> {
    wanted: usize,
    wait: Wait<H>,
}

impl<H: Host> Request<H> {
    #[inline]
    fn new(wanted: usize, at: &'static Location<'static>) -> Self {
        Self {
            wanted,
            wait: Wait::new(at),
        }
    }

    #[inline]
    fn poll(&mut self, raw: &RawSemaphore, cx: &mut Context<'_>) -> Poll<Result<(), H::Cancelled>> {
        if !self.wait.is_listed() {
            ready!(self.wait.poll_begin(cx))?;
            if raw.try_acquire(self.wanted) {
                return Poll::Ready(Ok(()));
            }
            self.wait.enlist(&raw.waiters, self.wanted, cx);
            // A waker's clone is foreign code, which may have given permits back before.
            raw.hand_out();
        }
        self.poll_listed(raw, cx)
    }

    /// Out of line, so that a wait that need not be is inlined whole.
    #[cold]
    fn poll_listed(
        &mut self,
        raw: &RawSemaphore,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), H::Cancelled>> {
        match ready!(self.wait.poll_listed(&raw.waiters, cx)) {
            Ok(_wanted) => Poll::Ready(Ok(())),
            Err((_wanted, cancelled)) => {
                // Those behind may want less than this one did.
                raw.hand_out();
                Poll::Ready(Err(cancelled))
            }
        }
    }

    #[inline]
    fn leave(&mut self, raw: &RawSemaphore) {
        if self.wait.is_listed() {
            self.abandon(raw);
        }
    }

    /// Leaves the line, and passes on what it was given.
    #[cold]
    fn abandon(&mut self, raw: &RawSemaphore) {
        match self.wait.leave(&raw.waiters) {
            Some(Ok(given)) => raw.give_back(given),
            // Those behind may want less than this one did.
            Some(Err(_wanted)) => raw.hand_out(),
            None => {}
        }
    }
}

impl<'a, H: Host> Acquire<'a, H> {
    #[inline]
    pub(super) fn new(
        raw: &'a RawSemaphore,
        wanted: usize,
        at: &'static Location<'static>,
    ) -> Self {
        Self {
            raw,
            request: Request::new(wanted, at),
        }
    }
}

impl<'a, H: Host> Future for Acquire<'a, H> {
    type Output = H::Outcome<Permit<'a>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let raw = self.raw;
        let taken = ready!(self.request.poll(raw, cx));
        let wanted = self.request.wanted;
        Poll::Ready(H::outcome(taken.map(|()| Permit::new(raw, wanted))))
    }
}

impl<H: Host> Drop for Acquire<'_, H> {
    #[inline]
    fn drop(&mut self) {
        self.request.leave(self.raw);
    }
}

impl<H: Host> AcquireOwned<H> {
    #[inline]
    pub(super) fn new(
        semaphore: Rc<Semaphore<H>>,
        wanted: usize,
        at: &'static Location<'static>,
    ) -> Self {
        Self {
            semaphore,
            request: Request::new(wanted, at),
        }
    }
}

impl<H: Host> Future for AcquireOwned<H> {
    type Output = H::Outcome<OwnedPermit<H>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { semaphore, request } = &mut *self;
        let taken = ready!(request.poll(&semaphore.raw, cx));
        let permit = |()| OwnedPermit::new(Rc::clone(semaphore), request.wanted);
        Poll::Ready(H::outcome(taken.map(permit)))
    }
}

impl<H: Host> Drop for AcquireOwned<H> {
    #[inline]
    fn drop(&mut self) {
        let Self { semaphore, request } = self;
        request.leave(&semaphore.raw);
    }
}

impl<H: Host> Request<H> {
    fn describe(&self, mut debug: fmt::DebugStruct<'_, '_>) -> fmt::Result {
        debug
            .field("wanted", &self.wanted)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

impl<H: Host> fmt::Debug for Acquire<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.describe(f.debug_struct("Acquire"))
    }
}

impl<H: Host> fmt::Debug for AcquireOwned<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.describe(f.debug_struct("AcquireOwned"))
    }
}
