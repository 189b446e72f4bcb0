//! The future of an event.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::Event;
use crate::host::Host;
use crate::wait::Wait;

/// A future that ends when the event is set; see [`Event::wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct EventWait<'a, H: Host> {
    event: &'a Event<H>,
    wait: Wait<H>,
}

impl<'a, H: Host> EventWait<'a, H> {
    #[inline]
    pub(super) fn new(event: &'a Event<H>, at: &'static Location<'static>) -> Self {
        Self {
            event,
            wait: Wait::new(at),
        }
    }

    #[inline]
    fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), H::Cancelled>> {
        let event = self.event;
        if !self.wait.is_listed() {
            ready!(self.wait.poll_begin(cx))?;
            if event.is_set() {
                return Poll::Ready(Ok(()));
            }
            self.wait.enlist(&event.waiters, (), cx);
            // A waker's clone is foreign code, which may have set the event before we were listed.
            if event.is_set() {
                self.leave();
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_listed(cx)
    }

    /// Out of line, so that a wait for what is there is inlined whole.
    #[cold]
    fn poll_listed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), H::Cancelled>> {
        match ready!(self.wait.poll_listed(&self.event.waiters, cx)) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(((), cancelled)) => Poll::Ready(Err(cancelled)),
        }
    }

    #[cold]
    fn leave(&mut self) {
        self.wait.leave(&self.event.waiters);
    }
}

impl<H: Host> Future for EventWait<'_, H> {
    type Output = H::Outcome<()>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_wait(cx).map(H::outcome)
    }
}

impl<H: Host> Drop for EventWait<'_, H> {
    #[inline]
    fn drop(&mut self) {
        if self.wait.is_listed() {
            self.leave();
        }
    }
}

impl<H: Host> fmt::Debug for EventWait<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventWait")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
