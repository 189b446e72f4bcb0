//! One value from a setter to a waiter on different threads.
//!
//! The same hand-over as the postbox of one thread, with a mutex around the state. The mutex is
//! held for a transition of the state and nothing else: the value moves in and out under it, and
//! wakers are cloned, woken and dropped outside.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::delivery::{self, Abandoned, Delivery};
use crate::loom::Mutex;

/// Makes the two ends of a hand-over of one value from thread to thread.
///
/// Either end may live on either thread. Counterpart: `concurrent.futures.Future`, awaited through
/// `asyncio.wrap_future`. On one thread, [`postbox`](crate::postbox()) is cheaper.
///
/// # Examples
///
/// ```
/// use ringloop_core::remote_postbox;
///
/// let (setter, mut postbox) = remote_postbox();
/// std::thread::spawn(|| setter.set("from afar")).join().unwrap().unwrap();
/// assert_eq!(postbox.try_take(), Some(Ok("from afar")));
/// ```
#[doc(alias("oneshot", "wrap_future"))]
pub fn remote_postbox<T: Send>() -> (RemoteSetter<T>, RemotePostbox<T>) {
    let shared = Arc::new(Mutex::new(Delivery::new()));
    (
        RemoteSetter {
            shared: shared.clone(),
        },
        RemotePostbox { shared },
    )
}

/// The end of a [`remote_postbox()`] that puts the value in, from any thread.
///
/// Dropped without setting, it tells the waiter [`Abandoned`].
#[must_use = "dropping the setter abandons the postbox"]
pub struct RemoteSetter<T> {
    shared: Arc<Mutex<Delivery<T>>>,
}

impl<T> RemoteSetter<T> {
    /// Sets the value and wakes the waiter.
    ///
    /// Counterpart: `concurrent.futures.Future.set_result`.
    ///
    /// # Errors
    ///
    /// Gives the value back if the [`RemotePostbox`] is gone.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// let (setter, postbox) = ringloop_core::remote_postbox();
    /// drop(postbox);
    /// assert_eq!(setter.set(7), Err(7));
    /// ```
    #[doc(alias = "set_result")]
    pub fn set(self, value: T) -> Result<(), T> {
        delivery::set(&*self.shared, value)
    }

    /// Returns whether the [`RemotePostbox`] is gone, so that nobody waits for the value.
    ///
    /// Counterpart: `concurrent.futures.Future.cancelled`, asked by the worker.
    ///
    /// # Examples
    ///
    /// ```
    /// let (setter, postbox) = ringloop_core::remote_postbox::<u32>();
    /// assert!(!setter.is_closed());
    /// drop(postbox);
    /// assert!(setter.is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        delivery::is_closed(&*self.shared)
    }
}

impl<T> Drop for RemoteSetter<T> {
    fn drop(&mut self) {
        delivery::abandon(&*self.shared);
    }
}

impl<T> fmt::Debug for RemoteSetter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSetter")
            .field("state", &format_args!("{}", delivery::name(&*self.shared)))
            .finish()
    }
}

/// The end of a [`remote_postbox()`] that waits for the value.
///
/// A future of the value, or of [`Abandoned`] if the setter is dropped without setting it. The
/// waker of the last poll is the one that is woken. Dropping the postbox drops a value that is in
/// it, and closes it for the setter.
///
/// # Panics
///
/// Polling panics once the answer was taken, by an earlier poll or [`try_take`](Self::try_take).
///
/// # Cancel safety
///
/// Cancel safe: dropped or cancelled before it completes, it had no effect. A value that is set
/// afterwards goes back to the caller of [`RemoteSetter::set`], but one that was set before and not
/// taken is dropped with the postbox. To stop waiting and come back later, await it by `&mut`.
#[must_use = "a postbox does nothing unless it is awaited"]
pub struct RemotePostbox<T> {
    shared: Arc<Mutex<Delivery<T>>>,
}

impl<T> RemotePostbox<T> {
    /// Takes the answer if there is one, without waiting.
    ///
    /// `None` means not yet, or that it was taken before.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn try_take(&mut self) -> Option<Result<T, Abandoned>> {
        delivery::take(&*self.shared)
    }
}

impl<T> Future for RemotePostbox<T> {
    type Output = Result<T, Abandoned>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        delivery::poll(&*self.shared, cx.waker()).expect("a postbox gives its answer only once")
    }
}

impl<T> Drop for RemotePostbox<T> {
    fn drop(&mut self) {
        delivery::close(&*self.shared);
    }
}

impl<T> fmt::Debug for RemotePostbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemotePostbox")
            .field("state", &format_args!("{}", delivery::name(&*self.shared)))
            .finish()
    }
}

#[cfg(test)]
mod tests;
