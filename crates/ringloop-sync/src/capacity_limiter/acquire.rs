//! The futures of tokens.

use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::raw::RawLimiter;
use super::{AcquireTokenError, Borrower, CapacityToken, TryAcquireTokenError};
use crate::host::Host;
use crate::wait::Wait;

/// A future of a [`CapacityToken`]; see
/// [`CapacityLimiter::acquire`](crate::hosted::CapacityLimiter::acquire).
#[must_use = "futures do nothing unless awaited"]
pub struct AcquireToken<'a, H: Host> {
    request: Request<'a, H>,
}

/// A future of a [`CapacityToken`] for somebody; see
/// [`CapacityLimiter::acquire_on_behalf_of`](crate::hosted::CapacityLimiter::acquire_on_behalf_of).
#[must_use = "futures do nothing unless awaited"]
pub struct AcquireTokenFor<'a, H: Host> {
    request: Request<'a, H>,
    borrower: Borrower,
}

/// A wait for a token.
struct Request<'a, H: Host> {
    raw: &'a RawLimiter,
    wait: Wait<H>,
}

impl<'a, H: Host> Request<'a, H> {
    #[inline]
    fn new(raw: &'a RawLimiter, at: &'static Location<'static>) -> Self {
        Self {
            raw,
            wait: Wait::new(at),
        }
    }

    #[cold]
    fn enlist(&mut self, borrower: Option<Borrower>, cx: &mut Context<'_>) {
        let noted = borrower.map(|borrower| Noted::new(self.raw, borrower));
        self.wait.enlist(&self.raw.waiters, borrower, cx);
        let _stays = ManuallyDrop::new(noted);
        // A waker's clone is foreign code, which may have given a token back before.
        self.raw.hand_out();
    }

    /// Looks whether a token was given; if it is cancelled, it has left the line.
    ///
    /// Out of line, so that a wait that need not be is inlined whole.
    #[cold]
    fn poll_listed(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<CapacityToken<'a>, H::Cancelled>> {
        match ready!(self.wait.poll_listed(&self.raw.waiters, cx)) {
            Ok(borrower) => Poll::Ready(Ok(CapacityToken::new(self.raw, borrower))),
            Err((borrower, cancelled)) => {
                borrower.inspect(|&borrower| self.raw.depart(borrower));
                Poll::Ready(Err(cancelled))
            }
        }
    }

    /// Leaves the line, and gives back what it was given.
    #[cold]
    fn abandon(&mut self) {
        match self.wait.leave(&self.raw.waiters) {
            Some(Ok(borrower)) => self.raw.give_back(borrower),
            Some(Err(Some(borrower))) => self.raw.depart(borrower),
            Some(Err(None)) | None => {}
        }
    }
}

/// A borrower that is about to wait. Dropped when a waker's clone has panicked: then it does not.
struct Noted<'a> {
    raw: &'a RawLimiter,
    borrower: Borrower,
}

impl<'a> Noted<'a> {
    fn new(raw: &'a RawLimiter, borrower: Borrower) -> Self {
        raw.note(borrower, false);
        Self { raw, borrower }
    }
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.raw.depart(self.borrower);
    }
}

impl<'a, H: Host> AcquireToken<'a, H> {
    #[inline]
    pub(super) fn new(raw: &'a RawLimiter, at: &'static Location<'static>) -> Self {
        Self {
            request: Request::new(raw, at),
        }
    }

    #[inline]
    fn poll_acquire(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<CapacityToken<'a>, H::Cancelled>> {
        let request = &mut self.request;
        let raw = request.raw;
        if !request.wait.is_listed() {
            ready!(request.wait.poll_begin(cx))?;
            if raw.try_acquire() {
                return Poll::Ready(Ok(CapacityToken::new(raw, None)));
            }
            request.enlist(None, cx);
        }
        request.poll_listed(cx)
    }
}

impl<'a, H: Host> AcquireTokenFor<'a, H> {
    #[inline]
    pub(super) fn new(
        raw: &'a RawLimiter,
        borrower: Borrower,
        at: &'static Location<'static>,
    ) -> Self {
        Self {
            request: Request::new(raw, at),
            borrower,
        }
    }

    fn poll_acquire(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<CapacityToken<'a>, AcquireTokenError<H::Cancelled>>> {
        let Self { request, borrower } = self;
        let raw = request.raw;
        if !request.wait.is_listed() {
            ready!(request.wait.poll_begin(cx)).map_err(AcquireTokenError::Cancelled)?;
            match raw.try_acquire_for(*borrower) {
                Ok(()) => return Poll::Ready(Ok(CapacityToken::new(raw, Some(*borrower)))),
                Err(TryAcquireTokenError::AlreadyBorrowed(borrower)) => {
                    return Poll::Ready(Err(AcquireTokenError::AlreadyBorrowed(borrower)));
                }
                Err(TryAcquireTokenError::NoTokens) => {}
            }
            request.enlist(Some(*borrower), cx);
        }
        let polled = request.poll_listed(cx);
        polled.map(|given| given.map_err(AcquireTokenError::Cancelled))
    }
}

impl<'a, H: Host> Future for AcquireToken<'a, H> {
    type Output = H::Outcome<CapacityToken<'a>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_acquire(cx).map(H::outcome)
    }
}

impl<'a, H: Host> Future for AcquireTokenFor<'a, H> {
    type Output = Result<CapacityToken<'a>, AcquireTokenError<H::Cancelled>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_acquire(cx)
    }
}

impl<H: Host> Drop for Request<'_, H> {
    #[inline]
    fn drop(&mut self) {
        if self.wait.is_listed() {
            self.abandon();
        }
    }
}

impl<H: Host> fmt::Debug for AcquireToken<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireToken")
            .field("wait", &self.request.wait)
            .finish_non_exhaustive()
    }
}

impl<H: Host> fmt::Debug for AcquireTokenFor<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireTokenFor")
            .field("borrower", &self.borrower)
            .field("wait", &self.request.wait)
            .finish_non_exhaustive()
    }
}
