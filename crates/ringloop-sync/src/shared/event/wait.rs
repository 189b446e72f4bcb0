//! The future of an event.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::RawEvent;
use crate::host::Host;
use crate::shared::wait::Wait;

/// A future that ends when an event is set; see [`Event::wait`](super::Event::wait).
#[must_use = "futures do nothing unless awaited"]
pub struct EventWait<'a, H: Host> {
    event: &'a RawEvent,
    wait: Wait<H>,
}

impl<'a, H: Host> EventWait<'a, H> {
    #[inline]
    pub(super) fn new(event: &'a RawEvent, at: &'static Location<'static>) -> Self {
        Self {
            event,
            wait: Wait::new(at),
        }
    }

    #[inline]
    pub(super) fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), H::Cancelled>> {
        let event = self.event;
        if !self.wait.is_listed() {
            ready!(self.wait.poll_begin(cx))?;
            if event.is_set() {
                return Poll::Ready(Ok(()));
            }
            let waker = cx.waker().clone();
            if event.is_set_or_wait(&mut self.wait, waker) {
                return Poll::Ready(Ok(()));
            }
        }
        let left = ready!(self.wait.poll_listed(&event.waiters, cx));
        Poll::Ready(left.map_err(|((), cancelled)| cancelled))
    }

    /// Ends the wait. Returns whether it was woken.
    pub(super) fn give_up(&mut self) -> bool {
        matches!(self.wait.leave(&self.event.waiters), Some(Ok(())))
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
            self.give_up();
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
