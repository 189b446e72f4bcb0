//! One value from a setter to a waiter on the same thread.
//!
//! The two ends share one reference-counted cell without atomics. What happens in which order is
//! in the state table of the delivery they share; the postbox between threads uses the same one.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::delivery::{self, Abandoned, Delivery};

/// Makes the two ends of a hand-over of one value on one thread.
///
/// Counterpart: `loop.create_future()` of asyncio, with the right to set the result split off.
/// Between threads, use [`remote_postbox`](crate::remote_postbox()).
///
/// # Examples
///
/// ```
/// use ringloop_core::postbox;
///
/// let (setter, mut postbox) = postbox();
/// assert_eq!(postbox.try_take(), None);
/// setter.set("here").unwrap();
/// assert_eq!(postbox.try_take(), Some(Ok("here")));
/// ```
#[doc(alias("oneshot", "create_future"))]
pub fn postbox<T>() -> (Setter<T>, Postbox<T>) {
    let shared = Rc::new(RefCell::new(Delivery::new()));
    (
        Setter {
            shared: shared.clone(),
        },
        Postbox { shared },
    )
}

/// The end of a [`postbox()`] that puts the value in.
///
/// Dropped without setting, it tells the waiter [`Abandoned`].
#[must_use = "dropping the setter abandons the postbox"]
pub struct Setter<T> {
    shared: Rc<RefCell<Delivery<T>>>,
}

impl<T> Setter<T> {
    /// Sets the value and wakes the waiter.
    ///
    /// Counterpart: `Future.set_result` of asyncio.
    ///
    /// # Errors
    ///
    /// Gives the value back if the [`Postbox`] is gone.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// let (setter, postbox) = ringloop_core::postbox();
    /// drop(postbox);
    /// assert_eq!(setter.set(7), Err(7));
    /// ```
    #[doc(alias = "set_result")]
    pub fn set(self, value: T) -> Result<(), T> {
        delivery::set(&*self.shared, value)
    }

    /// Returns whether the [`Postbox`] is gone, so that nobody waits for the value.
    ///
    /// Counterpart: `Future.cancelled` of asyncio, asked by whoever was to set the result.
    ///
    /// # Examples
    ///
    /// ```
    /// let (setter, postbox) = ringloop_core::postbox::<u32>();
    /// assert!(!setter.is_closed());
    /// drop(postbox);
    /// assert!(setter.is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        delivery::is_closed(&*self.shared)
    }
}

impl<T> Drop for Setter<T> {
    fn drop(&mut self) {
        delivery::abandon(&*self.shared);
    }
}

impl<T> fmt::Debug for Setter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setter")
            .field("state", &format_args!("{}", delivery::name(&*self.shared)))
            .finish()
    }
}

/// The end of a [`postbox()`] that waits for the value.
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
/// afterwards goes back to the caller of [`Setter::set`], but one that was set before and not taken
/// is dropped with the postbox. To stop waiting and come back later, await it by `&mut`.
#[must_use = "a postbox does nothing unless it is awaited"]
pub struct Postbox<T> {
    shared: Rc<RefCell<Delivery<T>>>,
}

impl<T> Postbox<T> {
    /// Takes the answer if there is one, without waiting.
    ///
    /// `None` means not yet, or that it was taken before. Counterpart: `Future.result` of asyncio
    /// after a look at `Future.done`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn try_take(&mut self) -> Option<Result<T, Abandoned>> {
        delivery::take(&*self.shared)
    }
}

impl<T> Future for Postbox<T> {
    type Output = Result<T, Abandoned>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        delivery::poll(&*self.shared, cx.waker()).expect("a postbox gives its answer only once")
    }
}

impl<T> Drop for Postbox<T> {
    fn drop(&mut self) {
        delivery::close(&*self.shared);
    }
}

impl<T> fmt::Debug for Postbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postbox")
            .field("state", &format_args!("{}", delivery::name(&*self.shared)))
            .finish()
    }
}
