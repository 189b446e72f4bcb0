//! The ends of a postbox between threads.

mod cell;
mod shared;
mod state;

use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll};

pub use shared::SharedRemotePostbox;

use super::abandoned::Abandoned;
use super::callbacks::{CallbackKey, RemoteCallback};
use super::readers::Inbox;
use cell::{PostboxEnd, SetterEnd};

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
#[inline]
pub fn remote_postbox<T: Send>() -> (RemoteSetter<T>, RemotePostbox<T>) {
    let (setter, postbox) = cell::pair();
    (RemoteSetter { end: setter }, RemotePostbox { end: postbox })
}

/// The end of a [`remote_postbox()`] that puts the value in, from any thread.
///
/// Dropped without setting, it tells the waiter [`Abandoned`]. Where several parties may set the
/// value, they share one setter (`Arc<RemoteSetter<T>>`) and use [`try_set`](Self::try_set).
#[must_use = "dropping the setter abandons the postbox"]
pub struct RemoteSetter<T> {
    end: SetterEnd<T>,
}

impl<T> RemoteSetter<T> {
    /// Sets the value, calls the callbacks, and wakes the waiter.
    ///
    /// Counterpart: `concurrent.futures.Future.set_result`.
    ///
    /// # Errors
    ///
    /// Gives the value back if the [`RemotePostbox`] is gone, or holds an answer by
    /// [`try_set`](Self::try_set).
    ///
    /// # Panics
    ///
    /// If a callback or the waiter's waker does; see [`RemotePostbox::on_set`].
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
    #[inline]
    pub fn set(mut self, value: T) -> Result<(), T> {
        self.end.set(value)
    }

    /// Does the same and keeps the setter: the first value is the one that counts.
    ///
    /// # Errors
    ///
    /// Gives the value back if there is one already or about to be, or the [`RemotePostbox`] is
    /// gone. Counterpart: `InvalidStateError` of `concurrent.futures`.
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
    /// let (setter, mut postbox) = ringloop_core::remote_postbox();
    /// assert_eq!(setter.try_set("quick"), Ok(()));
    /// assert_eq!(setter.try_set("slow"), Err("slow"));
    /// assert_eq!(postbox.try_take(), Some(Ok("quick")));
    /// ```
    #[doc(alias = "InvalidStateError")]
    pub fn try_set(&self, value: T) -> Result<(), T> {
        self.end.claim_and_set(value)
    }

    /// Returns whether a value was set, so that another one would come back.
    #[must_use]
    pub fn is_set(&self) -> bool {
        let state = self.end.state();
        state.is_claimed() && !state.is_closed()
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
        self.end.state().is_closed()
    }
}

impl<T> Drop for RemoteSetter<T> {
    #[inline]
    fn drop(&mut self) {
        self.end.abandon();
    }
}

impl<T> fmt::Debug for RemoteSetter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSetter")
            .field("state", &format_args!("{}", self.end.state().name()))
            .finish()
    }
}

/// The end of a [`remote_postbox()`] that waits for the value.
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
/// afterwards goes back to the caller of [`RemoteSetter::set`], but one that was set before and not
/// taken is dropped with the postbox. To stop waiting and come back later, await it by `&mut`.
#[must_use = "a postbox does nothing unless it is awaited"]
pub struct RemotePostbox<T> {
    end: PostboxEnd<T>,
}

impl<T> RemotePostbox<T> {
    /// Takes the answer if there is one, without waiting.
    ///
    /// `None` means not yet, or that it was taken before.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn try_take(&mut self) -> Option<Result<T, Abandoned>> {
        self.end.take()
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
    /// let (setter, mut postbox) = ringloop_core::remote_postbox();
    /// setter.set(String::from("here")).unwrap();
    /// assert_eq!(postbox.peek(|answer| answer.map(String::len)), Some(Ok(4)));
    /// assert_eq!(postbox.try_take(), Some(Ok(String::from("here"))));
    /// ```
    pub fn peek<R>(&mut self, look: impl FnOnce(Result<&T, Abandoned>) -> R) -> Option<R> {
        self.end.peek(look)
    }

    /// Returns whether the answer has come, also when it was taken since.
    ///
    /// Counterpart: `concurrent.futures.Future.done`.
    #[doc(alias = "done")]
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.end.state().is_set()
    }

    /// Has `callback` called with the answer.
    ///
    /// Callbacks run in the order of their registration, on the setter's thread, inside [`RemoteSetter::set`] or the drop of the
    /// setter, before the postbox has the answer and its waiter is woken. So a callback may use
    /// either end; it finds the answer on its way. If the answer is there already, the callback is
    /// called at once; if it was taken before, never. Those that still wait when the postbox is
    /// dropped are dropped with it. Counterpart: `concurrent.futures.Future.add_done_callback`.
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
    /// use ringloop_core::remote_postbox;
    ///
    /// let (setter, mut postbox) = remote_postbox();
    /// postbox.on_set(|answer| assert_eq!(answer, Ok(&7)));
    /// let mistake = postbox.on_set(|_| unreachable!("taken back"));
    /// assert!(postbox.remove_callback(mistake));
    /// setter.set(7).unwrap();
    /// assert_eq!(postbox.try_take(), Some(Ok(7)));
    /// ```
    #[doc(alias = "add_done_callback")]
    pub fn on_set(
        &mut self,
        callback: impl FnOnce(Result<&T, Abandoned>) + Send + 'static,
    ) -> CallbackKey {
        let callback: RemoteCallback<T> = Box::new(callback);
        self.end.listen(callback).unwrap_or_else(|callback| {
            self.end.peek(callback);
            CallbackKey::NONE
        })
    }

    /// Takes a callback back and drops it. Returns whether it was still waiting.
    ///
    /// A key of another postbox names nothing here, or somebody else. Counterpart:
    /// `Future.remove_done_callback` of asyncio.
    #[doc(alias = "remove_done_callback")]
    pub fn remove_callback(&mut self, key: CallbackKey) -> bool {
        self.end.unlisten(key).is_some()
    }

    /// Makes a postbox that any number of readers may wait for.
    ///
    /// # Examples
    ///
    /// ```
    /// let (setter, postbox) = ringloop_core::remote_postbox();
    /// let one = postbox.shared();
    /// let other = one.clone();
    /// setter.set("for all").unwrap();
    /// assert_eq!(one.peek(), Some(Ok("for all")));
    /// assert_eq!(other.peek(), Some(Ok("for all")));
    /// ```
    pub fn shared(self) -> SharedRemotePostbox<T>
    where
        T: Clone + Send + Sync,
    {
        SharedRemotePostbox::new(self)
    }
}

impl<T> Future for RemotePostbox<T> {
    type Output = Result<T, Abandoned>;

    #[inline]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.end
            .poll(cx.waker())
            .expect("a postbox gives its answer only once")
    }
}

impl<T> Inbox<T> for RemotePostbox<T> {
    type Callback = RemoteCallback<T>;

    fn listen(&mut self, callback: RemoteCallback<T>) -> Result<CallbackKey, RemoteCallback<T>> {
        self.end.listen(callback)
    }

    fn unlisten(&mut self, key: CallbackKey) -> Option<RemoteCallback<T>> {
        self.end.unlisten(key)
    }
}

impl<T> fmt::Debug for RemotePostbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemotePostbox")
            .field("state", &format_args!("{}", self.end.name()))
            .finish()
    }
}

// What panics in a waker or callback leaves both ends in a state of the table.
impl<T> UnwindSafe for RemoteSetter<T> {}
impl<T> RefUnwindSafe for RemoteSetter<T> {}
impl<T> UnwindSafe for RemotePostbox<T> {}
impl<T> RefUnwindSafe for RemotePostbox<T> {}

#[cfg(test)]
mod tests;
