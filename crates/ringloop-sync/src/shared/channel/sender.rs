//! The end of a channel where items go in.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::Duration;

use super::error::SendTimeoutError;
use super::pipe::Pipe;
use super::send::SendItem;
use crate::channel::{ChannelStatistics, SendError, TrySendError};
use crate::host::{AnyExecutor, Host};
use crate::loom::Arc;
use ringloop_core::block_on;

/// The end of a [channel](crate::shared::channel()) where items go in.
///
/// Clones of it belong to the same channel. When the last one is dropped the channel is closed:
/// receivers get what is in it, and then the end.
pub struct Sender<T, H> {
    pipe: Arc<Pipe<T>>,
    host: PhantomData<fn() -> H>,
}

impl<T, H: Host> Sender<T, H> {
    /// The one that the pipe counts already.
    pub(super) fn new(pipe: Arc<Pipe<T>>) -> Self {
        Self {
            pipe,
            host: PhantomData,
        }
    }

    /// Sends an item, waiting for a place until those who came before have one.
    ///
    /// With capacity 0 it waits until a receiver has come for the item.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`] with the item if the channel is closed or has no receiver;
    /// [`SendError::Cancelled`] with the item on a [host](Host) with cancellation.
    ///
    /// # Panics
    ///
    /// The future, if it is polled after it has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: cancelled, it gives the item back, or was sent; dropped before it was sent, the
    /// item is dropped with it.
    #[doc(alias = "put")]
    #[track_caller]
    #[inline]
    pub fn send(&self, item: T) -> SendItem<'_, T, H> {
        SendItem::new(&self.pipe, item, Location::caller())
    }

    /// Sends an item if there is a place that nobody waits for, or a receiver that waits.
    ///
    /// # Errors
    ///
    /// The item, if not.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        self.pipe.try_send(item)
    }

    /// Sends an item, blocking this thread until there is a place for it.
    ///
    /// For plain threads. On the thread of an event loop it stops the loop, for ever if the receiver
    /// is a task of that loop: await [`send`](Self::send) there.
    ///
    /// # Errors
    ///
    /// The item, if the channel is closed or has no receiver.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    #[track_caller]
    #[inline]
    pub fn blocking_send(&self, item: T) -> Result<(), SendError<T>> {
        match self.block(item, None, Location::caller()) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(item)) => Err(SendError::Closed(item)),
            Err(TrySendError::Full(_)) => unreachable!("without a timeout it waits for a place"),
        }
    }

    /// Sends an item, blocking this thread for at most `timeout`.
    ///
    /// # Errors
    ///
    /// The item, if there was no place in time, or the channel is closed or has no receiver.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    #[track_caller]
    pub fn blocking_send_timeout(
        &self,
        item: T,
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<T>> {
        let sent = self.block(item, Some(timeout), Location::caller());
        sent.map_err(|error| match error {
            TrySendError::Closed(item) => SendTimeoutError::Closed(item),
            TrySendError::Full(item) => SendTimeoutError::Timeout(item),
        })
    }

    #[inline]
    fn block(
        &self,
        item: T,
        timeout: Option<Duration>,
        at: &'static Location<'static>,
    ) -> Result<(), TrySendError<T>> {
        match self.pipe.try_send(item) {
            Err(TrySendError::Full(item)) => self.block_full(item, timeout, at),
            sent => sent,
        }
    }

    fn block_full(
        &self,
        item: T,
        timeout: Option<Duration>,
        at: &'static Location<'static>,
    ) -> Result<(), TrySendError<T>> {
        let mut wait = SendItem::<T, AnyExecutor>::new(&self.pipe, item, at);
        match block_on(timeout, |cx| wait.poll_send(cx)) {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(TrySendError::Closed(error.into_item())),
            None => wait.give_up(),
        }
    }

    /// Closes the channel: nothing more is let in, who waits to send gets the item back, and
    /// receivers get what is in it, and then the end.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn close(&self) {
        self.pipe.close();
    }

    /// Returns whether the channel was closed, or has no receiver.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.pipe.is_closed()
    }

    /// Returns how many items are in it that are not on their way to somebody.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pipe.len()
    }

    /// Returns whether nothing is in it that is not on its way to somebody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether a send has to wait, unless a receiver waits.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.capacity()
            .is_some_and(|capacity| self.len() >= capacity)
    }

    /// Returns how many items are let in before senders have to wait, or `None` without a bound.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        self.pipe.capacity()
    }

    /// Returns how things stand; they may stand differently by then.
    ///
    /// Counterpart: `trio.MemorySendChannel.statistics`.
    #[must_use]
    pub fn statistics(&self) -> ChannelStatistics {
        self.pipe.statistics()
    }
}

impl<T, H> Clone for Sender<T, H> {
    fn clone(&self) -> Self {
        self.pipe.add_sender();
        Self {
            pipe: Arc::clone(&self.pipe),
            host: PhantomData,
        }
    }
}

impl<T, H> Drop for Sender<T, H> {
    fn drop(&mut self) {
        self.pipe.remove_sender();
    }
}

impl<T, H> fmt::Debug for Sender<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("channel", &self.pipe.statistics())
            .finish_non_exhaustive()
    }
}
