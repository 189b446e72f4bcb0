//! The future of a put.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::Queue;
use super::buffer::Buffer;
use super::error::{PutError, TryPutError};
use crate::host::Host;
use crate::wait::Wait;

/// A future of room for an item; see [`Queue::put`].
#[must_use = "futures do nothing unless awaited"]
pub struct Put<'a, T, H: Host, B: Buffer<T>> {
    queue: &'a Queue<T, H, B>,
    /// Until it is tried.
    item: Option<T>,
    wait: Wait<H>,
}

impl<'a, T, H: Host, B: Buffer<T>> Put<'a, T, H, B> {
    #[inline]
    pub(super) fn new(queue: &'a Queue<T, H, B>, item: T, at: &'static Location<'static>) -> Self {
        Self {
            queue,
            item: Some(item),
            wait: Wait::new(at),
        }
    }

    #[inline]
    fn take_item(&mut self) -> T {
        self.item.take().expect("a put that is over is not polled")
    }

    /// Out of line, as is all that waits, so that a put that need not is inlined whole.
    #[cold]
    fn poll_enlisted(
        &mut self,
        item: T,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), PutError<T, H::Cancelled>>> {
        let exchange = &self.queue.exchange;
        self.wait.enlist(&exchange.putters, Some(item), cx);
        if exchange.settle_waiter() {
            return self.poll_listed(cx);
        }
        let left = self.wait.poll_enlisted(&exchange.putters, cx);
        left.map(end)
    }

    #[cold]
    fn poll_listed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), PutError<T, H::Cancelled>>> {
        let left = self.wait.poll_listed(&self.queue.exchange.putters, cx);
        left.map(end)
    }

    /// Leaves the line with the item, unless it was put.
    #[cold]
    fn abandon(&mut self) {
        drop(self.wait.leave(&self.queue.exchange.putters));
    }
}

impl<T, H: Host, B: Buffer<T>> Future for Put<'_, T, H, B> {
    type Output = Result<(), PutError<T, H::Cancelled>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.wait.is_listed() {
            return this.poll_listed(cx);
        }
        if let Err(cancelled) = ready!(this.wait.poll_begin(cx)) {
            return Poll::Ready(Err(PutError::Cancelled(this.take_item(), cancelled)));
        }
        match this.queue.exchange.try_put(this.take_item()) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(TryPutError::Closed(item)) => Poll::Ready(Err(PutError::Closed(item))),
            Err(TryPutError::Full(item)) => this.poll_enlisted(item, cx),
        }
    }
}

/// How a put ended by what was left in its place: nothing if the item is in the queue.
fn end<T, C>(left: Result<Option<T>, (Option<T>, C)>) -> Result<(), PutError<T, C>> {
    match left {
        Ok(None) => Ok(()),
        Ok(Some(item)) => Err(PutError::Closed(item)),
        Err((item, cancelled)) => {
            let item = item.expect("a putter that waits has an item");
            Err(PutError::Cancelled(item, cancelled))
        }
    }
}

// The item is moved, not pinned.
impl<T, H: Host, B: Buffer<T>> Unpin for Put<'_, T, H, B> {}

impl<T, H: Host, B: Buffer<T>> Drop for Put<'_, T, H, B> {
    #[inline]
    fn drop(&mut self) {
        if self.wait.is_listed() {
            self.abandon();
        }
    }
}

impl<T, H: Host, B: Buffer<T>> fmt::Debug for Put<'_, T, H, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Put")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
