//! The futures of an item, in four forms.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::Queue;
use super::buffer::Buffer;
use super::error::{GetError, TryGetError};
use super::exchange::Handed;
use super::finally::Finally;
use super::job::{Job, Unfinished};
use crate::host::Host;
use crate::wait::Wait;

/// A future of an item; see [`Queue::get`].
#[must_use = "futures do nothing unless awaited"]
pub struct Get<'a, T, H: Host, B: Buffer<T>> {
    queue: &'a Queue<T, H, B>,
    wait: Wait<H>,
}

impl<'a, T, H: Host, B: Buffer<T>> Get<'a, T, H, B> {
    #[inline]
    pub(super) fn new(queue: &'a Queue<T, H, B>, at: &'static Location<'static>) -> Self {
        Self {
            queue,
            wait: Wait::new(at),
        }
    }

    /// Polls for an item, for a caller that looks after those who join the queue.
    #[inline(always)]
    pub(crate) fn poll_item(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, GetError<H::Cancelled>>> {
        if self.wait.is_listed() {
            return self.poll_listed(cx);
        }
        if let Err(cancelled) = ready!(self.wait.poll_begin(cx)) {
            return Poll::Ready(Err(GetError::Cancelled(cancelled)));
        }
        match self.queue.exchange.try_get() {
            Ok(item) => Poll::Ready(Ok(item)),
            Err(TryGetError::Closed) => Poll::Ready(Err(GetError::Closed)),
            Err(TryGetError::Empty) => self.poll_enlisted(cx),
        }
    }

    /// Out of line, as is all that waits, so that a get that need not is inlined whole.
    #[cold]
    fn poll_enlisted(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, GetError<H::Cancelled>>> {
        let exchange = &self.queue.exchange;
        self.wait.enlist(&exchange.getters, Handed::Nothing, cx);
        if exchange.settle_waiter() {
            return self.poll_listed(cx);
        }
        let handed = ready!(self.wait.poll_enlisted(&exchange.getters, cx));
        Poll::Ready(self.take(handed))
    }

    #[cold]
    fn poll_listed(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, GetError<H::Cancelled>>> {
        let handed = ready!(self.wait.poll_listed(&self.queue.exchange.getters, cx));
        Poll::Ready(self.take(handed))
    }

    fn take(
        &self,
        handed: Result<Handed, (Handed, H::Cancelled)>,
    ) -> Result<T, GetError<H::Cancelled>> {
        match handed {
            Ok(Handed::Item) => {
                let ends = Finally::new(|| self.queue.end_joins_if_idle());
                let item = self.queue.exchange.take_reserved();
                // The caller looks after them if nothing panics.
                ends.forget();
                item.ok_or(GetError::Closed)
            }
            Ok(Handed::Nothing) => Err(GetError::Closed),
            Err((_, cancelled)) => Err(GetError::Cancelled(cancelled)),
        }
    }

    /// Leaves the line, and passes the item on that it was given.
    #[cold]
    fn abandon(&mut self) {
        let exchange = &self.queue.exchange;
        if let Some(Ok(Handed::Item)) = self.wait.leave(&exchange.getters) {
            exchange.release_reserved();
        }
    }
}

impl<T, H: Host, B: Buffer<T>> Future for Get<'_, T, H, B> {
    type Output = Result<T, GetError<H::Cancelled>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let item = ready!(self.poll_item(cx));
        self.queue.end_joins_if_idle();
        Poll::Ready(item)
    }
}

impl<T, H: Host, B: Buffer<T>> Drop for Get<'_, T, H, B> {
    #[inline]
    fn drop(&mut self) {
        if self.wait.is_listed() {
            self.abandon();
        }
    }
}

impl<T, H: Host, B: Buffer<T>> fmt::Debug for Get<'_, T, H, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// A future of an item as a [`Job`]; see [`Queue::get_job`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct GetJob<'a, T, H: Host, B: Buffer<T>>(pub(super) Get<'a, T, H, B>);

impl<'a, T, H: Host, B: Buffer<T>> Future for GetJob<'a, T, H, B> {
    type Output = Result<Job<'a, T>, GetError<H::Cancelled>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Counted before the item leaves the queue, so that at no time it is in neither.
        let unfinished = Unfinished::begin(self.0.queue);
        let item = ready!(self.0.poll_item(cx));
        Poll::Ready(item.map(|item| Job::new(item, unfinished)))
    }
}

/// A future of the next item, or of the end; see [`Queue::next`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct GetNext<'a, T, H: Host, B: Buffer<T>>(pub(super) Get<'a, T, H, B>);

impl<T, H: Host, B: Buffer<T>> Future for GetNext<'_, T, H, B> {
    type Output = H::Outcome<Option<T>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let item = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(H::outcome(or_end(item)))
    }
}

/// A future of the next item as a [`Job`], or of the end; see [`Queue::next_job`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct GetNextJob<'a, T, H: Host, B: Buffer<T>>(pub(super) GetJob<'a, T, H, B>);

impl<'a, T, H: Host, B: Buffer<T>> Future for GetNextJob<'a, T, H, B> {
    type Output = H::Outcome<Option<Job<'a, T>>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let job = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(H::outcome(or_end(job)))
    }
}

/// What is got, or `None` at the end.
#[inline]
fn or_end<T, C>(got: Result<T, GetError<C>>) -> Result<Option<T>, C> {
    match got {
        Ok(got) => Ok(Some(got)),
        Err(GetError::Closed) => Ok(None),
        Err(GetError::Cancelled(cancelled)) => Err(cancelled),
    }
}
