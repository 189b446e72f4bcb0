//! The ends of a postbox on one thread.
//!
//! They share one reference-counted cell without atomics, which is the only allocation.

use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::abandoned::Abandoned;
use super::callbacks::{Callback, CallbackKey};
use super::delivery::{Delivery, State};
use super::readers::Inbox;
use super::shared::SharedPostbox;

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
#[inline]
pub fn postbox<T>() -> (Setter<T>, Postbox<T>) {
    let shared = Rc::new(Delivery::new());
    (
        Setter {
            shared: shared.clone(),
        },
        Postbox { shared },
    )
}

/// The end of a [`postbox()`] that puts the value in.
///
/// Dropped without setting, it tells the waiter [`Abandoned`]. Where several parties may set the
/// value, they share one setter (`Rc<Setter<T>>`) and use [`try_set`](Self::try_set).
#[must_use = "dropping the setter abandons the postbox"]
pub struct Setter<T> {
    shared: Rc<Delivery<T>>,
}

impl<T> Setter<T> {
    /// Sets the value, calls the callbacks, and wakes the waiter.
    ///
    /// Counterpart: `Future.set_result` of asyncio.
    ///
    /// # Errors
    ///
    /// Gives the value back if the [`Postbox`] is gone, or holds an answer by
    /// [`try_set`](Self::try_set).
    ///
    /// # Panics
    ///
    /// If a callback or the waiter's waker does; see [`Postbox::on_set`].
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
    #[inline]
    pub fn set(self, value: T) -> Result<(), T> {
        self.shared.set(value)
    }

    /// Does the same and keeps the setter: the first value is the one that counts.
    ///
    /// # Errors
    ///
    /// Gives the value back if there is one already, or the [`Postbox`] is gone. Counterpart:
    /// `InvalidStateError` of asyncio.
    ///
    /// # Panics
    ///
    /// As [`set`](Self::set).
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// let (setter, mut postbox) = ringloop_core::postbox();
    /// assert_eq!(setter.try_set("quick"), Ok(()));
    /// assert_eq!(setter.try_set("slow"), Err("slow"));
    /// assert_eq!(postbox.try_take(), Some(Ok("quick")));
    /// ```
    #[doc(alias = "InvalidStateError")]
    pub fn try_set(&self, value: T) -> Result<(), T> {
        self.shared.set(value)
    }

    /// Returns whether a value was set, so that another one would come back.
    #[must_use]
    pub fn is_set(&self) -> bool {
        match self.shared.state() {
            State::Calling | State::Set | State::Taken => true,
            State::Awaited | State::Listened | State::Abandoned | State::Closed => false,
        }
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
        self.shared.state() == State::Closed
    }
}

impl<T> Drop for Setter<T> {
    #[inline]
    fn drop(&mut self) {
        self.shared.abandon();
    }
}

impl<T> fmt::Debug for Setter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setter")
            .field("state", &self.shared.state())
            .finish()
    }
}

/// The end of a [`postbox()`] that waits for the value.
///
/// A future of the value, or of [`Abandoned`] if the setter is dropped without setting it. The
/// waker of the last poll is the one that is woken. Dropping the postbox drops a value that is in
/// it and the callbacks that wait, and closes it for the setter. For several readers there is
/// [`shared`](Self::shared).
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
    shared: Rc<Delivery<T>>,
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
    #[inline]
    pub fn try_take(&mut self) -> Option<Result<T, Abandoned>> {
        self.shared.take()
    }

    /// Shows the answer to `look`, if there is one, and leaves it where it is.
    ///
    /// `None` means not yet, or that it was taken before.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// let (setter, mut postbox) = ringloop_core::postbox();
    /// setter.set(String::from("here")).unwrap();
    /// assert_eq!(postbox.peek(|answer| answer.map(String::len)), Some(Ok(4)));
    /// assert_eq!(postbox.try_take(), Some(Ok(String::from("here"))));
    /// ```
    pub fn peek<R>(&mut self, look: impl FnOnce(Result<&T, Abandoned>) -> R) -> Option<R> {
        self.shared.peek(look)
    }

    /// Returns whether the answer has come, also when it was taken since.
    ///
    /// Counterpart: `Future.done` of asyncio.
    #[doc(alias = "done")]
    #[must_use]
    pub fn is_set(&self) -> bool {
        match self.shared.state() {
            State::Set | State::Abandoned | State::Taken => true,
            State::Awaited | State::Listened | State::Calling | State::Closed => false,
        }
    }

    /// Has `callback` called with the answer.
    ///
    /// Callbacks run in the order of their registration, inside [`Setter::set`] or the drop of the
    /// setter, before the postbox has the answer and its waiter is woken. So a callback may use
    /// either end; it finds the answer on its way. If the answer is there already, the callback is
    /// called at once; if it was taken before, never. Those that still wait when the postbox is
    /// dropped are dropped with it. Counterpart: `Future.add_done_callback` of asyncio.
    ///
    /// A callback that panics keeps no other from running and no answer from coming: the first
    /// panic goes on to the caller of `set` when all that is done.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::postbox;
    ///
    /// let (setter, mut postbox) = postbox();
    /// postbox.on_set(|answer| assert_eq!(answer, Ok(&7)));
    /// let mistake = postbox.on_set(|_| unreachable!("taken back"));
    /// assert!(postbox.remove_callback(mistake));
    /// setter.set(7).unwrap();
    /// assert_eq!(postbox.try_take(), Some(Ok(7)));
    /// ```
    #[doc(alias = "add_done_callback")]
    pub fn on_set(
        &mut self,
        callback: impl FnOnce(Result<&T, Abandoned>) + 'static,
    ) -> CallbackKey {
        self.shared
            .listen(Box::new(callback))
            .unwrap_or_else(|callback| {
                self.shared.peek(callback);
                CallbackKey::NONE
            })
    }

    /// Takes a callback back and drops it. Returns whether it was still waiting.
    ///
    /// A key of another postbox names nothing here, or somebody else. Counterpart:
    /// `Future.remove_done_callback` of asyncio.
    #[doc(alias = "remove_done_callback")]
    pub fn remove_callback(&mut self, key: CallbackKey) -> bool {
        self.shared.unlisten(key).is_some()
    }

    /// Makes a postbox that any number of readers may wait for.
    ///
    /// # Examples
    ///
    /// ```
    /// let (setter, postbox) = ringloop_core::postbox();
    /// let one = postbox.shared();
    /// let other = one.clone();
    /// setter.set("for all").unwrap();
    /// assert_eq!(one.peek(), Some(Ok("for all")));
    /// assert_eq!(other.peek(), Some(Ok("for all")));
    /// ```
    pub fn shared(self) -> SharedPostbox<T>
    where
        T: Clone,
    {
        SharedPostbox::new(self)
    }
}

impl<T> Future for Postbox<T> {
    type Output = Result<T, Abandoned>;

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.shared
            .poll(cx.waker())
            .expect("a postbox gives its answer only once")
    }
}

impl<T> Inbox<T> for Postbox<T> {
    type Callback = Callback<T>;

    fn listen(&mut self, callback: Callback<T>) -> Result<CallbackKey, Callback<T>> {
        self.shared.listen(callback)
    }

    fn unlisten(&mut self, key: CallbackKey) -> Option<Callback<T>> {
        self.shared.unlisten(key)
    }
}

impl<T> Drop for Postbox<T> {
    #[inline]
    fn drop(&mut self) {
        self.shared.close();
    }
}

// What panics in a waker or callback leaves both ends in a state of the table.
impl<T> UnwindSafe for Setter<T> {}
impl<T> RefUnwindSafe for Setter<T> {}
impl<T> UnwindSafe for Postbox<T> {}
impl<T> RefUnwindSafe for Postbox<T> {}

impl<T> fmt::Debug for Postbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postbox")
            .field("state", &self.shared.state())
            .finish()
    }
}
