//! The futures of a broadcast.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::error::{RecvError, TryRecvError};
use super::shared::Shared;
use crate::host::Host;
use crate::wait::Wait;

/// A future of the next item; see [`Receiver::recv`](super::Receiver).
#[must_use = "futures do nothing unless awaited"]
pub struct Recv<'a, T, H: Host> {
    shared: &'a Shared<T>,
    next: &'a mut u64,
    wait: Wait<H>,
}

impl<'a, T, H: Host> Recv<'a, T, H> {
    #[inline]
    pub(super) fn new(
        shared: &'a Shared<T>,
        next: &'a mut u64,
        at: &'static Location<'static>,
    ) -> Self {
        Self {
            shared,
            next,
            wait: Wait::new(at),
        }
    }
}

impl<T: Clone, H: Host> Recv<'_, T, H> {
    #[inline]
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError<H::Cancelled>>> {
        loop {
            if self.wait.is_listed() {
                ready!(self.wait.poll_listed(&self.shared.waiting, cx))
                    .map_err(|((), cancelled)| RecvError::Cancelled(cancelled))?;
            } else {
                ready!(self.wait.poll_begin(cx)).map_err(RecvError::Cancelled)?;
            }
            return Poll::Ready(match self.shared.try_recv(self.next) {
                Ok(item) => Ok(item),
                Err(TryRecvError::Lagged(lost)) => Err(RecvError::Lagged(lost)),
                Err(TryRecvError::Closed) => Err(RecvError::Closed),
                Err(TryRecvError::Empty) => {
                    self.wait.enlist(&self.shared.waiting, (), cx);
                    // A waker's clone is foreign code, which may have sent something.
                    if self.shared.has_news(*self.next) {
                        self.wait.leave(&self.shared.waiting);
                    }
                    continue;
                }
            });
        }
    }
}

impl<T: Clone, H: Host> Future for Recv<'_, T, H> {
    type Output = Result<T, RecvError<H::Cancelled>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_recv(cx)
    }
}

impl<T, H: Host> Drop for Recv<'_, T, H> {
    #[inline]
    fn drop(&mut self) {
        if self.wait.is_listed() {
            self.wait.leave(&self.shared.waiting);
        }
    }
}

impl<T, H: Host> fmt::Debug for Recv<'_, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recv")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// A future of the next item, `None` at the end; see [`Receiver::next`](super::Receiver).
#[must_use = "futures do nothing unless awaited"]
pub struct Next<'a, T, H: Host>(Recv<'a, T, H>);

impl<'a, T, H: Host> Next<'a, T, H> {
    #[inline]
    pub(super) fn new(recv: Recv<'a, T, H>) -> Self {
        Self(recv)
    }
}

impl<T: Clone, H: Host> Future for Next<'_, T, H> {
    type Output = Result<Option<T>, RecvError<H::Cancelled>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_recv(cx).map(|received| match received {
            Ok(item) => Ok(Some(item)),
            Err(RecvError::Closed) => Ok(None),
            Err(error) => Err(error),
        })
    }
}

impl<T, H: Host> fmt::Debug for Next<'_, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Next").field(&self.0).finish()
    }
}
