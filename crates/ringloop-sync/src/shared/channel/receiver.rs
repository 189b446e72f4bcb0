//! The end of a channel where items come out.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::Duration;

use super::error::RecvTimeoutError;
use super::pipe::Pipe;
use super::recv::{Recv, RecvNext};
use crate::channel::{ChannelStatistics, RecvError, TryRecvError};
use crate::host::{AnyExecutor, Host};
use crate::loom::Arc;
use ringloop_core::block_on;

/// The end of a [channel](crate::shared::channel()) where items come out.
///
/// Clones of it belong to the same channel, and each item goes to one of them. When the last one is
/// dropped the channel is closed, and what is in it is dropped.
pub struct Receiver<T, H> {
    pipe: Arc<Pipe<T>>,
    host: PhantomData<fn() -> H>,
}

impl<T, H: Host> Receiver<T, H> {
    /// The one that the pipe counts already.
    pub(super) fn new(pipe: Arc<Pipe<T>>) -> Self {
        Self {
            pipe,
            host: PhantomData,
        }
    }

    /// Receives the next item, waiting until those who came before have one.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] if the channel is closed or has no sender, and everything was received;
    /// [`RecvError::Cancelled`] on a [host](Host) with cancellation.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled, it leaves its place in the line, or passes the item on that
    /// it was woken for. Items come out in the order in which they were sent, whoever goes.
    #[doc(alias = "get")]
    #[track_caller]
    #[inline]
    pub fn recv(&self) -> Recv<'_, T, H> {
        Recv::new(&self.pipe, Location::caller())
    }

    /// Receives the next item, or `None` at the end: for loops.
    ///
    /// Counterpart: `async for item in channel` of Trio.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled.
    ///
    /// # Cancel safety
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use std::task::{Context, Poll, Waker};
    /// use ringloop_sync::shared;
    ///
    /// let (sender, receiver) = shared::channel(2);
    /// let thread = std::thread::spawn(move || [1, 2].map(|item| sender.blocking_send(item)));
    /// # thread.join().unwrap();
    /// # let mut cx = Context::from_waker(Waker::noop());
    /// # let mut task = pin!(async {
    /// let mut sum = 0;
    /// while let Some(item) = receiver.next().await {
    ///     sum += item;
    /// }
    /// assert_eq!(sum, 3);
    /// # });
    /// # assert!(task.as_mut().poll(&mut cx).is_ready());
    /// ```
    #[doc(alias("stream", "iter"))]
    #[track_caller]
    #[inline]
    pub fn next(&self) -> RecvNext<'_, T, H> {
        RecvNext(Recv::new(&self.pipe, Location::caller()))
    }

    /// Receives the next item if there is one that is not on its way to another receiver.
    ///
    /// # Errors
    ///
    /// Whether there is none yet, or will be none.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.pipe.try_recv()
    }

    /// Receives the next item, blocking this thread until there is one.
    ///
    /// For plain threads. On the thread of an event loop it stops the loop, for ever if the sender
    /// is a task of that loop: await [`recv`](Self::recv) there.
    ///
    /// # Errors
    ///
    /// If the channel is closed or has no sender, and everything was received.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    #[track_caller]
    #[inline]
    pub fn blocking_recv(&self) -> Result<T, RecvError> {
        match self.block(None, Location::caller()) {
            Ok(item) => Ok(item),
            Err(TryRecvError::Closed) => Err(RecvError::Closed),
            Err(TryRecvError::Empty) => unreachable!("without a timeout it waits for an item"),
        }
    }

    /// Receives the next item, blocking this thread for at most `timeout`.
    ///
    /// # Errors
    ///
    /// If there was none in time, or there will be none.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    #[track_caller]
    pub fn blocking_recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let received = self.block(Some(timeout), Location::caller());
        received.map_err(|error| match error {
            TryRecvError::Closed => RecvTimeoutError::Closed,
            TryRecvError::Empty => RecvTimeoutError::Timeout,
        })
    }

    #[inline]
    fn block(
        &self,
        timeout: Option<Duration>,
        at: &'static Location<'static>,
    ) -> Result<T, TryRecvError> {
        match self.pipe.try_recv() {
            Err(TryRecvError::Empty) => self.block_empty(timeout, at),
            received => received,
        }
    }

    fn block_empty(
        &self,
        timeout: Option<Duration>,
        at: &'static Location<'static>,
    ) -> Result<T, TryRecvError> {
        let mut wait = Recv::<T, AnyExecutor>::new(&self.pipe, at);
        match block_on(timeout, |cx| wait.poll_recv(cx)) {
            Some(received) => received.map_err(|_closed| TryRecvError::Closed),
            None => wait.give_up(),
        }
    }

    /// Closes the channel, as [`Sender::close`](super::Sender::close) does.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn close(&self) {
        self.pipe.close();
    }

    /// Returns whether the channel was closed, or has no sender. There may be items in it.
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
    /// Counterpart: `trio.MemoryReceiveChannel.statistics`.
    #[must_use]
    pub fn statistics(&self) -> ChannelStatistics {
        self.pipe.statistics()
    }
}

impl<T, H> Clone for Receiver<T, H> {
    fn clone(&self) -> Self {
        self.pipe.add_receiver();
        Self {
            pipe: Arc::clone(&self.pipe),
            host: PhantomData,
        }
    }
}

impl<T, H> Drop for Receiver<T, H> {
    fn drop(&mut self) {
        self.pipe.remove_receiver();
    }
}

impl<T, H> fmt::Debug for Receiver<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("channel", &self.pipe.statistics())
            .finish_non_exhaustive()
    }
}
