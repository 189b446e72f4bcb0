//! The end of a broadcast that receives.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::rc::Rc;

use super::error::TryRecvError;
use super::recv::{Next, Recv};
use super::shared::Shared;
use crate::host::Host;

/// The end of a broadcast that receives. A clone gets everything that its original is to get yet.
///
/// Every receiver gets every item, in the order of sending, unless it is too slow: then it is told
/// how many are lost to it, and goes on with the oldest one that is left. An item is cloned for all
/// receivers but the last, which gets the item itself. Counterpart:
/// `tokio::sync::broadcast::Receiver`.
///
/// # Examples
///
/// ```
/// let (sender, mut receiver) = ringloop_sync::broadcast::channel(4);
/// sender.send('a')?;
/// let mut twin = receiver.clone();
/// assert_eq!(receiver.try_recv(), Ok('a'));
/// assert_eq!(twin.try_recv(), Ok('a'));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "items that nobody receives were sent in vain"]
pub struct Receiver<T, H> {
    shared: Rc<Shared<T>>,
    next: u64,
    host: PhantomData<fn() -> H>,
}

impl<T, H: Host> Receiver<T, H> {
    /// Makes a receiver that was counted already.
    pub(super) fn of_entered(shared: Rc<Shared<T>>, next: u64) -> Self {
        Self {
            shared,
            next,
            host: PhantomData,
        }
    }

    /// Receives the next item, waiting for one.
    ///
    /// # Errors
    ///
    /// [`RecvError::Lagged`](super::RecvError::Lagged) once if items are lost to this receiver,
    /// `Closed` if there is nothing and nothing will come, and `Cancelled` on a [host](Host) with
    /// cancellation.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    #[inline]
    pub fn recv(&mut self) -> Recv<'_, T, H>
    where
        T: Clone,
    {
        Recv::new(&self.shared, &mut self.next, Location::caller())
    }

    /// Receives the next item as [`recv`](Self::recv) does, with `None` for the end: for loops.
    ///
    /// # Errors
    ///
    /// Those of `recv` without `Closed`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use std::task::{Context, Poll, Waker};
    /// let (sender, mut receiver) = ringloop_sync::broadcast::channel(4);
    /// # let mut cx = Context::from_waker(Waker::noop());
    /// # let mut task = pin!(async {
    /// sender.send(1)?;
    /// sender.send(2)?;
    /// drop(sender);
    /// let mut sum = 0;
    /// while let Some(item) = receiver.next().await? {
    ///     sum += item;
    /// }
    /// assert_eq!(sum, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # });
    /// # assert!(matches!(task.as_mut().poll(&mut cx), Poll::Ready(Ok(()))));
    /// ```
    #[expect(
        clippy::should_implement_trait,
        reason = "the name that streams use, too"
    )]
    #[track_caller]
    #[inline]
    pub fn next(&mut self) -> Next<'_, T, H>
    where
        T: Clone,
    {
        Next::new(self.recv())
    }

    /// Receives the next item, if it is there.
    ///
    /// # Errors
    ///
    /// Why there is none.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError>
    where
        T: Clone,
    {
        self.shared.try_recv(&mut self.next)
    }

    /// Returns how many items are there for this receiver, without those that are lost to it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.len_from(self.next)
    }

    /// Returns whether the receiver has seen everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether nothing can be sent any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }
}

impl<T, H> Clone for Receiver<T, H> {
    fn clone(&self) -> Self {
        self.shared.enter(self.next);
        Self {
            shared: Rc::clone(&self.shared),
            next: self.next,
            host: PhantomData,
        }
    }
}

impl<T, H> Drop for Receiver<T, H> {
    fn drop(&mut self) {
        self.shared.leave(self.next);
    }
}

impl<T, H> fmt::Debug for Receiver<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("len", &self.shared.len_from(self.next))
            .field("shared", &self.shared)
            .finish()
    }
}
