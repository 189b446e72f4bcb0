//! The end of a channel that items come out of.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::error::{RecvError, TryRecvError};
use super::{ChannelStatistics, Shared};
use crate::host::Host;
use crate::queue::{Get, GetError, TryGetError};

/// The end of a [`channel`](crate::hosted::channel) that items come out of.
///
/// Each clone counts as a receiver, and each item goes to one of them. When the last one is
/// dropped, what is left in the channel is dropped with it. Counterpart:
/// `trio.MemoryReceiveChannel`.
///
/// # Examples
///
/// ```
/// use ringloop_sync::TryRecvError;
///
/// let (sender, receiver) = ringloop_sync::unbounded_channel();
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
/// sender.try_send(7).unwrap();
/// drop(sender);
/// assert_eq!(receiver.clone().try_recv(), Ok(7));
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
/// ```
#[must_use = "a channel without receivers ends"]
pub struct Receiver<T, H: Host> {
    shared: Rc<Shared<T, H>>,
}

impl<T, H: Host> Receiver<T, H> {
    pub(super) fn new(shared: Rc<Shared<T, H>>) -> Self {
        Self { shared }
    }

    /// Receives the next item, waiting until there is one.
    ///
    /// # Errors
    ///
    /// That the channel has no sender or is [closed](Self::close), and nothing is left in it, or, on
    /// a [host](Host) with cancellation, why the wait was cancelled.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled, it leaves its place in the line, or passes the item on
    /// that it was given.
    #[doc(alias = "receive")]
    #[track_caller]
    #[inline]
    pub fn recv(&self) -> Recv<'_, T, H> {
        Recv(self.shared.queue.get())
    }

    /// Receives the next item if it need not wait.
    ///
    /// # Errors
    ///
    /// That there is no item, or none that is not on its way to somebody, or that the channel has
    /// no sender or is [closed](Self::close) and nothing is left in it.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "receive_nowait")]
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.shared.queue.try_get().map_err(|error| match error {
            TryGetError::Empty => TryRecvError::Empty,
            TryGetError::Closed => TryRecvError::Closed,
        })
    }

    /// Receives the next item, waiting until there is one. `None`: the channel has no sender or is
    /// [closed](Self::close), and nothing is left in it.
    ///
    /// [`recv`](Self::recv), in the form of an iteration: `while let Some(item) =
    /// receiver.next().await`, with a `?` after it on a [host](Host) with cancellation.
    ///
    /// # Errors
    ///
    /// On such a host, why the wait was cancelled.
    ///
    /// # Cancel safety
    ///
    /// As [`recv`](Self::recv).
    #[doc(alias = "__anext__")]
    #[track_caller]
    #[inline]
    pub fn next(&self) -> RecvNext<'_, T, H> {
        RecvNext(self.recv())
    }

    /// Ends the channel for all who have an end of it: sends fail from now on, and receivers get
    /// what is left.
    ///
    /// Those who wait to send get their items back. To give up this end alone, drop it.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn close(&self) {
        self.shared.queue.close();
    }

    /// Returns whether nothing more is sent: there is no sender, or the channel was closed. There
    /// may be items left in it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.queue.is_closed()
    }

    /// Returns how many items are in the channel that are not on their way to somebody.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.queue.len()
    }

    /// Returns whether there is no item that is not on its way to somebody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shared.queue.is_empty()
    }

    /// Returns whether a send would wait.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.shared.queue.is_full()
    }

    /// Returns how many items may wait in the channel. `None`: any number.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        self.shared.queue.capacity()
    }

    /// Returns how things stand.
    #[must_use]
    pub fn statistics(&self) -> ChannelStatistics {
        self.shared.statistics()
    }
}

impl<T, H: Host> Clone for Receiver<T, H> {
    fn clone(&self) -> Self {
        self.shared.receivers.update(|receivers| receivers + 1);
        Self::new(Rc::clone(&self.shared))
    }
}

impl<T, H: Host> Drop for Receiver<T, H> {
    fn drop(&mut self) {
        self.shared.receivers.update(|receivers| receivers - 1);
        if self.shared.receivers.get() == 0 {
            drop(self.shared.queue.close_now());
        }
    }
}

impl<T, H: Host> fmt::Debug for Receiver<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.describe("Receiver", f)
    }
}

/// A future of an item; see [`Receiver::recv`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Recv<'a, T, H: Host>(Get<'a, T, H, VecDeque<T>>);

impl<T, H: Host> Future for Recv<'_, T, H> {
    type Output = Result<T, RecvError<H::Cancelled>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let item = ready!(self.0.poll_item(cx));
        Poll::Ready(item.map_err(|error| match error {
            GetError::Closed => RecvError::Closed,
            GetError::Cancelled(cancelled) => RecvError::Cancelled(cancelled),
        }))
    }
}

/// A future of the next item, or of the end; see [`Receiver::next`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct RecvNext<'a, T, H: Host>(Recv<'a, T, H>);

impl<T, H: Host> Future for RecvNext<'_, T, H> {
    type Output = H::Outcome<Option<T>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let item = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(H::outcome(match item {
            Ok(item) => Ok(Some(item)),
            Err(RecvError::Closed) => Ok(None),
            Err(RecvError::Cancelled(cancelled)) => Err(cancelled),
        }))
    }
}
