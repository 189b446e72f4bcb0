//! The future of the time when everything is done.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::Queue;
use super::buffer::Buffer;
use crate::host::Host;
use crate::wait::Wait;

/// A future of the time when everything is done that was put; see [`Queue::join`].
#[must_use = "futures do nothing unless awaited"]
pub struct JoinQueue<'a, T, H: Host, B: Buffer<T>> {
    queue: &'a Queue<T, H, B>,
    wait: Wait<H>,
}

impl<'a, T, H: Host, B: Buffer<T>> JoinQueue<'a, T, H, B> {
    pub(super) fn new(queue: &'a Queue<T, H, B>, at: &'static Location<'static>) -> Self {
        Self {
            queue,
            wait: Wait::new(at),
        }
    }

    fn poll_join(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), H::Cancelled>> {
        let queue = self.queue;
        if !self.wait.is_listed() {
            ready!(self.wait.poll_begin(cx))?;
            if queue.is_idle() {
                return Poll::Ready(Ok(()));
            }
            self.wait.enlist(&queue.joiners, (), cx);
            // The waker may have used the queue while it was cloned.
            queue.end_joins_if_idle();
        }
        let woken = ready!(self.wait.poll_listed(&queue.joiners, cx));
        Poll::Ready(woken.map_err(|((), cancelled)| cancelled))
    }
}

impl<T, H: Host, B: Buffer<T>> Future for JoinQueue<'_, T, H, B> {
    type Output = H::Outcome<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_join(cx).map(H::outcome)
    }
}

impl<T, H: Host, B: Buffer<T>> Drop for JoinQueue<'_, T, H, B> {
    fn drop(&mut self) {
        // A wake that it does not use is not for others: all were woken.
        let _woken = self.wait.leave(&self.queue.joiners);
    }
}

impl<T, H: Host, B: Buffer<T>> fmt::Debug for JoinQueue<'_, T, H, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinQueue")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
