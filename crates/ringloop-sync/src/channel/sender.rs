//! The end of a channel that items are sent from.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::error::{SendError, TrySendError};
use super::{ChannelStatistics, Shared};
use crate::host::Host;
use crate::queue::{Put, PutError, TryPutError};

/// The end of a [`channel`](crate::hosted::channel) that items are sent from.
///
/// Each clone counts as a sender; when the last one is dropped, the receivers are told as soon as
/// nothing is left. Counterpart: `trio.MemorySendChannel`.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = ringloop_sync::channel(1);
/// sender.try_send("a").unwrap();
/// assert!(sender.try_send("b").unwrap_err().is_full());
/// drop(receiver);
/// assert_eq!(sender.try_send("c").unwrap_err().into_item(), "c");
/// ```
#[must_use = "a channel without senders ends"]
pub struct Sender<T, H: Host> {
    shared: Rc<Shared<T, H>>,
}

impl<T, H: Host> Sender<T, H> {
    pub(super) fn new(shared: Rc<Shared<T, H>>) -> Self {
        Self { shared }
    }

    /// Sends an item, waiting until there is room.
    ///
    /// The send has happened as soon as the item has its place, which may be before the task runs
    /// again.
    ///
    /// # Errors
    ///
    /// Gives the item back if the channel has no receiver or is [closed](Self::close), also if that
    /// comes while the send waits; or if the wait is cancelled, on a [host](Host) with cancellation.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: cancelled before there was room, it gives the item back, and dropped, it drops
    /// the item.
    #[track_caller]
    #[inline]
    pub fn send(&self, item: T) -> SendItem<'_, T, H> {
        SendItem(self.shared.queue.put(item))
    }

    /// Sends an item if it need not wait.
    ///
    /// # Errors
    ///
    /// Gives the item back if there is no room, or if the channel has no receiver or is
    /// [closed](Self::close).
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "send_nowait")]
    #[inline]
    pub fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        self.shared
            .queue
            .try_put(item)
            .map_err(|error| match error {
                TryPutError::Full(item) => TrySendError::Full(item),
                TryPutError::Closed(item) => TrySendError::Closed(item),
            })
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

    /// Returns whether a send would fail: there is no receiver, or the channel was closed.
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

impl<T, H: Host> Clone for Sender<T, H> {
    fn clone(&self) -> Self {
        self.shared.senders.update(|senders| senders + 1);
        Self::new(Rc::clone(&self.shared))
    }
}

impl<T, H: Host> Drop for Sender<T, H> {
    fn drop(&mut self) {
        self.shared.senders.update(|senders| senders - 1);
        if self.shared.senders.get() == 0 {
            self.shared.queue.close();
        }
    }
}

impl<T, H: Host> fmt::Debug for Sender<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.describe("Sender", f)
    }
}

/// A future of room for an item; see [`Sender::send`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct SendItem<'a, T, H: Host>(Put<'a, T, H, VecDeque<T>>);

impl<T, H: Host> Future for SendItem<'_, T, H> {
    type Output = Result<(), SendError<T, H::Cancelled>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let put = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(put.map_err(|error| match error {
            PutError::Closed(item) => SendError::Closed(item),
            PutError::Cancelled(item, cancelled) => SendError::Cancelled(item, cancelled),
        }))
    }
}
