//! The future of a send.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::pipe::{Pipe, Senders};
use crate::channel::{SendError, TrySendError};
use crate::host::Host;
use crate::shared::wait::Wait;

/// A future that sends an item; see [`Sender::send`](super::Sender::send).
#[must_use = "futures do nothing unless awaited"]
pub struct SendItem<'a, T, H: Host> {
    pipe: &'a Pipe<T>,
    /// Until it is sent, or waits in the list.
    item: Option<T>,
    wait: Wait<H>,
}

impl<'a, T, H: Host> SendItem<'a, T, H> {
    #[inline]
    pub(super) fn new(pipe: &'a Pipe<T>, item: T, at: &'static Location<'static>) -> Self {
        Self {
            pipe,
            item: Some(item),
            wait: Wait::new(at),
        }
    }

    #[inline]
    pub(super) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T, H::Cancelled>>> {
        if !self.wait.is_listed() {
            if let Err(cancelled) = ready!(self.wait.poll_begin(cx)) {
                let item = self.take_item();
                return Poll::Ready(Err(SendError::Cancelled(item, cancelled)));
            }
            let item = self.take_item();
            let sent = self.pipe.try_send(item);
            if let Some(sent) = self.settle(sent) {
                return Poll::Ready(sent);
            }
            let waker = cx.waker().clone();
            let item = self.take_item();
            if let Some(sent) = self.pipe.send_or_wait(item, &mut self.wait, waker)
                && let Some(sent) = self.settle(sent)
            {
                return Poll::Ready(sent);
            }
        }
        self.poll_listed(cx)
    }

    fn poll_listed(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T, H::Cancelled>>> {
        let left = ready!(self.wait.poll_listed(&Senders(self.pipe), cx));
        Poll::Ready(match left {
            Ok(None) => Ok(()),
            Ok(Some(item)) => Err(SendError::Closed(item)),
            Err((Some(item), cancelled)) => Err(SendError::Cancelled(item, cancelled)),
            Err((None, _)) => unreachable!("who waits to send has brought an item"),
        })
    }

    /// The result, unless the item has to wait: then it is kept.
    #[inline]
    fn settle(
        &mut self,
        sent: Result<(), TrySendError<T>>,
    ) -> Option<Result<(), SendError<T, H::Cancelled>>> {
        match sent {
            Ok(()) => Some(Ok(())),
            Err(TrySendError::Closed(item)) => Some(Err(SendError::Closed(item))),
            Err(TrySendError::Full(item)) => {
                self.item = Some(item);
                None
            }
        }
    }

    #[inline]
    fn take_item(&mut self) -> T {
        self.item
            .take()
            .expect("a send that has ended is not polled")
    }

    /// Ends the wait: whether the item was sent, or the item and whether that is because the
    /// channel is closed.
    pub(super) fn give_up(&mut self) -> Result<(), TrySendError<T>> {
        match self.wait.leave(&Senders(self.pipe)) {
            Some(Ok(None)) => Ok(()),
            Some(Ok(Some(item))) => Err(TrySendError::Closed(item)),
            Some(Err(Some(item))) => Err(TrySendError::Full(item)),
            Some(Err(None)) => unreachable!("who waits to send has brought an item"),
            None => Err(TrySendError::Full(self.take_item())),
        }
    }
}

// The item is never lent out in place.
impl<T, H: Host> Unpin for SendItem<'_, T, H> {}

impl<T, H: Host> Future for SendItem<'_, T, H> {
    type Output = Result<(), SendError<T, H::Cancelled>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_send(cx)
    }
}

impl<T, H: Host> Drop for SendItem<'_, T, H> {
    #[inline]
    fn drop(&mut self) {
        if self.wait.is_listed() {
            let left = self.wait.leave(&Senders(self.pipe));
            // Outside of the lock.
            drop(left);
        }
    }
}

impl<T, H: Host> fmt::Debug for SendItem<'_, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendItem")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
